"""What every action is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.crypto.typed import NUMBER_EXPONENT_MAX, Scalar
from processor.policy.kinds import Choice, Flag, key

if TYPE_CHECKING:
    from decimal import Decimal

    from processor.crypto import DataKey, KeyRing
    from processor.policy.detection import Recognizer
    from processor.policy.notes import Record
    from processor.policy.sections import Limits

CLASSES = {
    "identifier": "names one person or account by itself: a name, an e-mail address, an account number",
    "national_id": "a number that a state gives a person: social security, tax, passport, driving licence",
    "pan": "a payment card number",
    "authentication_data": "proves that a card is its holder's: verification code, PIN, track data",
    "birth_date": "a date of birth",
    "date": "another date of a person's life: admission, discharge, death, wedding",
    "age": "an age in years",
    "postcode": "a postcode",
    "place": "a place smaller than a state: street, city, county, coordinates",
    "network": "a trace of a device: IP address, device identifier, cookie, user agent",
    "biometric": "a fingerprint, voice print, photograph of a face",
    "quasi": "narrows down who it may be once combined with others: sex, job, household",
    "sensitive": "must not be known about a person: health, belief, union membership and the like",
    "secret": "opens something: a password, a key, a signature",
    "public": "says nothing about a person",
}
"""What sort of field it is: the standards in policies/standards speak of these."""

INTEGER_BITS_MAX = 432  # 10 to the 130th

Transform = Callable[[Any, "Record"], Any]
"""(value, record) → value. Never meets null. Raises `Mismatch` for a value it does not handle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a rule let out, and what is known of where it stood."""

    text: str = field(repr=False)
    secret: bytes = field(default=b"", repr=False)
    """Of the person, where the rule goes by the person."""
    event_id: str = ""
    version: int | None = None
    """Of the key, where the text does not say; the newest if None."""


Open = Callable[[Sealed], Scalar]
"""From what a rule let out to the value, as it was normalised. Raises `InvalidToken`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every rule may say; actions add their own."""

    data_class: str | None = field(
        default=None,
        metadata=key(
            Choice(CLASSES), "What sort of field it is, for the standards that speak of it.", name="class"
        ),
    )
    required: bool = field(
        default=False,
        metadata=key(
            Flag(), "Whether a record without the field goes to quarantine: guards against misspelled paths."
        ),
    )

    @property
    def cleared(self) -> tuple[str, ...]:
        """Entities that the leak guard need not look for in what this rule lets out."""
        return ()

    @property
    def entity_names(self) -> dict[str, tuple[str, ...]]:
        """By option, the entities that the rule names, for the policy to check that they exist."""
        return {}

    @property
    def by_subject(self) -> bool:
        """Whether the output depends on whose data the record is, so that the policy has to say whose."""
        return False

    @property
    def revealed(self) -> float:
        """How much of what the action can reveal these options do, from 0 to 1: an order, not a measure."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an action is built from besides its own options."""

    keys: KeyRing
    path: str
    """The rule's, in the policy's notation."""
    policy: str
    limits: Limits
    recognizers: tuple[Recognizer, ...] = ()
    """The policy's own, beside those that come with the gate."""
    data_key: Callable[[], DataKey] | None = None
    """The data key of the moment, for `encrypt`; None where no rule encrypts."""
    unwrap: Callable[[bytes], bytes] | None = None
    """From a wrapped data key to the key, to open what `encrypt` gave; None where nothing is opened."""


@dataclass(frozen=True, slots=True)
class Action:
    """One line of the registry.

    `build` looks at the options once and returns the specialised transform: nothing is decided again per
    value.
    """

    options: type[Options]
    build: Callable[[Any, Means], Transform]
    exposure: tuple[int, int]
    """How much its output reveals by its most careful and its most generous options, from 0 (nothing) to
    100 (all): an order, not a measure."""
    reversible: bool = False
    """Whether someone with the keys can get the value back."""
    opens: Callable[[Any, Means], Open] | None = None
    """Built from the same, the way back that the detokenize function takes."""
    joinable: bool = False
    """Whether equal values stay equal and different ones different."""
    guarded: bool = True
    """Whether the leak guard looks at its output. Not where that is a constant or made by a key."""
    whole: bool = False
    """Whether it takes maps and lists whole. The others reach into them by paths."""

    def exposure_of(self, options: Options) -> int:
        """How much its output reveals under these options."""
        least, most = self.exposure
        return least + round((most - least) * options.revealed)


def is_exact(number: int | Decimal) -> bool:
    """Whether a number is within DynamoDB's range: one that is not would take megabytes to write out."""
    if isinstance(number, int):
        return number.bit_length() <= INTEGER_BITS_MAX
    return number.is_finite() and abs(number.adjusted()) <= NUMBER_EXPONENT_MAX
