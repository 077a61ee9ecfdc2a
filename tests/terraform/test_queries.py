"""The queries that stand ready give the right numbers, on events of which the answers are known."""

from __future__ import annotations

import gzip
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from processor.event import envelope_for
from processor.policy import Sanitiser
from processor.policy.source import compile_policy
from processor.review.columns import table_of
from processor.scoring import Fraud
from processor.stream import decode
from tests.athena import Table, ask
from tests.builders import stream_record
from tests.conftest import KEYS
from tests.worlds import PAYMENTS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

NAMED = '"tidegate_dev"."payments"'
DAY_S = 86_400
ERASED, BOUGHT = 3, 40  # payments: of an erased customer, and all


class Feed(NamedTuple):
    """What the queries are asked about, and the fields as the package tells them."""

    table: Table
    rows: list[dict[str, Any]]
    fields: dict[str, dict[str, str]]


def fraud(at: int) -> Fraud:
    flagged = at % 10 == 0
    return Fraud(0.999 if flagged else 0.5, flagged, (), "payments_fraud@0123456789ab", 0)


def days_ago(days: int) -> int:
    return int(time.time()) - days * DAY_S


@pytest.fixture(scope="module")
def feed() -> Feed:
    """Twenty payments of today, and twenty of yesterday; one of last year, which no query may count."""
    plan, _ = compile_policy(ROOT / "policies" / "payments.yaml")
    made, wrap, sanitiser = table_of(plan), envelope_for(plan, 1), Sanitiser(plan, KEYS)
    objects: dict[str, list[str]] = {}
    for at, payment in enumerate([*PAYMENTS[:BOUGHT], PAYMENTS[0]]):
        moment = days_ago(400 if at == BOUGHT else at % 2)
        new = payment | ({"payment_id": "call 4111 1111 1111 1111"} if at == 5 else {})
        record = stream_record(new, at=at, ApproximateCreationDateTime=moment)
        change = decode(record)
        secrets = None if at >= ERASED else {names[0]: None for names in sanitiser.people(change)}
        line = wrap(change, sanitiser.sanitise(change, secrets), fraud(at)).line
        key = f"events/payments/dt={datetime.fromtimestamp(moment, UTC):%Y-%m-%d/hour=%H}/{at % 2}.jsonl.gz"
        objects.setdefault(key, []).append(line)
    template = "s3://bucket/events/payments/dt=${dt}/hour=${hour}/"
    types = {column["name"]: column["type"] for column in made["columns"]}
    table = Table("payments", types, template, made["mapping"])
    bodies = {key: gzip.compress("\n".join(lines).encode()) for key, lines in objects.items()}
    fence = {f"{key.rpartition('/')[0]}/fence.jsonl.gz": gzip.compress(b"") for key in bodies}
    return Feed(table, list(table.rows({**bodies, **fence, "queries/x.csv": b""})), made["fields"])


def query(name: str, fields: dict[str, dict[str, str]]) -> str:
    """As Terraform fills it in: terraform/queries.tf."""
    filled = {
        "table": NAMED,
        "names": ", ".join(f"'{field}'" for field in fields),
        "actions": ", ".join(f"'{field['action']}'" for field in fields.values()),
        "values": ", ".join(field["value"] for field in fields.values()),
    }
    text = (ROOT / "terraform" / "queries" / f"{name}.sql").read_text()
    return re.sub(r"\$\{(\w+)\}", lambda found: filled[found[1]], text)


def test_a_table_has_a_row_for_each_event(feed: Feed) -> None:
    assert len(feed.rows) == BOUGHT + 1
    assert {row["event_id"] for row in feed.rows} == {f"{at:032x}" for at in range(BOUGHT + 1)}


def test_flags_are_counted_by_day(feed: Feed, tmp_path: Path) -> None:
    answer = ask(feed.table, feed.rows, query("flag_rate", feed.fields), tmp_path)
    assert [(row["events"], row["flagged"]) for row in answer] == [(20, 0), (20, 4)]
    assert [row["flag_rate"] for row in answer] == [0, 0.2]
    assert answer[1]["mean_score"] == pytest.approx((4 * 0.999 + 16 * 0.5) / 20)


def test_the_exposure_of_each_field_is_told(feed: Feed, tmp_path: Path) -> None:
    answer = {
        row["field"]: row for row in ask(feed.table, feed.rows, query("exposure", feed.fields), tmp_path)
    }
    assert answer.keys() == feed.fields.keys()
    assert {row["events"] for row in answer.values()} == {BOUGHT}
    email = answer["email"]
    assert (email["action"], email["redacted"], email["tokens"]) == ("tokenize", ERASED, BOUGHT - ERASED)
    assert (answer["name"]["redacted"], answer["name"]["values_apart"]) == (BOUGHT, 1)
    customers = len({payment["customer_id"] for payment in PAYMENTS[:BOUGHT]})
    assert (answer["customer_id"]["pseudonyms"], answer["customer_id"]["values_apart"]) == (BOUGHT, customers)
    assert (answer["payment_id"]["redacted"], answer["payment_id"]["otherwise"]) == (1, BOUGHT - 1)
    assert answer["address.postcode"]["action"] == "generalize"


def test_notes_are_summed_by_day(feed: Feed, tmp_path: Path) -> None:
    answer = ask(feed.table, feed.rows, query("notes", feed.fields), tmp_path)
    assert [row["events"] for row in answer] == [20, 20]
    assert [(row["leaks"], row["events_with_leaks"]) for row in answer] == [(2, 1), (0, 0)], "in the key, too"
    assert [row["erased"] for row in answer] == [1, 2]
    assert sum(row["unreadable"] for row in answer) == 0


def test_an_event_is_traced_to_its_object(feed: Feed, tmp_path: Path) -> None:
    since = f"{datetime.fromtimestamp(days_ago(2), UTC):%Y-%m-%d}"
    sql = query("lineage", feed.fields)
    (row,) = ask(feed.table, feed.rows, sql, tmp_path, f"{6:032x}", since)
    assert row["object"].startswith(f"events/payments/dt={row['time'][:10]}/hour=")
    assert (row["policy"], row["version"], row["key_version"]) == ("payments", 3, 1)
    assert row["new"]["payment_id"] == PAYMENTS[6]["payment_id"]
    assert ask(feed.table, feed.rows, sql, tmp_path, f"{BOUGHT:032x}", since) == []


@pytest.mark.parametrize(
    "file", sorted((ROOT / "terraform" / "queries").glob("*.sql")), ids=lambda file: file.stem
)
def test_each_looks_at_some_days_alone(file: Path) -> None:
    """A query without a day reads all that there is."""
    assert re.search(r"\bdt >= ", file.read_text())


def test_a_type_that_does_not_fit_is_told(feed: Feed) -> None:
    with pytest.raises(AssertionError, match=r"event\.policy\.version is no bigint"):
        feed.table.row({"policy": {"version": "3"}})
