"""`tidegate policy …`: a masking policy from its first draft to its release, one file per command."""

from __future__ import annotations

from typing import Final

import click

from processor.cli import LazyGroup

COMMANDS: Final = {
    "init": ("processor.cli.policy.init:init", "Draft a policy from a sample of records."),
    "check": ("processor.cli.policy.check:check", "Find mistakes; show what each field reveals."),
    "test": ("processor.cli.policy.test:test", "Run the examples that stand beside a policy."),
    "plan": ("processor.cli.policy.plan:plan", "Show what a change of a policy exposes."),
    "preview": (
        "processor.cli.policy.preview:preview",
        "Show records before and after, and who is still unique.",
    ),
    "schema": ("processor.cli.policy.schema:schema", "Print the JSON schema of policy files, for editors."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def policy() -> None:
    """A masking policy, reviewed like infrastructure before it ships.

    \b
    Example: edit, check, see what it changes, commit.
      tidegate policy check policies/payments.yaml --sample payments.jsonl
      tidegate policy test policies/payments.yaml
      git show main:policies/payments.yaml > /tmp/payments.yaml
      tidegate policy plan /tmp/payments.yaml policies/payments.yaml
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
