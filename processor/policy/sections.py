# ruff: noqa: D102  what the two methods of a kind do is said once, on Kind
"""The sections of a policy besides its rules: scoring, routes, retention."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.policy import paths
from processor.policy.kinds import UNREADABLE, Choice, Many, Problem, Section, Text, Whole, key, shown

if TYPE_CHECKING:
    from processor.policy.kinds import Place

RETENTION_DAYS_MAX = 36_500  # a century
# The only periods that CloudWatch Logs knows.
LOG_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
NAME = Text(r"[a-z][a-z0-9_-]{0,62}", "a lower-case letter, then lower-case letters, digits, - and _")
SNS_ATTRIBUTES_MAX = 6  # raw delivery to SQS carries ten, and the gate adds type, policy, flagged and score


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
        metadata=key(Whole(1, 365), "Entries of the ledger: longer than a replay may come after the fact.")
    )
