"""The simulated world: repeatable, in the proportions of the book, and shaped as shops store payments."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from timeit import repeat

import numpy as np
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from models.simulator import Payments, Recipe, identifying_values, payments, simulate
from models.simulator.people import luhn_digit

START = datetime(2026, 11, 20, tzinfo=UTC)
SMALL = Recipe(
    customers=500,
    terminals=1_000,
    days=60,
    compromised_terminals_per_day=0.2,
    compromised_customers_per_day=0.3,
)


@pytest.fixture(scope="module")
def world() -> Payments:
    return simulate(SMALL, seed=7, start=START)


@pytest.fixture(scope="module")
def records() -> list[dict]:
    return list(payments(2_000, 7, START))


def test_one_seed_one_world(world: Payments) -> None:
    again = simulate(SMALL, seed=7, start=START)
    other = simulate(SMALL, seed=8, start=START)
    assert all(np.array_equal(getattr(world, name), getattr(again, name)) for name in Payments.__slots__)
    assert not np.array_equal(world.cents, other.cents)


def test_payments_come_in_order_of_time_within_the_days(world: Payments) -> None:
    assert (np.diff(world.created_at) >= np.timedelta64(0)).all()
    assert world.created_at[0] >= np.datetime64("2026-11-20")
    assert world.created_at[-1] < np.datetime64("2026-11-20") + 60


def test_every_payment_over_the_limit_is_fraud(world: Payments) -> None:
    assert world.fraud[world.cents > 220_00].all()
    assert (world.cents[world.scenario == 1] > 220_00).all()


def test_a_compromised_terminal_has_nothing_but_fraud_for_its_days(world: Payments) -> None:
    rows = world.scenario == 2
    for terminal in np.unique(world.terminal_id[rows])[:5]:
        days = world.created_at[rows & (world.terminal_id == terminal)]
        during = (world.created_at >= days[0]) & (world.created_at <= days[-1])
        assert (
            world.fraud[during & (world.terminal_id == terminal)].mean() > 0.9
        )  # two windows may leave a gap


def test_a_compromised_card_pays_a_third_of_its_payments_at_five_times_the_amount(world: Payments) -> None:
    stolen, honest = world.scenario == 3, world.scenario == 0
    victims = np.unique(world.customer_id[stolen])
    usual = np.median(world.cents[honest & np.isin(world.customer_id, victims)])
    assert 3 < np.median(world.cents[stolen]) / usual < 8


def test_shares_of_fraud_are_those_of_the_book() -> None:
    """The book's world has 0.8 % of fraud over its 183 days; the third kind's windows are half as long."""
    world = simulate(Recipe(days=60), seed=1, start=START).since(28)
    assert 0.007 < world.fraud.mean() < 0.012
    assert 0.0003 < (world.scenario == 1).mean() < 0.001
    assert (world.scenario == 2).sum() > (world.scenario == 3).sum() > (world.scenario == 1).sum()


def test_the_time_of_a_world_grows_no_faster_than_its_days() -> None:
    short, long = (
        min(repeat(lambda days=days: simulate(Recipe(days=days), seed=1, start=START), number=1, repeat=3))
        for days in (10, 40)
    )
    assert long < 4 * 2.5 * short


def test_one_seed_one_list_of_records(records: list[dict]) -> None:
    assert list(islice(payments(2_000, 7, START), 300)) == records[:300]
    assert next(payments(2_000, 8, START))["payment_id"] != records[0]["payment_id"]


@pytest.mark.parametrize("n", [0, 1, 17, 400])
def test_exactly_as_many_records_as_asked_for(n: int) -> None:
    assert len(list(payments(n, 5, START))) == n


def test_records_survive_dynamodb_types(records: list[dict]) -> None:
    to_dynamo, from_dynamo = TypeSerializer(), TypeDeserializer()
    for record in records[:200]:
        stored = from_dynamo.deserialize(to_dynamo.serialize(record))
        assert stored["amount"] == record["amount"]
        assert stored["tags"] == record["tags"]
        assert stored["signature"] == record["signature"]


def test_cards_pass_luhn_and_items_add_up(records: list[dict]) -> None:
    for record in records:
        number = record["card"]["number"]
        assert len(number) == 16
        assert luhn_digit(number[:-1]) == number[-1]
        assert sum((item["price"] for item in record["items"]), Decimal(0)) == record["amount"]


@pytest.mark.parametrize("number", ["4111111111111111", "5555555555554444", "378282246310005"])
def test_luhn_digit_of_published_numbers(number: str) -> None:
    assert luhn_digit(number[:-1]) == number[-1]


def test_a_customer_is_one_person(records: list[dict]) -> None:
    people = {record["customer_id"]: record["email"] for record in records}
    assert len(set(people.values())) == len(people)
    assert all(people[record["customer_id"]] == record["email"] for record in records)


def test_there_is_fraud_other_alphabets_and_both_kinds_of_address(records: list[dict]) -> None:
    assert sum(record["status"] == "chargeback" for record in records) >= 3
    assert any(not record["name"].isascii() for record in records)
    assert {":" in record["ip"] for record in records} == {True, False}


def test_identifying_values_hold_what_a_note_gives_away(records: list[dict]) -> None:
    for record in records:
        values = identifying_values(record)
        assert all(len(value) >= 6 for value in values), "too short to search for without false alarms"
        for word in record["note"].replace(",", " ").split():
            if "@" in word or word.startswith("+") or sum(map(str.isdigit, word)) > 10:
                assert word in values


def test_a_truncated_address_is_never_the_address_itself(records: list[dict]) -> None:
    assert not any(record["ip"].endswith((".0", ":0")) for record in records)
