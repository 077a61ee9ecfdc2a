"""What each clause objects to, and what it does not; and where a mistake in a standard is."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from processor.errors import PolicyError
from processor.policy.actions import ACTIONS, CLASSES
from processor.policy.kinds import Section
from processor.policy.plan import read_plan
from processor.policy.source import read_source
from processor.review.standards import Standard, available, read_standard, schema_text, violations
from tests.review.standards_cases import CASES, DAYS, Policy, of

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.policy import Plan

POLICIES = Path(__file__).parents[2] / "policies"
NAMES = ["ccpa", "gdpr", "hipaa-safe-harbor", "pci-dss-4"]


@cache
def standard(name: str) -> Standard:
    return read_standard(POLICIES / f"standards/{name}.yaml")


def plan_of(fields: dict[str, Any], **more: Any) -> Plan:
    document = {"policy": "small", "version": 1, "fields": fields, "retention_days": DAYS, **more}
    plan, problems = read_plan({"routes": {"sns": {"events": "none"}}, **document}, "0" * 64)
    assert plan is not None, problems
    return plan


POINTS = [
    pytest.param(case.standard, case.clause, policy, found, id=f"{case.standard} {case.clause} {number}")
    for case in CASES
    for found, policies in ((True, case.bad), (False, case.good))
    for number, policy in enumerate(policies, 0 if found else 100)
]


@pytest.mark.parametrize(("name", "clause", "policy", "found"), POINTS)
def test_a_clause_objects_to_what_it_should_and_to_nothing_else(
    name: str, clause: str, policy: Policy, *, found: bool
) -> None:
    fields, more = policy
    said = [one for one in violations(plan_of(fields, **more), standard(name)) if one.clause == clause]
    assert bool(said) is found, said


def test_every_clause_has_a_policy_against_it_and_one_that_passes() -> None:
    violated = {
        (case.standard, one.clause, one.fix)
        for case in CASES
        for fields, more in case.bad
        for one in violations(plan_of(fields, **more), standard(case.standard))
        if one.clause == case.clause
    }
    every = {(name, clause.number, clause.fix) for name in NAMES for clause in standard(name).clauses}
    assert violated == every
    assert all(case.good for case in CASES)


def test_every_class_is_somebodys_business_or_said_to_be_nobodys() -> None:
    assert sorted(path.stem for path in (POLICIES / "standards").glob("*.yaml")) == NAMES
    spoken = {kind for name in NAMES for clause in standard(name).clauses for kind in clause.classes}
    assert set(CLASSES) - spoken == {"public"}
    assert all("public" in standard(name).silent for name in NAMES)


def test_the_finding_says_where_what_which_clause_and_how_to_mend_it() -> None:
    plan = plan_of(
        {
            "card.number": [
                {"when": 'kind == "a"', **of("pan", "mask", keep_first=8)},
                of("pan", "tokenize"),
            ],
            "birth_date": of("birth_date", "generalize", to="year"),
        }
    )
    (first,) = violations(plan, standard("pci-dss-4"))
    assert (first.standard, first.clause) == ("pci-dss-4", "3.5.1")
    assert first.at == ("fields", "card.number", 0)
    assert first.message == (
        "card.number of class pan is mask with keep_first 8 instead of at most 6: a stored card number is "
        "unreadable; truncated, it has its first six and last four digits at most (PCI DSS v4.0.1, 3.5.1)"
    )
    assert first.fix == "Use mask with keep_last 4, or tokenize, pseudonymize, encrypt or drop."
    last = list(violations(plan, standard("hipaa-safe-harbor")))[-2]
    assert (
        "birth_date of class birth_date is generalize with top left out instead of at most 89: "
        in last.message
    )


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"), st.tuples(st.sampled_from(sorted(CLASSES)), st.booleans()), min_size=1
    ),
    st.sampled_from(NAMES),
)
def test_what_does_not_leave_and_is_classified_passes_every_standard(
    fields: dict[str, tuple[str, bool]], name: str
) -> None:
    rules = {path: of(kind, "drop" if drops else "redact") for path, (kind, drops) in fields.items()}
    assert list(violations(plan_of(rules), standard(name))) == []


RULES = st.builds(
    lambda action, kind, last: of(kind, action, **({"keep_last": last} if action == "mask" else {})),
    st.sampled_from([name for name in ACTIONS if not Section(ACTIONS[name].options).schema()["required"]]),
    st.sampled_from(sorted(CLASSES)),
    st.integers(0, 12),
)


@given(st.dictionaries(st.sampled_from("abcdefgh"), RULES, min_size=1), st.sampled_from(NAMES), st.data())
def test_dropping_a_field_makes_nothing_worse(rules: dict[str, Any], name: str, data: st.DataObject) -> None:
    dropped = data.draw(st.sampled_from(sorted(rules)))
    fewer = {**rules, dropped: of(rules[dropped]["class"], "drop")}
    before, after = (
        [
            one.clause
            for one in violations(plan_of({"who": "redact", **fields}, subject="who"), standard(name))
        ]
        for fields in (rules, fewer)
    )
    assert all(after.count(clause) <= before.count(clause) for clause in after)


def test_the_released_policy_passes_what_a_payments_team_is_asked_for() -> None:
    plan = read_source(POLICIES / "payments.yaml").plan
    for name in ("pci-dss-4", "gdpr", "ccpa"):
        assert [one.message for one in violations(plan, standard(name))] == []


GOOD = """\
standard: ours
title: Ours
source: "The team, 2026"
silent: [{silent}]
clauses:
  - clause: "1"
    title: "no names"
    classes: [identifier]
    allow:
      - drop
      - {{action: mask, keep_last: {{most: 4}}}}
    fix: "Drop it."
"""
SILENT = ", ".join(name for name in CLASSES if name != "identifier")


@pytest.fixture
def findings(tmp_path: Path) -> Callable[..., list[str]]:
    """From edits of a good standard to `line:column: message | hint`."""

    def findings(*edits: tuple[str, str], name: str = "ours.yaml") -> list[str]:
        text = GOOD.format(silent=SILENT)
        for old, new in edits:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / name).write_text(text)
        with pytest.raises(PolicyError) as caught:
            read_standard(tmp_path / name)
        assert {found.file for found in caught.value.findings} == {str(tmp_path / name)}
        return [f"{one.line}:{one.column}: {one.message} | {one.hint}" for one in caught.value.findings]

    return findings


def test_a_team_can_write_its_own(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(GOOD.format(silent=SILENT))
    ours = read_standard(tmp_path / "ours.yaml")
    assert isinstance(ours, Standard)
    (said,) = violations(plan_of({"x": of("identifier", "mask", keep_last=5)}), ours)
    assert (
        said.message
        == "x of class identifier is mask with keep_last 5 instead of at most 4: no names (Ours, 1)"
    )
    assert not list(violations(plan_of({"x": of("identifier", "mask", keep_last=4)}), ours))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- drop", "- dorp", "10:9: unknown action 'dorp' | Did you mean 'drop'?"),
        ("action: mask", "action: msk", "11:18: unknown action 'msk' | Did you mean 'mask'?"),
        ("keep_last:", "keep_lst:", "11:24: unknown option of mask 'keep_lst' | Did you mean 'keep_last'?"),
        ("most: 4", "mots: 4", "11:36: unknown bound 'mots' | Did you mean 'most'? Known: least, most."),
        ("most: 4", "most: 44", "11:42: most must be a whole number from 0 to 12, not 44 | "),
        ("{most: 4}", "{}", "11:35: the bounds are empty | Write {most: 4}"),
        (
            "{most: 4}",
            "[1, four]",
            "11:39: item 2 of keep_last must be a whole number from 0 to 12, not 'four'",
        ),
        ("{most: 4}", "null", "11:35: keep_last must be a whole number from 0 to 12, not empty | "),
        ("{most: 4}", "four", "11:35: keep_last must be a whole number from 0 to 12, not 'four' | "),
        ("[identifier]", "[identifer]", "8:15: item 1 of classes cannot be 'identifer' | Did you mean"),
        ('clause: "1"', 'clase: "1"', "6:5: unknown key 'clase' | Did you mean 'clause'?"),
        ('    fix: "Drop it."\n', "", "6:5: item 1 of clauses lacks the key 'fix' | How a policy is mended"),
        ("    fix:", "    unread: true\n    fix:", "6:5: a clause has one of allow, forbid, "),
        ("    classes: [identifier]\n", "", "6:5: allow goes with classes | "),
        ("silent: [", "silent: [identifier, ", "4:9: the class identifier is both silent and in a clause | "),
        ("public", "secret", "4:"),
        (
            ", public]",
            "]",
            "4:9: the class public is in no clause, and not silent either | Name it in one of",
        ),
        ("    allow:\n", "    retention_days: {}\n    allow:\n", "9:21: no period is named | Write it as"),
        ("standard: ours", "standard: theirs", "1:11: the standard 'theirs' is in ours.yaml | "),
        ("standard: ours", "standard: ours\nstandard: ours", "2:1: 'standard' is twice in this map | "),
    ],
)
def test_a_mistake_in_a_standard_has_its_place(
    findings: Callable[..., list[str]], old: str, new: str, said: str
) -> None:
    found = findings((old, new))
    assert any(one.startswith(said) for one in found), found


def test_a_clause_about_the_policy_has_no_classes(findings: Callable[..., list[str]]) -> None:
    (found,) = findings(
        ("    allow:\n      - drop\n", "    unknown: [drop]\n"),
        ("      - {action: mask, keep_last: {most: 4}}\n", ""),
    )
    assert found == "6:5: unknown goes without classes | "


def test_editors_complete_from_the_schema() -> None:
    written = (POLICIES / "standards/schema.json").read_text()
    assert written == schema_text(), "write processor.review.standards.schema_text() to it"
    schema = json.loads(written)
    Draft202012Validator.check_schema(schema)
    for name in NAMES:
        text = (POLICIES / f"standards/{name}.yaml").read_text()
        assert text.startswith("# yaml-language-server: $schema=schema.json\n")
        Draft202012Validator(schema).validate(yaml.safe_load(text))


def test_a_standard_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read: No such file"):
        read_standard(tmp_path / "none.yaml")


def test_the_teams_own_come_before_the_gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sorted(available()) == NAMES
    (tmp_path / "policies/standards").mkdir(parents=True)
    for name in ("ours", "gdpr"):
        (tmp_path / f"policies/standards/{name}.yaml").write_text("")
    assert sorted(available()) == ["ccpa", "gdpr", "hipaa-safe-harbor", "ours", "pci-dss-4"]
    assert available()["gdpr"] == Path("policies/standards/gdpr.yaml")
