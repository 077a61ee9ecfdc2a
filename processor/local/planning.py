"""A plan of Terraform under the review of what it changes, and that very plan applied."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli.review import headline, show
from processor.errors import TidegateError
from processor.review.deployment import deployments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.local.terraform import Terraform
    from processor.review.deployment import Deployment

BARE: Final = ("-json", "-detailed-exitcode", "-destroy", "-refresh-only")
"""With these somebody wants Terraform's own answer, or no release: nothing is put above it."""
TO_APPLY: Final = ("-parallelism", "-lock", "-compact-warnings", "-no-color")
"""What applying a saved plan takes of the options."""
PROGRESS: Final = re.compile(r"\S+: (?:Refreshing state|Reading|Still reading)\b.*")
WARNINGS: Final = re.compile(r"^Warning: .*?(?=^─{9}|\Z)", re.MULTILINE | re.DOTALL)
APPROVED: Final = "yes"


def is_bare(options: Sequence[str]) -> bool:
    """Whether Terraform is to be left alone with these."""
    return any(option.partition("=")[0] in BARE for option in options)


def progress(line: str) -> None:
    """Say that something goes on, of what Terraform prints while it plans."""
    if PROGRESS.fullmatch(line):
        click.secho(line, dim=True, err=True)


def reviewed(terraform: Terraform, root: Path, verb: str, options: Sequence[str]) -> int:
    """Plan, show what changes above Terraform's own words, and with `apply` do it once somebody says yes.

    What is applied is the plan that was shown; Terraform refuses it if the state has changed since.

    Args:
        terraform: initialised.
        root: the folder of its configuration.
        verb: `plan` or `apply`.
        options: Terraform's.

    Returns:
        An exit code.

    Raises:
        TidegateError: Terraform cannot plan.
    """
    kept = next((option.partition("=")[2] for option in options if option.startswith("-out=")), None)
    own = ("-auto-approve", "-input=", "-out=", "-no-color")
    given = [option for option in options if not option.startswith(own)]
    with tempfile.TemporaryDirectory(prefix="tidegate-plan-") as folder:  # ours alone: the state is in it
        file = kept or str(Path(folder) / "plan")
        printed = terraform.run("plan", "-input=false", f"-out={file}", *given)
        planned = json.loads(terraform.run("show", "-json", file))
        found = _review(planned, root)
        plainly = ["-no-color"] if _is_plain(options) else []
        terraform.hand_over("show", *plainly, file)
        for warning in WARNINGS.findall(printed):
            click.echo(f"\n{warning.rstrip()}")
        if verb == "plan" or not planned.get("applyable", True):
            return 0
        if "-auto-approve" not in options and not _approved(found):
            return 1
        return terraform.apply_saved(file, *(one for one in options if one.startswith(TO_APPLY)))


def _review(planned: dict[str, Any], root: Path) -> list[Deployment]:
    """It informs: what it cannot read stops nothing."""
    try:
        found = deployments(planned, root)
    except TidegateError as error:
        click.echo(f"What changes of policies and models cannot be told: {error}")
        return []
    show(found)
    return found


def _approved(found: list[Deployment]) -> bool:
    click.echo()
    for one in found:  # once more: a long plan has scrolled it away
        click.echo(headline(one))
    click.echo("Do you want to perform these actions? Only 'yes' is accepted.")
    try:
        answer = input("Enter a value: ")
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer.strip() == APPROVED:
        return True
    click.echo("\nApply cancelled.")
    return False


def _is_plain(options: Sequence[str]) -> bool:
    return "-no-color" in options or bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()
