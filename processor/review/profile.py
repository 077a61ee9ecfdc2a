"""What a sample holds: its fields as a tree, and for each what sort of values it has. Values are not kept.

Maps whose keys are data (an e-mail address, a day, a number) are told from those whose keys are a schema's
names: a policy writes the former with `*`, and must never quote one of their keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths
from processor.policy.detection import TEXT_CHARACTERS_MAX, find
from processor.review.distinct import Distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAMES_MAX: Final = 1_000  # of the record itself
NAMES_BELOW_MAX: Final = 100  # of a map in it: more are no schema
FEW_NAMES: Final = 10  # so many, each of them rare, are no schema either
RARE: Final = 0.25  # share of the maps that a name is in
EPOCH_S: Final = (631_152_000, 4_102_444_800)  # 1990 to 2100
YEARS: Final = (1900, 2100)
THOUSAND: Final = 1_000
OPAQUE_CHARACTERS_MIN: Final = 16
FORM_CHARACTERS_MAX: Final = 200

_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d(-\d\d)?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d.*", re.ASCII)
_OTHER_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](\d\d|\d{4})|\d{4}[./]\d{1,2}[./]\d{1,2}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_OPAQUE = re.compile(r"[A-Za-z0-9+/_=.-]+", re.ASCII)
_CODE = re.compile(r"[^\W\d][\w.:/+-]{0,39}")
_LONG_NUMBER = re.compile(r"\d{4}")
_NO_NAME = re.compile(r"[\d.,:/+ -]+|.*@.*|[0-9a-f-]{16,}|.{65,}", re.ASCII | re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class Values:
    """What sort of values a field has. Shares are of its different values, looked at one by one."""

    count: int = 0
    """Values that are not null."""
    nulls: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    distinct: Distinct = field(default_factory=Distinct)
    looked: int = 0
    words: int = 0
    longest: int = 0
    """Characters of the longest text; digits and signs of a number."""
    whole: Counter[str] = field(default_factory=Counter)
    """Entities that a value is, and nothing else."""
    inside: Counter[str] = field(default_factory=Counter)
    """Entities that a value holds among other things."""
    forms: Counter[str] = field(default_factory=Counter)

    def add(self, value: Any) -> None:
        """Take one value in."""
        if value is None:
            self.nulls += 1
            return
        self.count += 1
        self.kinds[_kind(value)] += 1
        if not self.distinct.add(value):
            return
        self.looked += 1
        if isinstance(value, bool):
            return
        text = str(value)
        self.longest = max(self.longest, len(text))
        self.words += len(text.split())
        self.forms.update(_forms(value, text))
        spans = find(text[:TEXT_CHARACTERS_MAX])
        if len(spans) == 1 and spans[0].end - spans[0].start == len(text.strip()):
            self.whole[spans[0].entity] += 1
        else:
            self.inside.update({span.entity for span in spans})

    def merge(self, other: Values) -> None:
        """Take in what another has seen."""
        for name in ("count", "nulls", "looked", "words"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("kinds", "whole", "inside", "forms"):
            getattr(self, name).update(getattr(other, name))
        self.longest = max(self.longest, other.longest)
        self.distinct.merge(other.distinct)

    def is_all(self, *kinds: str) -> bool:
        """Whether there are values, and all of them of these kinds."""
        return bool(self.kinds) and not self.kinds.keys() - set(kinds)

    def share(self, form: str) -> float:
        """How many of its different values have a form."""
        return self.forms[form] / self.looked if self.looked else 0.0

    def entity(self) -> str | None:
        """What most of its different values are, if detection knows it."""
        for entity, count in self.whole.most_common(1):
            if 2 * count >= self.looked:
                return entity
        return None

    @property
    def mean_words(self) -> float:
        """How long a value is, in words."""
        return self.words / self.looked if self.looked else 0.0

    @property
    def recognised(self) -> dict[str, float]:
        """Share of the different values that hold an entity, or are one."""
        both = self.whole + self.inside
        return {entity: count / self.looked for entity, count in both.most_common()}


@dataclass(slots=True)
class Place:
    """One place of the records: what stands there, and what is below."""

    values: Values = field(default_factory=Values)
    """Scalars that stand here."""
    maps: int = 0
    lists: int = 0
    names: dict[str, Place] = field(default_factory=dict)
    any_name: Place | None = None
    keys: Values = field(default_factory=Values)
    """The names themselves, where they are data."""
    item: Place | None = None

    @property
    def seen(self) -> int:
        """How often something stood here."""
        return self.values.count + self.values.nulls + self.maps + self.lists

    def add(self, value: Any, depth: int = 1) -> None:
        """Take in what stands here in one record."""
        if depth >= paths.DEPTH_MAX or not isinstance(value, dict | list):
            self.values.add(value if not isinstance(value, dict | list) else "")
        elif isinstance(value, list):
            self.lists += 1
            self.item = self.item or (Place() if value else None)
            for item in value:
                if self.item is not None:
                    self.item.add(item, depth + 1)
        else:
            self.maps += 1
            for name, item in value.items():
                self._below(name, depth).add(item, depth + 1)

    def merge(self, other: Place) -> None:
        """Take in what another has seen, for names that turn out to be data."""
        self.values.merge(other.values)
        self.maps += other.maps
        self.lists += other.lists
        for name, place in other.names.items():
            self._below(name, 2).merge(place)
        if other.any_name is not None:
            self.forget_names()
            self.keys.merge(other.keys)
            if self.any_name is not None:
                self.any_name.merge(other.any_name)
        if other.item is not None:
            self.item = self.item or Place()
            self.item.merge(other.item)

    def forget_names(self) -> None:
        """From now on the names of this map are data."""
        any_name = self.any_name = self.any_name or Place()
        for name, place in self.names.items():
            self.keys.add(name)
            any_name.merge(place)
        self.names = {}

    def settle(self, *, root: bool = True) -> None:
        """Decide for all maps below, once all records are in, whether their names are data."""
        if not root and self.names and self._names_are_data():
            self.forget_names()
        for place in self.below():
            place.settle(root=False)

    def below(self) -> Iterator[Place]:
        """The places right below."""
        yield from self.names.values()
        yield from (place for place in (self.any_name, self.item) if place is not None)

    def _below(self, name: str, depth: int) -> Place:
        if self.any_name is not None:
            self.keys.add(name)
            return self.any_name
        if name not in self.names:
            if len(self.names) >= (NAMES_MAX if depth == 1 else NAMES_BELOW_MAX):
                self.forget_names()
                return self._below(name, depth)
            self.names[name] = Place()
        return self.names[name]

    def _names_are_data(self) -> bool:
        like_data = sum(not is_name(name) for name in self.names)
        personal = any(find(name) for name in self.names)
        present = sum(place.seen for place in self.names.values())
        rare = len(self.names) >= FEW_NAMES and present < RARE * self.maps * len(self.names)
        return personal or rare or 2 * like_data >= len(self.names)


@dataclass(slots=True)
class Sample:
    """The records of a sample, as one tree."""

    root: Place
    records: int


def profile(records: Iterable[Mapping[str, Any]]) -> Sample:
    """What the records hold: one pass, and memory for their fields, not for their number."""
    root = Place()
    for record in records:
        root.add(dict(record))
    root.settle()
    return Sample(root, root.maps)


def is_name(name: str) -> bool:
    """Whether a key is one that a schema would have and a policy can write, and not itself a datum."""
    return (
        not _NO_NAME.fullmatch(name)
        and bool(name)
        and not set(name) & set('"[]\\')
        and name.isprintable()
        and unicodedata.is_normalized("NFC", name)
        and not find(name)
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "whole number"
    return "number" if isinstance(value, Decimal | float) else "text"


def _forms(value: Any, text: str) -> Iterator[str]:
    """The forms that a value has. `date` and `moment` are those that `generalize` reads."""
    if not isinstance(value, str):
        seconds = value / THOUSAND if abs(value) >= EPOCH_S[1] else value
        if EPOCH_S[0] <= seconds < EPOCH_S[1]:
            yield "epoch"
        if YEARS[0] <= value <= YEARS[1]:
            yield "year"
    elif len(text) <= FORM_CHARACTERS_MAX:
        if _DATE.fullmatch(text) or _MOMENT.fullmatch(text):
            yield _date_form(text)
        elif _OTHER_DATE.fullmatch(text):
            yield "other date"
        elif _is_opaque(text):
            yield "opaque"
        if _is_code(text):
            yield "code"
        if _YEAR.fullmatch(text):
            yield "year"


def _date_form(text: str) -> str:
    try:
        datetime.fromisoformat(text if len(text) > len("2026-11") else f"{text}-01")
    except ValueError:
        return "other date"
    return "date" if _DATE.fullmatch(text) else "moment"


def _is_opaque(text: str) -> bool:
    """Whether it looks made by a machine: a UUID, a hash, base64."""
    long = len(text) >= OPAQUE_CHARACTERS_MIN and _OPAQUE.fullmatch(text) and re.search(r"\d", text)
    return bool(long or _UUID.fullmatch(text))


def _is_code(text: str) -> bool:
    """Whether it looks chosen from a list: one word in one case, without a long number."""
    return bool(
        _CODE.fullmatch(text) and (text.islower() or text.isupper()) and not _LONG_NUMBER.search(text)
    )
