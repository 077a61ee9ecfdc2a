"""Released models on records of a period: what one finds, and two of them on the same records.

A model is never measured on what it was trained on, nor on the days after that in which its labels came in.
Where the spec names a card, records of cards that are known to be compromised by then are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluation import Options, compared, measured, unknown_cards
from models.replay import column as plain
from models.rows import gather, opened, scored, times
from models.sources import Simulated
from models.spec import Spec, load_spec
from models.training import Period
from processor.errors import ModelError
from processor.scoring import load_scorer
from processor.scoring.artefact import Manifest, read_manifest
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.evaluation.columns import Floats
    from models.rows import Progress, Rows
    from models.sources import History
    from processor.scoring import Scorer


@dataclass(frozen=True)
class Released:
    """A model in a folder."""

    folder: Path
    manifest: Manifest
    scorer: Scorer
    spec: Spec

    @classmethod
    def load(cls, folder: Path, delay: int | None = None) -> Released:
        """Args: where it is; another delay of labels than its spec's.

        Raises:
            ModelError: it cannot be loaded.
        """
        spec = load_spec(folder)
        spec = spec if delay is None else spec.with_delay(delay)
        return cls(folder, read_manifest(folder), load_scorer(folder), spec)

    @cached_property
    def trained(self) -> Period:
        """On which period."""
        training = self.manifest.content.get("training", {})
        return Period(_epoch(training.get("from"), -inf), _epoch(training.get("to"), inf))

    @property
    def known_at(self) -> float:
        """When the labels of its training were known."""
        return self.trained.end + self.spec.label.after_days * DAY_S

    def history(self, named: Sequence[str | Path]) -> History:
        """The data that was named, or the simulator that it was trained on.

        Raises:
            ModelError: nothing was named, and it was trained on something else.
        """
        if named:
            return opened(self.spec, named, self.columns)
        if "simulator" not in self.manifest.content.get("training", {}):
            raise ModelError(
                f"{self.folder}: was not trained on the simulator; name records to measure on with --data"
            )
        return Simulated(self.spec)

    @property
    def columns(self) -> list[str]:
        """Raw fields that figures are made of: the amount, and groups."""
        return [*([self.amount] if self.amount else []), *self.spec.groups, *self.spec.gates.groups]

    @property
    def amount(self) -> str | None:
        """The field that is summed up by a profile, which is taken for what a fraud costs."""
        return next((one.value for one in self.spec.features.profiles if one.value), None)


@dataclass(frozen=True, slots=True)
class Measurement:
    """Models on the records of a period."""

    rows: Rows
    """By the first model's features."""
    scores: list[Floats]
    """Of each model."""
    start: float
    end: float
    known_cards: int
    """Records that are left out because their card is known."""
    data: dict[str, Any]
    """What the records are."""


def measurement(
    models: Sequence[Released],
    named: Sequence[str | Path],
    progress: Progress,
    *,
    start: float | None = None,
    end: float | None = None,
) -> Measurement:
    """The scores of each of the models on the same records, none of which they were trained on.

    Args:
        models: the first says how records are named and which cards are known.
        named: data, or nothing for the simulator.
        progress: is told of what is done.
        start: of the period. None: when the labels of all trainings were known.
        end: of it, not included.

    Raises:
        ModelError: there are no such records, or a model cannot be measured on them.
    """
    first = models[0]
    history = first.history(named)
    when = times(history, progress)
    begin = _begin(models, when, start)
    until = inf if end is None else end
    since = min(begin, first.trained.start) if _is_inside(first, when) else -inf
    rows = _gathered(first, history, since, until, progress)
    kept = _kept(first, rows, begin)
    if not kept.any():
        raise ModelError(f"{named[0] if named else first.folder}: has no record to measure on in the period")
    progress("scoring", len(rows))
    scores = [scored(first.scorer, rows[kept])]
    for other in models[1:]:
        theirs = _gathered(other, _same(first, other, history, named), since, until, progress)
        if not np.array_equal(theirs.time, rows.time):
            raise ModelError(f"{other.folder}: does not read the same records as {first.folder}")
        scores.append(scored(other.scorer, theirs[kept]))
    in_period = int((rows.time >= begin).sum())
    left_out = in_period - int(kept.sum())
    return Measurement(rows[kept], scores, begin, until, left_out, history.description())


def figures_of(first: Released, found: Measurement, which: int = 0) -> dict[str, Any]:
    """Everything that is measured of one of the models."""
    rows = found.rows

    def column(name: str | None) -> NDArray[Any] | None:
        return rows.columns.get(name) if name else None

    amounts = column(first.amount)
    if amounts is not None:
        amounts = plain(amounts.tolist())
    groups = {
        name: rows.columns[name] for name in dict.fromkeys((*first.spec.groups, *first.spec.gates.groups))
    }
    return measured(
        found.scores[which],
        rows.fraud,
        rows.time,
        cards=column(first.spec.card),
        amounts=amounts if amounts is not None and amounts.dtype.kind == "f" else None,
        segments={} if rows.scenario is None else {"scenario": rows.scenario},
        groups=groups,
        options=options_of(first),
    )


def comparison_of(first: Released, found: Measurement) -> dict[str, Any] | None:
    """The first model beside the second; None without labels of both kinds."""
    fraud = found.rows.fraud
    if fraud is None or fraud.all() or not fraud.any():
        return None
    cards = found.rows.columns.get(first.spec.card) if first.spec.card else None
    return compared(found.scores[0], found.scores[1], fraud, cards=cards, options=options_of(first))


def options_of(first: Released) -> Options:
    """The threshold of its gates, and else the usual."""
    return Options(flag_at=first.scorer.threshold(first.spec.gates.flag_at))


def _begin(models: Sequence[Released], when: Floats, start: float | None) -> float:
    """From when on no model has seen the records; a training on other times does not matter."""
    if not len(when):
        raise ModelError(f"{models[0].folder}: the data has no record with a usable {models[0].spec.time}")
    inside = [one for one in models if _is_inside(one, when)]
    after = max((one.known_at for one in inside), default=-inf)
    if start is None:
        if after > when[-1]:
            raise ModelError(
                f"{inside[0].folder}: was trained on these records, up to {_said(when[-1])}; "
                "later ones are needed to measure it"
            )
        return after
    if start < after:
        raise ModelError(
            f"--from: {_said(start)} is before {_said(after)}, when the labels of its training were known; "
            "what it has seen says nothing of how good it is"
        )
    return start


def _is_inside(one: Released, when: Floats) -> bool:
    """Whether it was trained while these records were made."""
    return bool(one.trained.start <= when[-1] and one.known_at > when[0])


def _gathered(one: Released, history: History, since: float, until: float, progress: Progress) -> Rows:
    return gather(
        one.scorer.features, one.spec, history, progress, start=since, end=until, columns=one.columns
    )


def _kept(first: Released, rows: Rows, begin: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = rows.time >= begin
    card = first.spec.card
    if card is None or rows.fraud is None or card not in rows.columns or not inside.any():
        return inside
    begin = max(begin, float(rows.time[inside][0] // DAY_S * DAY_S))
    # A model of other times knows no card; a desk knows those of which it had heard by then.
    train = first.trained if _is_inside(first, rows.time) else (-inf, -inf)
    return inside & unknown_cards(
        rows.time,
        rows.columns[card],
        rows.fraud,
        train=train,
        test=(begin, inf),
        delay_days=first.spec.label.after_days,
    )


def _same(first: Released, other: Released, history: History, named: Sequence[str | Path]) -> History:
    """The same records as the other model reads them."""

    def reads(one: Released) -> Any:
        return one.spec.features.names, one.spec.reads, one.spec.aliases, one.columns

    if reads(first) == reads(other) or not named:
        return history
    return other.history(named)


def _epoch(text: Any, default: float) -> float:
    """Of a time in a manifest."""
    if not isinstance(text, str):
        return default
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _said(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"
