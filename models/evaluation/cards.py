"""Figures over cards, as in the Fraud Detection Handbook.

Le Borgne et al., "Reproducible machine learning for credit card fraud detection: practical handbook", 2022,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/, chapter 4.4 (precision top-k) and the
shared functions `get_train_test_set` and `card_precision_top_k`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluation.columns import DAY_S, codes, date, days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.evaluation.columns import Flags, Floats


def unknown_cards(
    time: Floats,
    cards: NDArray[Any],
    fraud: Flags,
    *,
    train: tuple[float, float],
    test: tuple[float, float],
    delay_days: int = 7,
) -> Flags:
    """Which records of the test period are left when cards known to be compromised are taken out.

    A card is known on a day of the test period when it had fraud in the training period, or since the start
    of the training period up to `delay_days` before that day began.

    Args:
        time: epoch seconds of each record, of both periods and the time between, in any order.
        cards: the card (customer) of each record.
        fraud: whether it is fraud.
        train: start and end of training in epoch seconds, the end excluded.
        test: the same of the test period. Its days are counted from its start.
        delay_days: how long it takes until fraud is known.
    """
    card = codes(cards)
    first = np.full(card.max(initial=-1) + 1, np.inf)  # when the card's fraud was, the earliest
    learnt = fraud & (time >= train[0])
    np.minimum.at(first, card[learnt], time[learnt])
    trained = np.zeros(len(first), dtype=bool)
    trained[card[learnt & (time < train[1])]] = True
    day_start = test[0] + np.floor((time - test[0]) / DAY_S) * DAY_S
    known = trained[card] | (first[card] < day_start - delay_days * DAY_S)
    return (time >= test[0]) & (time < test[1]) & ~known


@dataclass(frozen=True, slots=True)
class CardPrecision:
    """Card precision of each day, in order of the days."""

    days: tuple[str, ...]
    precision: Floats
    compromised: NDArray[np.intp]  # cards that a desk could still have found that day

    @property
    def mean(self) -> float:
        """Over the days, as in the handbook. NaN without days."""
        return float(self.precision.mean()) if len(self.precision) else float("nan")


def card_precision(
    scores: Floats, fraud: Flags, time: Floats, cards: NDArray[Any], *, top: int = 100
) -> CardPrecision:
    """The share of compromised cards among the `top` most suspicious of each day.

    A card's score is its highest of the day; it is compromised when any of its payments that day is fraud.
    Compromised cards that a desk found on one day are not looked at on later ones. The divisor is `top`, also
    on a day with fewer cards. Equal scores: in the order of the cards.
    """
    card, day = codes(cards), days(time)
    found = np.zeros(card.max(initial=-1) + 1, dtype=bool)
    present = np.unique(day)
    order = np.argsort(day, kind="stable")
    bounds = np.append(np.searchsorted(day[order], present), len(day))
    precision, compromised = np.empty(len(present)), np.empty(len(present), dtype=np.intp)
    for at, (start, end) in enumerate(pairwise(bounds.tolist())):
        rows = order[start:end]
        rows = rows[~found[card[rows]]]
        seen, of = np.unique(card[rows], return_inverse=True)
        best, bad = np.full(len(seen), -np.inf), np.zeros(len(seen), dtype=bool)
        np.maximum.at(best, of, scores[rows])
        bad[of[fraud[rows]]] = True
        highest = np.argsort(-best, kind="stable")[:top]
        caught = seen[highest[bad[highest]]]
        precision[at], compromised[at] = len(caught) / top, bad.sum()
        found[caught] = True
    return CardPrecision(tuple(date(at) for at in present.tolist()), precision, compromised)
