"""Personal data in free text, recognised by form, check digit and the words around, in linear time.

One recogniser a file, imported when it is asked for. No model, no network: the same text has the same
findings everywhere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from processor.policy.detection.catalog import ENTITIES, REGIONS, by_precedence, expanded, load
from processor.policy.detection.engine import search
from processor.policy.detection.recognizer import LIKELY, SCORES, Recognizer
from processor.policy.detection.scan import TEXT_CHARACTERS_MAX, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "ENTITIES",
    "GUARDED",
    "REGIONS",
    "SCORES",
    "TEXT_CHARACTERS_MAX",
    "Recognizer",
    "Span",
    "expanded",
    "find",
    "finder",
]

GUARDED = ("card", "email", "iban", "ssn")
"""What the leak guard looks for: what is recognised surely enough to stop a field that a policy lets out."""


def find(text: str, entities: Iterable[str] = tuple(ENTITIES), *, least: float = LIKELY) -> list[Span]:
    """What is recognised in a text, in order and without overlap; offsets are those of the text given."""
    return finder(tuple(entities), least=least)(text)


@lru_cache(maxsize=64)
def finder(
    entities: tuple[str, ...], *, least: float = LIKELY, custom: tuple[Recognizer, ...] = ()
) -> Callable[[str], list[Span]]:
    """The function that finds some entities, named one by one or by region.

    Args:
        entities: names of entities that come with the gate, of regions, and of those in `custom`.
        least: how sure a finding has to be, from 0 to 1 (see `SCORES`).
        custom: recognisers of the caller's own; those that `entities` names are used.

    Texts over `TEXT_CHARACTERS_MAX` are the caller's to refuse.
    """
    own = {one.entity: one for one in custom}
    return search([own.get(name) or load(name) for name in by_precedence(expanded(entities))], least)
