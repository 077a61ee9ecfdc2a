"""Compiling a policy: what is wrong with it is said with file, line, column and the nearest valid name."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import PolicyError
from processor.policy import load_plan
from processor.policy.actions import ACTIONS
from processor.policy.plan import dump_plan
from processor.policy.source import compile_policy

PlanOf = Callable[..., Any]
Findings = Callable[..., list[str]]

GOOD = """\
policy: small
version: 3
subject: customer_id
unknown: redact
fields:
  customer_id: {action: pseudonymize, domain: customer, class: identifier}
  note: {action: scrub, entities: [email, card]}
  amount: keep
score:
  model: payments_fraud
  reads: [amount]
  flag_at: 0.98
  label: {field: status, equals: chargeback, after_days: 7}
routes:
  s3: {events: all}
  sns: {events: flagged, attributes: [amount]}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""


@pytest.fixture
def findings(tmp_path: Path) -> Findings:
    """From edits of the good policy to `line:column: message` with the hint after a bar."""

    def findings(*edits: tuple[str, str], name: str = "small.yaml") -> list[str]:
        text = GOOD
        for old, new in edits:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / name).write_text(text)
        with pytest.raises(PolicyError) as caught:
            compile_policy(tmp_path / name)
        assert {found.file for found in caught.value.findings} == {str(tmp_path / name)}
        return [
            f"{found.line}:{found.column}: {found.message} | {found.hint}" for found in caught.value.findings
        ]

    return findings


def test_compiles_to_a_plan_that_loads(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(GOOD)
    plan, compiled = compile_policy(tmp_path / "small.yaml")
    assert load_plan(compiled) == plan
    assert plan.sha256 == sha256(GOOD.encode()).hexdigest()
    assert (plan.name, plan.version, plan.subject, plan.unknown) == ("small", 3, "customer_id", "redact")
    assert [rule.path for rule in plan.rules] == ["customer_id", "note", "amount"]
    assert plan.model == "payments_fraud"
    assert plan.score is not None
    assert plan.score.label is not None
    assert plan.score.label.path == "status"
    assert plan.routes.sns.attributes == ("amount",)
    assert plan.retention_days.audit == 2557


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("amount: keep", "amount: kepe", "8:11: unknown action 'kepe' | Did you mean 'keep'? Known: drop,"),
        ("{action: scrub,", "{action: scrb,", "7:18: unknown action 'scrb' | Did you mean 'scrub'?"),
        ("amount: keep", "amount: {class: pan}", "8:11: amount lacks the key 'action' | Write one of drop,"),
        ("amount: keep", "amount: 7", "8:11: amount must have an action, not 7"),
        ("amount: keep", "amount: [keep]", "8:11: amount must have 2 to 20 cases, not 1 | Write them as"),
        ("amount: keep", "amount: [keep, drop]", "8:12: cases of amount each have a `when`, but the last"),
        (
            "amount: keep",
            "amount: {action: keep, when: 'x == 1'}",
            "8:32: cases of amount each have a `when`, but the last",
        ),
        (
            "amount: keep",
            "amount:\n    - {when: 'x = 1', action: keep}\n    - drop",
            "9:14: 'x = 1' is not a condition: unreadable from 'x = 1': write it like",
        ),
        (
            "amount: keep",
            "amount:\n    - {when: 'x == 1', action: kepe}\n    - drop",
            "9:32: unknown action 'kepe' | Did you mean 'keep'?",
        ),
        (
            "amount: keep",
            "amount: keep\nrecognizers:\n  staff: {pattern: '(a+)+b'}",
            "10:20: the pattern is refused:",
        ),
        (
            "amount: keep",
            "amount: keep\nrecognizers:\n  email: {pattern: 'E-[0-9]{6}'}",
            "10:10: email comes with the gate | Give yours another name.",
        ),
        ("amount: keep", "amount: keep\nlimits: {items: 0}", "9:17: items must be a whole number from 1"),
        (
            "amount: keep",
            "amount: keep\n  'm.*~': keep",
            "9:11: m.*~: nothing says what becomes of the values",
        ),
        ("amount: keep", "amount:", "8:10: amount must have an action, not empty"),
        ("amount: keep", "amount: generalize", "8:3: amount lacks the key 'to' | Which part stays."),
        (
            "amount: keep",
            "amount: {action: mask, keep_lst: 4}",
            "8:26: unknown option of mask 'keep_lst' | Did you mean 'keep_last'?",
        ),
        (
            "amount: keep",
            "amount: {action: mask, keep_last: 44}",
            "8:37: keep_last must be a whole number from 0 to 12, not 44",
        ),
        (
            "amount: keep",
            "amount: {action: mask, keep_last: true}",
            "8:37: keep_last must be a whole number from 0 to 12, not true",
        ),
        (
            "amount: keep",
            "amount: {action: generalize, to: month, top: 89}",
            "8:48: top goes with `to: age` or `to: year` only",
        ),
        (
            "customer, class",
            "customer, scope: person, class",
            "6:64: scope cannot be 'person'",
        ),
        (
            "[email, card]",
            "[email, crad]",
            "7:43: item 2 of entities cannot be 'crad' | Did you mean 'card'?",
        ),
        ("[email, card]", "[email, email]", "7:43: 'email' is twice in entities"),
        ("[email, card]", "[]", "7:35: entities must have 1 to 100 items, not 0"),
        ("[email, card]", "email", "7:35: entities must be a list, not 'email' | Write it as [one, two]."),
        (
            "class: identifier",
            "class: identifer",
            "6:64: class cannot be 'identifer' | Did you mean 'identifier'?",
        ),
        ("domain: customer", "domain: a.b", "6:47: domain must be a letter, then up to 63 letters,"),
        (
            "unknown: redact",
            "unknown: redacted",
            "4:10: unknown cannot be 'redacted' | Did you mean 'redact'?",
        ),
        ("unknown:", "unknwon:", "4:1: unknown key 'unknwon' | Did you mean 'unknown'?"),
        ("version: 3\n", "", "1:1: the policy lacks the key 'version' | Raised with every change"),
        ("version: 3", 'version: "3"', "2:10: version must be a whole number from 1 to 1000000000, not '3'"),
        ("version: 3", "version: 3.5", "2:10: version must be a whole number from 1 to 1000000000, not 3.5"),
        ("subject: customer_id", "subject: customer", "3:10: no rule names the subject customer"),
        ("subject: customer_id", "subject: customer.*", "3:10: 'customer.*' does not name one field"),
        (
            "amount: keep",
            "items[0]: keep",
            "8:3: 'items[0]' is not a path: a list's items are reached all at once",
        ),
        (
            "amount: keep",
            'a["b"]: keep\n  a.b: drop\n  amount: keep',
            "9:8: a.b and a.b: the same path is written twice",
        ),
        (
            "amount: keep",
            "a.*.c: keep\n  a.b.*: keep\n  amount: keep",
            "9:10: a.b.* and a.*.c: both reach the same value and neither is more specific",
        ),
        (
            "amount: keep",
            "a: keep\n  a.b: keep\n  amount: keep",
            "9:8: a.b and a: one names a value whole and the other something inside it",
        ),
        (
            "flag_at: 0.98",
            "flag_at: 98",
            "12:12: flag_at must be p0 to p100, as in p99.5, or a score from 0 to 1",
        ),
        ("flag_at: 0.98", "flag_at: p101", "12:12: flag_at must be p0 to p100"),
        ("reads: [amount]", "reads: []", "11:10: reads must have 1 to 100 items, not 0"),
        ("logs: 90", "logs: 91", "17:66: logs must be one of 1, 3, 5,"),
        (", ledger: 21", "", "17:1: retention_days lacks the key 'ledger'"),
        ("events: flagged", "events: flaged", "16:17: events cannot be 'flaged' | Did you mean 'flagged'?"),
        ("s3: {events: all}", "s3: {events: none}", "15:16: events 'none' is not available in this version"),
        ("[amount]}\nr", "[note]}\nr", "16:39: note cannot be an attribute: it is scrub"),
        ("[amount]}\nr", "[amnt]}\nr", "16:39: no rule names amnt"),
        ("policy: small", "policy: Small", "1:9: policy must be a lower-case letter, then"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(findings: Findings, old: str, new: str, said: str) -> None:
    (found,) = findings((old, new))
    assert found.startswith(said)


def test_everything_wrong_is_said_at_once(findings: Findings) -> None:
    said = findings(
        ("amount: keep", "amount: kepe"), ("version: 3", "version: no1"), ("logs: 90", "logs: 91")
    )
    assert [found.split(": ")[0] for found in said] == ["2:10", "8:11", "17:66"]


def test_alerts_on_flags_need_a_score(findings: Findings) -> None:
    start, end = GOOD.index("score:"), GOOD.index("routes:")
    assert findings((GOOD[start:end], "")) == ["11:17: nothing is ever flagged without a score section | "]


def test_the_file_has_the_policy_s_name(findings: Findings) -> None:
    (found,) = findings(name="other.yaml")
    assert found.startswith("1:9: the policy 'small' is in other.yaml | Name the file small.yaml")


def test_a_list_is_no_policy(findings: Findings) -> None:
    assert findings((GOOD, "- keep"))[0].startswith("1:1: the policy must be a map of keys, not a list")


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path, name: Any) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        compile_policy(tmp_path / name)


names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
rules = st.sampled_from(
    [name for name in ACTIONS if name not in {"generalize", "shift_dates"}]  # need an option, need a subject
    + [
        {"action": "generalize", "to": "year", "top": 89},
        {"action": "mask", "keep_last": 4, "keep": " -", "required": True},
        {"action": "tokenize", "normalize": "email", "class": "identifier"},
        {"action": "keep", "allow": ["card"]},
    ]
)


@given(
    fields=st.dictionaries(names | st.builds("{}[*].{}".format, names, names), rules, min_size=1, max_size=6)
)
def test_dumping_and_loading_gives_the_same_plan_in_the_same_bytes(
    plan_of: PlanOf, fields: dict[str, Any]
) -> None:
    fields = {
        path: rule for path, rule in fields.items() if "[" not in path or path.split("[")[0] not in fields
    }
    plan = plan_of(fields or {"a": "keep"})
    assert load_plan(dump_plan(plan)) == plan
    assert dump_plan(load_plan(dump_plan(plan))) == dump_plan(plan)
