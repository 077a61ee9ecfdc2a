"""Examples: what passes, what does not, and what is said of it without the values."""

import string
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import PolicyError
from processor.policy import Plan
from processor.policy.plan import read_plan
from processor.review.examples import ABSENT, Example, Mismatch, read_examples, run

DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
FIELDS: dict[str, Any] = {
    "id": {"action": "keep", "required": True},
    "who": {"action": "pseudonymize", "domain": "customer"},
    "mail": {"action": "tokenize", "normalize": "email"},
    "name": "redact",
    "note": {"action": "scrub", "entities": ["email"]},
    "tags": "keep",
    "blob": "keep",
    "lines[*].sku": "keep",
    "scan": "encrypt",
}
Reader = Callable[[str], list[Example]]


def plan(**fields: Any) -> Plan:
    document = {
        "policy": "small",
        "version": 1,
        "fields": fields or FIELDS,
        "routes": {"sns": {"events": "none"}},
        "retention_days": DAYS,
    }
    made, problems = read_plan(document, "0" * 64)
    assert made is not None, problems
    return made


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """From the text of a file to its examples."""

    def read(text: str) -> list[Example]:
        file = tmp_path / "small.examples.yaml"
        file.write_text(text, encoding="utf-8")
        return read_examples(file)

    return read


def example(record: dict[str, Any], event: dict[str, Any] | None = None, **more: Any) -> Example:
    return Example(name=repr(sorted(record)), record=record, event=event, **more)


def differing(*examples: Example) -> list[tuple[str, str, str]]:
    results = run(plan(), examples).results
    return [(one.path, *one.words(show=True)) for result in results for one in result.mismatches]


def test_an_example_passes_that_says_all_that_leaves(read: Reader) -> None:
    examples = read(
        """\
- name: everything
  record:
    id: 12.5
    who: ann
    mail: ann@example.com
    name: Ann
    note: "write to ann@example.com"
    tags: {"<set>": [b, a, 3]}
    blob: {"<binary>": "AAEC"}
    lines: [{sku: x, price: 3}]
    scan: fingerprint
    other: 1
  event:
    id: 12.50
    who: <pseudonym>
    mail: <token ann>
    name: "[redacted]"
    note: write to [email]
    tags: [3, a, b]
    blob: AAEC
    lines: [{sku: x}]
    scan: <encrypted>
  notes: {dropped: 2, scrubbed: {email: 1}}
""".replace("<pseudonym>", '"<pseudonym>"')
        .replace("<token ann>", '"<token ann>"')
        .replace("<encrypted>", '"<encrypted>"')
    )
    assert examples[0].record is not None
    assert examples[0].record["id"] == Decimal("12.5")
    assert examples[0].record["tags"] == frozenset({"a", "b", 3})
    report = run(plan(), examples)
    assert [one.mismatches for one in report.results] == [()]
    assert report.untouched == ()


@pytest.mark.parametrize(
    ("record", "event", "said"),
    [
        ({"id": 1}, {"id": 2}, ("id", "2", "1")),
        ({"id": 1}, {"id": "1"}, ("id", "1", "1, but another (--show-values shows both)")),
        ({"id": True}, {"id": 1}, ("id", "1", "true")),
        ({"id": 1, "name": "x"}, {"id": 1}, ("name", "nothing", "[redacted]")),
        ({"id": 1}, {"id": 1, "name": "[redacted]"}, ("name", "[redacted]", "nothing")),
        ({"id": 1, "lines": [{"sku": 1}, {"sku": 2}]}, {"id": 1, "lines": [{"sku": 1}, {"sku": 3}]},
         ("lines[1].sku", "3", "2")),
        ({"id": 1, "lines": [{"sku": 1}]}, {"id": 1, "lines": []}, ("lines", "[]", '[{"sku":1}]')),
        ({"id": 1, "name": "x"}, {"id": 1, "name": "<token>"}, ("name", "<token>", "[redacted]")),
        ({"id": 1}, {"id": "<other>"}, ("id", "<other>", "1")),
    ],
)  # fmt: skip
def test_what_differs_is_said_field_by_field(
    record: dict[str, Any], event: dict[str, Any], said: tuple[str, str, str]
) -> None:
    assert differing(example(record, event)) == [said]


def test_one_name_is_one_value_and_another_name_another() -> None:
    ann, also, bob = (
        {"id": 1, "mail": "ann@example.com"},
        {"id": 1, "mail": "ANN@example.com"},
        {"id": 1, "mail": "bob@example.com"},
    )
    assert differing(
        example(ann, {"id": 1, "mail": "<token ann>"}),
        example(also, {"id": 1, "mail": "<token ann>"}),
        example(bob, {"id": 1, "mail": "<token bob>"}),
        example(bob, {"id": 1, "mail": "<token>"}),
    ) == []  # fmt: skip
    wrong = differing(
        example(ann, {"id": 1, "mail": "<token ann>"}),
        example(bob, {"id": 1, "mail": "<token ann>"}),
        example(also, {"id": 1, "mail": "<token bob>"}),
    )
    assert [path for path, _, _ in wrong] == ["mail", "mail"]


def test_what_keeps_the_form_is_another_value_and_one_name_one_value() -> None:
    keyed = plan(id="keep", code="hash", card={"action": "fpe", "keep_last": 4})
    record = {"id": 1, "code": "x", "card": "4111111111111111"}
    event = {"id": 1, "code": "<hash x>", "card": "<other ann>"}
    also = Example(name="also", record=record | {"code": "z"}, event=event | {"code": "<hash z>"})
    assert all(result.passed for result in run(keyed, [example(record, event), also]).results)
    (wrong,) = run(keyed, [example(record, event | {"id": "<hash>"})]).results
    assert [one.path for one in wrong.mismatches] == ["id"]


def test_an_error_is_expected_by_part_of_its_words() -> None:
    expected = example({"name": "x"}, error="id: a required field is missing")
    assert differing(expected) == []
    assert differing(example({"name": "x"}, error="unreadable")) == [
        ("", "unreadable", "id: a required field is missing")
    ]
    assert (
        differing(example({"name": "x"}, {"name": "[redacted]"}))[0][2] == "id: a required field is missing"
    )
    assert differing(example({"id": 1}, error="x")) == [("", "quarantine: x", "a record that leaves")]


def test_images_keep_their_names(read: Reader) -> None:
    removed, changed = read(
        "- {name: removed, old: {id: 1, name: x}, event: {old: {id: 1, name: '[redacted]'}}}\n"
        "- {name: changed, new: {id: 1}, old: {id: 1, name: x}, event: {new: {id: 1}, old: {id: 2}}}\n"
    )
    assert (removed.change.kind, changed.change.kind) == ("REMOVE", "MODIFY")
    assert differing(removed) == []
    assert [path for path, _, _ in differing(changed)] == ["old.id", "old.name"]


def test_notes_are_compared_as_far_as_they_are_said() -> None:
    noted = {"id": 1, "other": 2}
    assert differing(example(noted, {"id": 1}, notes={"unknown": 1})) == []
    found = differing(example(noted, {"id": 1}, notes={"unknown": 2, "dropped": 1}))
    assert found == [("(notes)", '{"unknown":2,"dropped":1}', '{"unknown":1,"dropped":1}')]


def test_rules_that_no_example_touches_are_listed_case_by_case() -> None:
    cases = [{"when": 'country == "DE"', "action": "redact"}, "keep"]
    small = plan(id="keep", city=cases, name="redact")
    report = run(small, [example({"id": 1, "city": "x"}, {"id": 1, "city": "x"})])
    assert [(rule.path, rule.action) for rule in report.untouched] == [("city", "redact"), ("name", "redact")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("[]", "examples must have 1 to 1000 items, not 0"),
        ("policy: small", "examples must be a list, not a map"),
        ("- {name: x, event: {}}", "an example needs a `record`"),
        ("- {name: x, record: {}}", "says either the `event` or the `error`"),
        ("- {name: x, record: {}, event: {}, error: x}", "says either the `event` or the `error`"),
        ("- {name: x, record: {}, new: {}, event: {}}", "`record` is short for `new`"),
        ("- {name: x, old: {}, event: {id: 1}}", "beside old, the event must say what becomes of old"),
        ("- {name: x, record: {}, error: x, notes: {}}", "has no notes"),
        ("- {name: x, record: {}, events: {}}", "unknown key 'events'"),
        ("- {name: x, record: {}, event: {id: '<tokn>'}}", "unknown marker <tokn>"),
        ("- {name: x, record: {a: {'<set>': 1}}, event: {}}", "a set is a list of texts or numbers"),
        ("- {name: x, record: {a: {'<binary>': '*'}}, event: {}}", "binary is base64"),
        ("- {name: x, record: 1, event: {}}", "a record must be a map"),
        ("- {name: x, record: {}, event: [1]}", "event must be a map"),
        ("- {name: x, time: noon, record: {}, event: {}}", "time must be a moment with an offset"),
        ("- {name: x, record: {}, event: {}}\n- {name: x, record: {a: 1}, event: {}}", "have this name"),
        ("- {name: x, record: {id: 007}, event: {}}", "could be read as a number in base 8"),
    ],
)
def test_mistakes_have_their_place(read: Reader, text: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert any(words in finding.message for finding in caught.value.findings), caught.value
    assert all(finding.file.endswith("small.examples.yaml") for finding in caught.value.findings)


def test_a_mistake_points_to_its_line(read: Reader) -> None:
    with pytest.raises(PolicyError) as caught:
        read("- {name: x, record: {}, event: {}}\n- {name: z, record: {}, evnt: {}}\n")
    assert {(finding.line, finding.column) for finding in caught.value.findings} == {(2, 25)}


def test_the_time_of_an_example_is_that_of_its_change(read: Reader) -> None:
    aged = plan(born={"action": "generalize", "to": "year", "top": 89})
    text = '- {name: x, time: "%s-01-01T00:00:00Z", record: {born: "1936-12-31"}, event: {born: "%s"}}'
    for year, shown in ((2025, "1936"), (2026, "<=1936")):
        assert run(aged, read(text % (year, shown))).results[0].passed


MARK = st.text(string.ascii_letters, min_size=6, max_size=20).map(lambda text: f"RAW{text}")
RAW = st.recursive(
    MARK | st.integers(10**7) | MARK.map(str.encode) | st.frozensets(MARK, min_size=1, max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "note", "tags", "blob", "lines"), RAW)))
def test_no_raw_value_is_said_unless_asked_for(record: dict[str, Any]) -> None:
    """Whatever the policy lets out: here it keeps all, and the examples expect nothing of it."""
    kept = plan(**dict.fromkeys(("id", "note", "tags", "blob", "lines.*"), "keep"))
    for expected in ({}, dict.fromkeys(record, "x"), {"id": record.get("id", "")}):
        (result,) = run(kept, [example(record, expected)]).results
        said = " ".join(word for one in result.mismatches for word in one.words(show=False))
        assert "RAW" not in said
        digits = {text for text in said.replace("99", "").split() if text.isdigit() and len(text) > 6}
        assert not digits


def test_a_difference_shows_by_form_where_values_are_alike() -> None:
    one = Mismatch("id", "1985", "1986", frozenset({"1985-03-05"}))
    assert one.words(show=False) == ("1985", "1986")
    kept = Mismatch("id", "Ann", "Bob", frozenset({"Ann", "Bob"}))
    assert kept.words(show=False) == ("text Xxx", "text Xxx, but another (--show-values shows both)")
    assert kept.words(show=True) == ("Ann", "Bob")
    part = Mismatch("ip", ABSENT, "203.0.113.0/24", frozenset({"203.0.113.7"}))
    assert part.words(show=False) == ("nothing", "text 999.9.999.9/99")
