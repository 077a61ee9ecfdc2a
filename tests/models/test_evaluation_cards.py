"""The handbook's figures over cards, against its own way of going day by day."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import card_precision, unknown_cards

DAY = 86_400
PAYMENTS = st.lists(
    st.tuples(st.integers(0, 6 * DAY - 1), st.integers(0, 5), st.booleans()), min_size=1, max_size=40
)


def columns(payments):
    time, cards, fraud = (np.array(column) for column in zip(*sorted(payments), strict=True))
    return time.astype(float), cards, fraud


@given(PAYMENTS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_card_precision_is_that_of_a_plain_loop(payments, top, random):
    time, cards, fraud = columns(payments)
    scores = np.array(random.sample(range(len(time)), len(time))) / len(time)
    found, expected = set(), []
    for day in sorted(set(time // DAY)):
        best, bad = {}, set()
        for row in np.flatnonzero(time // DAY == day):
            card = int(cards[row])
            if card not in found:
                best[card] = max(best.get(card, -1), scores[row])
                bad |= {card} if fraud[row] else set()
        highest = sorted(best, key=best.get, reverse=True)[:top]
        caught = [card for card in highest if card in bad]
        found.update(caught)
        expected.append((len(caught) / top, len(bad)))
    got = card_precision(scores, fraud, time, cards, top=top)
    assert list(zip(got.precision, got.compromised, strict=True)) == expected
    assert got.mean == np.mean([precision for precision, _ in expected])


@given(PAYMENTS, st.integers(1, 2), st.integers(0, 2))
def test_known_cards_are_removed_as_in_the_handbook(payments, train_days, delay):
    time, cards, fraud = columns(payments)
    day = time // DAY
    known = set(cards[fraud & (day < train_days)].tolist())
    kept = np.zeros(len(time), bool)
    for at in range(6 - train_days - delay):
        known |= set(cards[fraud & (day == train_days + at - 1)].tolist())
        kept |= (day == train_days + delay + at) & ~np.isin(cards, list(known))
    start = (train_days + delay) * DAY
    got = unknown_cards(
        *(time, cards, fraud), train=(0, train_days * DAY), test=(start, 6 * DAY), delay_days=delay
    )
    assert got.tolist() == kept.tolist()


def test_a_card_found_on_one_day_is_not_looked_for_on_the_next():
    time, cards = np.array([0, 1, 2, DAY, DAY + 1, DAY + 2.0]), np.array(["a", "a", "b", "a", "b", "c"])
    scores, fraud = np.array([0.1, 0.9, 0.5, 0.9, 0.8, 0.1]), np.array([1, 0, 1, 1, 0, 1], bool)
    found = card_precision(scores, fraud, time, cards, top=1)
    assert found.days == ("1970-01-01", "1970-01-02")
    assert found.precision.tolist() == [1, 0]  # a was fraud on that day; then b, which was honest
    assert found.compromised.tolist() == [2, 1]


def test_fraud_before_training_or_after_the_delay_is_not_known():
    days = np.array([0, 1, 3, 4, 10, 10, 10, 10]) * DAY + 3600.0
    cards = np.array(["before", "in", "delay", "late", "before", "in", "delay", "late"])
    fraud = np.arange(8) < 4
    period = {"train": (DAY, 2 * DAY), "test": (10 * DAY, 11 * DAY)}
    left = unknown_cards(days, cards, fraud, **period, delay_days=6)
    assert left.tolist() == [False] * 4 + [True, False, False, True]


def test_what_was_trained_on_is_known_whatever_the_delay_and_midnight_begins_a_day():
    time = np.array([0.5, 1, 1, 1.5, 2, 3, 3, 3]) * DAY
    cards, fraud = np.array(list("tmxxtmtz")), np.array([1, 1, 0, 0, 0, 0, 0, 0], bool)
    left = unknown_cards(time, cards, fraud, train=(0, DAY), test=(2 * DAY, 4 * DAY), delay_days=2)
    assert left.tolist() == [False] * 5 + [True, False, True]  # m's fraud is two days old, no more
