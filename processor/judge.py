"""The judge: what the model says of a batch, and what its profiles learn once the batch is written.

Beside the model in use a candidate may judge the same records in silence (shadow mode), so that it meets live
traffic first: of it nothing is told but how often the two agree. It fills profiles of its own where the model
in use keeps none like them, which are there on the day it is released. Whatever goes wrong with it changes no
event and stops no batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from processor.ledger import record_id
from processor.scoring import Memory, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from processor.profiles import Profiles, Recollection
    from processor.scoring import Fraud, Scorer
    from processor.scoring.drift import Spread
    from processor.scoring.features import Contribution
    from processor.stream import Change


class Agreement(NamedTuple):
    """How many records of a batch were flagged by whom. Those that neither flagged say nothing."""

    both: int
    alone: int
    """By the shadow alone."""
    missed: int
    """By the model in use alone."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was made of a batch."""

    changes: Sequence[Change]
    verdicts: Sequence[Fraud | None]
    """On each change; None on a removal, which is not a payment."""
    said: Sequence[Sequence[Contribution]] = ()
    """What each change has to say of its entities."""
    recollection: Recollection | None = None
    """What was known of them."""
    spread: Spread | None = None
    """How features and scores are spread; None if nothing was scored."""
    shadow: Judgement | None = None
    """The candidate's; None if there is none, or if it failed."""

    @property
    def agreement(self) -> Agreement | None:
        """How far the candidate sees what the model in use sees; None without its judgement."""
        if self.shadow is None:
            return None
        pairs = [
            (ours.flagged, other.flagged)
            for ours, other in zip(self.verdicts, self.shadow.verdicts, strict=True)
            if ours is not None and other is not None
        ]
        return Agreement(pairs.count((True, True)), pairs.count((False, True)), pairs.count((True, False)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A model at work."""

    scorer: Scorer
    threshold: float
    """The score from which on a record is flagged."""
    keeps_features: bool = False
    """Whether verdicts say what they were reached by."""
    profiles: Profiles | None = None
    """None for a model that needs none."""
    short: Callable[[Any], int]
    """Names counterparts in profiles."""
    shadow: Judge | None = None
    """A candidate, which judges in silence."""

    def judge(self, changes: Sequence[Change], secrets: Mapping[str, bytes | None]) -> Judgement:
        """What the model makes of the changes, in one matrix.

        Args:
            changes: in the order of the stream.
            secrets: of the people whom they are about.

        Raises:
            Transient: the profiles could not be read.
        """
        steps, memory, recollection = [_step(change) for change in changes], Memory(self.short), None
        if self.profiles is not None:
            recollection = self.profiles.recall(self.scorer.features.entities(steps), secrets, memory)
        scored = self.scorer.score(steps, self.threshold, memory, keep=self.keeps_features)
        verdicts = iter(scored.verdicts)
        return Judgement(
            changes,
            [None if change.new is None else next(verdicts) for change in changes],
            scored.said,
            recollection,
            scored.spread,
            self._in_shadow(changes, secrets),
        )

    def remember(
        self, judgement: Judgement, written: Collection[bytes], is_late: Callable[[], bool]
    ) -> Remembered:
        """Let the profiles know of what this run has written, and of nothing else: so each event counts once.

        Args:
            judgement: of the batch.
            written: the ids of the records that this run has written.
            is_late: whether there is no time for another request.
        """
        missed = 0
        if self.profiles is not None and judgement.recollection is not None:
            additions = Memory(self.short)
            for change, contributions in zip(judgement.changes, judgement.said, strict=True):
                if record_id(change.event_id, change.sequence) in written:
                    self.scorer.features.learn(contributions, additions)
            missed = self.profiles.add(additions, judgement.recollection, is_late)
        return Remembered(missed, self._is_shadow_behind(judgement, written, is_late))

    def _in_shadow(self, changes: Sequence[Change], secrets: Mapping[str, bytes | None]) -> Judgement | None:
        try:
            return self.shadow.judge(changes, secrets) if self.shadow else None
        except Exception:  # noqa: BLE001  whatever it is: a candidate stops nothing
            return None

    def _is_shadow_behind(
        self, judgement: Judgement, written: Collection[bytes], is_late: Callable[[], bool]
    ) -> bool:
        if self.shadow is None:
            return False
        if judgement.shadow is None:
            return True
        try:
            return self.shadow.remember(judgement.shadow, written, is_late).missed > 0
        except Exception:  # noqa: BLE001  as above
            return True


class Remembered(NamedTuple):
    """What the profiles could not be told."""

    missed: int
    """Entities of the model in use."""
    is_shadow_behind: bool
    """Whether the candidate could not judge the batch, or its profiles miss something of it."""


def _step(change: Change) -> Step:
    """The change as a model sees it. What expires stays true; what somebody removes never was."""
    return Step(None if change.expired else change.old, change.new)
