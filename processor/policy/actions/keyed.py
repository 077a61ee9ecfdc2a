"""What the actions with a key share: whose values join, and which spellings of a value are the same."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.crypto import to_plaintext
from processor.crypto.keyring import DOMAIN
from processor.policy.actions.action import Options
from processor.policy.kinds import Choice, Text, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN_SAYS = "a letter, then up to 63 letters, digits, hyphens and underscores"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed(Options):
    """Options of actions that use a key."""

    domain: str | None = field(
        default=None,
        metadata=key(
            Text(DOMAIN.pattern, DOMAIN_SAYS),
            "Fields of one domain join, across policies too. The last name of the path if left out.",
        ),
    )
    normalize: str = field(
        default="none",
        metadata=key(
            Choice(
                {
                    "none": "as it is: every spelling is another value",
                    "lower": "no matter the case, the spaces around it and the Unicode form",
                    "email": "as lower, and no matter spaces and invisible characters inside",
                    "digits": "only its digits count; a text without any is redacted",
                }
            ),
            "Which spellings of a text count as the same value.",
        ),
    )
    scope: str = field(
        default="domain",
        metadata=key(Choice({"domain": "one key per domain"}, later=("subject",)), "Whose key it is."),
    )


def plaintext(options: Keyed) -> Callable[[Any], bytes]:
    """The function from a scalar to the bytes that are sealed or hashed; anything else is a `Mismatch`."""
    normal = NORMAL[options.normalize]

    def bytes_of(value: Any) -> bytes:
        try:
            return to_plaintext(normal(value) if type(value) is str else value)
        except ValueError:
            raise Mismatch from None

    return bytes_of


def _lower(text: str) -> str:
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return folded.strip().lower()


def _email(text: str) -> str:
    if text.isascii():
        return "".join(text.split()).lower() if " " in text else _lower(text)
    return "".join(sign for sign in _lower(text) if not sign.isspace() and unicodedata.category(sign) != "Cf")


def _digits(text: str) -> str:
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    digits = "".join(str(unicodedata.decimal(sign)) for sign in folded if sign.isdecimal())
    if not digits:
        raise Mismatch
    return digits


NORMAL: dict[str, Callable[[str], str]] = {"none": str, "lower": _lower, "email": _email, "digits": _digits}
