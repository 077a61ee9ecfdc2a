"""`tidegate audit show`: the trail's answer for an event, a person or a field."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.audit.place import of_environment, progress
from processor.cli.audit.questions import find_event, of_field, of_person
from processor.cli.policy.table import table
from processor.policy import paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from processor.cli.audit.place import Place
    from processor.cli.audit.questions import Found, Version
    from processor.review.lineage import Traced

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_NAME: Final = re.compile(r"psn\.[A-Za-z][A-Za-z0-9_-]*\.\d+\.[A-Za-z0-9_-]{22}")
_TRACED: Final = ("field", "rule", "options", "values", "made")
_VERSIONS: Final = ("policy", "version", "sha256", "rule", "values", "manifests", "since", "until")
_RECORDS: Final = ("time", "what", "who", "why", "ticket", "fields", "record")


@click.command(name="show")
@of_environment
@click.option("--event", "event_id", help="The event_id of an event.")
@click.option(
    "--day", type=_DAY, help="With --event: the day that it is of (UTC); all, newest first, if not."
)
@click.option("--subject", "name", help="A person, by name: psn.…")
@click.option("--field", "path", help="A field, as the policy writes it.")
@click.option("--policy", help="With --event and --field: of this policy only.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def show(
    place: Place,
    *,
    event_id: str | None,
    day: datetime | None,
    name: str | None,
    path: str | None,
    policy: str | None,
    as_json: bool,
) -> None:
    """Answer one question: where is this event from, who touched this person, what was done to this field.

    For an event, each of its values is shown with the rule that made it and never as such. A person goes by
    the name that the gate gives: `tidegate erase --subject ID --dry-run` prints the names of a raw id. That
    is on the record, too: dry runs and refusals are listed apart from erasures.
    Exit codes: 0 answered, 1 nothing is found, or what is found proves nothing, 2 unusable input.

    \b
    Example: which rule of which version of the policy made what this event says?
      tidegate audit show --env prod --event 0f3a… --day 2026-11-23
    Example: was this person erased, and who read their values before?
      tidegate audit show --env prod --subject psn.customer_id.1.…
    Example: since when is the e-mail tokenized, and who opened it for what?
      tidegate audit show --env prod --field email --policy payments
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if sum(question is not None for question in (event_id, name, path)) != 1:
        raise click.UsageError("ask one thing: --event, --subject or --field")
    if event_id is not None:
        answer, lines, fine = _event(place, event_id, policy, day)
    elif name is not None:
        answer, lines, fine = _subject(place, name)
    else:
        answer, lines, fine = _field(place, path or "", policy)
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else "\n".join(lines))
    if not fine:
        sys.exit(FINDINGS)


Answer = tuple[dict[str, Any], "Iterator[str]", bool]
"""For programs, for people, and whether it proves anything."""


def _event(place: Place, event_id: str, policy: str | None, day: datetime | None) -> Answer:
    with progress("days") as bar:
        found = find_event(place, event_id, policy, day.date().isoformat() if day else None, bar.reading)
    if found is None:
        return (
            {"event": None},
            iter(["no event of this id is there: is it expired, or of another day?"]),
            False,
        )
    manifest = found.manifest or {}
    answer = {
        "event": event_id,
        **{part: found.event.get(part) for part in ("time", "type", "table", "sequence", "policy")},
        "model": (found.event.get("fraud") or {}).get("model"),
        "object": found.key,
        "manifest": manifest.get("chain"),
        "key_versions": manifest.get("key_versions"),
        "findings": found.findings,
        "lineage": [_plain_traced(one) for one in found.traced],
    }
    return answer, _event_lines(found, answer), not found.findings


def _event_lines(found: Found, answer: dict[str, Any]) -> Iterator[str]:
    policy, chain = answer["policy"] or {}, answer["manifest"] or {}
    yield f"{answer['event']}: {answer['type']} in {answer['table']}, {answer['time']}"
    yield f"  object    {found.key}"
    if chain:
        yield f"  manifest  link {chain.get('link')} of chain {chain.get('group')}/{chain.get('id')}"
    said = f"{policy.get('name')}, version {policy.get('version')}, sha256 {policy.get('sha256')}"
    yield f"  policy    {said}"
    if "key_version" in policy:
        yield f"  keys      version {policy['key_version']}"
    yield f"  model     {answer['model'] or 'none'}"
    yield ""
    if answer["lineage"]:
        rows = [tuple(str(one[column]) for column in _TRACED) for one in map(_row, answer["lineage"])]
        yield from table([_TRACED, *rows])
        yield ""
    if found.findings:
        yield from (f"Do not rely on it: {finding}" for finding in found.findings)
    else:
        yield "The object is what its manifest vouches for; `tidegate audit verify` vouches for the manifest."


def _plain_traced(one: Traced) -> dict[str, Any]:
    return {
        "field": one.path,
        "rules": [
            {"action": rule.action, "when": rule.when.text if rule.when else None, "options": _options(rule)}
            for rule in one.rules
        ],
        "values": dict(one.values),
        "made": dict(one.forms),
    }


def _row(one: dict[str, Any]) -> dict[str, str]:
    rules = one["rules"]
    return {
        "field": one["field"],
        "rule": " | ".join(
            rule["action"] + (f" when {rule['when']}" if rule["when"] else "") for rule in rules
        )
        or "none",
        "options": " | ".join(_said(rule["options"]) for rule in rules),
        "values": ", ".join(f"{count} {image}" for image, count in one["values"].items()),
        "made": ", ".join(f"{count} {form}" for form, count in one["made"].items()),
    }


def _subject(place: Place, name: str) -> Answer:
    if not _NAME.fullmatch(name):
        raise click.UsageError(
            "--subject takes the name of a person, psn.…: `tidegate erase --subject ID --dry-run` prints it"
        )
    with progress("days") as bar:
        names, found = of_person(place, name, bar.reading)
    told = [_plain_record(key, record) for key, record in found]
    answer = {
        "names": sorted(names),
        "records": [one for one in told if not _is_no_erasure(one)],
        "not_erased": [one for one in told if _is_no_erasure(one)],
    }
    return answer, _subject_lines(answer), True


def _is_no_erasure(record: dict[str, Any]) -> bool:
    """Whether an erasure was only tried out, or refused: it names the person, and nothing was done."""
    return record.get("kind") == "erase" and bool(record.get("dry_run") or record.get("refused"))


def _subject_lines(answer: dict[str, Any]) -> Iterator[str]:
    yield f"{answer['names'][0]}" + "".join(f"\n  also {name}" for name in answer["names"][1:])
    yield ""
    yield from _record_lines(answer["records"]) or ("No erasure and no detokenization names this person.",)
    if answer["not_erased"]:
        yield ""
        yield "Looked up for an erasure that was a dry run or was refused:"
        yield from _record_lines(answer["not_erased"])


def _plain_record(key: str, record: dict[str, Any]) -> dict[str, Any]:
    """What a record says, without the names of other people."""
    policies = record.get("policies") if record.get("kind") == "erase" else [record.get("policy")]
    fields = record.get("fields")
    if record.get("kind") == "erase":
        listed = [one.get("fields") for one in policies or [] if isinstance(one, dict)]
        fields = sorted({path for one in listed if isinstance(one, list) for path in one})
    parts = ("time", "kind", "who", "reason", "purpose", "ticket", "granted", "refused", "again", "dry_run")
    return {
        **{part: record[part] for part in parts if part in record},
        "fields": fields,
        "policies": policies,
        "record": key,
    }


def _record_lines(records: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        (
            str(one.get("time")),
            str(one.get("kind")) + _outcome(one),
            str(one.get("who")),
            str(one.get("purpose") or one.get("reason") or ""),
            str(one.get("ticket") or ""),
            _fields(one.get("fields")),
            one["record"],
        )
        for one in records
    ]
    return list(table([_RECORDS, *rows])) if rows else []


def _outcome(record: dict[str, Any]) -> str:
    """How a request ended, if nothing was done."""
    if record.get("refused") or not record.get("granted", True):
        return " (refused)"
    return " (dry run)" if record.get("dry_run") else ""


def _fields(fields: Any) -> str:
    if isinstance(fields, dict):
        return ", ".join(f"{path} ({count})" for path, count in fields.items())
    return ", ".join(map(str, fields)) if isinstance(fields, list) else ""


def _field(place: Place, path: str, policy: str | None) -> Answer:
    try:
        written = paths.render(paths.parse(path))
    except ValueError as mistake:
        raise click.UsageError(f"--field {path!r} is no path of a policy: {mistake}") from None
    with progress("days") as bar:
        versions, opened = of_field(place, written, policy, bar.reading)
    met = [one for one in versions if one.rule or one.values]
    answer = {
        "field": written,
        "versions": [_plain_version(one) for one in met],
        "detokenized": [_plain_record(key, record) for key, record in opened],
    }
    return answer, _field_lines(answer), bool(met or opened)


def _plain_version(one: Version) -> dict[str, Any]:
    return {
        "policy": one.policy,
        "version": one.version,
        "sha256": one.sha256,
        "rule": one.rule,
        "values": dict(one.values),
        "manifests": one.manifests,
        "since": one.since or None,
        "until": one.until or None,
    }


def _field_lines(answer: dict[str, Any]) -> Iterator[str]:
    if not answer["versions"]:
        yield f"No version of a policy names {answer['field']}."
    else:
        rows = [
            (
                one["policy"],
                str(one["version"]),
                f"{one['sha256'][:12]}…",
                " | ".join(_said(case) for case in one["rule"]) or "none: by `unknown`",
                ", ".join(f"{count:,} {action}" for action, count in one["values"].items()) or "0",
                f"{one['manifests']:,}",
                one["since"] or "never",
                one["until"] or "",
            )
            for one in answer["versions"]
        ]
        yield from table([_VERSIONS, *rows])
    yield ""
    yield from _record_lines(answer["detokenized"]) or ("Nobody detokenized it.",)


def _options(rule: Any) -> dict[str, Any]:
    """What a rule says beyond its action's defaults, its class with them."""
    from processor.policy.kinds import keys_of  # noqa: PLC0415  --help does not need it

    return {
        name: getattr(rule.options, option.name)
        for name, option in keys_of(type(rule.options)).items()
        if getattr(rule.options, option.name) != option.default
    }


def _said(options: dict[str, Any]) -> str:
    """Options as a policy writes them; those that say nothing are left out."""
    return " ".join(
        str(value) if name == "action" else f"{name}={_word(value)}"
        for name, value in options.items()
        if value not in (None, False, "none", [], ())
    )


def _word(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
