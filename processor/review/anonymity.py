"""How identifying records still are once sanitised: k-anonymity over what narrows down who it was.

Records that agree in all their quasi-identifiers form an *equivalence class* (ISO/IEC 20889:2018); the people
in the smallest one are k (L. Sweeney, "k-anonymity: a model for protecting privacy", 2002). Who knows that a
person is in the data finds them with probability 1 / (people in their class) at most: the *prosecutor risk*
(K. El Emam and F. Dankar, "Protecting privacy using k-anonymity", 2008).

People are counted, not records, where the policy says whose a record is: ten payments of one customer are no
crowd to hide in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL: Final = 5
"""Classes of fewer are small: the usual bound for what is shared under a contract; for the public, 11."""
SHOWN_MAX: Final = 5  # smallest classes
SIZES: Final = ((1, 1), (2, 2), (3, 4), (5, 10), (11, 20), (21, 100), (101, None))
"""The bars of the chart: people from, to."""

Combination = tuple[int, ...]


@dataclass(slots=True)
class _Class:
    people: set[int] | None
    """None where records are counted as people."""
    records: int = 0

    @property
    def size(self) -> int:
        """How many people hide in it."""
        return self.records if self.people is None else len(self.people)

    def take(self, other: _Class) -> None:
        """Add the records of another class."""
        self.records += other.records
        if self.people is not None and other.people is not None:
            self.people |= other.people


@dataclass(frozen=True, slots=True)
class Measure:
    """What the sizes of the classes say. Shares are of all records."""

    k: int
    """People in the smallest class."""
    classes: int
    small: float
    """Share of records in classes of fewer than `SMALL` people."""
    unique: float
    """Share of records in classes of one person."""
    risk: float
    """Prosecutor risk, averaged over records; its maximum is 1/k."""

    @property
    def risk_max(self) -> float:
        """Prosecutor risk of whoever is in the smallest class."""
        return 1 / self.k


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one field adds to the risk."""

    path: str
    without: Measure
    """Were it not to leave: the others together."""
    alone: Measure
    """Were it the only one: says which field is to blame where any two of them single out everybody."""


@dataclass(frozen=True, slots=True)
class Smallest:
    """One of the smallest classes: its values, as sanitised, in the order of the fields."""

    people: int
    records: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """Classes of `least` to `most` people (None: and more)."""

    least: int
    most: int | None
    classes: int
    records: int

    @property
    def label(self) -> str:
        """The sizes in words."""
        if self.most is None:
            return f"{self.least}+"
        return str(self.least) if self.least == self.most else f"{self.least}\N{EN DASH}{self.most}"


@dataclass(frozen=True, slots=True)
class Anonymity:
    """How identifying the sanitised records of a sample are."""

    fields: tuple[str, ...]
    """The quasi-identifiers that leave in a readable form."""
    by_person: bool
    """Whether people are counted; otherwise every record counts as a person of its own."""
    records: int
    measure: Measure
    contributions: tuple[Contribution, ...]
    """Of the fields, those first that contribute most."""
    smallest: tuple[Smallest, ...]
    bars: tuple[Bar, ...]


class Classes:
    """Equivalence classes of the records seen so far.

    The one part of a preview that grows with the sample: with its different combinations and the people in
    them. Values are held once each and as text, combinations as numbers.
    """

    def __init__(self, fields: Sequence[str], *, by_person: bool) -> None:
        self.fields = tuple(fields)
        self.by_person = by_person
        self._numbers: tuple[dict[str, int], ...] = tuple({} for _ in fields)
        self._classes: dict[Combination, _Class] = {}
        self._records = 0

    def add(self, values: Sequence[str], person: int | None) -> None:
        """Put a record into its class.

        Args:
            values: of the fields, in their order, as text; "" where a field is not there.
            person: a number that tells people apart. All records without one count as one person: the
                careful guess.
        """
        combination = tuple(
            numbers.setdefault(value, len(numbers))
            for numbers, value in zip(self._numbers, values, strict=True)
        )
        found = self._classes.get(combination)
        if found is None:
            found = self._classes[combination] = self._empty()
        found.records += 1
        self._records += 1
        if found.people is not None:
            found.people.add(0 if person is None else person)

    def anonymity(self) -> Anonymity | None:
        """What the classes say; None where there is no record."""
        if not self._records:
            return None
        every = range(len(self.fields))
        measured = [
            Contribution(
                path,
                without=self._over([other for other in every if other != index]),
                alone=self._over([index]),
            )
            for index, path in enumerate(self.fields)
        ]
        return Anonymity(
            fields=self.fields,
            by_person=self.by_person,
            records=self._records,
            measure=_measure(self._classes),
            contributions=tuple(sorted(measured, key=_least_without)),
            smallest=self._smallest(),
            bars=tuple(self._bar(least, most) for least, most in SIZES),
        )

    def _empty(self) -> _Class:
        return _Class(set() if self.by_person else None)

    def _over(self, fields: Sequence[int]) -> Measure:
        """The measure over some of the fields, by their indices."""
        merged: dict[Combination, _Class] = {}
        for combination, one in self._classes.items():
            part = tuple(combination[index] for index in fields)
            if part not in merged:
                merged[part] = self._empty()
            merged[part].take(one)
        return _measure(merged)

    def _smallest(self) -> tuple[Smallest, ...]:
        values = [list(numbers) for numbers in self._numbers]
        shown = sorted(self._classes.items(), key=lambda item: (item[1].size, item[1].records))
        return tuple(
            Smallest(
                one.size,
                one.records,
                tuple(texts[number] for texts, number in zip(values, combination, strict=True)),
            )
            for combination, one in shown[:SHOWN_MAX]
        )

    def _bar(self, least: int, most: int | None) -> Bar:
        within = [
            one for one in self._classes.values() if least <= one.size and (most is None or one.size <= most)
        ]
        return Bar(least, most, len(within), sum(one.records for one in within))


def _measure(classes: dict[Combination, _Class]) -> Measure:
    sizes = [(one.size, one.records) for one in classes.values()]
    total = sum(records for _, records in sizes)
    return Measure(
        k=min(people for people, _ in sizes),
        classes=len(sizes),
        small=sum(records for people, records in sizes if people < SMALL) / total,
        unique=sum(records for people, records in sizes if people == 1) / total,
        risk=sum(records / people for people, records in sizes) / total,
    )


def _least_without(one: Contribution) -> tuple[float, float, float, int, str]:
    """Puts first what is to blame most: the least risk without it, then the most groups by it alone."""
    return (one.without.small, one.without.unique, one.without.risk, -one.alone.classes, one.path)
