"""`tidegate package`: the zips that Terraform deploys, the same bytes whenever the same things go in.

One for each stream, and one for the two functions on people (`--access`). Of `processor/` a package holds
what its handlers import and no more: nothing that reads YAML or talks to people, and of neither the other's.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from processor.cli import sbom
from processor.cli.wheels import ARCHITECTURES, BUILD, PYTHONS, add_bytecode, installed, wheel_hashes
from processor.errors import ModelError, TidegateError
from processor.policy.contradictions import disagreements
from processor.policy.plan import dump_plan
from processor.policy.source import compile_policy
from processor.review.approval import approval_of
from processor.review.release import write_release
from processor.scoring import granted_scorer, served_files
from processor.scoring.artefact import read_manifest
from processor.settings import MODEL, POLICY, SHADOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from processor.policy import Plan

REPOSITORY: Final = Path(__file__).resolve().parents[2]
SIZE_MAX: Final = 30_000_000  # bytes; Lambda takes 50 MB, but a cold start has to fetch and unpack it

STREAM: Final = ("processor.handler", "processor.backfill")
ACCESS: Final = ("processor.detokenize", "processor.erase")
"""The handlers of a stream's package, and of the one that opens tokens and forgets people."""
ACCESS_POLICIES: Final = "policies"
"""Folder of the compiled policies in the latter."""
BY_NAME: Final = "processor.policy.detection"
"""The package whose modules are loaded by names that stand in a policy: all of them go along."""
WITHOUT_SCORING: Final = ("numpy", "numpy-*", "numpy.libs")
"""What of the wheels only the scorer needs."""

EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was built."""

    path: Path
    size: int  # bytes
    sha256: str
    bytecode: bool
    """Whether it holds bytecode, without which a cold start compiles all of it."""


def build(
    policy: Path,
    out: Path,
    python: str,
    arch: str,
    on_step: Callable[[str], None] = lambda _step: None,
    *,
    shadow: Path | None = None,
) -> Package:
    """Build the package of a policy's stream for a Python version and an architecture, as Lambda names them.

    With a `shadow`, the folder of a candidate for the policy's model, which then judges beside it in silence.
    Everything is checked before anything is written, and the zip appears whole or not at all. Beside it goes
    what is in it, for Terraform: payments.release.json; and what it is made of: payments.cdx.json.

    Raises:
        PolicyError, ModelError: the policy or the model it names is not fit to run.
        TidegateError: a dependency cannot be had, or the package would be too large.
    """
    on_step(f"checking {policy}")
    plan, compiled = _compiled(policy)
    files = {POLICY: compiled}
    for name, folder in _checked_models(plan, shadow).items():
        files |= {f"{name}/{file.name}": file.read_bytes() for file in served_files(folder)}
    package = _packed(plan.name, files, STREAM, out, python=python, arch=arch, on_step=on_step)
    write_release(out)
    return package


def build_access(
    policies: Sequence[Path],
    out: Path,
    python: str,
    arch: str,
    on_step: Callable[[str], None] = lambda _step: None,
) -> Package:
    """Build the package of detokenize and erase, which know these policies. Otherwise as `build`.

    Raises:
        PolicyError: a policy is not fit to run.
        TidegateError: no policy, two of one name, or some that one function cannot serve; or as `build`.
    """
    files: dict[str, bytes] = {}
    plans: list[Plan] = []
    for policy in policies:
        on_step(f"checking {policy}")
        plan, compiled = _compiled(policy)
        name = f"{ACCESS_POLICIES}/{plan.name}.json"
        if name in files:
            raise TidegateError(
                f"{policy}: another policy is named {plan.name}, too; one function serves both"
            )
        files[name] = compiled
        plans.append(plan)
    if not files:
        raise TidegateError("no policy: name at least one that detokenize and erase are to know")
    if trouble := list(disagreements(plans)):
        raise TidegateError("\n".join(trouble))
    return _packed(
        "access", files, ACCESS, out, python=python, arch=arch, on_step=on_step, without=WITHOUT_SCORING
    )


def _packed(
    name: str,
    files: Mapping[str, bytes],
    handlers: Sequence[str],
    out: Path,
    *,
    python: str,
    arch: str,
    on_step: Callable[[str], None],
    without: Sequence[str] = (),
) -> Package:
    """The package of this name: some handlers, with these files in it and without these wheels."""
    wheels = installed(python, arch, on_step)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="package-") as folder:
        tree = Path(folder)
        modules = {path.relative_to(REPOSITORY).as_posix(): path.read_bytes() for path in reached(handlers)}
        _write(tree, modules)
        bytecode = add_bytecode(tree, python, on_step)
        about = {"python": python, "architecture": arch}
        bill = sbom.bill(name, about, _distributions(wheels, without), modules, files)
        _write(tree, {**files, sbom.SBOM: bill})
        on_step(f"writing {out}")
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_suffix(f".{os.getpid()}.unfinished")  # two may build it at once
        try:
            _zip([wheels, tree], unfinished, without)
            size = unfinished.stat().st_size
            if size > SIZE_MAX:
                raise TidegateError(f"the package has {size:,} bytes; more than {SIZE_MAX:,} start slowly")
            out.with_suffix(sbom.SUFFIX).write_bytes(bill)
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
    return Package(out, size, hashlib.sha256(out.read_bytes()).hexdigest(), bytecode)


def _write(tree: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)


def _distributions(wheels: Path, without: Sequence[str]) -> list[tuple[Path, str]]:
    """The METADATA of each wheel that goes along, with the wheel's SHA-256."""
    hashes = wheel_hashes(wheels)
    return [
        (path / "METADATA", hashes[sbom.normal(path.name.partition("-")[0])])
        for path in sorted(wheels.glob("*.dist-info"))
        if not _is_left_out(path.name, without)
    ]


def _is_left_out(top: str, without: Sequence[str]) -> bool:
    return any(fnmatch(top, pattern) for pattern in without)


def _compiled(policy: Path) -> tuple[Plan, bytes]:
    """A policy's plan and its bytes in a package, with who answers for it if it became wider."""
    plan, compiled = compile_policy(policy)
    approval = approval_of(policy, plan)
    return plan, dump_plan(plan, approval.compiled) if approval else compiled


def _checked_models(plan: Plan, shadow: Path | None) -> dict[str, Path]:
    """The folders of the policy's model and of a candidate for it, if the function would start with them."""
    if plan.score is None:
        return {}
    folders = {MODEL: REPOSITORY / "models" / plan.score.model} | ({SHADOW: shadow} if shadow else {})
    models = [granted_scorer(folder, plan.score).model for folder in folders.values()]
    if len(set(models)) < len(models):
        raise ModelError(f"{shadow}: is the model in use, {models[0]}; there is nothing to compare")
    return folders


def is_candidate(shadow: Path, policy: Path) -> bool:
    """Whether the folder holds a candidate for the policy's model.

    Raises:
        PolicyError, ModelError: one of them is not fit to run.
    """
    plan, _ = compile_policy(policy)
    return plan.score is not None and plan.score.model == read_manifest(shadow).content["model"]


def reached(handlers: Sequence[str]) -> list[Path]:
    """The files of `processor/` that these modules import, directly or not, or load by name."""
    found: dict[str, Path] = {}
    waiting = list(handlers)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path is None or name in found:
            continue  # no module: a name in one, or of another package
        found[name] = path
        waiting += [*_imported(ast.parse(path.read_bytes())), name.rpartition(".")[0]]
        if name == BY_NAME:
            waiting += [f"{name}.{module.stem}" for module in path.parent.glob("*.py")]
    return sorted(found.values())


def _file(name: str) -> Path | None:
    if name.partition(".")[0] != "processor":
        return None
    path = REPOSITORY.joinpath(*name.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _imported(tree: ast.AST) -> Iterator[str]:
    """The modules that some code imports when it runs: not those that are for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case _:
                yield from _imported(node)


def _zip(trees: list[Path], out: Path, without: Sequence[str] = ()) -> None:
    """Zip folders into one, in an order and with times and modes that depend on nothing but the content."""
    files = {path.relative_to(tree).as_posix(): path for tree in trees for path in tree.rglob("*")}
    files = {name: path for name, path in files.items() if not _is_left_out(name.partition("/")[0], without)}
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            path = files[name]
            if path.is_dir():
                continue
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = (0o100755 if ".so" in path.suffixes else 0o100644) << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=6)


@click.command()
@click.option(
    "--policy",
    "policies",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    show_default="policies/payments.yaml; with --access, all of policies/",
    help="The policy that the function applies. With --access, one that both functions know; repeatable.",
)
@click.option(
    "--access",
    is_flag=True,
    help="The package of detokenize and erase instead, which holds no model and every policy given.",
)
@click.option(
    "--shadow",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of a candidate, which judges beside the policy's model in silence: see docs/model.md.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the zip goes. [default: .build/<policy>.zip; with --access, .build/access.zip]",
)
@click.option("--python", type=click.Choice(PYTHONS), default="3.13", show_default=True)
@click.option("--arch", type=click.Choice(sorted(ARCHITECTURES)), default="arm64", show_default=True)
@click.option(
    "--host", is_flag=True, help="For this machine's Python and processor, as `make demo` needs it."
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def package(
    policies: tuple[Path, ...],
    shadow: Path | None,
    out: Path | None,
    python: str,
    arch: str,
    *,
    access: bool,
    host: bool,
    as_json: bool,
) -> None:
    """Build a zip that Terraform deploys: code, dependencies, policy and model.

    Each stream has a package, with its policy and its model. The functions detokenize and erase share one
    (--access), with all policies: a token or a person of a policy that is not in it is unknown to them. So
    policies whose tokens join have to agree on who may open them, and on how their people are spelled.

    Policies are checked and the model verified first. The same inputs give the same bytes, so that Terraform
    deploys when something changed and at no other time. What a zip is made of is in it and beside it
    (payments.cdx.json, CycloneDX 1.6). Python and architecture have to be those of
    `runtime` and `architecture` in terraform/environments.

    \b
    Example: what the dev environment runs.
      tidegate package --policy policies/payments.yaml
      tidegate package --access
    And with a candidate that is to meet live traffic before it is released:
      tidegate package --shadow .build/candidate
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if host:
        python, arch = host_target()
    started = time.monotonic()

    def tell(step: str) -> None:
        click.echo(step, err=True)

    if access:
        built = build_access(policies or all_policies(), out or BUILD / "access.zip", python, arch, tell)
    elif len(policies) > 1:
        raise click.UsageError("a stream has one policy: build a package for each, or add --access")
    else:
        policy = policies[0] if policies else REPOSITORY / "policies" / "payments.yaml"
        if shadow is not None and not is_candidate(shadow, policy):
            tell(f"{policy}: does not name the model of {shadow}, and is packaged without it")
            shadow = None
        built = build(policy, out or BUILD / f"{policy.stem}.zip", python, arch, tell, shadow=shadow)
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        about = {"path": str(built.path), "bytes": built.size, "sha256": built.sha256}
        click.echo(json.dumps({**about, "bytecode": built.bytecode, "seconds": seconds}))
    else:
        words = f"{built.path}: {built.size / 1e6:.1f} MB, SHA-256 {built.sha256}, in {seconds} s"
        click.echo(words, err=True)


def all_policies() -> list[Path]:
    """The policies of policies/, without what stands beside them (payments.examples.yaml and the like)."""
    return [path for path in sorted(REPOSITORY.glob("policies/*.yaml")) if "." not in path.stem]


def host_target() -> tuple[str, str]:
    """This machine's version of Python and architecture, in Lambda's names."""
    machine = platform.machine().lower()
    arch = "arm64" if machine in {"arm64", "aarch64"} else "x86_64"
    return f"{sys.version_info.major}.{sys.version_info.minor}", arch
