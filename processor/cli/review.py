"""`tidegate review`: what a Terraform plan changes of policies and models, by name and figures."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from processor.cli.policy.plan import plain as plain_comparison
from processor.cli.policy.plan import told as told_comparison
from processor.cli.policy.table import table
from processor.errors import PolicyError
from processor.review.deployment import Standing, deployments, policy_change, read_planned
from processor.review.differences import Verdict
from processor.review.figures import in_short, remarks, rows
from processor.review.shape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from processor.review.deployment import Deployment

ROOT: Final = Path(__file__).resolve().parents[2] / "terraform"


@click.command()
@click.argument("planned", type=click.File("rb"), default="-")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT,
    show_default="terraform/",
    help="The folder that the plan was made in.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def review(planned: IO[bytes], root: Path, *, as_json: bool) -> None:
    """Show what a plan of Terraform would change: the policy's exposure, and the model's figures.

    PLANNED is what `terraform show -json` says of a saved plan; stdin if it is not given. What is in force is
    in the state, what is to come in the zip that the plan names. `make plan` and `make apply` show the same.
    Exit codes: 0 whatever it shows, 2 unusable input.

    \b
    Example: what would this plan change? For a script.
      make plan ENV=staging OUT=/tmp/plan
      .venv/bin/python -m processor.local.terraform show staging -json /tmp/plan | tidegate review --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    found = deployments(read_planned(planned.read()), root)
    if as_json:
        click.echo(json.dumps({"streams": {one.stream: plain(one) for one in found}}, ensure_ascii=False))
    else:
        show(found)


def show(found: Iterable[Deployment]) -> None:
    """Tell people, on stdout."""
    text = "\n\n".join("\n".join(told(one)) for one in found) or "This plan changes no stream."
    click.echo(text, color=False if os.environ.get("NO_COLOR") else None)


def told(one: Deployment) -> Iterator[str]:
    """The lines about one stream."""
    yield headline(one)
    for note in one.notes:
        yield click.style(f"  {printable(note)}", fg="yellow")
    if one.standing not in {Standing.SAME, Standing.BACK} and one.new is not None:
        parts = [_policy(one), _model("model", one), _model("shadow", one)]
        for lines in map(list, parts):
            if lines:
                yield ""
                yield from (f"  {line}".rstrip() for line in lines)


def plain(one: Deployment) -> dict[str, Any]:
    """The same for scripts."""
    old, new = one.part("policy")
    change = None
    if old is not None and new is not None:
        with suppress(PolicyError):  # of a version that this one cannot read
            change = plain_comparison(*policy_change(old, new))
    return {
        "standing": one.standing.value,
        "changed": one.changed,
        "notes": list(one.notes),
        "policy": {"old": _without_text(old), "new": _without_text(new), "change": change},
        **{which: dict(zip(("old", "new"), one.part(which), strict=True)) for which in ("model", "shadow")},
    }


def headline(one: Deployment) -> str:
    """What becomes of a stream, in a line."""
    return click.style(f"{one.stream}: {_headline(one)}", bold=True)


def _headline(one: Deployment) -> str:
    names = _names(one.new or one.old)
    match one.standing:
        case Standing.FIRST:
            return f"first apply: {names}"
        case Standing.SAME:
            return f"no change: {names}"
        case Standing.BACK:
            return f"was rolled back, and would be in force again: {names}"
        case Standing.REMOVED:
            return f"is taken down: {names}"
        case Standing.UNKNOWN:
            return f"to come: {names}"
        case Standing.CHANGED:
            return f"changes: {', '.join(map(_part, one.changed, repeat(one))) or 'code alone'}"


def _part(name: str, one: Deployment) -> str:
    """A part that changes; of the policy, whether anything in it is wider."""
    old, new = one.part(name)
    if name != "policy" or old is None or new is None:
        return name
    try:
        wider = len(policy_change(old, new)[0].of(Verdict.WIDER))
    except PolicyError:
        return name
    return f"{name} ({wider:,} wider)" if wider else name


def _names(release: dict[str, Any] | None) -> str:
    if release is None:
        return "not known"
    policy = f"policy {release['policy']['name']}, version {release['policy']['version']}"
    models = {"model": release["model"], "shadow": release["shadow"]}
    return ", ".join([policy, *(f"{which} {model['id']}" for which, model in models.items() if model)])


def _policy(one: Deployment) -> Iterator[str]:
    """As `tidegate policy plan` tells it."""
    old, new = one.part("policy")
    if old is None or new is None:
        return
    if old == new:
        yield f"policy: as before ({new['name']}, version {new['version']})"
        return
    try:
        lines = told_comparison(*policy_change(old, new))
    except PolicyError as error:
        yield f"policy {new['name']}, version {old['version']} → {new['version']}: cannot be compared"
        yield from str(error).splitlines()
        return
    yield from _begun("policy", lines)


def _begun(word: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line if number else f"{word} {line}"


def _model(which: str, one: Deployment) -> Iterator[str]:
    """The figures of the model, in force beside to come; a shadow in a line."""
    old, new = one.part(which)
    if new is None:
        if old is not None:
            yield f"{which} {old['id']} → none"
        return
    if old == new:
        yield f"{which}: as before ({new['id']})"
        return
    if which == "shadow":
        yield f"{which} {' → '.join(in_short(model) for model in (old, new) if model)}"
        return
    yield f"{which} {' → '.join(model['id'] for model in (old, new) if model)}"
    columns = [rows(old), rows(new)] if old else [rows(new)]
    header = ("", "in force", "to come") if old else ("", "to come")
    lines = [(f"  {name}", *(column[name] for column in columns)) for name in rows(new)]
    yield from map(printable, table([header, *lines]))
    for remark in remarks(old, new):
        yield click.style(f"  {printable(remark)}", fg="red" if remark.startswith("Forced") else None)


def _without_text(policy: dict[str, Any] | None) -> dict[str, Any] | None:
    return policy and {name: value for name, value in policy.items() if name != "compiled"}
