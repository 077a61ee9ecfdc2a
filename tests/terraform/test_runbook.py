"""docs/runbook.md has one section for each alarm that Terraform makes, and what it tells to type is there."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from botocore import xform_name
from botocore.session import Session

from processor.local.terraform import REPOSITORY, ROOT
from tests import test_readme

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS: Final = ["Means", "Look", "Causes", "Do", "Wakes", "Over"]
ALARM: Final = re.compile(
    r'^resource "aws_cloudwatch_(?:metric|composite)_alarm" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL
)
PREFIXES: Final = {"access": "access-", "backfill": "backfill-"}
"""What stands before the names of a module's alarms, since those of a stream have the bare ones."""
OF_THE_CLI: Final = {"logs tail", "s3 cp", "s3 ls"}
"""Commands of AWS's CLI that are no operation of an API."""


@dataclass(frozen=True)
class Alarm:
    """An alarm as it is written in Terraform."""

    where: str
    section: str
    body: str

    def is_told(self, topics: str) -> bool:
        return bool(re.search(rf"^  alarm_actions +=.*\b{topics}\b", self.body, re.MULTILINE))


def alarms() -> Iterator[Alarm]:
    for file in sorted(ROOT.glob("**/*.tf")):
        if ".terraform" in file.parts:
            continue
        prefix = PREFIXES.get(file.parent.name, "")
        for name, body in ALARM.findall(file.read_text(encoding="utf-8")):
            (called,) = re.findall(r'alarm_name +="? *"\$\{[\w.]+\}-([a-z-]+)"', body)
            yield Alarm(f"{file.relative_to(ROOT)}: {name}", prefix + called, body)


ALARMS: Final = list(alarms())
SECTIONS: Final = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_every_alarm_has_one_section_and_every_section_an_alarm() -> None:
    assert len(ALARMS) >= 15
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(alarm.section for alarm in ALARMS)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.where)
def test_an_alarm_says_what_happened_and_leads_to_its_section(alarm: Alarm) -> None:
    (said,) = re.findall(r'^  alarm_description += "(.+)"$', alarm.body, re.MULTILINE)
    sentence, _, link = said.rpartition(" ")
    assert link == f"${{var.runbook_url}}#{alarm.section}"
    assert sentence.endswith(".")
    assert len(sentence) > 40


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.where)
def test_the_page_says_who_is_told(alarm: Alarm) -> None:
    (wakes,) = re.findall(r"^\*\*Wakes\*\* (.+)", SECTIONS[alarm.section], re.MULTILINE)
    if wakes.startswith("by "):
        (sums_up,) = re.findall(r"\(#([a-z-]+)\)", wakes)
        assert not re.search(r"alarm_actions", alarm.body)
        assert f"[{alarm.section}](#{alarm.section})" in SECTIONS[sums_up]
    else:
        # A backfill has one set of topics, which the root gives it: those of notices.
        assert alarm.is_told("alarm_topic_arns") == (
            wakes.startswith("somebody") or "backfill" in alarm.section
        )


def test_a_backfill_wakes_nobody() -> None:
    text = (ROOT / "backfill.tf").read_text(encoding="utf-8")
    assert re.findall(r"^  alarm_topic_arns += ([\w.]+)", text, re.MULTILINE) == ["local.notices_topic_arns"]


@pytest.mark.parametrize(("name", "section"), SECTIONS.items(), ids=SECTIONS)
def test_a_section_answers_everything_in_order(name: str, section: str) -> None:
    assert re.findall(r"^\*\*(\w+)\*\*", section, re.MULTILINE) == PARTS, name
    assert re.search(r"^ {4}\S", section, re.MULTILINE), f"{name}: no command to look with"


def test_links_within_the_page_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= SECTIONS.keys()


def commands(program: str) -> list[str]:
    """What the page says to type in one program, in lines of their own and in the text."""
    page = PAGE.replace("\\\n", " ")
    lines = re.findall(rf"^ {{4}}((?:.*\| )?{program} .*)$", page, re.MULTILINE)
    return [*lines, *re.findall(rf"`({program} [^`]+)`", page)]


@pytest.mark.parametrize("shown", commands("tidegate"))
def test_a_command_of_ours_exists(shown: str) -> None:
    test_readme.test_a_command_that_is_shown_exists_and_has_these_options(
        "runbook.md", shown.rpartition("| ")[2]
    )


@pytest.mark.parametrize("shown", commands("make"))
def test_a_target_exists(shown: str) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{shlex.split(shown)[1]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("shown", commands("aws"))
def test_a_command_of_aws_exists_and_has_these_options(shown: str) -> None:
    words = shlex.split(shown.partition(" | ")[0])
    service, operation = words[1:3]
    if f"{service} {operation}" in OF_THE_CLI:
        return
    model = Session().get_service_model(service)
    named = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(named[operation]).input_shape
    options = {xform_name(name, "-") for name in (members.members if members else ())}
    assert {word.removeprefix("--") for word in words[3:] if word.startswith("--")} <= options
