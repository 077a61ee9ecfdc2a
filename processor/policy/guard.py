"""The leak guard: the recognisers once more, over what is about to leave.

The seat belt for a mistake in the policy: a card number in a field that it keeps does not leave, it is
redacted and counted.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from processor.policy.detection import GUARDED, expanded, finder
from processor.policy.notes import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from processor.policy.actions import Transform
    from processor.policy.notes import Record

MAIL_CHARACTERS_MIN = 6  # a@b.co
NUMBER_DIGITS_MIN = 9  # a social security number
IBAN_CHARACTERS_MIN = 15  # Norway's, and the only one of these that may be letters for the most part
NUMBER_MIN = 10**11  # twelve digits: the shortest card number

_NINE_DIGITS = re.compile(r"(?:[0-9][^0-9]*){9}").search
_DIGIT = re.compile(r"[0-9]").search


def guard(cleared: Collection[str]) -> Transform | None:
    """The guard of one rule's output, without the entities it is cleared of; None if nothing is left."""
    entities = tuple(entity for entity in GUARDED if entity not in expanded(cleared))
    return _guard(finder(entities)) if entities else None


def _guard(find: Callable[[str], list[Any]]) -> Transform:
    def apply(value: Any, record: Record) -> Any:
        kind = type(value)
        if kind is str:
            text = value
        elif kind is bool:
            return value
        elif (kind is int or kind is Decimal) and abs(value) >= NUMBER_MIN:
            text = str(int(value))
        elif kind is bytes:
            # Text in a binary field; what is no text at all holds no text to recognise.
            text = value.decode("utf-8", "ignore")
        else:
            return value
        # The usual values pass here. Beyond ASCII there are other signs that are read as digits or as an @.
        length = len(text)
        if length < MAIL_CHARACTERS_MIN:
            return value
        if "@" not in text and text.isascii():
            has_enough = _NINE_DIGITS if length < IBAN_CHARACTERS_MIN else _DIGIT
            if not has_enough(text):
                return value
        if find(text):
            record.notes.leaks += 1
            return REDACTED
        return value

    return apply
