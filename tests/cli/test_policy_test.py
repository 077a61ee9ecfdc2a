"""`tidegate policy test`: what a person reads, what a script reads, and what neither gets to see."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from processor.cli.policy import policy

POLICIES = Path(__file__).parents[2] / "policies"
POLICY = """\
policy: small
version: 3
fields:
  id: {action: keep, required: true}
  card: {action: mask, keep_last: 4}
  name: redact
routes: {sns: {events: none}}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""
EXAMPLES = """\
- name: a card shows its end
  record: {id: p1, card: "4111111111111111"}
  event: {id: p1, card: "************1111"}
- name: without an id it is held back
  record: {card: "4111111111111111"}
  error: "id: a required field is missing"
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy and its examples, in the folder where they belong."""
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()
    Path("policies/small.yaml").write_text(POLICY)
    Path("policies/small.examples.yaml").write_text(EXAMPLES)
    return Path("policies/small.yaml")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(policy, ["test", *(str(argument) for argument in arguments)])


def test_the_released_policy_keeps_its_promises() -> None:
    """Every rule of it, by an example at least."""
    done = run(POLICIES / "payments.yaml", "--json")
    (found,) = json.loads(done.stdout)["policies"]
    assert [one for one in found["examples"] if not one["passed"]] == []
    assert (done.exit_code, found["untouched"]) == (0, [])
    assert len(found["examples"]) > 10


def test_it_says_what_passed_and_what_no_example_touches(small: Path) -> None:
    for done in (run(small), run()):
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines() == [
            "small, version 3: policies/small.examples.yaml",
            "",
            "  ok    a card shows its end",
            "  ok    without an id it is held back",
            "",
            "No example touches these rules:",
            "  name: redact",
            "",
            "2 examples: 2 passed, 0 failed",
        ]


def test_a_policy_that_breaks_a_promise_is_a_finding(small: Path) -> None:
    small.write_text(POLICY.replace("{action: mask, keep_last: 4}", "{action: keep, allow: [card]}"))
    done = run(small)
    assert done.exit_code == 1
    assert "  FAIL  a card shows its end\n          card\n" in done.stdout
    assert (
        "            expected  ************1111\n            got       text 9999999999999999\n" in done.stdout
    )
    assert done.stdout.endswith("2 examples: 1 passed, 1 failed\n")
    assert "4111" not in done.output
    assert "got       4111111111111111\n" in run(small, "--show-values").stdout


def test_for_scripts(small: Path) -> None:
    small.write_text(POLICY.replace("keep_last: 4", "keep_last: 2"))
    done = run(small, "--json")
    (found,) = json.loads(done.stdout)["policies"]
    assert done.exit_code == 1
    assert (found["policy"], found["version"], found["file"]) == ("small", 3, str(small))
    assert found["examples_file"] == "policies/small.examples.yaml"
    assert found["untouched"] == ["name: redact"]
    assert found["examples"][0] == {
        "name": "a card shows its end",
        "passed": False,
        "differences": [{"field": "card", "expected": "************1111", "got": "**************11"}],
    }


def test_what_is_not_there_or_cannot_be_read_exits_2(small: Path) -> None:
    examples = Path("policies/small.examples.yaml")
    examples.write_text("[]")
    assert run(small).exit_code == 2
    examples.write_text("- {name: x, record: {}, evnt: {}}")
    done = run(small)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "policies/small.examples.yaml:1:25: unknown key 'evnt'" in done.stderr
    examples.unlink()
    done = run(small)
    assert done.exit_code == 2
    assert "has no examples: write some in policies/small.examples.yaml" in done.stderr
    done = run("policies/absent.yaml")
    assert (done.exit_code, "cannot be read" in done.stderr) == (2, True)
    small.write_text("policy: small")
    examples.write_text(EXAMPLES)
    assert run().exit_code == 2
    small.unlink()
    assert "no policies found in policies/" in run().stderr
