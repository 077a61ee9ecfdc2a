"""`tidegate detokenize`: tokens in, values out, for a purpose and on the record."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

import click

from processor.cli import FINDINGS, UNUSABLE
from processor.cli.functions import Functions, env_option
from processor.cli.lines import numbered, parsed, report, unusable
from processor.cli.picking import as_text, picker
from processor.errors import Poison, PolicyError, TidegateError
from processor.event import dumps
from processor.policy.source import read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from processor.policy import Plan

TOKENS_MAX: Final = 100  # of one request
REQUEST_CHARACTERS_MAX: Final = 4_000_000  # Lambda takes 6 MB, and escapes grow
PARTS: Final = ("field", "token", "subject", "event_id", "version")

Item = dict[str, Any]


@click.command()
@env_option()
@click.option("--policy", required=True, help="The policy's name; for whole events, its YAML file.")
@click.option("--purpose", required=True, help="One of the policy's `purposes`.")
@click.option("--ticket", required=True, help="The case that it is for, as DSP-4711: no spaces.")
@click.option("--fields", help="The input is whole events: open these fields of each, as email,card.number.")
@click.option("--field", "path", help="With --token: the field that it stood in.")
@click.option("--token", help="Open this one token instead of reading stdin.")
@click.option(
    "--subject",
    help="If the field goes by the person: their name (psn.…), or id if that is a text or a number; of all "
    "that is read, where the lines and events do not say it.",
)
@click.option("--event-id", help="With --token: of the event that it stood in, if the field is encrypted.")
@click.option("--key-version", type=int, help="Under which fields of fpe were made, if there are several.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path),
    help="Write here instead of to stdout: a new file that nobody else can read.",
)  # fmt: skip
@click.option("--show", is_flag=True, help="Let values be printed on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Tell the counts as one JSON object, on stderr.")
def detokenize(
    *, env: str, policy: str, purpose: str, ticket: str, fields: str | None, path: str | None,
    token: str | None, subject: str | None, event_id: str | None, key_version: int | None, out: Path | None,
    show: bool, as_json: bool,
) -> None:  # fmt: skip
    """Open tokens for a purpose of the policy. Who, why, which fields and how many goes into the audit trail.

    Reads JSON Lines {"field", "token", "subject"?, "event_id"?} or, with --fields, whole events of the feed;
    of an event it takes the new image, or the old one of a removal. Writes JSON Lines {"event_id"?, "field",
    "value"} in that order, or {"status": "erased"} for a person who was erased and {"status": "invalid"} for
    what is no token of this policy; then the exit code is 1. It is 2 if the function refuses: what was opened
    until then is written, and nothing more is asked. A person whose id is binary goes by the name alone.

    \b
    Example: one token, and a field of all events of a file
      tidegate detokenize --env prod --policy payments --purpose dispute --ticket DSP-4711 --show \\
        --field email --token tok.email.1.… --subject psn.customer.1.…
      zcat events.jsonl.gz | tidegate detokenize --env prod --policy policies/payments.yaml \\
        --purpose dispute --ticket DSP-4711 --fields email --out opened.jsonl
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if out is None and not show and _on_terminal(sys.stdout):
        unusable("values would be printed on the terminal: give --out FILE, or --show if that is meant")
    name, plan = _policy(policy)
    tally = _Tally()
    if token is not None:
        item = {"field": path, "token": token, "subject": subject, "event_id": event_id}
        if path is None:
            unusable("--token needs --field")
        items: Iterable[Item] = [{part: value for part, value in item.items() if value is not None}]
    else:
        items = _read(_picks(plan, fields, subject), tally)
    if key_version is not None:
        items = ({**item, "version": key_version} for item in items)
    asking = {"policy": name, "purpose": purpose, "ticket": ticket}
    with _Sink(out) as sink:
        try:
            functions = Functions(env)
            for batch in batches(items, _portion(plan, purpose)):
                tokens = [{part: item[part] for part in PARTS if part in item} for item in batch]
                answer = functions.call("detokenize", {**asking, "tokens": tokens})
                tally.records.append(answer["record"])
                for item, value in zip(batch, answer["values"], strict=True):
                    sink.write(dumps(_line(item, value)) + "\n")
                    tally.outcomes[value.get("status", "opened")] += 1
                tally.progress()
        except TidegateError as trouble:
            click.echo(f"tidegate: {trouble}", err=True)
            tally.stopped = True
    if tally.records or not tally.stopped:
        tally.tell(as_json=as_json)
    sys.exit(UNUSABLE if tally.stopped else FINDINGS if tally.failed or tally.closed else 0)


@dataclass(slots=True)
class _Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    """Lines that could not be read."""
    records: list[dict[str, str]] = field(default_factory=list)
    stopped: bool = False
    """Before all was asked for."""

    @property
    def closed(self) -> int:
        """How many tokens did not open."""
        return self.outcomes["erased"] + self.outcomes["invalid"]

    def progress(self) -> None:
        if _on_terminal(sys.stderr):
            click.echo(f"\r{self.outcomes.total():,} tokens", err=True, nl=False)

    def tell(self, *, as_json: bool) -> None:
        counts = {name: self.outcomes[name] for name in ("opened", "erased", "invalid")}
        if as_json:
            told = {**counts, "unreadable_lines": self.failed, "records": self.records}
            told["stopped"] = self.stopped
            click.echo(json.dumps(told), err=True)
            return
        said = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        start = "\r" if _on_terminal(sys.stderr) else ""
        rest = "; the rest was not asked for" if self.stopped else ""
        click.echo(f"{start}{said}; {len(self.records)} records in the audit trail{rest}", err=True)


def _portion(plan: Plan | None, purpose: str) -> int:
    """How many tokens to ask for at once: what is over the hour's limit is refused as a whole."""
    limits = [one.values_per_hour for one in plan.purposes if one.name == purpose] if plan else []
    return min([TOKENS_MAX, *limits])


def batches(items: Iterable[Item], most: int = TOKENS_MAX) -> Iterator[list[Item]]:
    """The tokens in portions of what one request may hold, at most so many."""
    batch: list[Item] = []
    characters = 0
    for item in items:
        size = len(item["token"]) if isinstance(item.get("token"), str) else 0
        if batch and (len(batch) == most or characters + size > REQUEST_CHARACTERS_MAX):
            yield batch
            batch, characters = [], 0
        batch.append(item)
        characters += size
    if batch:
        yield batch


def _policy(policy: str) -> tuple[str, Plan | None]:
    if not policy.endswith((".yaml", ".yml")):
        return policy, None
    try:
        plan = read_source(Path(policy)).plan
    except PolicyError as error:
        unusable(f"the policy is unusable\n{error}")
    return plan.name, plan


def _picks(
    plan: Plan | None, fields: str | None, person: str | None
) -> Callable[[dict[str, Any]], Iterable[Item]]:
    if fields is None:
        about = {} if person is None else {"subject": person}
        return lambda line: [{**about, **item} for item in _token_object(line)]
    if plan is None:
        unusable("--fields reads whole events by the policy: give --policy as its YAML file")
    return picker(plan, [path.strip() for path in fields.split(",")], person)


def _token_object(line: dict[str, Any]) -> Iterable[Item]:
    if unknown := line.keys() - set(PARTS):
        hint = "" if "new" not in unknown else ": is it a whole event? Then say which --fields"
        raise Poison(f"is not an object of {', '.join(PARTS)}{hint}")
    if not isinstance(line.get("field"), str) or not isinstance(line.get("token"), str):
        raise Poison("lacks a field or a token")
    if "subject" in line:
        line["subject"] = as_text(line["subject"])
    return [line]


def _read(picks: Callable[[dict[str, Any]], Iterable[Item]], tally: _Tally) -> Iterator[Item]:
    if _on_terminal(sys.stdin):
        unusable("reads JSON Lines on stdin: pipe them in, or give --field and --token")
    for number, line in numbered(sys.stdin.buffer):
        try:
            yield from picks(parsed(line))
        except Poison as poison:
            report(number, poison)
            tally.failed += 1


def _line(item: Item, value: dict[str, Any]) -> dict[str, Any]:
    if value.get("type") == "number":
        value = {"value": Decimal(value["value"])}
    about = {"event_id": item["event_id"]} if "event_id" in item else {}
    return {**about, "field": item["field"], **value}


def _on_terminal(stream: TextIO) -> bool:
    return stream.isatty()


class _Sink:
    """Where values go: stdout, or a new file that is there as soon as there is one."""

    def __init__(self, out: Path | None) -> None:
        self._out, self._stream = out, None if out else sys.stdout
        if out is None:
            return
        if os.path.lexists(out):
            unusable(f"{out} is there already: values go into a new file only")
        if not os.access(out.parent, os.W_OK | os.X_OK):
            unusable(f"{out}: cannot be written: is its folder there, and yours?")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_trouble: object) -> None:
        if self._out is not None and self._stream is not None:
            self._stream.close()

    def write(self, text: str) -> None:
        """Write some of the answer.

        Raises:
            TidegateError: the file cannot be made.
        """
        if self._stream is None:
            assert self._out is not None, "else there is a stream"  # noqa: S101
            try:
                descriptor = os.open(self._out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except OSError as error:
                raise TidegateError(f"{self._out}: cannot be written: {error.strerror}") from None
            self._stream = os.fdopen(descriptor, "w", encoding="ascii")
        self._stream.write(text)
