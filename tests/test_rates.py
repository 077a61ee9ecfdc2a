"""How many values a caller may have opened in an hour, held on moto."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from processor.errors import Transient
from processor.rates import Rates
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

ANN = "arn:aws:sts::123456789012:assumed-role/Disputes/ann"
NOW = 1_795_467_845.0  # 2026-11-23T21:04:05Z


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName="ledger",
            KeySchema=[
                {"AttributeName": "stream", "KeyType": "HASH"},
                {"AttributeName": "intent", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "stream", "AttributeType": "S"},
                {"AttributeName": "intent", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def rates(dynamodb: Any, now: float = NOW) -> Rates:
    return Rates(dynamodb=dynamodb, table="ledger", clock=lambda: now)


def test_what_is_over_the_hours_share_is_not_had_and_not_counted(dynamodb: Any) -> None:
    mine = rates(dynamodb)
    assert mine.take(ANN, "payments", "dispute", 60, most=100)
    assert not mine.take(ANN, "payments", "dispute", 41, most=100)
    assert mine.take(ANN, "payments", "dispute", 40, most=100)
    assert not mine.take(ANN, "payments", "dispute", 1, most=100)
    (item,) = dynamodb.scan(TableName="ledger")["Items"]
    assert item == {
        "stream": {"S": "rates/arn:aws:sts::123456789012:assumed-role/Disputes"},
        "intent": {"S": "payments/dispute/2026-11-23T21"},
        "values": {"N": "100"},
        "expires_at": {"N": "1795474800"},  # 23:00, two hours after the hour began
    }


def test_each_caller_purpose_policy_and_hour_has_its_own_share(dynamodb: Any) -> None:
    assert rates(dynamodb).take(ANN, "payments", "dispute", 100, most=100)
    assert not rates(dynamodb).take(ANN.replace("/ann", "/bob"), "payments", "dispute", 1, most=100)
    assert rates(dynamodb).take(ANN.replace("Disputes", "Fraud"), "payments", "dispute", 100, most=100)
    assert rates(dynamodb).take(ANN, "payments", "fraud", 100, most=100)
    assert rates(dynamodb).take(ANN, "refunds", "dispute", 100, most=100)
    assert rates(dynamodb, NOW + 3600).take(ANN, "payments", "dispute", 100, most=100)


def test_more_than_the_whole_share_is_refused_without_asking() -> None:
    assert not rates(None).take(ANN, "payments", "dispute", 101, most=100)


def _one_after_the_other(dynamodb: Any) -> None:
    """A write with a condition is one step to DynamoDB; moto's threads may look too early."""
    update, lock = dynamodb.update_item, threading.Lock()

    def updated(**call: Any) -> Any:
        with lock:
            return update(**call)

    dynamodb.update_item = updated


def test_two_at_once_do_not_both_have_the_last_of_it(dynamodb: Any) -> None:
    had: list[bool] = []
    _one_after_the_other(dynamodb)

    def take() -> None:
        had.append(rates(dynamodb).take(ANN, "payments", "dispute", 30, most=100))

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(had) == [False, False, False, True, True, True]


def test_a_table_in_trouble_is_for_later() -> None:
    class Throttled:
        def update_item(self, **_call: Any) -> None:
            raise refusal("ThrottlingException", "UpdateItem")

    with pytest.raises(Transient, match=r"dynamodb:UpdateItem on the rates: ThrottlingException"):
        rates(Throttled()).take(ANN, "payments", "dispute", 1, most=100)
