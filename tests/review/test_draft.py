"""A drafted policy: it compiles, names every field, says no value, and is closed where it is not sure."""

import random
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.simulator import identifying_values, payments
from processor.crypto import KeyRing
from processor.errors import PolicyError
from processor.event import dumps
from processor.policy import Plan, Sanitiser
from processor.policy.document import read_document
from processor.policy.plan import Rule, read_plan
from processor.policy.source import read_source
from processor.review.coverage import coverage
from processor.review.draft import Draft, draft
from processor.review.meanings import BY_ENTITY, MEANINGS, meaning_of, named, words_of
from processor.stream import Change

POLICIES = Path(__file__).parents[2] / "policies"
KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
NOON = 1_793_016_000  # 2026-10-26T12:00:00Z
Record = dict[str, Any]


def as_json(value: Any) -> Any:
    """A value as a line of JSON would hold it."""
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, set):
        return sorted(value)
    return b64encode(value).decode() if isinstance(value, bytes) else value


def drafted(records: Iterable[Record]) -> Draft:
    made = draft("sample", records)
    assert made is not None
    return made


def plan_of(made: Draft) -> Plan:
    plan, problems = read_plan(read_document(made.text.encode(), "sample.yaml").data, "0" * 64)
    assert plan is not None, problems
    return plan


def rules_for(records: Iterable[Record]) -> dict[str, Rule]:
    return {rule.path: rule for rule in plan_of(drafted(records)).rules}


def rule_for(name: str, values: Iterable[Any]) -> Rule:
    (rule,) = rules_for({name: value} for value in values).values()
    return rule


def said(rule: Rule) -> tuple[str, str | None]:
    return rule.action, rule.options.data_class


def sanitised(plan: Plan, record: Record) -> Record:
    change = Change("e1", "INSERT", NOON, plan.name, "1", {}, record, None, expired=False)
    new = Sanitiser(plan, KEYS).sanitise(change).new
    assert new is not None
    return new


@pytest.fixture(scope="module")
def paid() -> list[Record]:
    """Simulated payments, as JSON has them."""
    made: list[Record] = [
        as_json(one) for one in payments(300, seed=3, start=datetime(2026, 11, 1, tzinfo=UTC))
    ]
    return made


# ── The payments ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_field_of_the_payments_has_a_rule_and_every_rule_a_field(paid: list[Record]) -> None:
    plan = plan_of(drafted(paid))
    found = coverage(plan, paid)
    assert not found.unnamed
    assert found.unmet(plan) == []


def test_nothing_that_identifies_somebody_leaves_by_the_draft(paid: list[Record]) -> None:
    plan = plan_of(drafted(paid))
    for record in paid:
        out = dumps(sanitised(plan, record))
        assert not [value for value in identifying_values(record) if dumps(value)[1:-1] in out]


def test_the_draft_exposes_no_field_more_than_the_policy_that_people_wrote(paid: list[Record]) -> None:
    written = {rule.path: rule for rule in read_source(POLICIES / "payments.yaml").plan.rules}
    made = rules_for(paid)
    assert made.keys() == written.keys()
    more_open = {path for path, rule in made.items() if rule.exposure > written[path].exposure}
    assert more_open == set()
    identifying = {"identifier", "pan", "national_id", "secret", "authentication_data"}
    assert all(
        made[path].exposure <= 60 for path, rule in written.items() if rule.options.data_class in identifying
    )


def test_the_draft_says_whose_data_it_is_and_is_the_same_every_time(paid: list[Record]) -> None:
    made = drafted(paid)
    assert made.subject == plan_of(made).subject == "customer_id"
    assert drafted(paid).text == made.text
    assert made.undecided == ["payment_id", "terminal_id"]
    assert made.text.count("# decide: ") == len(made.undecided) + 1  # and one on scoring


def test_what_can_be_opened_dies_with_the_person_where_the_draft_knows_whose_it_is(
    paid: list[Record],
) -> None:
    rules = rules_for(paid)
    assert rules["email"].options.by_subject
    assert rules["customer_id"].action == "pseudonymize"
    assert not rule_for("email", ["ann@example.com", "bob@example.org"]).options.by_subject


def test_no_value_of_the_payments_is_in_the_draft(paid: list[Record]) -> None:
    text = drafted(paid).text
    assert not [value for record in paid for value in identifying_values(record) if value in text]


# ── One field ─────────────────────────────────────────────────────────────────────────────────────────────

MANY = [f"{word}{number}" for number in range(30) for word in ("Aa", "Bb")]
DATES = [f"{year}-0{month}-17" for year in range(1960, 1990) for month in range(1, 9)]


@pytest.mark.parametrize(
    ("name", "values", "action", "data_class"),
    [
        ("Kundennummer", MANY, "pseudonymize", "identifier"),
        ("idCliente", MANY, "pseudonymize", "identifier"),
        ("numéro_de_client", MANY, "pseudonymize", "identifier"),
        ("Geburtsdatum", DATES, "generalize", "birth_date"),
        ("date_de_naissance", DATES, "generalize", "birth_date"),
        ("fechaNacimiento", DATES, "generalize", "birth_date"),
        ("birth_year", range(1950, 1990), "generalize", "birth_date"),
        ("birth_date", ["the fifth of May"] * 9, "redact", "birth_date"),
        ("Vorname", MANY, "redact", "identifier"),
        ("apellidos", MANY, "redact", "identifier"),
        ("prénom", MANY, "redact", "identifier"),
        ("Telefon", ["030 1234567", "030 7654321"], "pseudonymize", "identifier"),
        ("e-mail", ["x", "y"], "tokenize", "identifier"),
        ("contact_point", ["ann@example.com", "bob@example.org"], "tokenize", "identifier"),
        ("memo_1", ["4111111111111111", "5500005555555559"], "mask", "pan"),
        ("CVC2", [123, 456], "drop", "authentication_data"),
        ("expiry_date", ["12/2030"], "drop", "quasi"),
        ("clave", MANY, "drop", "secret"),
        ("diagnosis", MANY, "drop", "sensitive"),
        ("has_diabetes_diagnosis", [True, False] * 20, "drop", "sensitive"),
        ("hiv", [True, False] * 20, "drop", "sensitive"),
        ("sexo", ["f", "m"] * 50, "redact", "quasi"),
        ("PLZ", ["10115", "80331"], "generalize", "postcode"),
        ("plz", [10115, 80331], "redact", "postcode"),
        ("ville", MANY, "drop", "place"),
        ("Wohnort", MANY, "drop", "place"),
        ("lat", [Decimal("52.5"), Decimal("48.1")], "drop", "place"),
        ("client_ip", ["192.0.2.7", "2001:db8::7"], "truncate", "network"),
        ("client_ip", ["one", "two"], "redact", "network"),
        ("user_agent", ["Mozilla/5.0"], "redact", "network"),
        ("País", ["ES", "FR"] * 20, "keep", "quasi"),
        ("Betrag", [Decimal("1.50"), Decimal("2.50")], "keep", "public"),
        ("betrag", ["1,50", "2,50"], "redact", None),
        ("Status", ["open", "closed"], "keep", "public"),
        ("status", MANY * 9 + ["written to ann@example.com"], "redact", None),
        ("x", ["a-1", "b-2"] * 20, "keep", "public"),
        ("x", ["Anna", "Bert"] * 20, "redact", None),
        ("x", ["10115", "80331"] * 20, "redact", None),
        ("x", [10115, 80331] * 20, "redact", None),
        ("x", [1, 2] * 20, "keep", "public"),
        ("x", [True, False], "keep", "public"),
        ("x", ["a", "b"], "redact", None),
        ("x", ["a", 1] * 20, "redact", None),
        ("x", [f"{day:02}.11.2026" for day in range(1, 29)], "redact", "date"),
        ("x", [NOON + second for second in range(40)], "redact", "date"),
        ("x", ["we met them at the fair and will call"] * 3, "scrub", "quasi"),
        ("remarks", ["late"] * 30, "scrub", "quasi"),
        ("erstellt_am", [f"2026-11-0{day}T12:00:00Z" for day in range(1, 9)], "generalize", "public"),
        ("created", [NOON * 1000 + second for second in range(40)], "generalize", "public"),
        ("created", ["yesterday", "today"], "redact", None),
        ("batch_ref", MANY, "pseudonymize", "identifier"),
        ("x", [f"{number:032x}" for number in range(3**50, 3**50 + 30)], "pseudonymize", "identifier"),
        ("sku", MANY * 40, "keep", "public"),
        ("website", ["https://example.com/a"], "redact", None),
    ],
    ids=lambda given: str(given)[:40],
)
def test_a_field_is_told_by_its_values_its_name_and_their_form(
    name: str, values: Iterable[Any], action: str, data_class: str | None
) -> None:
    assert said(rule_for(name, values)) == (action, data_class)


def test_the_map_around_a_field_counts_where_its_own_name_says_little() -> None:
    rules = rules_for(
        [{"card": {"number": "x", "holder": "y"}, "name": {"first": "a"}, "bus": {"number": "x"}}]
    )
    assert {path: said(rule)[0] for path, rule in rules.items()} == {
        "card.number": "mask",
        "card.holder": "redact",
        "name.first": "redact",
        "bus.number": "pseudonymize",
    }


def test_a_name_that_closes_a_field_overrules_its_values() -> None:
    assert said(rule_for("password", ["ann@example.com"])) == ("drop", "secret")
    assert said(rule_for("holder", ["ann@example.com"])) == ("redact", "identifier")


def test_rare_personal_data_keeps_a_list_of_codes_closed() -> None:
    values = ["open", "closed"] * 500
    assert rule_for("status", values).action == "keep"
    assert rule_for("status", [*values, "ann@example.com"]).action == "redact"
    assert (
        "recognised: email in 33.3%"
        in drafted({"status": value} for value in [*values, "ann@example.com"]).text
    )


# ── The shape of records ──────────────────────────────────────────────────────────────────────────────────


def test_names_that_are_data_become_a_wildcard_and_are_never_written() -> None:
    records = [
        {"by_mail": {f"u{n}@example.com": {"count": n}}, "days": {f"2026-11-{n:02}": n}}
        for n in range(10, 25)
    ]
    made = drafted(records)
    rules = {rule.path: rule for rule in plan_of(made).rules}
    assert set(rules) == {"by_mail.*~", "by_mail.*.count", "days.*~", "days.*"}
    assert rules["by_mail.*~"].action == "tokenize"
    assert rules["days.*~"].action == "pseudonymize"
    assert "@example" not in made.text
    assert "2026-11" not in made.text
    assert not coverage(plan_of(made), records).unnamed


def test_many_rare_names_are_no_schema() -> None:
    words = random.Random(1)
    names = ["".join(words.choices("abcdef", k=8)) for _ in range(200)]
    rules = rules_for({"stock": dict.fromkeys(words.sample(names, 5), 1)} for _ in range(60))
    assert set(rules) == {"stock.*~", "stock.*"}
    assert set(rules_for({"stock": {"left": 1, "sold": 2}} for _ in range(60))) == {
        "stock.left",
        "stock.sold",
    }


def test_names_that_cannot_be_written_are_counted_and_stay_in() -> None:
    record = {
        "ok": 1,
        'a"b': 1,
        "4111111111111111": 1,
        "ann@example.com": 1,
        "a\u202eb": 1,
        "m": {"2026": 1, "0123": 1, "a": 1, "b": 1, "c": 1},
    }
    made = drafted([record])
    assert {rule.path for rule in plan_of(made).rules} == {"ok", "m.a", "m.b", "m.c"}
    assert "6 names of attributes look like data themselves" in made.text
    assert sanitised(plan_of(made), record).keys() == {"ok", "m"}


@pytest.mark.parametrize(
    "name", ["y", "no", "null", "NaN", "inf", "e3", "odd.name", "größe", "a b", "~", "a: b", "#x", "x-"]
)
def test_names_that_readers_of_yaml_take_for_something_else_are_quoted(name: str) -> None:
    record = {"m": {name: True, "n": True, "o": False}}
    made = drafted([record])
    assert not coverage(plan_of(made), [record]).unnamed


def test_places_without_one_kind_of_value_are_dropped_and_left_to_decide() -> None:
    records: list[Record] = [
        {"a": None, "b": [], "c": {}, "d": {"x": 1}, "e": [1, [2]], "f": []},
        {"a": None, "b": [], "c": {}, "d": "text", "e": [], "f": {}},
    ]
    made = drafted(records)
    assert {line.rule for line in made.lines} == {"drop"}
    assert made.undecided == ["a", "b", "c", "d", "e[*]", "f"]
    assert not coverage(plan_of(made), records).unnamed


def test_more_fields_than_rules_are_dropped_where_they_lie_deepest() -> None:
    record = {f"a{n}": {f"{word}x": True for word in "bcdefghij"} for n in range(70)}
    made = drafted([record])
    assert len(made.lines) == 70
    assert {line.rule for line in made.lines} == {"drop"}
    wide = drafted([{f"a{word}": 1 for word in range(700)}])
    assert len(wide.lines) == 500
    assert "200 names of attributes" in wide.text


def test_without_somebody_in_every_record_the_subject_is_left_to_decide() -> None:
    assert drafted([{"user_id": "a"}, {"user_id": "b", "customer_id": "c"}]).subject == "user_id"
    assert drafted([{"user_id": "a", "customer_id": "c"}]).subject == "customer_id"
    assert drafted([{"users": [{"user_id": "a"}]}]).subject is None
    assert "# decide: whose data a record is." in drafted([{"x": 1}]).text


def test_nothing_makes_no_policy() -> None:
    assert draft("sample", []) is None
    assert draft("sample", [{}]) is None


names = st.text(max_size=8) | st.sampled_from(["email", "card", "number", "items", "y", "ann@example.com"])
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=30)
    | st.decimals(allow_nan=False, allow_infinity=False)
)
trees = st.recursive(
    leaves,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(names, below, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(names, trees, max_size=6), min_size=1, max_size=8))
def test_whatever_the_records_are_the_draft_compiles_and_sanitises_them(records: list[Record]) -> None:
    made = draft("sample", records)
    if made is None:
        assert all(not record or made is None for record in records)
        return
    plan = plan_of(made)
    for record in records:
        out = dumps(sanitised(plan, record))
        assert "ann@example.com" not in out


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("billingPostCode", "billing post code"),
        ("BILLING_POST_CODE", "billing post code"),
        ("IPAddress", "ip address"),
        ("Straße", "strasse"),
        ("téléphone-2", "telephone 2"),
        ("addressLine1", "address line 1"),
    ],
)
def test_a_name_is_words(name: str, words: str) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    "name", ["zip", "ship", "report", "transport", "tokyo", "ipsum", "image", "page", "average"]
)
def test_a_word_within_a_word_means_nothing(name: str) -> None:
    meaning = meaning_of(name)
    assert meaning is None or meaning.name == "postcode"


def test_the_table_is_whole() -> None:
    assert len({meaning.name for meaning in MEANINGS}) == len(MEANINGS)
    assert all(named(name) for name in BY_ENTITY.values())
    for meaning in MEANINGS:
        for word in meaning.words.split(", "):
            if not set(word) & set("*=(?|"):
                assert meaning_of(word) is not None, word


def test_every_rule_of_the_table_compiles() -> None:
    written = {meaning.rule for meaning in MEANINGS if meaning.rule.startswith("{")}
    text = drafted([{"x": 1}]).text
    for rule in written:
        policy = text.replace("x: redact", f"x: {rule}")
        assert policy != text
        try:
            plan, problems = read_plan(read_document(policy.encode(), "x").data, "0" * 64)
        except PolicyError as error:
            pytest.fail(f"{rule}: {error}")
        assert plan is not None, (rule, problems)
