"""How well a model finds fraud, and whom it troubles: figures on labelled records that it has not seen.

Pure functions over columns: scores from 0 to 1, fraud, time (epoch seconds in UTC), amounts, cards, groups.
`measured` gives everything as one value for JSON, `compared` sets two models side by side over the same
records, `unknown_cards` and `card_precision` are those of the Fraud Detection Handbook.
"""

from models.evaluation.cards import CardPrecision, card_precision, unknown_cards
from models.evaluation.comparison import compared
from models.evaluation.groups import fairness, rates
from models.evaluation.intervals import Bootstrap
from models.evaluation.measurement import Options, measured
from models.evaluation.ranking import Curve, Ranking, auc, average_precision
from models.evaluation.summary import figures

__all__ = [
    "Bootstrap",
    "CardPrecision",
    "Curve",
    "Options",
    "Ranking",
    "auc",
    "average_precision",
    "card_precision",
    "compared",
    "fairness",
    "figures",
    "measured",
    "rates",
    "unknown_cards",
]
