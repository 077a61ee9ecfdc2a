"""`tidegate audit …`: what the gate did, proven from what it wrote, one file per command."""

from __future__ import annotations

from typing import Final

import click

from processor.cli import LazyGroup

COMMANDS: Final = {
    "verify": ("processor.cli.audit.verify:verify", "Walk the audit trail and name what is not as it was."),
    "show": ("processor.cli.audit.show:show", "Answer for an event, a person or a field."),
    "receipt": ("processor.cli.audit.receipt:receipt", "Check the signature of an erasure's receipt."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def audit() -> None:
    """The audit trail: is it whole, and what does it say.

    \b
    Example: an auditor's questions.
      tidegate audit verify --env prod --since 2026-11-01
      tidegate audit show --env prod --event 0f3a… --day 2026-11-23
      tidegate audit show --env prod --field email --policy payments
      tidegate audit receipt receipt.json --env prod
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
