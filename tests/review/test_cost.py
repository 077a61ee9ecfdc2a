"""The requests that a cost counts are those that the gate makes, and the sums are right."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from processor.cli import main
from processor.errors import TidegateError
from processor.pipeline import pass_through
from processor.review.cost import (
    INTENT_BYTES,
    PRICES,
    PUTS_OF_ITEMS,
    PUTS_OF_OBJECTS,
    QUERIES,
    RECORD_BYTES,
    Prices,
    Setting,
    cost_of,
    read_prices,
    read_run,
)
from processor.telemetry import Tally
from tests.builders import stream_record
from tests.counting import Counting
from tests.worlds import PAYMENTS, ROOT, World, records

if TYPE_CHECKING:
    from pathlib import Path

SETTING = Setting(1024, "arm64", entities=2, people=0.5)


def line(count: int, **figures: Any) -> str:
    said = {"_aws": {}, "Records": count, "DurationDecode": 4.0, "DurationScore": 6.0, "EventsFlagged": 1}
    return json.dumps(said | figures) + "\n"


def sized(value: Any) -> int:
    """Bytes of an item's values, as DynamoDB counts texts and binaries."""
    if isinstance(value, dict):
        return sum(len(name) + sized(item) for name, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return sum(map(sized, value))
    return len(value) if isinstance(value, str | bytes) else 1


def test_a_batch_makes_the_requests_that_are_counted() -> None:
    world, asked = World(), Counter[str]()
    world.s3, world.dynamodb, world.people = (  # type: ignore[assignment]
        Counting(one, name, asked)
        for one, name in ((world.s3, "s3"), (world.dynamodb, "ledger"), (world.people, "people"))
    )
    gate = world.gate()
    pass_through(gate, records(100), Tally())
    asked.clear()
    pass_through(gate, [stream_record(one, at=1000 + at) for at, one in enumerate(PAYMENTS[:100])], Tally())
    assert asked == {
        "ledger.query": QUERIES, "ledger.put_item": PUTS_OF_ITEMS, "s3.put_object": PUTS_OF_OBJECTS,
    }, "whoever was met a moment ago is not asked for"  # fmt: skip


@pytest.mark.parametrize("count", [100, 200, 400])
def test_an_intent_is_as_large_as_is_counted(count: int) -> None:
    world, sizes = World(), []
    put = world.dynamodb.put_item
    world.dynamodb.put_item = lambda **call: sizes.append(sized(call["Item"])) or put(**call)  # type: ignore[method-assign, func-returns-value]
    pass_through(world.gate(), records(count), Tally())
    assert max(sizes) == pytest.approx(INTENT_BYTES + RECORD_BYTES * count, rel=0.15)
    assert min(sizes) < 1024, "a link is one unit"


def test_a_million_records_cost_what_their_parts_do() -> None:
    usd = dict.fromkeys(("lambda_request", "dynamodb_write", "dynamodb_read", "s3_put", "sns_publish"), 1e-6)
    prices = Prices(date(2026, 1, 1), "here", usd | {"lambda_gb_s_arm64": 1e-5, "logs_gb": 0.5})
    run = read_run([line(500), "START RequestId: x\n", line(500), '{"_aws": {}, "Requests": 1}\n'], "log")
    assert (run.batches, run.records, run.flagged, run.duration_ms) == (2, 1000, 2, 20.0)
    cost = cost_of(run, SETTING, prices)
    assert cost["function"] == pytest.approx(1000 * 0.02 * 1e-5 + 2000 * 1e-6)
    assert cost["objects"] == pytest.approx(4000 * 1e-6)
    assert cost["profiles"] == pytest.approx(2 * 2)
    assert (cost["people"], cost["alerts"]) == (pytest.approx(0.5), pytest.approx(2000 * 1e-6))
    assert cost["ledger"] > 2000 * 3e-6


def test_larger_batches_cost_less() -> None:
    prices, alone = read_prices(PRICES), Setting(1024, "arm64", entities=0, people=0)
    small, large = (
        sum(cost_of(read_run([line(size)] * (10_000 // size), "log"), alone, prices).values())
        for size in (10, 1000)
    )
    assert large < small / 10


def test_prices_have_a_source_and_a_day() -> None:
    content = json.loads(PRICES.read_text())
    assert all(one["source"].startswith("https://aws.amazon.com/") for one in content["prices"].values())
    prices = read_prices(PRICES)
    assert not prices.is_old(date.fromordinal(prices.day.toordinal() + 365))
    assert prices.is_old(date.fromordinal(prices.day.toordinal() + 366))


def test_the_command_says_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line(1000) * 3)
    done = CliRunner().invoke(main, ["cost", "--log", str(log), "--memory", "1024"])
    assert done.exit_code == 0
    assert "3,000 records in 3 batches" in done.stdout
    assert f"Prices of us-east-1, {read_prices(PRICES).day}" in done.stdout
    made = json.loads(
        CliRunner().invoke(main, ["cost", "--log", str(log), "--memory", "512", "--json"]).stdout
    )
    assert made["usd_per_million_records"].keys() == {"arm64", "x86_64"}


def test_old_prices_are_told_and_others_refused(tmp_path: Path) -> None:
    log, prices = tmp_path / "log", tmp_path / "prices.json"
    log.write_text(line(1000))
    prices.write_text(PRICES.read_text().replace('"date": "20', '"date": "19'))
    arguments = ["cost", "--log", str(log), "--memory", "1024", "--prices", str(prices)]
    assert "more than a year old" in CliRunner().invoke(main, arguments).stderr
    prices.write_text("{}")
    assert CliRunner().invoke(main, arguments).exit_code == 2
    log.write_text("nothing\n")
    with pytest.raises(TidegateError, match="no line of a batch"):
        read_run(log.read_text().splitlines(), "log")


def test_the_page_has_what_the_command_prints() -> None:
    page = [one.strip() for one in (ROOT / "docs" / "cost.md").read_text().splitlines()]
    (example,) = (one for one in page if one.startswith('{"_aws"'))
    done = CliRunner().invoke(main, ["cost", "--log", "-", "--memory", "1024"], input=example + "\n")
    assert done.exit_code == 0
    said = done.stdout.splitlines()
    first = page.index(said[0])
    assert page[first : first + len(said)] == said
