"""Why a policy may let out more than the one before: a file beside it, committed and reviewed with it.

`payments.approval.json` names both policies by their SHA-256, so it holds for this one change: after another
edit it is about a policy that is gone, and nothing is approved. The package takes it along.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.errors import Finding, PolicyError
from processor.review.differences import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from processor.policy.plan import Plan
    from processor.review.comparison import Comparison
    from processor.review.differences import Difference

FORMAT: Final = "tidegate.approval/1"
SUFFIX: Final = ".approval.json"
BYTES_MAX: Final = 1_000_000
REASON_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Approval:
    """One change of one policy that somebody answers for."""

    policy: str
    before: str
    """SHA-256 of the policy before, and after, the change."""
    after: str
    reason: str
    wider: tuple[str, ...]
    """What became wider, in words."""

    def covers(self, comparison: Comparison) -> bool:
        """Whether it is about this change, and about all in it that is wider."""
        plans = comparison.old.sha256, comparison.new.sha256
        return plans == (self.before, self.after) and set(_wider(comparison)) <= set(self.wider)

    @property
    def compiled(self) -> dict[str, Any]:
        """As the compiled policy has it, for `dump_plan`."""
        return {"reason": self.reason, "before": self.before, "fields": list(self.wider)}


def approve(comparison: Comparison, reason: str) -> Approval:
    """The approval of all that is wider in a change.

    Raises:
        ValueError: with words for who gave the reason.
    """
    if not reason.strip() or not reason.isprintable() or len(reason) > REASON_CHARACTERS_MAX:
        raise ValueError(f"a reason is one line of up to {REASON_CHARACTERS_MAX} characters")
    old, new = comparison.old, comparison.new
    return Approval(new.name, old.sha256, new.sha256, reason.strip(), tuple(_wider(comparison)))


def approval_of(policy_file: Path, plan: Plan) -> Approval | None:
    """The approval that stands beside a policy's file and is about this very policy, if there is one.

    Raises:
        PolicyError: there is a file that is no approval.
    """
    file = approval_file(policy_file, plan)
    try:
        with file.open("rb") as stream:
            data = stream.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PolicyError([Finding(str(file), 1, 1, f"cannot be read: {error.strerror}")]) from None
    approval = _read(data)
    if approval is None:
        hint = "Have it written by tidegate policy plan OLD NEW --allow-wider REASON."
        raise PolicyError([Finding(str(file), 1, 1, f"not an approval of the format {FORMAT}", hint)])
    return approval if (approval.policy, approval.after) == (plan.name, plan.sha256) else None


def write_approval(policy_file: Path, plan: Plan, approval: Approval) -> Path:
    """Write it beside the policy's file, in place of an earlier one.

    Raises:
        OSError: it cannot be written.
    """
    file = approval_file(policy_file, plan)
    text = json.dumps({"format": FORMAT, **asdict(approval)}, indent=2, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    return file


def approval_file(policy_file: Path, plan: Plan) -> Path:
    """Where the approval of a policy is."""
    return policy_file.with_name(plan.name + SUFFIX)


def _wider(comparison: Comparison) -> list[str]:
    return [_line(one) for one in comparison.of(Verdict.WIDER)]


def _line(one: Difference) -> str:
    return f"{one.subject}, {one.aspect}: {one.before} → {one.after}"


def _read(data: bytes) -> Approval | None:
    """The approval that bytes hold, None if they hold anything else."""
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return None
    names = [name for name in Approval.__slots__ if name != "wider"]
    if not isinstance(read, dict) or read.keys() != {"format", "wider", *names} or read["format"] != FORMAT:
        return None
    texts, wider = [read[name] for name in names], read["wider"]
    if not isinstance(wider, list) or not all(isinstance(text, str) for text in (*texts, *wider)):
        return None
    hashes = read["before"], read["after"]
    if not read["reason"].strip() or not all(re.fullmatch(r"[0-9a-f]{64}", text) for text in hashes):
        return None
    return Approval(**dict(zip(names, texts, strict=True)), wider=tuple(wider))
