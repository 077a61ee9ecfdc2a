"""Forgetting a person, top to bottom: who asks, who is meant, destroy the secret, record, sign a receipt.

Nothing here reads a secret or a value. What is left afterwards are tombstones under the person's names, which
hold the time alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from processor.calls import Call
from processor.identities import BINARY, NUMBER, SUBJECT_CHARACTERS_MAX, TEXT, binary, is_name, readings
from processor.policy.detection import find
from processor.proof import Refused
from processor.receipts import SCHEMA as RECEIPT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from processor.policy import Plan
    from processor.policy.people import People
    from processor.proof import Callers
    from processor.receipts import Signer
    from processor.subjects import Subjects

SCHEMA: Final = "tidegate.erasure/1"
KIND: Final = "erase"
REASON_CHARACTERS_MAX: Final = 200
DAY_S: Final = 86_400
PARTS: Final = frozenset({"subject", "as", "policy", "reason", "dry_run", "unseen", "proof"})

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Office:
    """What the function is made of."""

    policies: Mapping[str, tuple[Plan, People]]
    """Those whose output goes by the person, by name."""
    callers: Callers
    subjects: Subjects
    record: Callable[[str, Mapping[str, Any]], Any]
    """Writes a record of a kind into the audit trail; see `Chain.append`."""
    audit_bucket: str
    signer: Signer
    in_force_s: int
    """After how many seconds no function uses a destroyed secret any more."""
    recovery_days: int
    """For how long a backup of the table could bring a secret back."""
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Person:
    """Who is meant, and what is known of them. Epoch seconds, None for never."""

    names: tuple[Names, ...]
    created_at: int | None
    erased_at: int | None
    """When the first of the names was."""
    last_erased_at: int | None
    """When the last of them was; None if there still is a secret, as where an erasure was interrupted."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a request asks for."""

    people: dict[str, tuple[Names, ...]]
    """By how the subject is read, the names in each spelling that the policies use."""
    dry_run: bool
    unseen: bool


@dataclass(slots=True)
class _Asked:
    """What is known of a request by now: its record tells it, be it done, looked up only, or refused."""

    who: str | None = None
    reason: str | None = None
    policies: tuple[Plan, ...] = ()
    names: list[str] = field(default_factory=list)
    """Of the person, or of all who may be meant."""
    dry_run: bool = False


def erase(office: Office, request: Any, request_id: str) -> tuple[dict[str, Any], Call]:
    """The receipt of an erasure, or what would be done, and what to say of it.

    All that is asked is in the audit trail before it is answered: whoever looks up a person by an id learns
    the person's name in the feed.

    Raises:
        Transient: AWS failed somewhere on the way. The person may be erased by then; asking again is safe,
            and gives the receipt.
    """
    asked = _Asked()
    try:
        return _granted(office, request, request_id, asked)
    except Refused as refusal:
        asked.who = asked.who or refusal.who
        said = {"dry_run": True} if asked.dry_run else {}
        office.record(KIND, _record(office, asked, request_id, **said, refused=str(refusal)))
        return {"refused": str(refusal)}, Call(refused=str(refusal))


def _granted(office: Office, request: Any, request_id: str, asked: _Asked) -> tuple[dict[str, Any], Call]:
    if not isinstance(request, dict):
        raise Refused("the request is not a JSON object")
    asked.who = office.callers.who(request)
    wish = _read(office, request, asked)
    person = _meant(office, wish)
    asked.names = [name for one in person.names for name in one]
    if wish.dry_run:
        return _looked_up(office, asked, person, request_id), Call({"DryRuns": 1})
    first = min([office.subjects.erase(one) for one in person.names])
    last = person.last_erased_at or office.clock()  # that of now: until now there was a secret
    again = person.last_erased_at is not None
    record = _record(office, asked, request_id, erased_at=_iso(first), again=again)
    receipt = {
        "schema": RECEIPT_SCHEMA,
        "subjects": asked.names,
        "erased_at": _iso(first),
        **_dates(office, last),
        "requested_by": asked.who,
        "reason": asked.reason,
        "again": again,
        "policies": record["policies"],
        "record": _recorded(office, record),
    }
    return office.signer.signed(receipt), Call({"ErasedAgain" if again else "PeopleErased": 1})


def _looked_up(office: Office, asked: _Asked, person: _Person, request_id: str) -> dict[str, Any]:
    last = person.last_erased_at
    return {
        "dry_run": True,
        "subjects": asked.names,
        "requested_by": asked.who,
        **_dates(office, last or office.clock()),
        "seen_since": person.created_at and _iso(person.created_at),
        "erased_at": last and _iso(person.erased_at or last),
        "policies": _covered(asked.policies),
        "record": _recorded(office, _record(office, asked, request_id, dry_run=True)),
    }


def _record(office: Office, asked: _Asked, request_id: str, **more: Any) -> dict[str, Any]:
    """What the trail says of a request. An erasure has `erased_at`; `dry_run` or `refused`, what was none."""
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "time": _iso(office.clock()),
        "who": asked.who,
        "reason": asked.reason,
        "subjects": asked.names,
        **more,
        "policies": _covered(asked.policies),
        "request_id": request_id,
    }


def _recorded(office: Office, record: Mapping[str, Any]) -> dict[str, str]:
    """Where the record is now."""
    link = office.record(KIND, record)
    return {"bucket": office.audit_bucket, "key": link.key, "sha256": link.sha256}


def _iso(seconds: float) -> str:
    """Epoch seconds as a moment of ISO 8601 in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dates(office: Office, erased_at: float) -> dict[str, str]:
    gone = erased_at + office.recovery_days * DAY_S
    return {"in_force_at": _iso(erased_at + office.in_force_s), "backups_gone_at": _iso(gone)}


def _covered(plans: Iterable[Plan]) -> list[dict[str, Any]]:
    """Each policy with the fields that an erasure of its people reaches."""
    return [
        {
            "name": plan.name, "version": plan.version, "sha256": plan.sha256,
            "fields": list(plan.subject_fields),
        }
        for plan in plans
    ]  # fmt: skip


def _meant(office: Office, wish: _Wish) -> _Person:
    states = {
        read_as: [office.subjects.state(names) for names in people] for read_as, people in wish.people.items()
    }
    seen = {read_as for read_as, found in states.items() if any(state.seen for state in found)}
    if len(seen) > 1:
        raise Refused(
            f'there is a person by this text and one by this number: say "as": "{TEXT}" or "as": "{NUMBER}" '
            f"(--as with the command)"
        )
    if not seen and not wish.unseen:
        raise Refused(
            "nobody is known by this: check the spelling, which is that of the source table. To have whoever "
            'comes by it treated as erased from the first record on, say "unseen": true (--unseen)'
        )
    # Where nobody is known yet, whichever it turns out to be is erased.
    meant = sorted(seen or wish.people)
    found = [state for read_as in meant for state in states[read_as]]
    done = [state.last_erased_at for state in found if state.seen]
    return _Person(
        names=tuple(state.names for state in found),
        created_at=min((state.created_at for state in found if state.created_at is not None), default=None),
        erased_at=min((state.erased_at for state in found if state.erased_at is not None), default=None),
        last_erased_at=None if None in done else max((at for at in done if at is not None), default=None),
    )


def _read(office: Office, request: Mapping[str, Any], asked: _Asked) -> _Wish:
    if unknown := request.keys() - PARTS:
        raise Refused(f"the request has {len(unknown)} unknown parts; it may have {', '.join(sorted(PARTS))}")
    flags = {}
    for name in ("dry_run", "unseen"):
        flags[name] = request.get(name, False)
        if not isinstance(flags[name], bool):
            raise Refused(f"{name} must be true or false")
    asked.dry_run = flags["dry_run"]
    subject = request.get("subject")
    subject = str(subject) if type(subject) is int else subject
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_CHARACTERS_MAX:
        raise Refused(f"subject must be a text of 1 to {SUBJECT_CHARACTERS_MAX:,} characters")
    if is_name(subject):
        raise Refused(
            "subject must be as it is in the source table: from a name alone (psn.…) the same person's names "
            "under other key versions cannot be told"
        )
    covered = _policies(office, request.get("policy"))
    asked.policies = tuple(plan for plan, _ in covered)
    read_as = _read_as(subject, request.get("as"))
    spelled = {how: _spelled(covered, value) for how, value in read_as.items()}
    people = {how: names for how, names in spelled.items() if names}
    asked.names = [name for spellings in people.values() for names in spellings for name in names]
    asked.reason = _reason(request.get("reason"), subject)
    return _Wish(people, **flags)


def _policies(office: Office, policy: Any) -> list[tuple[Plan, People]]:
    """Those whom an erasure covers: all that share their people with the one named, or simply all."""
    known = ", ".join(sorted(office.policies)) or "none"
    if policy is not None and (not isinstance(policy, str) or policy not in office.policies):
        raise Refused(f"policy must be one whose output goes by the person: {known}")
    domains = {people.domain for _, people in office.policies.values()}
    if policy is not None:
        domains = {office.policies[policy][1].domain}
    if not domains:
        raise Refused("no policy lets out anything that goes by the person: there is nothing to erase")
    if len(domains) > 1:
        raise Refused(f"the policies are about different people: say `policy`, one of {known}")
    return [
        (plan, people) for _, (plan, people) in sorted(office.policies.items()) if people.domain in domains
    ]


def _read_as(subject: str, how: Any) -> dict[str, Any]:
    if how == BINARY:
        try:
            return {BINARY: binary(subject)}
        except ValueError:
            raise Refused("subject is not written in base64, as a binary id has to be") from None
    found = readings(subject)
    if how is None:
        return found
    if how not in (TEXT, NUMBER):
        raise Refused(f"as must be {TEXT}, {NUMBER} or {BINARY}")
    if how not in found:
        raise Refused("subject is not written as a number is")
    return {how: found[how]}


def _spelled(covered: Iterable[tuple[Plan, People]], value: Any) -> tuple[Names, ...]:
    """The names of a value, by each policy's idea of which spellings are one; usually all have the same."""
    return tuple(dict.fromkeys(names for _, people in covered if (names := people.names(value))))


def _reason(reason: Any, subject: str) -> str:
    """The reason, if it is fit to stand in the audit trail for years: it must not bring the person back."""
    if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_CHARACTERS_MAX:
        raise Refused(f"reason must be a text of 1 to {REASON_CHARACTERS_MAX} characters")
    if not reason.isprintable():
        raise Refused("reason must be one line of plain text")
    if re.search(rf"(?<!\w){re.escape(subject.casefold())}(?!\w)", reason.casefold()):
        raise Refused("reason must not hold the subject: name the case or the ticket instead")
    if found := sorted({span.entity for span in find(reason)}):
        raise Refused(f"reason must not hold personal data; there seems to be: {', '.join(found)}")
    return reason
