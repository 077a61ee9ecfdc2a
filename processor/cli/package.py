"""`tidegate package`: the zip that Terraform deploys, the same bytes whenever the same things go in."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from processor.errors import TidegateError
from processor.policy.plan import dump_plan
from processor.policy.source import compile_policy
from processor.review.approval import approval_of
from processor.scoring import granted_scorer, served_files
from processor.settings import MODEL, POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from processor.policy import Plan

REPOSITORY: Final = Path(__file__).resolve().parents[2]
LOCK: Final = REPOSITORY / "requirements.lambda.lock"
BUILD: Final = REPOSITORY / ".build"
SIZE_MAX: Final = 30_000_000  # bytes; Lambda takes 50 MB, but a cold start has to fetch and unpack it

LEFT_OUT: Final = (
    "cli", "local", "review",
    "policy/document.py", "policy/schema.py", "policy/source.py",
)  # fmt: skip
"""What of `processor/` the function does not need: everything that reads YAML or talks to people."""

# What of the wheels the function does not need. cryptography uses cffi's compiled half only, and the tables
# of stdnum are of other numbers than ours.
PRUNED: Final = (
    "bin", "cffi", "pycparser", "pycparser-*", "**/tests", "**/*.pyi",
    "stdnum/**/*.dat",
    "numpy/f2py", "numpy/distutils", "numpy/_core/include", "numpy/_core/lib", "numpy/random/lib",
)  # fmt: skip

ARCHITECTURES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}  # Lambda's names, and those of wheels
GLIBCS: Final = ("2_34", "2_28", "2_27", "2_17")  # Amazon Linux 2023 has 2.34
PYTHONS: Final = ("3.12", "3.13")  # on Amazon Linux 2023; on older ones numpy does not run
EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name
TASK_ROOT: Final = "/var/task"  # where Lambda unpacks it


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was built."""

    path: Path
    size: int  # bytes
    sha256: str
    bytecode: bool
    """Whether it holds bytecode, without which a cold start compiles all of it."""


def build(
    policy: Path, out: Path, python: str, arch: str, on_step: Callable[[str], None] = lambda _step: None
) -> Package:
    """Build the package of one policy for a version of Python and an architecture, as Lambda names them.

    Everything is checked before anything is written, and the zip appears whole or not at all.

    Raises:
        PolicyError, ModelError: the policy or the model it names is not fit to run.
        TidegateError: a dependency cannot be had, or the package would be too large.
    """
    on_step(f"checking {policy}")
    plan, compiled = compile_policy(policy)
    if approval := approval_of(policy, plan):
        compiled = dump_plan(plan, approval.compiled)
    model = _checked_model(plan)
    wheels = _wheels(python, arch, on_step)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="package-") as folder:
        tree = Path(folder)
        shutil.copytree(REPOSITORY / "processor", tree / "processor", ignore=_left_out)
        bytecode = _compile(tree, python, on_step)
        (tree / POLICY).write_bytes(compiled)
        if model is not None:
            (tree / MODEL).mkdir()
            for file in served_files(model):
                shutil.copyfile(file, tree / MODEL / file.name)
        on_step(f"writing {out}")
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_suffix(".unfinished")
        try:
            _zip([wheels, tree], unfinished)
            size = unfinished.stat().st_size
            if size > SIZE_MAX:
                raise TidegateError(f"the package has {size:,} bytes; more than {SIZE_MAX:,} start slowly")
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
    return Package(out, size, hashlib.sha256(out.read_bytes()).hexdigest(), bytecode)


def _checked_model(plan: Plan) -> Path | None:
    """The folder of the model that the policy names, after what the function checks at its start."""
    if plan.score is None:
        return None
    folder = REPOSITORY / "models" / plan.score.model
    granted_scorer(folder, plan.score)
    return folder


def _left_out(folder: str, names: list[str]) -> set[str]:
    inside = Path(folder).relative_to(REPOSITORY / "processor")
    return {name for name in names if name == "__pycache__" or (inside / name).as_posix() in LEFT_OUT}


def _wheels(python: str, arch: str, on_step: Callable[[str], None]) -> Path:
    """The dependencies, installed for the target, pruned and compiled: made once per lock, then kept."""
    maker = _interpreter(python)
    recipe = [LOCK.read_text(), python, arch, *PRUNED, "bytecode" if maker else "source"]
    folder = BUILD / "wheels" / hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    on_step(f"installing the dependencies for Python {python} on {arch}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unfinished-"))
    try:
        target = [f"--platform=manylinux_{glibc}_{ARCHITECTURES[arch]}" for glibc in GLIBCS]
        target += ["--implementation=cp", f"--python-version={python}", "--only-binary=:all:"]
        exact = ["--no-deps", "--no-compile", "--require-hashes", f"--requirement={LOCK}"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(
            [*pip, *target, *exact, f"--target={unfinished}"],
            f"the package index did not give what {LOCK.name} names: check the network",
        )
        for pattern in PRUNED:
            for path in list(unfinished.glob(pattern)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        _compile(unfinished, python, on_step)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _compile(tree: Path, python: str, on_step: Callable[[str], None]) -> bool:
    """Add bytecode for the target; False if no interpreter of its version is here.

    Lambda's file system is read-only: bytecode that is not in the package is made anew at every cold start,
    which takes longer than everything else there. Unchecked, because times in a zip say nothing.
    """
    interpreter = _interpreter(python)
    if interpreter is None:
        on_step(
            f"no python{python} here to compile with: cold starts will be slower. Install it to mend that."
        )
        return False
    compileall = [interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash"]
    _run([*compileall, "-s", tree, "-p", TASK_ROOT, tree], f"python{python} could not compile the package")
    return True


def _interpreter(python: str) -> str | None:
    """An interpreter of this version, ours if it is of it."""
    for candidate in (sys.executable, f"python{python}"):
        found = shutil.which(candidate)
        if found is None:
            continue
        # A name on the path may be a shim with nothing behind it: ask it.
        asked = subprocess.run(
            [found, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.stdout.strip() == python:
            return found
    return None


def _run(command: Sequence[str | Path], trouble: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise TidegateError(f"{trouble}.\n{last}")


def _zip(trees: list[Path], out: Path) -> None:
    """Zip folders into one, in an order and with times and modes that depend on nothing but the content."""
    files = {path.relative_to(tree).as_posix(): path for tree in trees for path in tree.rglob("*")}
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
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=REPOSITORY / "policies" / "payments.yaml",
    show_default="policies/payments.yaml",
    help="The policy that the function applies.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the zip goes. [default: .build/<policy>.zip]",
)
@click.option("--python", type=click.Choice(PYTHONS), default="3.13", show_default=True)
@click.option("--arch", type=click.Choice(sorted(ARCHITECTURES)), default="arm64", show_default=True)
@click.option(
    "--host", is_flag=True, help="For this machine's Python and processor, as `make demo` needs it."
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def package(policy: Path, out: Path | None, python: str, arch: str, *, host: bool, as_json: bool) -> None:
    """Build the zip that Terraform deploys: code, dependencies, policy and model.

    The policy is checked and the model verified first. The same inputs give the same bytes, so that Terraform
    deploys when something changed and at no other time. Python and architecture have to be those of
    `runtime` and `architecture` in terraform/environments.

    \b
    Example: what the dev environment runs.
      tidegate package --policy policies/payments.yaml --out .build/payments.zip
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if host:
        python, arch = host_target()
    started = time.monotonic()
    out = out or BUILD / f"{policy.stem}.zip"
    built = build(policy, out, python, arch, lambda step: click.echo(step, err=True))
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        about = {"path": str(built.path), "bytes": built.size, "sha256": built.sha256}
        click.echo(json.dumps({**about, "bytecode": built.bytecode, "seconds": seconds}))
    else:
        words = f"{built.path}: {built.size / 1e6:.1f} MB, SHA-256 {built.sha256}, in {seconds} s"
        click.echo(words, err=True)


def host_target() -> tuple[str, str]:
    """This machine's version of Python and architecture, in Lambda's names."""
    machine = platform.machine().lower()
    arch = "arm64" if machine in {"arm64", "aarch64"} else "x86_64"
    return f"{sys.version_info.major}.{sys.version_info.minor}", arch
