"""The leak guard: the recognisers once more, over what is about to leave.

The seat belt for a mistake in the policy: a card number in a field that it keeps does not leave, it is
redacted and counted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from processor.policy.detection import GUARDED, TEXT_CHARACTERS_MAX, finder
from processor.policy.notes import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from processor.policy.actions import Transform
    from processor.policy.notes import Record

TEXT_CHARACTERS_MIN = 6  # a@b.co: nothing that is recognised is shorter
NUMBER_CHARACTERS_MIN = 9  # a social security number; codes, countries, statuses are mostly shorter
NUMBER_MIN = 10**11  # twelve digits: the shortest card number


def guard(cleared: Collection[str]) -> Transform | None:
    """The guard of one rule's output, without the entities it is cleared of; None if nothing is left."""
    entities = tuple(entity for entity in GUARDED if entity not in cleared)
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
            text = (
                value.decode("utf-8", "ignore") if len(value) <= TEXT_CHARACTERS_MAX * 4 else " " * len(value)
            )
        else:
            return value
        length = len(text)
        # Beyond ASCII there are other signs that are read as an @.
        if length < TEXT_CHARACTERS_MIN or (
            length < NUMBER_CHARACTERS_MIN and "@" not in text and text.isascii()
        ):
            return value
        if length > TEXT_CHARACTERS_MAX:
            record.notes.oversized += 1
            return REDACTED
        if find(text):
            record.notes.leaks += 1
            return REDACTED
        return value

    return apply
