"""A first policy from a sample of records: closed by default, and honest about what it does not know.

What a field is follows from its values, where detection recognises them, from its name, and from the form of
its values, in this order; but a name that says that nothing may leave overrules all. What none of them
settles stays in, with a comment that says what was seen. No value is ever written, only types, counts and
entities.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths
from processor.policy.document import read_document
from processor.policy.plan import RULES_MAX, read_plan
from processor.review.draft_text import Line, policy_text
from processor.review.meanings import (
    ANY_OTHER_ENTITY,
    BY_ENTITY,
    CLIENT,
    TOLD_BY_NAME,
    meaning_of,
    named,
    words_of,
)
from processor.review.profile import is_name, profile
from processor.review.shape import share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from processor.review.meanings import Meaning
    from processor.review.profile import Place, Sample, Values

CODES_MAX: Final = 50  # different values of a field that nothing but its values calls a list of codes
NAMED_CODES_MAX: Final = 200  # of one whose name says so
NUMBERS_MAX: Final = 20
CODE_CHARACTERS_MAX: Final = 40
SHORT_DIGITS_MAX: Final = 3  # of a number that is no postcode and no year
REPEATED_MIN: Final = 4  # times that a code comes, on average, if it is one
VALUES_MIN: Final = 20  # fewer say nothing about how many there are
TEXT_WORDS_MIN: Final = 4  # on average, of free text
MOST: Final = 0.95
HALF: Final = 0.5

_IDENTIFIER = re.compile(r"\b(id|uuid|guid|key|ref|reference|no|nr|num|number|nummer|numero|identifier)$")

KEEP: Final = "{action: keep, class: public}"
SCRUB: Final = "{action: scrub, class: quasi}"
PSEUDONYM: Final = "{action: pseudonymize, class: identifier}"
TOLD_APART: Final = "keep it if it names a thing and not a person; drop it if nothing is joined by it"


Ruled = tuple[str, str, str]
"""A rule, its group, and the advice that makes it one to decide."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy that compiles."""

    text: str
    lines: tuple[Line, ...]
    subject: str | None

    @property
    def undecided(self) -> list[str]:
        """Paths of the rules that wait for a decision."""
        return [paths.render(line.path) for line in self.lines if line.advice]


def draft(name: str, records: Iterable[Mapping[str, Any]]) -> Draft | None:
    """The first policy for records like these; None if there are none, or none with a field.

    Args:
        name: of the policy.
        records: raw, as JSON has them.
    """
    sample = profile(records)
    lines, left_out = _lines(sample)
    if not lines:
        return None
    subject = _subject(lines, sample)
    if subject:
        lines = [replace(line, rule=_by_person(line.rule)) for line in lines]
        subject = next(line for line in lines if line.path == subject.path)
    text = policy_text(name, sample.records, lines, subject, left_out)
    # Held here, not only by a test: a draft that does not compile is our mistake, whatever the sample.
    plan, problems = read_plan(read_document(text.encode(), name).data, "0" * 64)
    assert plan is not None, [problem.message for problem in problems]  # noqa: S101
    return Draft(text, tuple(lines), paths.render(subject.path) if subject else None)


def _by_person(rule: str) -> str:
    """The rule, under the person's own key if what it makes can be opened: then it dies with the person."""
    return rule.replace("{action: tokenize", "{action: tokenize, scope: subject", 1)


def _lines(sample: Sample) -> tuple[list[Line], int]:
    """The rules, and how many names none can be written for.

    Where there are more fields than a policy can have rules, what lies deepest is dropped as a whole.
    """
    lines = list(_below(sample.root, (), paths.DEPTH_MAX))
    depth = max((len(line.path) for line in lines), default=1)
    while len(lines) > RULES_MAX and depth > 1:
        depth -= 1
        lines = list(_below(sample.root, (), depth))
    return lines[:RULES_MAX], _unwritten(sample.root) + len(lines[RULES_MAX:])


def _unwritten(place: Place) -> int:
    """How many names below a place may be data themselves, or are none that a policy can write."""
    own = sum(not is_name(name) for name in place.names)
    return own + sum(_unwritten(child) for child in place.below())


def _below(place: Place, path: paths.Path, depth: int) -> Iterator[Line]:
    """The rules for what is in a map or a list."""
    for name, child in place.names.items():
        # Such a name may itself be a datum. Unnamed, the field does not leave.
        if is_name(name):
            yield from _at(child, (*path, name), depth)
    if place.any_name is not None:
        keys = place.keys.entity()
        meaning = named(BY_ENTITY[keys]) if keys in BY_ENTITY else None
        rule = meaning.rule if meaning and "normalize" in meaning.rule else PSEUDONYM
        yield Line((*path, paths.Wild.KEY), rule, "who", f"names that are data: {_seen(place.keys)}")
        yield from _at(place.any_name, (*path, paths.Wild.NAME), depth)
    if place.item is not None:
        yield from _at(place.item, (*path, paths.Wild.ITEM), depth)


def _at(place: Place, path: paths.Path, depth: int) -> Iterator[Line]:
    values = place.values
    inside = bool(place.names or place.any_name or place.item)
    kinds = [
        kind
        for kind, count in (("maps", place.maps), ("lists", place.lists), ("values", values.count))
        if count
    ]
    if not kinds or (not inside and not values.count):
        what = f"only empty {' and '.join(kinds)}" if kinds else "always null"
        yield Line(path, "drop", "decide", what, "look at records that have something there")
    elif len(kinds) > 1:
        yield Line(
            path,
            "drop",
            "decide",
            f"{' and '.join(kinds)} in one place",
            "a rule reaches one of them only; keep it dropped, or mend the table",
        )
    elif inside and (len(path) >= depth or not any(True for _ in _below(place, path, depth))):
        yield Line(path, "drop", "decide", "more fields than rules are for", "name what is needed of it")
    elif inside:
        yield from _below(place, path, depth)
    else:
        yield _line(path, values)


def _line(path: paths.Path, values: Values) -> Line:
    """The rule for a field that holds values."""
    names = [segment for segment in path if isinstance(segment, str)]
    own, parent = names[-1] if names else "", names[-2] if len(names) > 1 else ""
    if path[-1] is paths.Wild.NAME:
        own, parent = "", own
    meaning = _meaning(meaning_of(own, parent) if own else None, values)
    rule, group, advice = _ruled(meaning, values) or _by_form(own, values)
    person = meaning is not None and meaning.name == "person"
    return Line(path, rule, group, _seen(values), advice, person=person)


def _meaning(by_name: Meaning | None, values: Values) -> Meaning | None:
    """What a field is: by its values if they are recognised, unless its name closes it already."""
    entity = values.entity()
    if (
        entity is None
        or entity in TOLD_BY_NAME
        or (by_name and re.match(r"drop|\{action: (drop|redact)", by_name.rule))
    ):
        return by_name
    return named(BY_ENTITY.get(entity, ANY_OTHER_ENTITY))


def _ruled(meaning: Meaning | None, values: Values) -> Ruled | None:
    """By what a field means, if its values agree."""
    if meaning is None or (values.is_all("boolean") and not re.search(r"drop|quasi", meaning.rule)):
        return None
    check = AGREEING.get(meaning.rule)
    return check(meaning, values) if check else _of_form(meaning, values)


def _codes(meaning: Meaning, values: Values) -> Ruled | None:
    """For what comes from a list: of ours, or of all the world's things."""
    fits = (
        not values.recognised
        and (meaning.rule.endswith("things") or values.distinct.count <= NAMED_CODES_MAX)
        and values.longest <= CODE_CHARACTERS_MAX
        and values.mean_words < TEXT_WORDS_MIN - 1
        and values.share("opaque") < HALF
    )
    data_class = "quasi" if meaning.group == "narrow" else "public"
    return (f"{{action: keep, class: {data_class}}}", meaning.group, "") if fits else None


def _moment(meaning: Meaning, values: Values) -> Ruled | None:
    if _dated(values) < MOST:
        return None
    part = "day" if values.forms["date"] else "hour"
    return f"{{action: generalize, to: {part}, class: public}}", meaning.group, ""


def _amount(meaning: Meaning, values: Values) -> Ruled | None:
    fits = values.is_all("whole number", "number") and not values.recognised
    return (KEEP, meaning.group, "") if fits else None


def _free_text(meaning: Meaning, values: Values) -> Ruled | None:
    return (SCRUB, meaning.group, "") if values.is_all("text") else None


AGREEING: Final[dict[str, Callable[[Meaning, Values], Ruled | None]]] = {
    "codes": _codes,
    "codes of things": _codes,
    "moment": _moment,
    "amount": _amount,
    "scrub": _free_text,
    "form": lambda _meaning, _values: None,
}
"""The meanings whose values have to agree before anything of them leaves."""


def _of_form(meaning: Meaning, values: Values) -> Ruled:
    """The rule that a meaning asks for; a careful one where its action would take none of the values."""
    fitting = {
        "to: year": _dated(values) + values.share("year"),
        "to: zip3": float(values.is_all("text")),
        "truncate": values.recognised.get("ip", 0.0),
    }
    for part, how_many in fitting.items():
        if part in meaning.rule and how_many < HALF:
            data_class = meaning.rule.partition("class: ")[2].rstrip("}")
            advice = f"it is called a {meaning.name}, and `{part}` cannot read its values: say what they are"
            return f"{{action: redact, class: {data_class}}}", "decide", advice
    return meaning.rule, meaning.group, meaning.advice


def _dated(values: Values) -> float:
    return values.share("date") + values.share("moment") + values.share("epoch")


def _by_form(own: str, values: Values) -> Ruled:  # noqa: PLR0911  a table, one row each
    """By the form of the values alone."""
    repeated = values.count >= max(VALUES_MIN, REPEATED_MIN * values.distinct.count) and not values.recognised
    if values.is_all("boolean"):
        return KEEP, "thing", ""
    if _dated(values) + values.share("other date") >= HALF:
        advice = (
            "if it says when a thing happened, generalize it to a day or keep it; a person's date, to year"
        )
        return "{action: redact, class: date}", "decide", advice
    if _IDENTIFIER.search(words_of(own)) or values.share("opaque") >= HALF:
        return PSEUDONYM, "decide", TOLD_APART
    if values.is_all("whole number", "number"):
        if repeated and values.distinct.count <= NUMBERS_MAX and values.longest <= SHORT_DIGITS_MAX:
            return KEEP, "thing", ""
        return "redact", "decide", "keep it if it measures a thing, as an amount or a count does"
    if not values.is_all("text"):
        return "redact", "decide", "values of several types: say what they are before they leave"
    if repeated and values.distinct.count <= CODES_MAX and values.share("code") == 1:
        return KEEP, "thing", ""
    if values.mean_words >= TEXT_WORDS_MIN:
        return SCRUB, "text", ""
    return "redact", "decide", "keep it if it comes from a list; scrub it if people type into it"


def _seen(values: Values) -> str:
    """What a field holds, in words that hold no value."""
    kinds = " and ".join(kind for kind, _ in values.kinds.most_common())
    parts = [f"{kinds}, {values.distinct} different in {values.count:,}"]
    if values.nulls:
        parts.append(f"null in {share(values.nulls, values.nulls + values.count)}")
    if values.recognised:
        found = (
            f"{entity} in {share(round(1000 * part), 1000)}" for entity, part in values.recognised.items()
        )
        parts.append(f"recognised: {', '.join(found)}")
    return "; ".join(parts)


def _subject(lines: list[Line], sample: Sample) -> Line | None:
    """Of the fields that name a person in nearly every record, the one with the likeliest name."""
    found = []
    for line in lines:
        if not line.person or not paths.is_literal(line.path):
            continue
        place = sample.root
        for segment in line.path:
            place = place.names[str(segment)]
        if place.values.count >= MOST * sample.records:
            words = words_of(str(line.path[-1])).split()
            ranks = [rank for rank, word in enumerate(CLIENT.split(", ")) if word in words]
            found.append((min(ranks, default=len(CLIENT)), len(line.path), line))
    return min(found, key=lambda one: one[:2])[2] if found else None
