"""`tidegate policy plan`: what people read, what scripts read, who answers, and what nobody gets to see."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processor.cli.policy import policy
from processor.policy import load_plan
from processor.policy.plan import dump_plan
from processor.policy.source import compile_policy, read_source
from processor.review.approval import approval_of

POLICY = """\
policy: small
version: 3
fields:
  id: {action: keep, required: true}
  card: redact
  name: {action: pseudonymize, domain: person}
  note: keep
routes: {sns: {events: none}}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""
EDITED = (
    POLICY.replace("card: redact", "card: {action: mask, keep_last: 4}")
    .replace("domain: person", "domain: customer")
    .replace("note: keep", "note: drop")
    .replace("version: 3", "version: 4")
)
NARROWER = POLICY.replace("note: keep", "note: drop")
RECORDS: list[dict[str, Any]] = [
    {"id": 1, "card": "4111111111111111", "name": "Ann", "note": "hello"},
    {"id": 2, "card": "5500005555555559", "name": "Bob"},
    {"id": 3},
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions of a policy and a sample, in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(POLICY)
    Path("small.yaml").write_text(EDITED)
    Path("sample.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(policy, ["plan", *(str(argument) for argument in arguments)])


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_person_sees_what_is_wider_first_and_has_to_answer() -> None:
    done = run("old.yaml", "small.yaml")
    assert done.exit_code == 1, done.output
    lines = squeezed(done.stdout)
    assert lines[:3] == ["small, version 3 → 4: + wider, - narrower, ~ neither", "", lines[2]]
    assert lines[2].startswith("+ card exposure 5 → ")
    assert lines[2].endswith("redact → mask keep_last=4")
    assert lines[3] == "- note exposure 100 → 0 keep → drop"
    domains = "pseudonymize domain=person → pseudonymize domain=customer"
    assert lines[4] == f"~ name joins {domains} # joins across the change break"
    assert lines[-2:] == [
        "Plan: 1 wider, 1 narrower, 1 neutral.",
        "Narrow what is wider (+), or answer for it: --allow-wider REASON",
    ]
    assert "\x1b" not in done.stdout


def test_nothing_wider_needs_no_answer() -> None:
    Path("small.yaml").write_text(NARROWER)
    done = run("old.yaml", "small.yaml", "--allow-wider", "in case")
    assert done.exit_code == 0
    assert "Plan: 0 wider, 1 narrower, 0 neutral." in done.stdout
    assert "Raise `version`: it is still 3" in done.stdout
    assert "nothing is wider" in done.stderr
    assert not Path("small.approval.json").exists()
    done = run("old.yaml", "old.yaml")
    assert (done.exit_code, "No changes: what leaves is as before." in done.stdout) == (0, True)
    assert "version`" not in done.stdout


def test_an_answer_holds_for_this_one_change() -> None:
    done = run("old.yaml", "small.yaml", "--allow-wider", " The desk needs the end of the number ")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("Wider by intent: The desk needs the end of the number\n")
    assert done.stderr == "tidegate: wrote small.approval.json: commit it with the policy\n"
    written = json.loads(Path("small.approval.json").read_text())
    assert written["policy"] == "small"
    assert (written["before"], written["after"]) == tuple(
        read_source(Path(file), any_name=True).plan.sha256 for file in ("old.yaml", "small.yaml")
    )
    (line,) = written["wider"]
    assert line == "card, exposure: redact → mask keep_last=4"
    assert run("old.yaml", "small.yaml").exit_code == 0
    # Another edit, or another policy before, is another change.
    Path("other.yaml").write_text(POLICY + "# another day\n")
    assert run("other.yaml", "small.yaml").exit_code == 1
    Path("small.yaml").write_text(EDITED + "# another word\n")
    assert run("old.yaml", "small.yaml").exit_code == 1
    assert approval_of(Path("small.yaml"), read_source(Path("small.yaml")).plan) is None


def test_the_compiled_policy_takes_the_answer_along() -> None:
    run("old.yaml", "small.yaml", "--allow-wider", "because")
    plan = read_source(Path("small.yaml")).plan
    approval = approval_of(Path("small.yaml"), plan)
    assert approval is not None
    compiled = dump_plan(plan, approval.compiled)
    assert json.loads(compiled)["allowed_wider"] == {
        "reason": "because",
        "before": approval.before,
        "fields": ["card, exposure: redact → mask keep_last=4"],
    }
    assert load_plan(compiled) == plan
    assert "allowed_wider" not in json.loads(dump_plan(plan))


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "two\nlines"])
def test_an_answer_is_one_line(reason: str) -> None:
    done = run("old.yaml", "small.yaml", "--allow-wider", reason)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "a reason is one line of up to 500 characters" in done.stderr
    assert not Path("small.approval.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"format": "tidegate.approval/0"},
        {"reason": " "},
        {"reason": 7},
        {"wider": "card"},
        {"wider": [1]},
        {"before": "0" * 63},
        {"more": 1},
    ],
)
def test_an_altered_answer_is_none(change: dict[str, Any]) -> None:
    run("old.yaml", "small.yaml", "--allow-wider", "because")
    file = Path("small.approval.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    done = run("old.yaml", "small.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "small.approval.json:1:1: not an approval of the format tidegate.approval/1" in done.stderr


def test_an_answer_to_less_is_no_answer() -> None:
    """As when the exposure of an action was corrected since."""
    run("old.yaml", "small.yaml", "--allow-wider", "because")
    file = Path("small.approval.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"wider": []}))
    assert run("old.yaml", "small.yaml").exit_code == 1


def test_a_compiled_policy_can_be_the_old_one() -> None:
    Path("small.yaml").write_text(POLICY)
    Path("policy.json").write_bytes(compile_policy(Path("small.yaml"))[1])
    Path("small.yaml").write_text(EDITED)
    assert run("policy.json", "small.yaml").stdout == run("old.yaml", "small.yaml").stdout


def test_a_sample_shows_what_changes_in_it() -> None:
    sample = Path("sample.jsonl").read_text()
    Path("sample.jsonl").write_text(sample + '{"card": "4111111111111111"}\n')
    Path("small.yaml").write_text(
        EDITED.replace(", required: true", "").replace("name: {", "name: {required: true, ")
    )
    done = run("old.yaml", "small.yaml", "--sample", "sample.jsonl")
    assert done.exit_code == 1
    lines = squeezed(done.stdout)
    start = lines.index("In 4 records of the sample:")
    assert lines[start + 1 : start + 4] == [
        "2 records would leave otherwise than before",
        "1 record would go to quarantine now: name: a required field is missing",
        "card 2 changed redact → mask keep_last=4",
    ]
    assert "note 1 gone keep → drop" in lines
    assert "name 2 changed pseudonymize domain=person → pseudonymize domain=customer" in lines
    for word in ("1111", "5559", "Ann", "hello", "psn."):
        assert word not in done.output
    shown = run("old.yaml", "small.yaml", "--sample", "sample.jsonl", "--show-values").stdout
    assert "[redacted] → ************1111" in shown
    assert "hello → (nothing)" in shown
    back = run("small.yaml", "old.yaml", "--sample", "sample.jsonl").stdout
    assert "1 record would leave now, and went to quarantine: name: a required field is missing" in back


def test_for_scripts() -> None:
    done = run("old.yaml", "small.yaml", "--sample", "sample.jsonl", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (found["old"]["version"], found["new"]["version"]) == (3, 4)
    assert (found["wider"], found["narrower"], found["neutral"]) == (1, 1, 1)
    assert found["differences"][1] == {
        "verdict": "narrower",
        "subject": "note",
        "aspect": "exposure",
        "before": "keep",
        "after": "drop",
        "exposure": [100.0, 0.0],
        "said": "",
    }
    assert (found["allowed_wider"], found["same_version"]) == (None, False)
    assert (found["sample"]["records"], found["sample"]["changed"]) == (3, 2)
    assert "values" not in found["sample"]["fields"][0]
    done = run(
        "old.yaml", "small.yaml", "--sample", "sample.jsonl", "--json", "--show-values", "--allow-wider", "so"
    )
    found = json.loads(done.stdout)
    assert (done.exit_code, found["allowed_wider"]) == (0, "so")
    (card,) = (one for one in found["sample"]["fields"] if one["field"] == "card")
    assert card["values"][0] == ["[redacted]", "************1111"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("absent.yaml", "small.yaml"), "absent.yaml:1:1: cannot be read: No such file or directory"),
        (("absent.json", "small.yaml"), "absent.json: cannot be read: No such file or directory"),
        (("old.yaml", "broken.yaml"), "broken.yaml: the policy is unusable"),
        (("broken.json", "small.yaml"), "not a plan of the format"),
        (("old.yaml", "small.yaml", "--sample", "absent.jsonl"), "absent.jsonl: cannot be read"),
        (("old.yaml", "small.yaml", "--sample", "empty.jsonl"), "empty.jsonl: holds no record"),
    ],
)
def test_unusable_input_exits_2(arguments: tuple[str, ...], words: str) -> None:
    Path("broken.yaml").write_text("policy: broken")
    Path("broken.json").write_text("{}")
    Path("empty.jsonl").write_text("\n")
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


MARK = st.text(string.ascii_lowercase, min_size=8, max_size=12).map(lambda text: f"RAW{text}")
VALUE = st.recursive(
    MARK,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(MARK | st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELD = st.sampled_from(["id", "card", "name", "note", "other"])
ACTION = st.sampled_from(["keep", "drop", "redact", "mask", "tokenize", "scrub"])


def _policy(fields: dict[str, str], unknown: str) -> str:
    lines = "".join(f"  {json.dumps(path)}: {action}\n" for path, action in fields.items())
    head, tail = POLICY[: POLICY.index("fields:")], POLICY[POLICY.index("routes:") :]
    return f"{head}unknown: {unknown}\nfields:\n{lines}{tail}"


FIELDS = st.dictionaries(FIELD, ACTION, min_size=1, max_size=5) | st.builds(
    lambda name, action: {f"{name}.*": action, f"{name}[*]": action}, FIELD, ACTION
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    *(st.tuples(FIELDS, st.sampled_from(["drop", "redact", "quarantine"])) for _ in range(2)),
    st.lists(st.dictionaries(FIELD | MARK, VALUE, max_size=4), min_size=1, max_size=4),
)
def test_no_value_is_said_unless_asked_for(
    before: tuple[dict[str, str], str], after: tuple[dict[str, str], str], sample: list[dict[str, Any]]
) -> None:
    """Names that are data are values."""
    Path("old.yaml").write_text(_policy(*before))
    Path("small.yaml").write_text(_policy(*after))
    Path("sample.jsonl").write_text("".join(json.dumps(record) + "\n" for record in sample))
    for more in ((), ("--json",)):
        done = run("old.yaml", "small.yaml", "--sample", "sample.jsonl", *more)
        assert done.exit_code in {0, 1}, done.output
        said = done.output
        known = set()
        for record in sample:
            known |= _words(record)
        known -= {name for record in sample for name in record}  # a value may read as a name that is said
        assert not {word for word in known if word in said}


def _words(value: Any, depth: int = 0) -> set[str]:
    """The marked texts; those among the names at the top of a record are the table's own."""
    if isinstance(value, dict):
        names = {name for name in value if depth and name.startswith("RAW")}
        return names.union(*(_words(item, depth + 1) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_words(item, depth) for item in value))
    return {value}
