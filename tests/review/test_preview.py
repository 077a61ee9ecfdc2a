"""What a policy makes of a sample: counts against the records, and not a raw value where none belongs."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import KeyRing
from processor.policy import Plan
from processor.policy.plan import read_plan
from processor.review.html import page
from processor.review.preview import FieldSeen, Preview, preview
from processor.review.shape import LINE_CHARACTERS_MAX, after, before, in_line, shape, share

KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
NOON = 1_793_016_000  # 2026-10-26T12:00:00Z
CARD = "4111111111111111"


def plan_of(fields: dict[str, Any], **more: Any) -> Plan:
    days = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
    document = {"policy": "small", "version": 1, "fields": fields, "retention_days": days, **more}
    plan, problems = read_plan({"routes": {"sns": {"events": "none"}}, **document}, "0" * 64)
    assert plan is not None, problems
    return plan


def previewed(plan: Plan, *records: dict[str, Any], examples: int = 3) -> Preview:
    return preview(plan, records, keys=KEYS, now=NOON, examples=examples)


def field(seen: Preview, path: str) -> FieldSeen:
    (found,) = (one for one in seen.fields if one.path == path)
    return found


def test_fields_are_counted_before_and_after() -> None:
    plan = plan_of(
        {
            "id": "pseudonymize",
            "born": {"action": "generalize", "to": "year", "class": "birth_date"},
            "items[*].sku": {"action": "keep", "class": "public"},
            "labels.*": "drop",
        }
    )
    seen = previewed(
        plan,
        {"id": 1, "born": "1984-03-05", "items": [{"sku": "a"}, {"sku": "b"}], "labels": {"x": 1, "y": 1}},
        {"id": 2, "born": "1984-12-31", "items": [], "odd": {"deep": 1}},
        {"id": 1, "born": None},
    )
    assert seen.records == 3
    counted = {
        one.path: (one.records, one.before.count, one.after.count, one.readable, one.quasi)
        for one in seen.fields
    }
    assert counted == {
        "id": (3, 2, 2, False, False),
        "born": (2, 2, 1, True, True),
        "items[*].sku": (1, 2, 2, True, False),
        "labels.*": (1, 1, 0, False, False),
    }
    assert seen.unnamed == {"odd": 1}
    assert seen.findings() == []


def test_what_is_recognised_in_a_kept_field_is_a_finding_and_names_no_value() -> None:
    plan = plan_of(
        {"note": "keep", "mail": {"action": "keep", "allow": ["email"]}, "safe": "scrub", "n": "keep"}
    )
    record = {
        "note": "ann@example.com",
        "mail": "ann@example.com",
        "safe": "ann@example.com",
        "n": int(CARD),
    }
    seen = previewed(plan, record, {"note": "nothing", "n": 7})
    assert field(seen, "note").found == {"email": 1}
    assert field(seen, "n").found == {"card": 1}
    assert not field(seen, "mail").found
    assert not field(seen, "safe").found
    assert (field(seen, "note").leaks, field(seen, "n").leaks, field(seen, "safe").leaks) == (1, 1, 0)
    assert seen.findings() == [
        "note is kept, and in it was recognised: email 1 time",
        "n is kept, and in it was recognised: card 1 time",
    ]


def test_that_a_date_is_kept_is_no_finding_and_that_a_birth_is_told_is() -> None:
    seen = previewed(plan_of({"at": "keep", "note": "keep"}), {"at": "2026-11-23", "note": "born 1960-02-29"})
    assert seen.findings() == ["note is kept, and in it was recognised: birth_date 1 time"]


def test_values_held_back_are_laid_at_the_door_of_their_field() -> None:
    plan = plan_of(
        {
            "ip": "truncate",
            "name": "redact",
            "note": "keep",
            "long": "keep",
            "zip": [
                {"when": 'country == "US"', "action": "generalize", "to": "zip3"},
                {"action": "redact"},
            ],
            "country": "keep",
        },
        limits={"text_characters": 100},
    )
    seen = previewed(
        plan,
        {"ip": "not an address", "name": "Ann", "note": "x", "long": "x" * 101},
        {"ip": 7, "note": CARD, "zip": 12345, "country": "US"},
        {"ip": "192.0.2.7", "zip": "12345", "country": "DE"},
    )
    held = {one.path: (one.mismatched, one.oversized, one.leaks) for one in seen.fields}
    assert held == {
        "ip": (2, 0, 0),
        "name": (0, 0, 0),
        "note": (0, 0, 1),
        "long": (0, 1, 0),
        "zip": (1, 0, 0),
        "country": (0, 0, 0),
    }
    assert field(seen, "zip").action == "generalize, redact"
    assert field(seen, "ip").remarks == ["2 of a type or form that the action does not take, redacted"]


def test_a_record_that_cannot_pass_is_a_finding_and_the_others_go_on() -> None:
    plan = plan_of({"id": {"action": "keep", "required": True}})
    seen = previewed(plan, {"id": 1}, {"other": CARD}, {"other": CARD})
    assert (seen.records, field(seen, "id").records) == (3, 1)
    assert seen.findings() == [
        "2 records would go to quarantine: id: a required field is missing",
    ]
    assert seen.anonymity is not None
    assert seen.anonymity.records == 1


def test_keys_that_are_data_are_seen_as_values_of_their_rule() -> None:
    plan = plan_of({"by_mail.*~": {"action": "tokenize", "domain": "mail"}, "by_mail.*": "keep"})
    seen = previewed(plan, {"by_mail": {"ann@example.com": 1, "bob@example.com": 1}})
    assert field(seen, "by_mail.*~").before.count == field(seen, "by_mail.*~").after.count == 2
    names = field(seen, "by_mail.*~")
    (cells,) = seen.examples
    assert next(cell for cell in cells if cell.path == names.path).after[0].startswith("tok.mail.1.")


def test_people_are_counted_where_the_policy_says_whose_a_record_is() -> None:
    fields = {
        "who": "pseudonymize",
        "zip": {"action": "generalize", "to": "zip3", "class": "postcode"},
        "sex": {"action": "keep", "class": "quasi"},
        "device": {"action": "pseudonymize", "class": "network"},
        "town": {"action": "drop", "class": "place"},
        "note": {"action": "scrub", "class": "quasi"},
    }
    records = [
        {"who": who, "zip": postcode, "sex": sex, "device": who, "town": "x", "note": f"by {who}"}
        for who, postcode, sex in (
            ("a", "12345", "f"), ("a", "12399", "f"), ("b", "12345", "f"),
            ("c", "12345", "m"), ("c", "12345", "m"),
        )
    ]  # fmt: skip
    by_person = previewed(plan_of(fields, subject="who"), *records).anonymity
    assert by_person is not None
    assert by_person.fields == ("zip", "sex")
    assert (by_person.by_person, by_person.measure.k, by_person.measure.unique) == (True, 1, 0.4)
    by_record = previewed(plan_of(fields), *records).anonymity
    assert by_record is not None
    assert (by_record.by_person, by_record.measure.k) == (False, 2)
    assert [one.values for one in by_person.smallest] == [("123", "m"), ("123", "f")]
    seen = previewed(plan_of(fields, subject="who"), *records)
    assert seen.findings(2) == ["k is 1, and 2 was asked for"]
    assert seen.findings(1) == []


def test_long_values_that_differ_at_the_end_are_told_apart() -> None:
    plan = plan_of({"job": {"action": "keep", "class": "quasi"}})
    found = previewed(plan, {"job": "x" * 500 + "a"}, {"job": "x" * 500 + "b"}).anonymity
    assert found is not None
    assert found.measure.classes == 2


def test_examples_are_the_first_records_that_leave() -> None:
    plan = plan_of({"id": {"action": "keep", "required": True}, "gone": "drop"}, unknown="redact")
    seen = previewed(plan, {"x": 1}, {"id": 1, "gone": "a", "new": 2}, {"id": 2}, {"id": 3}, examples=2)
    assert [[(cell.path, cell.before, cell.after) for cell in cells] for cells in seen.examples] == [
        [("id", (1,), (1,)), ("gone", ("a",), ()), ("new", (), ("[redacted]",))],
        [("id", (2,), (2,))],
    ]


def test_names_that_are_data_show_by_their_shape_where_no_rule_names_them() -> None:
    plan = plan_of({"by_mail.ok": "keep"})
    record = {"by_mail": {"ann@example.com": 1, "bob@example.com": 1}, 'a"b': 1, "plain": 1, CARD: 1}
    seen = previewed(plan, record)
    assert seen.unnamed == {
        'by_mail["text xxx@xxxxxxx.xxx"]': 2,
        "(a name that no policy can write)": 1,
        "plain": 1,
        '["text 9999999999999999"]': 1,
    }
    assert {cell.path for cell in seen.examples[0]} == set(seen.unnamed)


# ── How values show ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ann@Example.com", "text Xxx@Xxxxxxx.xxx"),
        ("+44 7700 900123", "text +99 9999 999999"),
        ("Ö日\u202e", "text Xx?"),
        ("", "text of 0 characters"),
        ("x" * 2_000, "text of 2,000 characters"),
        (Decimal("-1.50"), "number -9.99"),
        (True, "true or false"),
        (None, "null"),
        ([1], "list of 1 item"),
        ({"a": 1, "b": 2}, "map of 2 keys"),
    ],
)
def test_a_shape_tells_type_and_form(value: Any, shown: str) -> None:
    assert shape(value) == shown


@given(st.text())
def test_a_shape_has_no_letter_or_digit_of_its_value(text: str) -> None:
    kept = {sign for sign in shape(text).removeprefix("text ") if sign.isalnum()}
    assert len(text) > 32 or not text or kept <= set("Xx9")


@given(st.text() | st.recursive(st.integers() | st.text(), st.lists, max_leaves=5))
def test_what_is_shown_is_one_short_printable_line(value: Any) -> None:
    assert in_line(value).isprintable()
    assert len(in_line(value)) <= LINE_CHARACTERS_MAX


def test_several_values_are_shown_up_to_a_few() -> None:
    assert before(["ab", 12, "c", "d"], show=False) == "text xx, number 99, text x, and 1 more"
    assert before(["ab", ""], show=True) == 'ab, ""'
    assert (after([]), after([""]), after([{"a": 1}])) == ("", '""', '{"a":1}')


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 9, "0%"),
        (9, 9, "100%"),
        (1, 100_000, "0.1%"),
        (99_999, 100_000, "99.9%"),
        (1, 3, "33.3%"),
        (0, 0, "0%"),
    ],
)
def test_a_share_is_neither_all_nor_nothing_by_rounding(part: int, whole: int, shown: str) -> None:
    assert share(part, whole) == shown


# ── The page ──────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = '"><script src=//x.example></script>\u202e&amp;'


def paged(plan: Plan, *records: dict[str, Any], show: bool = False) -> str:
    seen = previewed(plan, *records)
    return page(seen, seen.findings(5), now=NOON, show=show)


def test_nothing_of_a_record_takes_effect_on_the_page() -> None:
    plan = plan_of({"a": {"action": "keep", "class": "quasi"}}, subject="a")
    text = paged(plan, {"a": HOSTILE, HOSTILE: 1}, show=True)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "&quot;&gt;&lt;script src=//x.example&gt;" in text
    assert "default-src &#x27;none&#x27;" not in text
    assert "content=\"default-src 'none'; style-src 'sha256-" in text
    for outside in ("http:", "https:", "url(", "@import", " style=", " onload"):
        assert outside not in text


def test_raw_values_are_on_the_page_only_when_asked_for() -> None:
    plan = plan_of({"name": "redact", "id": "keep"})
    record = {"name": "Ann Example", "id": 1, "other": "Bob Example"}
    assert "Example" not in paged(plan, record)
    shown = paged(plan, record, show=True)
    assert "Ann Example" in shown
    assert "This page shows raw personal data" in shown
    assert "raw personal data" not in paged(plan, record)


def test_the_page_stands_without_groups_and_without_records() -> None:
    assert "No field of a class that narrows down who it was" in paged(plan_of({"id": "keep"}), {"id": 1})
    nobody = paged(plan_of({"id": {"action": "keep", "required": True}}), {"x": 1})
    assert "No record leaves." in nobody


def test_the_chart_says_in_words_what_it_shows() -> None:
    plan = plan_of({"sex": {"action": "keep", "class": "quasi"}})
    text = paged(plan, *[{"sex": "f"}] * 3, {"sex": "m"})
    assert "groups of 1: 25.0% of the records, 1 group; groups of 2: 0%" in text
    assert text.count("<svg") == text.count("</svg>") == 1 + len(plan.rules)
    assert json.dumps(text).count("k = 1") == 2
