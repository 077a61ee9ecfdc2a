"""The error types: few, each saying what its catcher can do about it.

No message may hold a value of a record: errors carry the path and the type, never the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class TidegateError(Exception):
    """The root of every expected error. Its text is for people: what, where, how to mend it."""


class SettingsError(TidegateError):
    """The environment is unusable: the function must not start."""


class ModelError(TidegateError):
    """The packaged model is missing, altered or of another format: the function must not start."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in a policy file, located for an editor to jump to (line and column from 1)."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return f"{where}\n    {self.hint}" if self.hint else where


class PolicyError(TidegateError):
    """The policy is unusable. `findings` says everything that is wrong with it, not just the first thing."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class Poison(TidegateError):  # noqa: N818  an outcome with a name, as is the next
    """A permanent error: this record can never pass as it is. It goes to quarantine and the stream goes on.

    Args:
        reason: what is wrong, in words that hold no value of the record.
        path: where, in the policy's own path notation; empty for the record as a whole.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason = reason
        self.path = path
        super().__init__(f"{path}: {reason}" if path else reason)


class Transient(TidegateError):  # noqa: N818
    """A passing error: AWS is in trouble. The batch stops here and the stream delivers it again.

    Args:
        message: which call failed and how AWS named the failure; never what was sent.
        sequence: the first record that is to come again; empty for the whole batch.
        code: AWS's name for the failure, for the few callers who expect one.
    """

    def __init__(self, message: str, *, sequence: str = "", code: str = "") -> None:
        self.sequence = sequence
        self.code = code
        super().__init__(message)
