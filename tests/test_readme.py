"""What the README says of policies is so."""

from __future__ import annotations

import re
from pathlib import Path

from processor.policy.actions import ACTIONS
from processor.policy.document import read_document
from processor.policy.kinds import keys_of
from processor.policy.plan import read_plan

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
HEAD = "policy: shown\nversion: 1\n"
TAIL = """routes: {sns: {events: none}}
retention_days: {events: 1, audit: 1, quarantine: 1, logs: 1, ledger: 1}
"""


def test_its_policy_compiles() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    document = read_document((HEAD + shown + TAIL).encode(), "README.md")
    plan, problems = read_plan(document.data, "0" * 64)
    assert plan is not None, problems


def test_its_table_of_actions_is_the_registry() -> None:
    rows = [line.strip("| ").split("|") for line in re.findall(r"^\| `\w+` \|.*$", README, re.MULTILINE)]
    shown = {row[0].strip(" `"): row[1:] for row in rows}
    assert list(shown) == list(ACTIONS)
    for name, action in ACTIONS.items():
        options, _, opens, joins = (*shown[name], "", "")[:4]
        assert bool(opens.strip()) == action.reversible, name
        assert (joins.strip() == "✓") == action.joinable, name
        said = set(re.findall(r"\w+", options)) - {"or"}
        assert said <= set(keys_of(action.options)), name
