"""A policy's YAML file, checked and compiled. Not part of the Lambda package.

The file is read as the subset of YAML on which its readers agree (`document`), then by the very code that
reads the compiled plan when the function starts (`plan`): what compiles here runs there.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from processor.errors import Finding, PolicyError
from processor.policy.document import Document, file_bytes, read_document
from processor.policy.plan import Plan, dump_plan, read_plan

if TYPE_CHECKING:
    from pathlib import Path

    from processor.policy.kinds import Place

SUFFIX: Final = ".yaml"


@dataclass(frozen=True, slots=True)
class Source:
    """A policy that compiles, and where in its file everything stands."""

    path: Path
    plan: Plan
    document: Document

    @property
    def compiled(self) -> bytes:
        """Canonical JSON for the Lambda package: one plan, one sequence of bytes."""
        return dump_plan(self.plan)

    def finding(self, at: Place, message: str, hint: str = "", *, on_key: bool = False) -> Finding:
        """Something to say about a place in the file."""
        return Finding(str(self.path), *self.document.locate(at, on_key=on_key), message, hint)


def compile_policy(path: Path) -> tuple[Plan, bytes]:
    """The plan of a YAML file, and its canonical JSON for the package.

    Raises:
        PolicyError: everything that is wrong with the file, each with line and column.
    """
    source = read_source(path)
    return source.plan, source.compiled


def read_source(path: Path, *, any_name: bool = False) -> Source:
    """The policy of a file that may be anything.

    Args:
        path: the file.
        any_name: whether it may have another name than its policy, as one has that is only looked at.

    Raises:
        PolicyError: as `compile_policy`.
    """
    file = str(path)
    data = file_bytes(path)
    document = read_document(data, file)
    plan, problems = read_plan(document.data, sha256(data).hexdigest())
    if plan is None:
        raise PolicyError(document.findings(problems, file))
    source = Source(path, plan, document)
    if not any_name and f"{plan.name}{SUFFIX}" != path.name:
        hint = (
            f"Name the file {plan.name}{SUFFIX}: Terraform finds a stream's policy by the name of its file."
        )
        raise PolicyError([source.finding(("policy",), f"the policy {plan.name!r} is in {path.name}", hint)])
    return source
