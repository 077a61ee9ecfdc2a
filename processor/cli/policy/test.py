"""`tidegate policy test`: the examples that stand beside a policy, run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.lines import unusable
from processor.cli.policy.check import all_policies
from processor.errors import PolicyError
from processor.policy.source import SUFFIX, read_source
from processor.review import examples as beside
from processor.review.outcomes import label
from processor.review.shape import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.plan import Rule
    from processor.review.examples import Report, Result

FOLDER: Final = Path("policies")

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(name="test")
@click.argument("files", type=_FILE, nargs=-1)
@click.option("--show-values", is_flag=True, help="Show what differs even where it is as in the raw record.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def test(files: tuple[Path, ...], *, show_values: bool, as_json: bool) -> None:
    """Run the examples beside policy FILES (all of policies/ without any): raw record in, expected event out.

    Those of payments.yaml are in payments.examples.yaml. Rules that no example touches are listed.
    Exit codes: 0 all pass, 1 some fail, 2 no policy, no example, or one that cannot be read.

    \b
    Example: an edit of the policy says which promises it breaks.
      tidegate policy test policies/payments.yaml
    An example in policies/payments.examples.yaml:
      - name: A telephone number joins however it is written
        record: {payment_id: p1, customer_id: c1, phone: "+44 7700 900123"}
        event: {payment_id: p1, customer_id: <pseudonym>, phone: <pseudonym ann>}
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    reports = {file: _run(file) for file in files or all_policies()}
    if as_json:
        answer = {"policies": [_plain(file, report, show=show_values) for file, report in reports.items()]}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        lines = (line for file, report in reports.items() for line in _lines(file, report, show=show_values))
        click.echo("\n".join(lines))
    if not all(result.passed for report in reports.values() for result in report.results):
        sys.exit(FINDINGS)


def _run(file: Path) -> Report:
    examples = _examples_file(file)
    if not examples.is_file() and file.is_file():
        unusable(f"{file} has no examples: write some in {examples}")
    try:
        return beside.run(read_source(file).plan, beside.read_examples(examples))
    except PolicyError as error:
        unusable(f"the policy or its examples are unusable\n{error}")


def _examples_file(policy: Path) -> Path:
    return policy.with_name(policy.name.removesuffix(SUFFIX) + beside.SUFFIX)


def _lines(file: Path, report: Report, *, show: bool) -> Iterator[str]:
    results = report.results
    failed = sum(not result.passed for result in results)
    yield f"{report.plan.name}, version {report.plan.version}: {_examples_file(file)}"
    yield ""
    for result in results:
        mark = click.style("ok  ", fg="green") if result.passed else click.style("FAIL", fg="red", bold=True)
        yield f"  {mark}  {result.example.name}"
        yield from _differences(result, show=show)
    yield ""
    if report.untouched:
        yield "No example touches these rules:"
        yield from (f"  {_rule(rule)}" for rule in report.untouched)
        yield ""
    yield f"{counted(len(results), 'example')}: {len(results) - failed:,} passed, {failed:,} failed"


def _differences(result: Result, *, show: bool) -> Iterator[str]:
    for one in result.mismatches:
        expected, got = one.words(show=show)
        yield f"          {one.path or '(record)'}"
        yield f"            expected  {expected}"
        yield f"            got       {got}"


def _rule(rule: Rule) -> str:
    return f"{rule.path}: {label(rule)}" + (f" when {rule.when.text}" if rule.when else "")


def _plain(file: Path, report: Report, *, show: bool) -> dict[str, Any]:
    return {
        "file": str(file),
        "examples_file": str(_examples_file(file)),
        "policy": report.plan.name,
        "version": report.plan.version,
        "sha256": report.plan.sha256,
        "examples": [_plain_result(result, show=show) for result in report.results],
        "untouched": [_rule(rule) for rule in report.untouched],
    }


def _plain_result(result: Result, *, show: bool) -> dict[str, Any]:
    differing = [(one.path, *one.words(show=show)) for one in result.mismatches]
    return {
        "name": result.example.name,
        "passed": result.passed,
        "differences": [dict(zip(("field", "expected", "got"), one, strict=True)) for one in differing],
    }
