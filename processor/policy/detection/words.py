"""Words that say what a number is: whether some stand in a text, and who of many has one there.

Words are written in plain signs, as the folded text is, or in a script that folding has no letters for (then
the text as it was given is looked at too). Each is found as a word, singular or plural: no `dob` in `adobe`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PREPARED_MAX = 1_024

Owner = TypeVar("Owner")

letters = re.compile(r"[a-z]+").findall


def stand_in(words: Sequence[str], text: str) -> bool:
    """Whether one of some words is in a text in lower case."""
    singles, phrases = _prepared(words)
    if not singles.isdisjoint(letters(text)):
        return True
    for phrase in phrases:  # noqa: SIM110  twice as fast as `any` over as few
        if phrase in text and _stands_in(phrase, text):
            return True
    return False


# Of a recogniser's words by the identity of its tuple, which lives as long as its module: to hash a hundred
# words for each number found would cost more than to look for them.
_PREPARED: dict[int, tuple[Sequence[str], frozenset[str], tuple[str, ...]]] = {}


def _prepared(words: Sequence[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Plain words, singular and plural; and the rest: phrases, with signs in them, or of other scripts."""
    known = _PREPARED.get(id(words))
    if known is None or known[0] is not words:
        singles = [word for word in words if letters(word) == [word]]
        known = (
            words,
            frozenset(singles) | {f"{word}s" for word in singles},
            tuple(word for word in words if word not in singles),
        )
        if len(_PREPARED) >= PREPARED_MAX:
            _PREPARED.clear()
        _PREPARED[id(words)] = known
    return known[1], known[2]


def _stands_in(phrase: str, text: str) -> bool:
    """Whether a phrase that is in a text is there between words."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        end += text[end : end + 1] == "s"
        if not (_goes_on(text[at - 1 : at], phrase[0]) or _goes_on(phrase[-1], text[end : end + 1])):
            return True
        at = text.find(phrase, at + 1)
    return False


def _goes_on(one: str, other: str) -> bool:
    """Whether two signs are of one word. Only in scripts that set words apart."""
    return all(sign.isascii() and sign.isalpha() for sign in (one, other))


class Index(Generic[Owner]):
    """Whose words are anywhere in a text: looked up for all at once, by the words that the text has."""

    def __init__(self, words_of: Iterable[tuple[Owner, Sequence[str]]]) -> None:
        """Take each owner's words."""
        self._owners: dict[str, set[Owner]] = defaultdict(set)
        # A phrase is looked for where its longest word is; one of another script, in texts with some of it.
        self._phrases: dict[str, list[tuple[str, Owner]]] = defaultdict(list)
        self._unspaced: list[tuple[str, Owner]] = []
        for owner, words in words_of:
            singles, phrases = _prepared(words)
            for word in singles:
                self._owners[word].add(owner)
            for phrase in phrases:
                parts = letters(phrase)
                if parts:
                    for form in (longest := max(parts, key=len), f"{longest}s"):
                        self._phrases[form].append((phrase, owner))
                else:
                    self._unspaced.append((phrase, owner))
        self._known = self._owners.keys() | self._phrases.keys()

    def present(self, text: str) -> set[Owner]:
        """Who has a word in a text in lower case; of phrases, it may be one within words."""
        found: set[Owner] = set()
        for word in self._known.intersection(letters(text)):
            found |= self._owners.get(word, _NOBODY)
            found.update(owner for phrase, owner in self._phrases.get(word, ()) if phrase in text)
        if not text.isascii():
            found.update(owner for phrase, owner in self._unspaced if phrase in text)
        return found


_NOBODY: frozenset[Any] = frozenset()
