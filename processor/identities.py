"""Which person is meant: from a subject as somebody writes it to the names the gate may know them by.

A subject comes as text, from a letter or a form, where the table's key may be a number. So a text that is
written as DynamoDB writes a number is read both ways, and what is known decides. A binary key is never tried
unasked, because most texts are base64, too: whoever means one has to say so, or to give the person's name.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from processor.crypto import from_plaintext, to_plaintext

if TYPE_CHECKING:
    from collections.abc import Collection

    from processor.crypto.typed import Scalar
    from processor.policy.people import People

TEXT, NUMBER, BINARY = "text", "number", "binary"
SUBJECT_CHARACTERS_MAX: Final = 2048  # DynamoDB's limit for a key
NAME: Final = re.compile(
    r"psn\.(?P<domain>[A-Za-z][A-Za-z0-9_-]{0,63})\.(?P<version>[1-9]\d{0,8})\.[\w-]{22}", re.ASCII
)
_NUMBER: Final = re.compile(r"-?\d{1,38}(\.\d{1,130})?", re.ASCII)


def readings(subject: str) -> dict[str, Scalar]:
    """The values that a text may be in the table: itself, and a number if that is its usual form.

    No bytes: see `binary`.
    """
    return {TEXT: subject, **_as_number(subject)}


def binary(subject: str) -> bytes:
    """The bytes that a text in base64 (RFC 4648, section 4) is in the table, as DynamoDB's JSON writes them.

    Raises:
        ValueError: it is not.
    """
    value = b64decode(subject.encode("ascii", "replace"), validate=True)
    if not value or b64encode(value).decode() != subject:
        raise ValueError("not in base64")
    return value


def _as_number(subject: str) -> dict[str, Scalar]:
    if not _NUMBER.fullmatch(subject):
        return {}
    try:
        number = from_plaintext(to_plaintext(Decimal(subject)))
    except (ValueError, InvalidOperation):
        return {}
    # 007 and 7.0 are texts: whoever means the number 7 writes 7.
    usual = format(number, "f") if isinstance(number, Decimal) else str(number)
    return {NUMBER: number} if usual == subject else {}


def is_name(subject: str) -> bool:
    """Whether a text begins as the name of a person does."""
    return subject.startswith("psn.")


def checked_name(name: str, people: People, versions: Collection[int]) -> tuple[str, ...]:
    """The name alone if its key's version is on the ring; nothing if not.

    What is still kept under a retired version may be of somebody who was erased since.

    Raises:
        ValueError: no name in the people's domain.
    """
    parts = NAME.fullmatch(name)
    if parts is None or parts["domain"] != people.domain:
        raise ValueError(f"not a name as psn.{people.domain}.1.… is")
    return (name,) if int(parts["version"]) in versions else ()
