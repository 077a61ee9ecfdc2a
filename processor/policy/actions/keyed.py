"""What the actions with a key share: whose values join, and which spellings of a value are the same."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.crypto import to_plaintext
from processor.crypto.keyring import DOMAIN
from processor.policy.actions.action import Options
from processor.policy.kinds import Choice, Flag, Text, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable

PREVIOUS = "~previous"
"""After a field's name: what the key before the newest makes of its value. A name in a path cannot end so."""
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
    scope: str = field(
        default="domain",
        metadata=key(
            Choice(
                {
                    "domain": "one key per domain: equal values join, whoever they are of",
                    "subject": "a person's own: equal values of one person join, and once the person is "
                    "erased nothing opens or joins what was made",
                }
            ),
            "Whose key it is. `subject` needs the policy's `subject`.",
        ),
    )
    previous: bool = field(
        default=False,
        metadata=key(
            Flag(),
            "While keys rotate: also what the key before the newest makes, beside it as `<name>~previous`.",
        ),
    )

    @property
    def by_subject(self) -> bool:
        """Whether a person's secret is part of the key."""
        return self.scope == "subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized(Keyed):
    """Options of actions whose output joins: also, which spellings are one value."""

    normalize: str = field(
        default="none",
        metadata=key(
            Choice(
                {
                    "none": "as it is: every spelling is another value",
                    "nfkc": "no matter the Unicode form, as full width or ligatures",
                    "spaces": "as nfkc, and no matter how many spaces stand where, but for none",
                    "lower": "as nfkc, and no matter the case and the spaces around it",
                    "upper": "as lower, in capitals: for what others write in them",
                    "email": "as lower, and no matter spaces and invisible characters inside",
                    "digits": "only its digits count; a text without any is redacted",
                    "phone": "as digits, and +44 is 0044; a number with a country's code is another than "
                    "one without",
                    "alphanumeric": "only its letters and digits count, no matter the case: for IBANs and "
                    "number plates; a text without any is redacted",
                }
            ),
            "Which spellings of a text count as the same value.",
        ),
    )


def plaintext(options: Normalized) -> Callable[[Any], bytes]:
    """The function from a scalar to the bytes that are sealed or hashed; anything else is a `Mismatch`."""
    normal = NORMAL[options.normalize]

    def bytes_of(value: Any) -> bytes:
        try:
            return to_plaintext(normal(value) if type(value) is str else value)
        except ValueError:
            raise Mismatch from None

    return bytes_of


def _nfkc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _spaces(text: str) -> str:
    return " ".join(_nfkc(text).split())


def _lower(text: str) -> str:
    return _nfkc(text).strip().lower()


def _upper(text: str) -> str:
    return _nfkc(text).strip().upper()


def _email(text: str) -> str:
    if text.isascii():
        return "".join(text.split()).lower() if " " in text else _lower(text)
    return "".join(sign for sign in _lower(text) if not sign.isspace() and unicodedata.category(sign) != "Cf")


def _digits(text: str) -> str:
    digits = "".join(str(unicodedata.decimal(sign)) for sign in _nfkc(text) if sign.isdecimal())
    if not digits:
        raise Mismatch
    return digits


def _phone(text: str) -> str:
    """`+` and the digits where the country's code is said (E.164), the digits alone where it is not."""
    # People write the national prefix beside the country's code, in parentheses: +44 (0)20.
    bare = _nfkc(text).strip().replace("(0)", "")
    digits = _digits(bare)
    if bare.lstrip("(").startswith("+"):
        return f"+{digits}"
    return f"+{digits[2:]}" if digits.startswith("00") and len(digits) > len("00") else digits


def _alphanumeric(text: str) -> str:
    signs = "".join(sign for sign in _nfkc(text) if sign.isalnum()).upper()
    if not signs:
        raise Mismatch
    return signs


NORMAL: dict[str, Callable[[str], str]] = {
    "none": str,
    "nfkc": _nfkc,
    "spaces": _spaces,
    "lower": _lower,
    "upper": _upper,
    "email": _email,
    "digits": _digits,
    "phone": _phone,
    "alphanumeric": _alphanumeric,
}
