"""Everything that is measured of a model, as one value for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.evaluation.budgets import Worth, daily_budgets, rank_names, rank_values, worth_of
from models.evaluation.calibration import alert_rates, day_codes, score_bins
from models.evaluation.cards import CardPrecision, card_precision
from models.evaluation.columns import codes, date, days, ratio, rounded
from models.evaluation.groups import (
    FEWEST_PEOPLE,
    SMALLEST_ALERTS,
    SMALLEST_FRAUD,
    SMALLEST_GROUP,
    fairness,
    rates,
)
from models.evaluation.intervals import Bootstrap, Units
from models.evaluation.ranking import Ranking, auc, average_precision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from models.evaluation.columns import Flags, Floats

SCHEMA: Final = "tidegate.evaluation/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure at. Shares are of all records, amounts in the currency of the data."""

    flag_at: float = 0.995  # a record is flagged at this score or above
    shares: tuple[float, ...] = (0.001, 0.005, 0.01)  # alert budgets
    per_day: tuple[int, ...] = (50, 100, 200)  # alerts of a day
    cards_per_day: int = 100
    promises: tuple[float, ...] = (0.99, 0.995, 0.999)  # thresholds whose alert rate is checked
    worth: Worth = field(default_factory=Worth)
    fewest_people: int = FEWEST_PEOPLE
    smallest_group: int = SMALLEST_GROUP
    smallest_alerts: int = SMALLEST_ALERTS
    smallest_fraud: int = SMALLEST_FRAUD
    bootstrap: Bootstrap = field(default_factory=Bootstrap)


def measured(
    scores: Floats,
    fraud: Flags | None,
    time: Floats,
    *,
    cards: NDArray[Any] | None = None,
    amounts: Floats | None = None,
    segments: Mapping[str, NDArray[Any]] | None = None,
    groups: Mapping[str, NDArray[Any]] | None = None,
    options: Options | None = None,
) -> dict[str, Any]:
    """What a model's scores are worth over one period.

    Args:
        scores: of each record, 0 to 1.
        fraud: whether it was fraud; None when that is not known of any.
        time: epoch seconds in UTC.
        cards: the card (customer) of each record; None leaves the figures over cards out.
        amounts: in one currency; None leaves the values out.
        segments: columns by whose values the rates are told.
        groups: columns of people's groups, over which disparities are judged, too.
        options: what to measure at.

    Returns:
        A dictionary with these keys. A figure with an interval is `{"value", "low", "high"}`; whatever
        cannot be measured is None.

        - `schema`; `records`; `from`, `to` (first and last day); `days` (how many); `labelled`
        - `fraud`: `records`, `share`, `cards`, `amount`
        - `intervals`: `by` (what was drawn: "card" or "record"), `units`, `resamples`, `confidence`, `seed`
        - `flag`: `at`, `alerts`, `alert_rate`, `precision`, `recall` (figures), `false_positive_rate`,
          `saved`, `value`
        - `ranking`: `auc`, `average_precision` (figures)
        - `budgets` [{`share`, `alerts`, `precision`, `recall` (figures), and with amounts `saved`,
          `saved_share`, `value`}]; `daily` [{`alerts_per_day`, `alerts`, `precision`, `recall` (figures over
          days), `saved`, `value`}]
        - `worth`: `cost_per_alert`, `recovered`, `best` {`alerts`, `share`, `value`}
        - `card_precision`: `cards_per_day`, `mean` (a figure over days), `possible` (the mean had every
          compromised card come first)
        - `calibration`: `bins`, `expected_calibration_error`, `percentile_error`, `alert_rates`
        - `segments`, `groups`: by column; see `rates` and `fairness`
        - `by_day` [{`day`, `records`, `fraud`, `alerts`, `alert_rate`, `precision`, `recall`, `auc`,
          `average_precision`, `card_precision`, `compromised_cards`}]

        Without fraud or without honest records (`labelled` false) only `schema` … `labelled`, `flag`
        (alerts), `calibration` and `by_day` (records and alerts) are there.

    Raises:
        ValueError: no records, columns of different lengths, or scores that are not finite.
    """
    options = options or Options()
    _require_columns(
        scores, fraud, time, cards, amounts, *(segments or {}).values(), *(groups or {}).values()
    )
    day = days(time)
    labelled = fraud is not None and bool(fraud.any()) and not bool(fraud.all())
    flagged = scores >= options.flag_at
    head: dict[str, Any] = {
        "schema": SCHEMA,
        "records": len(scores),
        "from": date(int(day.min())),
        "to": date(int(day.max())),
        "days": len(np.unique(day)),
        "labelled": labelled,
    }
    calibration = score_bins(scores, fraud if labelled else None)
    calibration["alert_rates"] = alert_rates(scores, time, options.promises)
    if fraud is None or not labelled:
        flag = {
            "at": options.flag_at,
            "alerts": int(flagged.sum()),
            "alert_rate": {"value": rounded(flagged.mean(), 6), "low": None, "high": None},
        }
        return head | {
            "flag": flag,
            "calibration": calibration,
            "by_day": _by_day(scores, None, time, flagged),
        }
    units = Units.over(len(scores), cards)
    by_card = None
    if cards is not None:
        by_card = card_precision(scores, fraud, time, cards, top=options.cards_per_day)
    return (
        head
        | {"fraud": _fraud(fraud, cards, amounts), "intervals": units.description(options.bootstrap)}
        | _ranked(scores, fraud, amounts, flagged, units=units, options=options)
        | {
            "daily": daily_budgets(
                scores,
                fraud,
                amounts,
                time,
                options.per_day,
                worth=options.worth,
                bootstrap=options.bootstrap,
            ),
            "card_precision": by_card and _cards(by_card, options),
            "calibration": calibration,
            "segments": {name: rates(column, flagged, fraud) for name, column in (segments or {}).items()},
            "groups": {
                name: fairness(
                    column,
                    flagged,
                    fraud,
                    units=units,
                    bootstrap=options.bootstrap,
                    fewest_people=options.fewest_people,
                    smallest_group=options.smallest_group,
                    smallest_alerts=options.smallest_alerts,
                    smallest_fraud=options.smallest_fraud,
                )
                for name, column in (groups or {}).items()
            },
            "by_day": _by_day(scores, fraud, time, flagged, by_card),
        }
    )


def _require_columns(scores: Floats, *columns: NDArray[Any] | None) -> None:
    if not len(scores):
        raise ValueError("there are no records to measure")
    if any(column is not None and len(column) != len(scores) for column in columns):
        raise ValueError("the columns have different lengths")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")


def _fraud(fraud: Flags, cards: NDArray[Any] | None, amounts: Floats | None) -> dict[str, Any]:
    return {
        "records": int(fraud.sum()),
        "share": rounded(fraud.mean(), 6),
        "cards": None if cards is None else len(np.unique(codes(cards)[fraud])),
        "amount": None if amounts is None else rounded(np.nansum(amounts[fraud]), 2),
    }


def _ranked(
    scores: Floats, fraud: Flags, amounts: Floats | None, flagged: Flags, *, units: Units, options: Options
) -> dict[str, Any]:
    """What comes from the order of the scores and from the flag, all over the same resamples."""
    ranking = Ranking(scores, fraud, amounts)
    alerts, caught, bad = (np.flatnonzero(rows) for rows in (flagged, flagged & fraud, fraud))

    def values(weights: Floats) -> list[float]:
        flags, hits, frauds = weights[alerts].sum(), weights[caught].sum(), weights[bad].sum()
        flag = [flags / weights.sum(), ratio(hits, flags), ratio(hits, frauds)]
        ranked = rank_values(ranking.curve(weights), options.shares)
        return [np.nan if value is None else float(value) for value in flag] + ranked

    point = values(np.ones(len(scores)))
    drawn = np.array([values(weights) for weights in units.weights(options.bootstrap)]).reshape(
        -1, len(point)
    )
    names = ["alert_rate", "precision", "recall", *rank_names(options.shares)]
    found = {
        name: options.bootstrap.interval(point[at], drawn[:, at], 6 if name == "alert_rate" else 4)
        for at, name in enumerate(names)
    }
    curve = ranking.curve()
    worth = options.worth if amounts is not None else None
    saved = None if amounts is None else float(np.nansum(amounts[caught]))
    return {
        "flag": {
            "at": options.flag_at,
            "alerts": len(alerts),
            **{name: found[name] for name in names[:3]},
            "false_positive_rate": rounded((len(alerts) - len(caught)) / (len(scores) - len(bad)), 6),
            "saved": rounded(saved, 2),
            "value": None if saved is None else rounded(options.worth.of(len(alerts), saved), 2),
        },
        "ranking": {name: found[name] for name in ("auc", "average_precision")},
        "budgets": [
            {
                "share": share,
                "alerts": rounded(share * len(scores), 1),
                "precision": found[f"precision@{share:g}"],
                "recall": found[f"recall@{share:g}"],
                **worth_of(curve, share * len(scores), worth),
            }
            for share in options.shares
        ],
        "worth": None
        if worth is None
        else {
            "cost_per_alert": worth.cost_per_alert,
            "recovered": worth.recovered,
            "best": worth.best(curve),
        },
    }


def _cards(found: CardPrecision, options: Options) -> dict[str, Any]:
    possible = np.minimum(found.compromised / options.cards_per_day, 1.0)
    return {
        "cards_per_day": options.cards_per_day,
        "mean": options.bootstrap.mean(found.precision),
        "possible": rounded(float(possible.mean())),
    }


def _by_day(
    scores: Floats, fraud: Flags | None, time: Floats, flagged: Flags, by_card: CardPrecision | None = None
) -> list[dict[str, Any]]:
    code, names = day_codes(time), np.unique(days(time)).tolist()
    found = []
    for at, name in enumerate(names):
        rows = np.flatnonzero(code == at)
        alerts = int(flagged[rows].sum())
        day = {"day": date(name), "records": len(rows), "alerts": alerts}
        day["alert_rate"] = rounded(alerts / len(rows), 6)
        if fraud is not None:
            curve = Ranking(scores[rows], fraud[rows]).curve()
            caught = int((flagged[rows] & fraud[rows]).sum())
            day |= {
                "fraud": int(curve.fraud),
                "precision": rounded(ratio(caught, alerts)),
                "recall": rounded(ratio(caught, curve.fraud)),
                "auc": rounded(auc(curve)),
                "average_precision": rounded(average_precision(curve)),
            }
        if by_card is not None:
            day["card_precision"] = rounded(float(by_card.precision[at]))
            day["compromised_cards"] = int(by_card.compromised[at])
        found.append(day)
    return found
