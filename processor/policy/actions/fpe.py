"""fpe: encryption that keeps length and alphabet: FF1 of NIST SP 800-38G Rev. 1. Joins, and opens again."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits, hexdigits
from typing import TYPE_CHECKING, Any, Final

from processor.crypto.ff1 import DOMAIN_MIN, LENGTH_MAX, domain_size
from processor.crypto.pan import (
    KEEP_FIRST_MAX,
    KEEP_LAST_MAX,
    PAN_DIGITS_MAX,
    PAN_DIGITS_MIN,
    refused_lengths,
)
from processor.crypto.tokens import InvalidToken
from processor.policy.actions.action import Open, Sealed, Transform, is_exact
from processor.policy.actions.keyed import Keyed
from processor.policy.actions.separators import between
from processor.policy.kinds import Choice, Text, Whole, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.crypto import KeyRing, PanCipher, TextCipher
    from processor.policy.actions.action import Means
    from processor.policy.kinds import Fault
    from processor.policy.notes import Record

KEEP_MAX: Final = 8
CIPHERS_MAX: Final = 1024  # of people, for each rule; with its tables one has 2 to 5 KB
PAN_DIGITS: Final = 16  # of most cards: a rule that cannot take these says which it is for
ALPHABETS: Final = {
    "digits": digits,
    "hex": hexdigits[:16],
    "lower": ascii_lowercase,
    "upper": ascii_uppercase,
    "alphanumeric": digits + ascii_uppercase + ascii_lowercase,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fpe(Keyed):
    """Replace the value by another of its form. What is not of that form, or too short, is redacted.

    Too short is what leaves fewer than 1,000,000 possibilities to the free part (SP 800-38G Rev. 1, 5.1).
    """

    alphabet: str | None = field(
        default=None,
        metadata=key(
            Choice(
                {
                    "digits": "0-9",
                    "hex": "0-9 and a-f",
                    "lower": "a-z",
                    "upper": "A-Z",
                    "alphanumeric": "0-9, A-Z and a-z",
                }
            ),
            "The characters that values are made of, and tokens too. `digits` if left out.",
        ),
    )
    characters: str | None = field(
        default=None,
        metadata=key(
            Text(r"\S{2,200}", "2 to 200 characters, no spaces"), "An alphabet of your own instead."
        ),
    )
    keep_first: int = field(
        default=0, metadata=key(Whole(0, KEEP_MAX), "Characters of any sort that stay at the start.")
    )
    keep_last: int = field(
        default=0, metadata=key(Whole(0, KEEP_MAX), "Characters of any sort that stay at the end.")
    )
    keep: str = field(
        default="",
        metadata=key(
            Text(r"[^\w]{0,16}", "up to 16 separators: no letters or digits"),
            "Separators that stay where they are and do not count, as in `keep: ' -'`.",
        ),
    )
    length: int | None = field(
        default=None,
        metadata=key(
            Whole(2, LENGTH_MAX), "Of all values, without separators; others are redacted. Any if left out."
        ),
    )
    luhn: str | None = field(
        default=None,
        metadata=key(
            Choice(
                {
                    "invalid": "values are card numbers, and a token is never one: it fails Luhn's check",
                    "any": "values are not looked at",
                }
            ),
            "Whether check digits count (ISO/IEC 7812-1). `invalid` for `class: pan`, else `any`.",
        ),
    )

    @property
    def is_pan(self) -> bool:
        """Whether values are card numbers."""
        return self.luhn == "invalid" or (self.luhn is None and self.data_class == "pan")

    @property
    def signs(self) -> str:
        """The alphabet written out."""
        return self.characters or ALPHABETS[self.alphabet or "digits"]

    @property
    def revealed(self) -> float:
        """By what stays."""
        return (self.keep_first + self.keep_last) / (2 * KEEP_MAX)

    def faults(self) -> Iterator[Fault]:
        """What contradicts what, and what can never be safe."""
        if self.alphabet and self.characters:
            yield ("characters",), "characters and alphabet say the same thing twice"
        if len(set(self.signs)) < len(self.signs):
            yield ("characters",), "a character is twice in characters"
        elif set(self.signs) & set(self.keep):
            yield ("keep",), "a separator is one of the characters"
        if self.is_pan:
            yield from self._pan_faults()
        elif self.data_class == "pan":
            yield ("luhn",), "a token of a card number could be another card's", "Say `luhn: invalid`."
        elif self.length and self._domain(self.length) < DOMAIN_MIN:
            few = f"{self._domain(self.length):,} values"
            yield ("length",), f"the free part has {few}: at least {DOMAIN_MIN:,} are safe", "Keep less."

    def _domain(self, length: int) -> int:
        return domain_size(len(self.signs), max(length - self.keep_first - self.keep_last, 0))

    def _pan_faults(self) -> Iterator[Fault]:
        if self.signs != digits:
            yield ("alphabet",) if self.alphabet else ("characters",), "card numbers are made of digits"
        for option, most in (("keep_first", KEEP_FIRST_MAX), ("keep_last", KEEP_LAST_MAX)):
            if getattr(self, option) > most:
                yield (option,), f"{option} of a card number is at most {most}: PCI DSS 4.0, 3.4.1"
        length = self.length or PAN_DIGITS
        if not PAN_DIGITS_MIN <= length <= PAN_DIGITS_MAX:
            yield ("length",), f"card numbers have {PAN_DIGITS_MIN} to {PAN_DIGITS_MAX} digits"
        elif length in refused_lengths(self.keep_first, self.keep_last):
            words = f"too few of {length} digits are left to encrypt: at least {DOMAIN_MIN:,} values are safe"
            yield ("length",) if self.length else (), words, "Keep less, or say `length:` if all are longer."


def fpe(options: Fpe, means: Means) -> Transform:
    """Encrypt texts, and whole numbers as the texts of their digits."""
    encrypt_for = _encryption(options, means)

    def apply(value: Any, record: Record) -> Any:
        encrypt = encrypt_for(record)
        kind = type(value)
        if kind is str:
            return encrypt(value)
        if (kind is int or kind is Decimal) and is_exact(value) and value >= 0 and value == int(value):
            return encrypt(str(int(value)))
        raise Mismatch

    return apply


def open_fpe(options: Fpe, means: Means) -> Open:
    """Decrypt what `fpe` gave. It has no tag: a text of the form that was never sealed opens too."""

    def opened(sealed: Sealed) -> str:
        cipher = _cipher(options, means.keys, sealed.secret, sealed.version)
        try:
            return _text_function(options, cipher.decrypt)(sealed.text)
        except Mismatch:
            raise InvalidToken from None

    return opened


def _encryption(options: Fpe, means: Means) -> Callable[[Record], Callable[[str], str]]:
    """From a record to the function on its texts. A person's is kept: a cipher takes 20 µs to make."""

    def made(secret: bytes) -> Callable[[str], str]:
        return _text_function(options, _cipher(options, means.keys, secret).encrypt)

    if options.by_subject:
        of_person = lru_cache(CIPHERS_MAX)(made)
        return lambda record: of_person(record.person())
    of_domain = made(b"")
    return lambda _record: of_domain


def _cipher(options: Fpe, keys: KeyRing, secret: bytes, version: int | None = None) -> PanCipher | TextCipher:
    assert options.domain is not None, "the plan resolves domains"  # noqa: S101
    if options.is_pan:
        kept = {"keep_first": options.keep_first, "keep_last": options.keep_last}
        return keys.pans(options.domain, **kept, version=version, secret=secret)
    return keys.fpe(options.domain, options.signs, version=version, secret=secret)


def _text_function(options: Fpe, step: Callable[..., str]) -> Callable[[str], str]:
    """A cipher's step on a text with its separators and its kept ends; a `Mismatch` where it does not fit."""
    first, last = options.keep_first, options.keep_last

    def middle(text: str) -> str:
        end = len(text) - last
        if end <= first:
            raise Mismatch
        # Kept parts in the tweak (SP 800-38G, appendix C): equal middles of two texts have unlike tokens.
        beside = f":{text[:first]}:{text[end:]}".encode("utf-8", "surrogatepass")
        return text[:first] + step(text[first:end], beside) + text[end:]

    # A cipher of card numbers keeps their ends itself.
    act = step if options.is_pan or first == last == 0 else middle

    def fitting(text: str) -> str:
        if options.length not in (None, len(text)):
            raise Mismatch
        try:
            return act(text)
        except ValueError:
            raise Mismatch from None

    return between(options.keep, fitting)
