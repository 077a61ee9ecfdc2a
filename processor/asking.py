"""What is asked of the detokenize function, read within limits and held against the policy.

Refusals name places and rules, never what was sent: who asks may have put anything anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.crypto.tokens import TOKEN_CHARACTERS_MAX
from processor.identities import SUBJECT_CHARACTERS_MAX, checked_name, is_name, readings
from processor.policy.detection import find
from processor.policy.opening import openers
from processor.policy.people import People
from processor.proof import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from processor.crypto import KeyRing
    from processor.policy import Plan
    from processor.policy.opening import Opener
    from processor.policy.sections import Purpose

TOKENS_MAX: Final = 100
EVENT_ID_CHARACTERS_MAX: Final = 128
TICKET: Final = re.compile(r"(?=.*\d)[A-Za-z0-9._/#-]{3,64}", re.ASCII)
"""No spaces, so that nobody writes a sentence with a person in it; a digit, which no name has."""
TICKET_SAYS: Final = "3 to 64 letters, digits and . _ / # -, with a digit, as GDPR-2026/117"
PURPOSE: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
PARTS: Final = frozenset({"policy", "purpose", "ticket", "tokens", "proof"})
ITEM_PARTS: Final = frozenset({"field", "token", "subject", "event_id", "version"})


@dataclass(frozen=True, slots=True)
class Book:
    """One policy, ready to be opened."""

    plan: Plan
    people: People | None
    versions: tuple[int, ...]
    """Of the token keys on the ring."""
    openers: Mapping[str, Opener]

    @property
    def purposes(self) -> dict[str, Purpose]:
        """By name."""
        return {purpose.name: purpose for purpose in self.plan.purposes}


def book_of(plan: Plan, keys: KeyRing, unwrap: Callable[[bytes], bytes]) -> Book:
    """The book of a policy under a key ring; `unwrap` makes data keys of their wrapped forms."""
    return Book(
        plan=plan,
        people=People(plan, keys) if plan.subject else None,
        versions=keys.versions,
        openers=openers(plan, keys, unwrap),
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One token of a request."""

    path: str
    token: str = field(repr=False)
    people: tuple[tuple[str, ...], ...] = ()
    """The names under which its person may be known; those of another reading of the subject apart."""
    event_id: str = ""
    version: int | None = None


@dataclass(slots=True)
class Asked:
    """What is known of a request by now: its record tells it, be it granted or refused."""

    who: str | None = None
    purpose: str | None = None
    ticket: str | None = None
    book: Book | None = None
    items: list[Item] = field(default_factory=list)
    """As far as they were read."""


def read(request: Mapping[str, Any], books: Mapping[str, Book], asked: Asked) -> None:
    """Fill in what a request asks for.

    Raises:
        Refused: it is beyond a limit, or not what the policy allows for the purpose.
    """
    if unknown := request.keys() - PARTS:
        raise Refused(f"the request has {len(unknown)} unknown parts; it may have {', '.join(sorted(PARTS))}")
    ticket, purpose = request.get("ticket"), request.get("purpose")
    if not isinstance(ticket, str) or not TICKET.fullmatch(ticket):
        raise Refused(f"ticket must be {TICKET_SAYS}")
    if found := sorted({span.entity for span in find(ticket)}):
        raise Refused(f"ticket must not hold personal data; there seems to be: {', '.join(found)}")
    asked.ticket = ticket
    if not isinstance(purpose, str) or not PURPOSE.fullmatch(purpose):
        raise Refused("purpose must be the name of one of the policy's purposes")
    asked.purpose = purpose
    policy = request.get("policy")
    asked.book = book = books.get(policy) if isinstance(policy, str) else None
    if book is None:
        raise Refused(f"policy must be one of {', '.join(sorted(books))}")
    if purpose not in book.purposes:
        known = ", ".join(book.purposes) or "none: nothing may be opened"
        raise Refused(f"the policy has no such purpose; it has {known}")
    tokens = request.get("tokens")
    if not isinstance(tokens, list) or not 1 <= len(tokens) <= TOKENS_MAX:
        raise Refused(f"tokens must be a list of 1 to {TOKENS_MAX}")
    allowed = book.purposes[purpose].fields
    for index, one in enumerate(tokens):
        asked.items.append(_item(f"tokens[{index}]", one, book, allowed))


def _item(at: str, given: Any, book: Book, allowed: Collection[str]) -> Item:
    if not isinstance(given, dict) or given.keys() - ITEM_PARTS:
        raise Refused(f"{at} must be an object of {', '.join(sorted(ITEM_PARTS))}")
    path = given.get("field")
    if not isinstance(path, str) or path not in allowed or path not in book.openers:
        raise Refused(f"{at}.field must be one of those that may be opened for this: {', '.join(allowed)}")
    opener = book.openers[path]
    token = _text(given, at, "token", TOKEN_CHARACTERS_MAX)
    event_id = _text(given, at, "event_id", EVENT_ID_CHARACTERS_MAX) if opener.by_event else ""
    version = given.get("version")
    if version is not None and (type(version) is not int or version not in book.versions):
        raise Refused(f"{at}.version must be one of the token keys': {', '.join(map(str, book.versions))}")
    if version is None and opener.by_version:
        raise Refused(f"{at}.version is needed: what fpe makes does not say by which key")
    if opener.needs_subject and "subject" not in given:
        raise Refused(f"{at}.subject is needed: {path} goes by the person")
    return Item(path, token, _people(given, at, book), event_id, version)


def _people(given: Mapping[str, Any], at: str, book: Book) -> tuple[tuple[str, ...], ...]:
    if given.get("subject") is None or book.people is None:
        return ()
    if type(given["subject"]) is int:
        given = {"subject": str(given["subject"])}
    subject = _text(given, at, "subject", SUBJECT_CHARACTERS_MAX)
    if is_name(subject):
        try:
            return (checked_name(subject, book.people, book.versions),)
        except ValueError as mistake:
            raise Refused(f"{at}.subject is {mistake}") from None
    read_as = (book.people.names(value) for value in readings(subject).values())
    return tuple(names for names in read_as if names)


def _text(given: Mapping[str, Any], at: str, part: str, characters_max: int) -> str:
    text = given.get(part)
    if not isinstance(text, str) or not 1 <= len(text) <= characters_max:
        raise Refused(f"{at}.{part} must be a text of 1 to {characters_max:,} characters")
    return text
