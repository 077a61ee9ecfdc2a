"""`tidegate policy`: what people see and what scripts read."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from processor.cli import main
from processor.cli.policy import policy
from processor.cli.policy.check import check
from processor.policy.actions import ACTIONS

POLICIES = Path(__file__).parents[2] / "policies"
SMALL = """\
policy: small
version: 3
fields:
  id: {action: keep, required: true}
  card.number: {action: mask, keep_last: 4, keep: ' -', class: pan}
routes: {sns: {events: none}}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(policy, [str(argument) for argument in arguments])


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of policies with one in it, in the working folder."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/small.yaml").write_text(SMALL)
    (tmp_path / "policies/small.examples.yaml").write_text("not: a policy")
    monkeypatch.chdir(tmp_path)
    return Path("policies/small.yaml")


def test_check_prints_what_the_reviewer_decides_on() -> None:
    checked = run("check", POLICIES / "payments.yaml")
    assert checked.exit_code == 0, checked.output
    assert (
        "Grants the model payments_fraud these raw fields: amount, created_at, customer_id, "
        in checked.stdout
    )
    assert "Flags from p99.5 on; alerts: flagged\n" in checked.stdout
    rows = [line.split() for line in checked.stdout.splitlines() if line[:1].isdigit()]
    exposures = [int(row[0]) for row in rows]
    assert exposures == sorted(exposures, reverse=True)
    assert ["card.number", "mask", "pan", "keep_last=4", "keep='", "-'"] in [row[1:] for row in rows]
    assert [
        "20",
        "customer_id",
        "pseudonymize",
        "yes",
        "identifier",
        "required=True",
        "domain=customer",
    ] in rows


def test_check_shows_numbers_and_whole_lists_of_them(small: Path) -> None:
    bands = "fields:\n  income: {action: bucket, edges: [0, 20000, 80000]}\n"
    small.write_text(SMALL.replace("fields:\n", bands))
    checked = run("check", small)
    assert checked.exit_code == 0, checked.output
    assert "edges=0,20000,80000" in checked.stdout


def test_check_takes_every_policy_of_the_folder(small: Path) -> None:
    checked = run("check")
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.startswith(f"small, version 3 ({small}, sha256 ")
    assert "Not scored: no model reads any raw field.\n" in checked.stdout


def test_check_for_scripts(small: Path) -> None:
    checked = run("check", "--json")
    (found,) = json.loads(checked.stdout)["policies"]
    assert (found["policy"], found["version"], found["file"], found["findings"]) == (
        "small",
        3,
        str(small),
        [],
    )
    assert found["exposure"][0]["options"] == {"required": True}
    assert found["score"] is None


def test_findings_have_their_place_and_exit_1(small: Path) -> None:
    small.write_text(SMALL.replace("mask", "msk").replace("version: 3", "version: 03"))
    said = [f"{small}:2:10: 03 could be read as a number in base 8 or in base 10"]
    checked = run("check", small)
    assert (checked.exit_code, checked.stdout.splitlines()[0]) == (1, said[0])
    assert checked.stdout.endswith(f"{small}: 1 finding\n")
    small.write_text(SMALL.replace("mask", "msk"))
    (found,) = json.loads(run("check", small, "--json").stdout)["policies"]
    assert found["findings"] == [
        {
            "file": str(small),
            "line": 5,
            "column": 25,
            "message": "unknown action 'msk'",
            "hint": f"Did you mean 'mask'? Known: {', '.join(ACTIONS)}.",
        }
    ]


def test_one_bad_policy_does_not_hide_the_others(small: Path) -> None:
    Path("policies/bad.yaml").write_text("policy: bad")
    checked = run("check")
    assert checked.exit_code == 1
    assert "policies/bad.yaml:1:1: the policy lacks the key 'version'" in checked.stdout
    assert f"small, version 3 ({small}" in checked.stdout


def test_a_sample_shows_rules_that_meet_nothing(small: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample.jsonl"
    sample.write_text('{"id": 1, "card": {"nmber": "4111"}}\n\n{"id": 2}\n')
    checked = run("check", small, "--sample", sample)
    assert checked.exit_code == 1
    assert checked.stdout.startswith(
        f"{small}:5:3: card.number meets nothing in 2 records of the sample\n"
        "    Did you mean 'card.nmber'? No rule names it.\n"
    )
    assert "  card.nmber (1 times)\n" in checked.stdout
    assert "4111" not in checked.output
    (found,) = json.loads(run("check", small, "--sample", sample, "--json").stdout)["policies"]
    assert found["sample"] == {"records": 2, "unnamed": {"card.nmber": 1}}
    sample.write_text('{"id": 1, "card": {"number": null}}')
    checked = run("check", small, "--sample", sample)
    assert (checked.exit_code, "  none" in checked.stdout) == (0, True)


def test_a_standard_objects_at_the_rule_and_says_how_to_mend_it(small: Path) -> None:
    small.write_text(SMALL.replace("keep_last: 4", "keep_last: 5").replace("required: true", "class: public"))
    checked = run("check", small, "--standard", "pci-dss-4", "--standard", "gdpr")
    assert checked.exit_code == 1
    assert checked.stdout.startswith(
        f"{small}:5:16: card.number of class pan is mask with keep_last 5 instead of at most 4: of a card "
        "number no more than the BIN and the last four digits is shown (PCI DSS v4.0.1, 3.4.1)\n"
        "    Use mask with keep_last 4, or tokenize, pseudonymize or drop.\n"
    )
    assert "(PCI DSS v4.0.1, 3.5.1)\n" in checked.stdout
    assert "(GDPR, Art. 32(1)(a))\n" in checked.stdout
    assert "Passes" not in checked.stdout
    small.write_text(SMALL.replace("required: true", "class: public"))
    checked = run("check", small, "--standard", "pci-dss-4", "--standard", "hipaa-safe-harbor")
    assert "Passes PCI DSS v4.0.1: nothing here goes against its " in checked.stdout
    assert "Passes HIPAA" not in checked.stdout


def test_each_case_of_a_field_is_held_against_the_standard(small: Path) -> None:
    cases = "[{when: 'kind == \"a\"', action: drop, class: pan}, {action: keep, class: pan}]"
    small.write_text(SMALL.replace("{action: mask, keep_last: 4, keep: ' -', class: pan}", cases))
    checked = run("check", small, "--standard", "ccpa")
    place = SMALL.splitlines()[4].index("{") + cases.index("{action: keep") + 1
    assert f"{small}:5:{place}: card.number of class pan is keep: names and account numbers" in checked.stdout


def test_standards_for_scripts(small: Path) -> None:
    checked = run("check", small, "--standard", "pci-dss-4", "--standard", "hipaa-safe-harbor", "--json")
    (found,) = json.loads(checked.stdout)["policies"]
    assert checked.exit_code == 1
    clauses = {(one["standard"], one["clause"], one["line"], one["column"]) for one in found["findings"]}
    assert clauses == {
        ("pci-dss-4", "12.5.2", 4, 7),
        ("hipaa-safe-harbor", "45 CFR 164.514(b)(2)(i)", 4, 7),
        ("hipaa-safe-harbor", "45 CFR 164.514(b)(2)(i)(A), (D)-(F), (H)-(L)", 5, 16),
    }
    assert all(one["hint"] and one["file"] == str(small) for one in found["findings"])
    assert found["passes"] == []
    small.write_text(SMALL.replace("required: true", "class: public"))
    checked = run("check", small, "--standard", "gdpr", "--standard", "gdpr", "--json")
    (found,) = json.loads(checked.stdout)["policies"]
    assert (checked.exit_code, found["findings"], found["passes"]) == (0, [], ["gdpr"])


def test_a_misspelled_standard_is_met_with_the_nearest(small: Path) -> None:
    checked = run("check", small, "--standard", "pci-dss4")
    assert checked.exit_code == 2
    said = " ".join(checked.stderr.replace("│", " ").split())
    assert "unknown standard 'pci-dss4'. Did you mean 'pci-dss-4'? Known: " in said


def test_shells_complete_the_names_of_standards() -> None:
    option = next(one for one in check.params if one.name == "standards")
    completed = option.shell_complete(click.Context(check), "h")
    assert [item.value for item in completed] == ["hipaa-safe-harbor"]


def test_standards_are_listed() -> None:
    listed = run("check", "--list-standards")
    assert listed.exit_code == 0
    rows = [line.split("  ")[0] for line in listed.stdout.splitlines()]
    assert sorted(rows) == ["ccpa", "gdpr", "hipaa-safe-harbor", "pci-dss-4"]
    assert "45 CFR 164.514(b)(2)" in listed.stdout


def test_a_standard_with_mistakes_is_unusable(small: Path) -> None:
    Path("policies/standards").mkdir()
    Path("policies/standards/ours.yaml").write_text("standard: ours\ntitel: Ours\n")
    checked = CliRunner().invoke(main, ["policy", "check", str(small), "--standard", "ours"])
    assert checked.exit_code == 2
    assert "policies/standards/ours.yaml:2:1: unknown key 'titel'" in checked.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no record"),
        ('{"id": 1}\n{"id": "4111"', "line 2: not JSON from column 14 on"),
        ("[1]", "line 1: not a JSON object"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_an_unusable_sample_exits_2(small: Path, tmp_path: Path, content: str | None, words: str) -> None:
    sample = tmp_path / "sample.jsonl"
    if content is not None:
        sample.write_text(content)
    checked = run("check", small, "--sample", sample)
    assert (checked.exit_code, checked.stdout) == (2, "")
    assert words in checked.stderr


def test_unusable_input_exits_2(small: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    checked = run("check", small, "policies/absent.yaml")
    assert (checked.exit_code, checked.stderr) == (
        2,
        "tidegate: policies/absent.yaml: there is no such file\n",
    )
    assert run("check", small, small, "--sample", small).exit_code == 2
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    checked = run("check")
    assert checked.exit_code == 2
    assert checked.stderr.startswith("tidegate: no policies found in policies/")


def test_schema_prints_that_of_the_editors() -> None:
    assert run("schema").stdout == (POLICIES / "schema.json").read_text()
