# ruff: noqa: D102  what the two methods of a kind do is said once, on Kind
"""The sections of a policy besides its rules: scoring, routes, retention."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.policy import paths
from processor.policy.detection import ENTITIES, REGIONS, SCORES, TEXT_CHARACTERS_MAX
from processor.policy.detection.custom import CHECKSUMS, pattern_problem, recognizer_of
from processor.policy.kinds import UNREADABLE, Choice, Flag, Many, Problem, Section, Text, Whole, key, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection import Recognizer
    from processor.policy.kinds import Fault, Place

RETENTION_DAYS_MAX = 36_500  # a century
# The only periods that CloudWatch Logs knows.
LOG_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
NAME = Text(r"[a-z][a-z0-9_-]{0,62}", "a lower-case letter, then lower-case letters, digits, - and _")
LEVELS = {
    "possible": "its form fits",
    "likely": "a word near says so, or little else has its form",
    "certain": "its check digits are right, or nothing else looks so",
}
SNS_ATTRIBUTES_MAX = 6  # raw delivery to SQS carries ten, and the gate adds type, policy, flagged and score


PURPOSE = Text(r"[a-z][a-z0-9_]{0,62}", "a lower-case letter, then lower-case letters, digits and _")
ENTITY = Text(r"[a-z][a-z0-9_]{0,62}", "a lower-case letter, then lower-case letters, digits and _")


@dataclass(frozen=True, slots=True)
class EntityName:
    """An entity that comes with the gate, a region (all of its entities), or one of the policy's own.

    Whether the last exists is for the plan to say: only it knows them.
    """

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        return ENTITY.read(value, at, problems)

    def schema(self) -> dict[str, Any]:
        known = [{"const": name, "description": doc} for name, doc in ENTITIES.items()]
        known += [{"const": name, "description": f"all of {', '.join(REGIONS[name])}"} for name in REGIONS]
        return {"anyOf": [*known, {**ENTITY.schema(), "description": "one of this policy's recognizers"}]}


@dataclass(frozen=True, slots=True)
class LiteralPath:
    """A path to one value: names only, no wildcard."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        try:
            path = paths.parse(value) if isinstance(value, str) else ()
        except ValueError as mistake:
            problems.append(Problem(at, f"{shown(value)} is not a path: {mistake}"))
            return UNREADABLE
        if path and paths.is_literal(path):
            return paths.render(path)
        problems.append(
            Problem(
                at,
                f"{shown(value)} does not name one field",
                "Write a path without * here, as in card.number.",
            )
        )
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A percentile of the model's scores, as in `p99.5`, or an absolute score from 0 to 1."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if isinstance(value, str) and re.fullmatch(r"p(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,6})?)", value):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        problems.append(
            Problem(
                at, f"flag_at must be p0 to p100, as in p99.5, or a score from 0 to 1, not {shown(value)}"
            )
        )
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        percentile = {"type": "string", "pattern": r"^p(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,6})?)$"}
        return {"oneOf": [percentile, {"type": "number", "minimum": 0, "maximum": 1}]}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, a whole number or true/false."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if isinstance(value, str | int):
            return value
        problems.append(
            Problem(at, f"{at[-1]} must be a text, a whole number or true/false, not {shown(value)}")
        )
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "integer", "boolean"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """How the truth comes back down the stream, for training."""

    path: str = field(metadata=key(LiteralPath(), "The field that says so.", name="field"))
    equals: str | int | bool = field(metadata=key(Scalar(), "Its value for a confirmed fraud."))
    after_days: int = field(metadata=key(Whole(0, 365), "How long it takes until the truth is known."))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRule:
    """Which model scores the raw record inside the gate, what it may read, and from where on it flags."""

    model: str = field(metadata=key(NAME, "A folder of models/."))
    reads: tuple[str, ...] = field(
        metadata=key(Many(LiteralPath()), "The raw fields granted to the model; only its score leaves.")
    )
    flag_at: str | float = field(
        metadata=key(
            Threshold(), "From where on an event is flagged: a percentile, as p99.5, or a score from 0 to 1."
        )
    )
    label: LabelRule | None = field(
        default=None, metadata=key(Section(LabelRule), "How a confirmed fraud shows later.")
    )
    keep_features: bool = field(
        default=False,
        metadata=key(
            Flag(),
            "Whether events say what the model made of the fields granted to it, so that it can be trained "
            "anew on events alone. A feature may be as telling as its field: an amount, an hour.",
        ),
    )


@dataclass(frozen=True, slots=True)
class RulePath:
    """A path as a rule writes it, wildcards and all. Whether there is such a rule is for the plan to say."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        try:
            return paths.render(paths.parse(value if isinstance(value, str) else ""))
        except ValueError as mistake:
            problems.append(Problem(at, f"{shown(value)} is not a path: {mistake}"))
            return UNREADABLE

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """A reason for which tokens may be opened, as the record of processing activities names it (GDPR 30)."""

    name: str = ""
    fields: tuple[str, ...] = field(
        metadata=key(Many(RulePath()), "The fields that may be opened for it, as the rules name them.")
    )
    values_per_hour: int = field(
        default=100,
        metadata=key(
            Whole(1, 1_000_000), "How many values one caller may have opened in an hour: what a case needs."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerRule:
    """An entity of this policy's own: what its numbers look like, and how to tell them from chance."""

    name: str = ""
    pattern: str = field(
        metadata=key(
            Text(".{1,300}", "a regular expression of 1 to 300 characters"),
            "A regular expression over the text in plain signs (full-width digits and odd spaces are plain "
            "by then). Every repetition needs a bound, and one way only to match.",
        )
    )
    checksum: str = field(
        default="none",
        metadata=key(Choice(CHECKSUMS), "The check digits that tell the number from others of its form."),
    )
    context: tuple[str, ...] = field(
        default=(),
        metadata=key(
            Many(Text(r"[^\s].{0,39}", "1 to 40 characters"), least=0, most=40),
            "Words one of which near it makes it surer.",
        ),
    )
    bare: str | None = field(
        default="possible",
        metadata=key(Choice(LEVELS), "How sure it is without a word of the context near."),
    )
    near: str = field(default="certain", metadata=key(Choice(LEVELS), "How sure it is with one."))

    def faults(self) -> Iterator[Fault]:
        """What the pattern could do to the function."""
        if trouble := pattern_problem(self.pattern):
            yield ("pattern",), f"the pattern is refused: {trouble}"

    def recognizer(self) -> Recognizer:
        """What finds it."""
        return recognizer_of(
            name=self.name,
            pattern=self.pattern,
            checksum=self.checksum,
            context=self.context,
            bare=SCORES[self.bare] if self.bare else None,
            near=SCORES[self.near],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a value may hold at most. One that holds more is redacted and counted as oversized."""

    text_characters: int = field(
        default=TEXT_CHARACTERS_MAX,
        metadata=key(Whole(100, TEXT_CHARACTERS_MAX), "Characters of a text, or bytes of a binary value."),
    )
    items: int = field(
        default=10_000, metadata=key(Whole(1, 400_000), "Items of a list, members of a set, keys of a map.")
    )
    depth: int = field(
        default=paths.DEPTH_MAX, metadata=key(Whole(1, paths.DEPTH_MAX), "Levels of maps and lists.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Route:
    """The feed."""

    events: str = field(
        default="all",
        metadata=key(Choice({"all": "every event"}, later=("flagged", "none")), "Which events are written."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsRoute:
    """The alerts."""

    events: str = field(
        metadata=key(
            Choice({"all": "every event", "flagged": "those at or above score.flag_at", "none": "no event"}),
            "Which events are published.",
        )
    )
    attributes: tuple[str, ...] = field(
        default=(),
        metadata=key(
            Many(LiteralPath(), least=0, most=SNS_ATTRIBUTES_MAX),
            "Fields, as sanitised, that subscribers may filter on.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Where events go."""

    s3: S3Route = field(default=S3Route(), metadata=key(Section(S3Route), "The feed."))
    sns: SnsRoute = field(metadata=key(Section(SnsRoute), "The alerts."))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionDays:
    """How long each thing is kept; Terraform reads the same numbers."""

    events: int = field(metadata=key(Whole(1, RETENTION_DAYS_MAX), "Sanitised events in S3."))
    audit: int = field(metadata=key(Whole(1, RETENTION_DAYS_MAX), "Audit manifests in S3."))
    quarantine: int = field(
        metadata=key(
            Whole(1, RETENTION_DAYS_MAX), "Raw records in quarantine, encrypted: as short as repairs take."
        )
    )
    logs: int = field(
        metadata=key(
            Whole(1, LOG_DAYS[-1], only=LOG_DAYS), "The function's logs; one of CloudWatch's periods."
        )
    )
    ledger: int = field(
        metadata=key(
            Whole(2, 365),
            "Entries of the ledger: longer than a stream keeps records, and than a replay may come after.",
        )
    )
