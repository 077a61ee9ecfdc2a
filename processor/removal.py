"""The record of an erasure, and erasing because a record was removed from the table.

Apart from erasure.py, so that the function on the stream does not load what answers people.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from processor.audit import record_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from processor.audit import Chain, Link
    from processor.policy import Plan
    from processor.subjects import Subjects

SCHEMA: Final = "tidegate.erasure/1"
KIND: Final = "erase"


def erased_by_removal(
    subjects: Subjects,
    chain: Chain,
    plan: Plan,
    names: tuple[str, ...],
    *,
    table: str,
    function_name: str,
    at: float,
) -> Link | None:
    """Erase a person because their record was removed, where the policy says so (`on_remove: erase`).

    Args:
        subjects: the table of people.
        chain: of the audit trail, of the group `erase`.
        plan: the policy.
        names: the person's.
        table: whose removal it was.
        function_name: of the function that does it: there is no other caller.
        at: epoch seconds, now.

    Raises:
        Transient: the removal has to come again; then it goes on.
    """
    first = subjects.erase(names)
    written = erasure_record(
        at=at, who=function_name, reason=f"removed from the table {table}", names=names, erased_at=first,
        again=first < int(at), plans=[plan], request_id="",
    )  # fmt: skip
    return chain.append(record_key(KIND, at, chain), written)


def erasure_record(
    *,
    at: float,
    who: str,
    reason: str,
    names: Iterable[str],
    erased_at: int,
    again: bool,
    plans: Sequence[Plan],
    request_id: str,
) -> dict[str, Any]:
    """What the audit trail says of an erasure."""
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "time": iso(at),
        "who": who,
        "reason": reason,
        "subjects": list(names),
        "erased_at": iso(erased_at),
        "again": again,
        "policies": covered_by(plans),
        "request_id": request_id,
    }


def covered_by(plans: Iterable[Plan]) -> list[dict[str, Any]]:
    """Each policy with the fields that an erasure of its people reaches."""
    return [
        {
            "name": plan.name, "version": plan.version, "sha256": plan.sha256,
            "fields": list(plan.subject_fields),
        }
        for plan in plans
    ]  # fmt: skip


def iso(seconds: float) -> str:
    """Epoch seconds as a moment of ISO 8601 in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
