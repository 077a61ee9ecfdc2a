"""The records say what the policy, Terraform and people say; what nobody says is not made up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from processor.errors import PolicyError, TidegateError
from processor.policy.actions import ACTIONS
from processor.policy.source import read_source
from processor.review.holdings import NOT_KNOWN, Outputs, read_outputs
from processor.review.processing import MADE, Records, as_json, records_of
from processor.review.processing_html import records_page
from tests.processed import POLICY, PROCESSING, outputs

if TYPE_CHECKING:
    from pathlib import Path


def records(folder: Path, text: str, known: Outputs | None = None) -> Records:
    file = folder / "cards.yaml"
    file.write_text(text)
    return records_of(read_source(file).plan, known, "cards.yaml")


def says(made: Records, letter: str) -> tuple[str, ...]:
    (one,) = (one.says for one in made.statements if one.letter == letter)
    return one


def test_each_letter_of_the_article_is_there(tmp_path: Path) -> None:
    made = records(tmp_path, POLICY)
    assert [one.letter for one in made.statements] == list("abcdefg")
    assert [re.sub(r".*processing\.(\w+).*", r"\1", lack) for lack in made.lacks if "processing" in lack] == [
        "controller", "purposes", "people", "recipients", "transfers",
    ]  # fmt: skip
    assert "e) where the data lies: give --outputs" in made.lacks


def test_nothing_lacks_once_all_is_said(tmp_path: Path) -> None:
    made = records(tmp_path, POLICY + PROCESSING, read_outputs(outputs(), "outputs.json"))
    assert made.lacks == []
    assert says(made, "a")[0] == "Controller: Example Cards Ltd, privacy@example.com, 1 High Street"
    assert says(made, "b")[0] == "fraud is found and stopped"
    assert says(made, "b")[1].startswith("email may be opened for support, at most 7 values an hour")
    assert says(made, "c")[0] == "Data of: card holders"
    assert says(made, "e") == (
        "The data lies in eu-central-1, eu-west-1; buckets refuse replication.",
        "None.",
    )


def test_what_is_public_is_no_personal_data(tmp_path: Path) -> None:
    categories = says(records(tmp_path, POLICY), "c")
    assert [line.partition(":")[0] for line in categories] == ["id, email", "number", "place"]


def test_every_place_tells_how_long_and_for_whom(tmp_path: Path) -> None:
    known = read_outputs(outputs(), "outputs.json")
    places = {one.name: one for one in records(tmp_path, POLICY, known).holdings}
    assert places["events"].where == "s3://tidegate-prod-events/events/cards/"
    assert (places["events"].kept, places["events"].readers) == (
        "400 days", "tidegate-prod-analyst, tidegate-prod-auditor",
    )  # fmt: skip
    assert places["quarantine"].readers == "tidegate-prod-replayer"
    assert (places["source table"].where, places["source table"].readers) == (
        "the-cards",
        "tidegate-prod-cards",
    )
    assert "alerts" in places
    assert "profiles" not in places, "no model"
    assert places["people's secrets"].kept == "until the person is erased"


@pytest.mark.parametrize(("hours", "kept"), [(8760, "8,760 hours"), (None, "as its owner says")])
def test_a_data_stream_holds_raw_records_too(tmp_path: Path, hours: int | None, kept: str) -> None:
    arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/tidegate-prod-cards"
    stream = json.loads(outputs())["streams"]["value"]["cards"]
    stream["data_stream"] = {"arn": arn, "retention_hours": hours}
    known = read_outputs(outputs(streams={"cards": stream}), "outputs.json")
    (found,) = (one for one in records(tmp_path, POLICY, known).holdings if one.name == "data stream")
    assert (found.where, found.holds, found.kept) == (arn, "raw records", kept)


def test_without_outputs_no_place_is_made_up(tmp_path: Path) -> None:
    made = records(tmp_path, POLICY)
    assert {one.where for one in made.holdings} == {NOT_KNOWN}
    assert made.openers == NOT_KNOWN
    assert not [line for line in says(made, "d") if NOT_KNOWN in line]


def test_a_legal_hold_is_told_wherever_it_keeps_something(tmp_path: Path) -> None:
    hold = {"cards": {"reason": "case 7 K 12/26", "until": "2027-03-31"}}
    known = read_outputs(outputs(legal_hold=hold), "outputs.json")
    held = {one.name for one in records(tmp_path, POLICY, known).holdings if one.hold}
    assert held == {"events", "audit trail", "quarantine"}
    kept = says(records(tmp_path, POLICY, known), "f")
    assert "Events: 400 days; not now, legal hold: case 7 K 12/26, until 2027-03-31" in kept


def test_the_data_map_has_each_rule(tmp_path: Path) -> None:
    made = {one["field"]: one for one in as_json(records(tmp_path, POLICY))["fields"]}
    assert list(made) == ["id", "email", "number", "place", "amount"]
    assert (made["email"]["opened_for"], made["email"]["dies_with_person"]) == (["support"], True)
    assert made["number"]["opened_for"] == []
    assert (made["place"]["leaves"], made["place"]["exposure"]) == ("nothing, not even the name", 0)


def test_there_are_words_for_each_action() -> None:
    assert MADE.keys() == ACTIONS.keys()


def test_what_a_policy_says_means_nothing_on_the_page(tmp_path: Path) -> None:
    made = records(tmp_path, POLICY + PROCESSING.replace("card holders", '"<script>alert(1)</script>"'))
    html = records_page(made, 1_795_467_845)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "R. Roe &lt;officer&gt;" in html
    assert "default-src &#x27;none&#x27;" in html or "default-src 'none'" in html
    assert not re.findall(r"(?:src|href)=|url\(|@import", html), "the page asks for nothing"
    assert "2026-11-23 21:04 UTC" in html


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("processing: {controller: {name: X}}", "controller lacks the key 'contact'"),
        ("processing: {purpose: [x]}", "unknown key 'purpose'"),
        ("processing: {people: []}", "people must have 1 to 20 items"),
        ('processing: {people: [" x"]}', "1 to 300 characters"),
    ],
)
def test_a_mistake_in_the_section_is_told(tmp_path: Path, wrong: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        records(tmp_path, f"{POLICY}{wrong}\n")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"streams": 3}', '{"buckets": {"value": {}}}'])
def test_outputs_of_something_else_are_refused(text: str) -> None:
    with pytest.raises(TidegateError, match=r"outputs\.json: holds no outputs of terraform/"):
        read_outputs(text, "outputs.json")
