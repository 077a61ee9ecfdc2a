"""`tidegate policy schema`: what editors complete from."""

from __future__ import annotations

import click

from processor.policy.schema import schema_text


@click.command()
def schema() -> None:
    """Print the JSON schema of policy files, for editors.

    \b
    Example: after an action or an option was added.
      tidegate policy schema > policies/schema.json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    click.echo(schema_text(), nl=False)
