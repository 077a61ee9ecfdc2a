"""The layers of the house, held over the import statements: no module imports from a row above its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "processor"

ROWS = {  # top to bottom
    "entry": ("handler", "start", "detokenize", "erase", "backfill"),
    "command": ("cli", "local", "review"),
    "flow": ("pipeline", "history", "judge", "removals", "reidentification", "erasure", "asking", "access"),
    "stages": (
        *("stream", "kinesis", "sources", "exports", "policy", "scoring", "event"),
        *("identities", "entities"),
    ),
    "state": ("ledger", "subjects", "rates", "profiles"),
    "edge": (
        *("sinks", "audit", "quarantine", "keys", "telemetry", "settings", "aws"),
        *("proof", "receipts", "calls", "unwrapping"),
    ),
    "ground": ("crypto", "errors"),
}
ROW_OF = {room: row for row, rooms in ROWS.items() for room in rooms}
HEIGHT = {row: height for height, row in enumerate(reversed(ROWS))}

# What would make a stage impure: AWS, the environment, the clock, the network, another process.
IMPURE = {
    *("boto3", "botocore", "os", "time", "urllib", "subprocess", "threading", "logging"),
    *("sklearn", "scipy", "joblib", "pandas"),
}
NEVER_SHIPPED = {
    "sklearn",
    "scipy",
    "joblib",
    "pandas",
    "pydantic",
    "yaml",
    "click",
    "rich",
    "models",
    "moto",
}
READS_YAML = {"document", "source", "schema"}  # rooms of policy/ that stay out of the package

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    """The module or package right under processor/ to which a file belongs."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_shipped(path: Path) -> bool:
    return ROW_OF[room(path)] != "command" and not (room(path) == "policy" and path.stem in READS_YAML)


def imports(path: Path) -> set[str]:
    """Dotted names that a module imports when it runs; types named for the checker alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("processor.")}


def packages_used(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def identify(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_no_module_imports_from_above(path: Path) -> None:
    assert room(path) in ROW_OF, "a new module: give it a row here and in CONTRIBUTING.md"
    mine = HEIGHT[ROW_OF[room(path)]]
    above = {used for used in rooms_used(path) if HEIGHT[ROW_OF[used]] > mine}
    assert not above, f"{room(path)} is of the row {ROW_OF[room(path)]}"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if ROW_OF.get(room(path)) in {"stages", "ground"}], ids=identify
)
def test_stages_are_pure(path: Path) -> None:
    assert not packages_used(path) & IMPURE
    assert "models" not in packages_used(path), "training imports scoring, never the reverse"


@pytest.mark.parametrize("path", [path for path in MODULES if is_shipped(path)], ids=identify)
def test_what_is_shipped_needs_nothing_that_is_not(path: Path) -> None:
    assert not packages_used(path) & NEVER_SHIPPED
    assert not rooms_used(path) & {"cli", "local", "review"}
    assert not {f"processor.policy.{name}" for name in READS_YAML} & {
        name for used in imports(path) for name in (used, used.rpartition(".")[0])
    }


def test_the_test_sees_what_it_should(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "import processor.cli.package\n"
        "def late():\n    from processor.sinks import Feed\n"
        "if TYPE_CHECKING:\n    import boto3\n"
    )
    assert rooms_used(module) == {"cli", "sinks"}
    assert packages_used(module) == {"typing", "processor"}
