"""`tidegate policy check`: mistakes, with their places; what each field reveals; what standards object to."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.lines import unusable
from processor.cli.policy.sample import records
from processor.cli.policy.table import table
from processor.errors import Finding, PolicyError
from processor.policy.actions import ACTIONS
from processor.policy.kinds import keys_of, unknown_name
from processor.policy.source import SUFFIX, Source, read_source
from processor.review.coverage import Coverage, coverage
from processor.review.standards import available, read_standard, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.plan import Plan, Rule
    from processor.review.standards import Standard, Violation

FOLDER: Final = Path("policies")
COLUMNS: Final = ("exposure", "field", "action", "joins", "opens", "class", "options")

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@dataclass(slots=True)
class Report:
    """What there is to say about one policy file."""

    file: Path
    source: Source | None = None
    findings: list[Finding] = field(default_factory=list)
    violations: list[tuple[Violation, Finding]] = field(default_factory=list)
    """What the standards asked for find, each with where it is in the file."""
    coverage: Coverage | None = None

    @property
    def is_fine(self) -> bool:
        """Whether nobody has found anything."""
        return not self.findings and not self.violations


def _named_standards(
    _ctx: click.Context, _param: click.Parameter, names: tuple[str, ...]
) -> tuple[Standard, ...]:
    known = available()
    for name in names:
        if name not in known:
            problem = unknown_name(name, (), known, what="standard")
            raise click.BadParameter(f"{problem.message}. {problem.hint}")
    return tuple(read_standard(known[name]) for name in dict.fromkeys(names))


def _completed(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    return [name for name in available() if name.startswith(begun)]


def _list_standards(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click's
    if not wanted or ctx.resilient_parsing:
        return
    standards = [read_standard(path) for path in available().values()]
    click.echo("\n".join(table([(one.name, one.title, one.source) for one in standards])))
    ctx.exit()


@click.command()
@click.argument("files", type=_FILE, nargs=-1)
@click.option("--sample", type=_FILE, help="Raw records, as JSON Lines, to see what the rules meet in them.")
@click.option(
    "--standard",
    "standards",
    metavar="NAME",
    multiple=True,
    callback=_named_standards,
    shell_complete=_completed,
    help="Hold the policies against a standard too. May be given several times.",
)
@click.option(
    "--list-standards",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_standards,
    help="List the standards of policies/standards and exit.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def check(
    files: tuple[Path, ...], sample: Path | None, standards: tuple[Standard, ...], *, as_json: bool
) -> None:
    """Check policy FILES (all of policies/ without any) and print what each lets out, the most exposed first.

    With --sample, a rule that meets nothing in the records is a finding: a misspelled path masks nothing.
    With --standard, so is a rule that is more generous than the standard with fields of its class.
    Exit codes: 0 fine, 1 findings, 2 unusable input.

    \b
    Example: does every rule meet something in what the table really holds?
      tidegate policy check policies/payments.yaml --sample payments.jsonl
    Example: what would an assessor ask about?
      tidegate policy check --standard pci-dss-4 --standard gdpr
    """  # noqa: D301
    chosen = files or all_policies()
    if sample is not None and len(chosen) != 1:
        raise click.UsageError("--sample goes with one policy: name its file")
    for file in chosen:
        if not file.is_file():
            unusable(f"{file}: there is no such file")
    reports = [_report(file, sample, standards) for file in chosen]
    if as_json:
        answer = {"policies": [_plain(report, standards) for report in reports]}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo("\n".join(line for report in reports for line in _lines(report, standards)))
    if not all(report.is_fine for report in reports):
        sys.exit(FINDINGS)


def all_policies() -> tuple[Path, ...]:
    """The policies of the project that the command is called in; without any it ends."""
    # payments.examples.yaml and the like stand beside the policies.
    found = tuple(path for path in sorted(FOLDER.glob(f"*{SUFFIX}")) if "." not in path.stem)
    return found or unusable(f"no policies found in {FOLDER}/: name a file, or go to the project's folder")


def _report(file: Path, sample: Path | None, standards: tuple[Standard, ...]) -> Report:
    report = Report(file)
    try:
        report.source = read_source(file)
    except PolicyError as error:
        report.findings.extend(error.findings)
        return report
    for standard in standards:
        report.violations.extend(_located(report.source, standard))
    if sample is not None:
        report.coverage = coverage(report.source.plan, records(sample))
        if not report.coverage.records:
            unusable(f"{sample}: holds no record")
        report.findings.extend(_unmet(report.source, report.coverage))
    return report


def _located(source: Source, standard: Standard) -> list[tuple[Violation, Finding]]:
    """What a standard finds, in the order of the file."""
    found = [(one, source.finding(one.at, one.message, one.fix)) for one in violations(source.plan, standard)]
    return sorted(found, key=lambda pair: (pair[1].line, pair[1].column))


def _unmet(source: Source, met: Coverage) -> Iterator[Finding]:
    for index in met.unmet(source.plan):
        path = source.plan.rules[index].path
        near = get_close_matches(path, met.unnamed, n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]!r}? No rule names it." if near else "Is it spelled as in the table?"
        message = f"{path} meets nothing in {met.records:,} records of the sample"
        yield source.finding(source.plan.rules[index].at[:2], message, hint, on_key=True)


def _exposure(plan: Plan) -> list[dict[str, Any]]:
    """What each field shows, the most exposed first."""
    rows = [
        {
            "field": rule.path,
            "action": rule.action,
            "exposure": rule.exposure,
            "joins": ACTIONS[rule.action].joinable,
            "opens": ACTIONS[rule.action].reversible,
            "class": rule.options.data_class,
            "options": _options(rule),
        }
        for rule in plan.rules
    ]
    return sorted(rows, key=lambda row: -int(str(row["exposure"])))


def _options(rule: Rule) -> dict[str, Any]:
    """What a rule says beyond its action's defaults."""
    said = {
        name: getattr(rule.options, option.name)
        for name, option in keys_of(type(rule.options)).items()
        if getattr(rule.options, option.name) != option.default
    }
    said.pop("class", None)
    return said


def _plain(report: Report, standards: tuple[Standard, ...]) -> dict[str, Any]:
    findings = [asdict(finding) for finding in report.findings]
    findings += [
        {**asdict(finding), "standard": violation.standard, "clause": violation.clause}
        for violation, finding in report.violations
    ]
    answer: dict[str, Any] = {"file": str(report.file), "findings": findings}
    if report.source is not None:
        plan = report.source.plan
        answer |= {
            "policy": plan.name,
            "version": plan.version,
            "sha256": plan.sha256,
            "unknown": plan.unknown,
            "score": plan.score and asdict(plan.score),
            "purposes": [asdict(purpose) for purpose in plan.purposes],
            "on_remove": plan.on_remove,
            "exposure": _exposure(plan),
            "passes": [standard.name for standard in _passed(report, standards)],
        }
    if report.coverage is not None:
        answer["sample"] = {"records": report.coverage.records, "unnamed": dict(report.coverage.unnamed)}
    return answer


def _passed(report: Report, standards: tuple[Standard, ...]) -> list[Standard]:
    failed = {violation.standard for violation, _ in report.violations}
    return [standard for standard in standards if standard.name not in failed]


def _lines(report: Report, standards: tuple[Standard, ...]) -> Iterator[str]:
    yield from map(str, report.findings)
    yield from (str(finding) for _, finding in report.violations)
    if report.source is None:
        count = len(report.findings)
        yield f"{report.file}: {count} {'finding' if count == 1 else 'findings'}"
        return
    plan = report.source.plan
    yield f"{plan.name}, version {plan.version} ({report.file}, sha256 {plan.sha256[:12]}…)"
    if plan.score is None:
        yield "Not scored: no model reads any raw field."
    else:
        yield f"Grants the model {plan.score.model} these raw fields: {', '.join(plan.score.reads)}"
        yield f"Flags from {plan.score.flag_at} on; alerts: {plan.routes.sns.events}"
    for purpose in plan.purposes:
        rate = f"{purpose.values_per_hour:,} values an hour for each caller"
        yield f"Lets tokens be opened for {purpose.name}: {', '.join(purpose.fields)}; {rate}"
    if plan.on_remove == "erase":
        yield f"Erases the person whose record is removed, for good: {', '.join(plan.subject_fields)}"
    yield f"Fields that no rule names: {plan.unknown}"
    for standard in _passed(report, standards):
        yield f"Passes {standard.title}: nothing here goes against its {len(standard.clauses)} clauses"
    yield ""
    yield from table([COLUMNS, *map(_row, _exposure(plan))])
    yield ""
    if report.coverage is not None:
        yield f"{report.coverage.records:,} records of the sample; fields in them that no rule names:"
        unnamed = report.coverage.unnamed.most_common()
        yield from (f"  {path} ({count:,} times)" for path, count in unnamed)
        yield "" if unnamed else "  none"


def _row(shown: dict[str, Any]) -> tuple[str, ...]:
    words = {**shown, "class": shown["class"] or "", "options": _said(shown["options"])}
    words |= {name: "yes" if shown[name] else "" for name in ("joins", "opens")}
    return tuple(str(words[column]) for column in COLUMNS)


def _said(options: dict[str, Any]) -> str:
    texts = {
        name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in options.items()
    }
    return " ".join(f"{name}={text!r}" if " " in text else f"{name}={text}" for name, text in texts.items())
