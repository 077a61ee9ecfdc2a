"""The quarantine as a source: records that could not pass, opened with the operator's own powers.

Each object whose record is out gets a marker beside it, `<key>.replayed`, so that the next run skips it.

AWS calls: s3:ListBucket, s3:GetObject and s3:PutObject of `*.replayed` under `quarantine/<policy>/`;
kms:Decrypt through `Opener`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.cli.ahead import each
from processor.cli.functions import explained
from processor.cli.replay.opening import BODY_BYTES_MAX, Held, Opener, Unreadable
from processor.cli.replay.report import NOT_DONE, TOO_OLD, UNREADABLE, iso
from processor.cli.replay.sending import Outcome
from processor.errors import Transient
from processor.sinks import put_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.cli.replay.function import Function
    from processor.cli.replay.report import Report
    from processor.cli.replay.sending import Parcel, Sender, Told

MARK: Final = ".replayed"
MARK_SCHEMA: Final = "tidegate.replayed/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which objects are meant."""

    since: str = ""
    """Days, both included."""
    until: str = "9999"
    reason: str = ""
    """A part of it."""
    again: bool = False
    """Whether those are, too, that were let out before."""
    oldest: Callable[[], float]
    """What was put there earlier is not sent; epoch seconds."""


@dataclass(frozen=True, slots=True)
class _Seen:
    held: Held
    document: dict[str, str] | None = None
    parcel: Parcel | None = None
    flaw: str = ""


class Quarantine:
    """The quarantine of one policy."""

    unit = "objects"

    def __init__(self, function: Function, choice: Choice, report: Report) -> None:
        self._function, self._choice, self._report = function, choice, report
        self._policy = report.policy
        self._listed: list[Held] = []
        self._bucket = function.environ["QUARANTINE_BUCKET"]
        self._s3 = function.client("s3")
        table = function.feed().table_arn
        self._opener = Opener(function.client("kms"), function.environ["DATA_KEY_ARN"], report.policy, table)

    def begin(self, steps: Callable[[int], object]) -> None:
        """Find the objects that are meant as far as their names say; `steps` is told how many those are."""
        prefix = f"quarantine/{self._policy}/"
        found: dict[str, float] = {}
        with explained(f"s3:ListBucket on {self._bucket}", self._function.permit, env=self._function.env):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                found |= {one["Key"]: one["LastModified"].timestamp() for one in page.get("Contents", [])}
        chosen = []
        for key, written in found.items():
            if key.endswith(MARK):
                continue
            held = Held.named(key, written)
            if held is None:
                self._report.wrong(UNREADABLE, f"an object under {prefix}", "its name is none of the gate's")
            elif self._choice.since <= held.day <= self._choice.until:
                if key + MARK in found and not self._choice.again:
                    self._report.skipped += 1
                else:
                    chosen.append(held)
        self._listed = sorted(chosen, key=lambda held: held.order)
        steps(len(self._listed))

    def look(self, step: Callable[[], object]) -> None:
        """Count what would be sent, by what stands in the clear. Nothing is opened."""
        for seen in self._chosen(step, opens=False):
            if seen.document is not None:
                self._report.would[seen.document["reason"], seen.document["path"]] += 1

    def send(self, sender: Sender, step: Callable[[], object]) -> None:
        """Send them, and mark those that are out.

        Raises:
            TidegateError: the function or AWS is in trouble. What is marked is done.
        """
        who = self._function.who()
        chosen = self._chosen(step, opens=True)
        for told in sender.send(seen.parcel for seen in chosen if seen.parcel is not None):
            if told.outcome is Outcome.PASSED:
                self._mark(told, who)
            elif told.outcome is Outcome.UNDONE:
                for parcel in told.parcels:
                    self._report.wrong(NOT_DONE, parcel.place, told.why)

    def _chosen(self, step: Callable[[], object], *, opens: bool) -> Iterator[_Seen]:
        """What is to be sent; what cannot be is counted."""
        for seen in each(lambda held: self._see(held, opens=opens), self._listed):
            step()
            if seen.document is not None and self._choice.reason not in seen.document["reason"]:
                continue
            self._report.found += 1
            self._report.at(seen.held.written)
            if seen.flaw:
                self._report.wrong(UNREADABLE, seen.held.key, seen.flaw)
            elif seen.held.written < self._choice.oldest():
                self._report.wrong(TOO_OLD, seen.held.key)
            else:
                yield seen

    def _see(self, held: Held, *, opens: bool) -> _Seen:
        """The object, opened if it is meant and may be sent."""
        document = None
        try:
            with calling("s3:GetObject under quarantine/"):
                found: Any = self._s3.get_object(Bucket=self._bucket, Key=held.key)
                body = found["Body"].read(BODY_BYTES_MAX + 1)
            document = self._opener.document(body, held)
            is_meant = self._choice.reason in document["reason"] and held.written >= self._choice.oldest()
            parcel = self._opener.parcel(document, held) if opens and is_meant else None
            return _Seen(held, document, parcel)
        except (Unreadable, Transient) as failure:
            return _Seen(held, document, None, str(failure))

    def _mark(self, told: Told, who: str) -> None:
        about = {
            "schema": MARK_SCHEMA,
            "policy": self._policy,
            "function": f"{self._function.name}:{told.said.version}",
            "by": who,
            "at": iso(time.time()),
        }
        body = json.dumps(about).encode() + b"\n"

        def mark(parcel: Parcel) -> None:
            put_once(self._s3, self._bucket, parcel.place + MARK, body, ContentType="application/json")

        for _ in each(mark, told.parcels):
            pass
