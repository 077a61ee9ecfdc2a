"""`tidegate detect`: texts in, spans out."""

import json

import pytest
from click.testing import CliRunner

from processor.cli.detect import detect


def test_spans_are_printed_line_by_line() -> None:
    texts = ["call +1 212 555 0123 or ann@example.com", "nothing", "größer: ann@example.com"]
    done = CliRunner().invoke(detect, input="\n".join(json.dumps({"text": text}) for text in texts))
    answers = [json.loads(line)["spans"] for line in done.stdout.splitlines()]
    assert (done.exit_code, done.stderr) == (0, "")
    assert answers == [
        [
            {"entity": "phone", "start": 5, "end": 20, "score": 0.9},
            {"entity": "email", "start": 24, "end": 39, "score": 0.9},
        ],
        [],
        [{"entity": "email", "start": 8, "end": 23, "score": 0.9}],
    ]


def test_entities_can_be_chosen() -> None:
    given = json.dumps({"text": "call +1 212 555 0123 or ann@example.com"})
    done = CliRunner().invoke(detect, ["--entity", "email", "--entity", "iban"], input=given)
    assert [span["entity"] for span in json.loads(done.stdout)["spans"]] == ["email"]
    assert CliRunner().invoke(detect, ["--entity", "name"], input=given).exit_code == 2


def test_an_entity_may_be_a_region() -> None:
    given = json.dumps({"text": "SSN 078-05-1120, ann@example.com"})
    done = CliRunner().invoke(detect, ["--entity", "us"], input=given)
    assert [span["entity"] for span in json.loads(done.stdout)["spans"]] == ["ssn"]


@pytest.mark.parametrize(
    ("level", "found"), [("possible", ["us_aba", "ssn"]), ("likely", ["ssn"]), ("certain", [])]
)
def test_how_sure_it_has_to_be_can_be_chosen(level: str, found: list[str]) -> None:
    given = json.dumps({"text": "was it 011000015 or 078-05-1120"})
    done = CliRunner().invoke(detect, ["--entity", "us", "--least", level], input=given)
    assert [span["entity"] for span in json.loads(done.stdout)["spans"]] == found


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"txt": "ann@example.com"}', "text: lacks a text"),
        ('{"text": 4111111111111111}', "text: lacks a text"),
        ("ann@example.com", "not JSON from column 1 on"),
        (
            json.dumps({"text": "a" * 100_001}),
            "text: is longer than the 100,000 characters that are searched",
        ),
    ],
    ids=["no text", "a number", "not JSON", "too long"],
)
def test_a_line_that_fails_is_named_on_stderr(line: str, reason: str) -> None:
    done = CliRunner().invoke(detect, input=f'{line}\n{{"text": "fine"}}\n')
    assert (done.exit_code, done.stdout) == (1, '{"spans": []}\n')
    assert done.stderr == f"line 1: {reason}\n"
