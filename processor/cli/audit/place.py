"""Where the audit trail of an environment is, and how it is read: every version of every key, many at once.

AWS calls: sts:GetCallerIdentity; s3:ListBucketVersions, s3:GetObject and s3:GetObjectVersion on the audit and
the events bucket; dynamodb:Query and dynamodb:GetItem on the ledger table.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import click

from processor.aws import calling
from processor.cli.ahead import THREADS
from processor.errors import TidegateError, Transient
from processor.review.trail import Head, Name, Window

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "403"})

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY_BYTES_MAX: Final = 4_000_000  # of one link; a manifest of 500 rules has some 40,000
EVENTS_BYTES_MAX: Final = 512_000_000  # of one object of events: a batch of Lambda's is 6 MB, unpacked


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that stands, or stood, at one key."""

    key: str
    versions: tuple[str, ...]
    """Newest first: the last is the one that was created."""
    written: float
    """When that was, epoch seconds."""
    marker: str | None
    """The version of the marker that hides them all, if it was deleted."""


@dataclass(frozen=True, slots=True)
class Place:
    """The buckets and the table of one environment."""

    s3: Any
    dynamodb: Any
    audit_bucket: str
    events_bucket: str
    ledger_table: str

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """The names right under a prefix, of what was deleted too."""
        pages = self._pages(bucket, Prefix=prefix, Delimiter="/")
        found = (entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", []))
        return sorted({name.removeprefix(prefix).rstrip("/") for name in found})

    def policies(self) -> list[str]:
        """The names of all policies that wrote anything."""
        places = [(self.audit_bucket, "manifests/"), (self.audit_bucket, "policies/")]
        return sorted(
            {name for place in [*places, (self.events_bucket, "events/")] for name in self.folders(*place)}
        )

    def days(self, bucket: str, prefix: str, window: Window) -> list[str]:
        """The days right under a prefix that are in a window, newest first."""
        names = (name.removeprefix("dt=") for name in self.folders(bucket, prefix) if name.startswith("dt="))
        return sorted((name for name in names if name in window), reverse=True)

    def stacks(self, bucket: str, prefix: str) -> Iterator[Stack]:
        """All keys under a prefix, in order, each with all its versions."""
        entries = (entry for page in self._pages(bucket, Prefix=prefix) for entry in _entries(page))
        for key, stack in groupby(entries, key=lambda entry: str(entry["Key"])):
            standing = list(stack)
            versions = [entry for entry in standing if "Size" in entry]
            hidden = [entry["VersionId"] for entry in standing if entry["IsLatest"] and "Size" not in entry]
            if versions:
                yield Stack(
                    key,
                    tuple(entry["VersionId"] for entry in versions),
                    versions[-1]["LastModified"].timestamp(),
                    hidden[0] if hidden else None,
                )

    def read(self, bucket: str, key: str, version: str | None = None, most: int = BODY_BYTES_MAX) -> bytes:
        """The bytes of an object, or of one of its versions.

        Raises:
            Transient: S3 refused or did not answer; with the code `NoSuchKey` where nothing is.
            TidegateError: it is larger than anything that the gate writes.
        """
        which = {} if version in {None, "null"} else {"VersionId": version}
        with calling(f"s3:GetObject under {key.partition('/')[0]}/"):
            body: bytes = self.s3.get_object(Bucket=bucket, Key=key, **which)["Body"].read(most + 1)
        if len(body) > most:
            raise TidegateError(f"{key}: larger than {most:,} bytes: nothing that the gate writes is")
        return body

    def head(self, bucket: str, key: str) -> dict[str, Any] | None:
        """What S3 says of the object that stands at a key now; None if none does."""
        try:
            with calling(f"s3:HeadObject under {key.partition('/')[0]}/"):
                found: dict[str, Any] = self.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        except Transient as failure:
            if failure.code in {"404", "NoSuchKey"}:
                return None
            raise
        return found

    def heads(self, group: str) -> Iterator[tuple[Name, Head]]:
        """The heads of the chains of a group."""
        query: dict[str, Any] = {
            "TableName": self.ledger_table,
            "ConsistentRead": True,
            "KeyConditionExpression": "#stream = :stream",
            "ExpressionAttributeNames": {"#stream": "stream"},  # a reserved word
            "ExpressionAttributeValues": {":stream": {"S": f"chains/{group}"}},
        }
        while True:
            with calling("dynamodb:Query on the ledger"):
                page = self.dynamodb.query(**query)
            for item in page["Items"]:
                yield Name(group, item["intent"]["S"]), _head(item)
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def head_of(self, name: Name) -> Head | None:
        """The head of one chain, as it is now."""
        key = {"stream": {"S": f"chains/{name.group}"}, "intent": {"S": name.id}}
        with calling("dynamodb:GetItem on the ledger"):
            found = self.dynamodb.get_item(TableName=self.ledger_table, Key=key, ConsistentRead=True)
        return _head(found["Item"]) if "Item" in found else None

    def _pages(self, bucket: str, **what: Any) -> Iterator[dict[str, Any]]:
        while True:
            with calling("s3:ListObjectVersions"):
                page: dict[str, Any] = self.s3.list_object_versions(Bucket=bucket, **what)
            yield page
            if not page.get("IsTruncated"):
                return
            what["KeyMarker"] = page["NextKeyMarker"]
            if "NextVersionIdMarker" in page:
                what["VersionIdMarker"] = page["NextVersionIdMarker"]


def _entries(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Versions and markers of a page, by key, newest first; S3 gives each of the two kinds in this order."""
    return sorted(
        [*page.get("Versions", []), *page.get("DeleteMarkers", [])],
        key=lambda entry: (entry["Key"], not entry["IsLatest"]),
    )


def _head(item: dict[str, Any]) -> Head:
    def number(name: str) -> float:
        return float(item[name]["N"])

    return Head(
        links=int(item["links"]["N"]),
        sha256=bytes.fromhex(item["sha256"]["S"]),
        written=number("written_at"),
        expires=number("expires_at"),
    )


def connect(env: str, audit_bucket: str | None, events_bucket: str | None, ledger_table: str | None) -> Place:
    """The place of an environment by its names, each of which may be given instead.

    Raises:
        TidegateError: there are no credentials or no region, or STS did not say which account it is.
    """
    import boto3  # noqa: PLC0415  --help does not need it
    from botocore.config import Config  # noqa: PLC0415

    from processor.cli.functions import explained  # noqa: PLC0415

    config = Config(max_pool_connections=THREADS, retries={"mode": "standard", "total_max_attempts": 5})
    account = ""
    with explained("sts:GetCallerIdentity"):
        session = boto3.Session()
        s3, dynamodb = session.client("s3", config=config), session.client("dynamodb", config=config)
        if audit_bucket is None or events_bucket is None:
            account = session.client("sts", config=config).get_caller_identity()["Account"]
    return Place(
        s3=s3,
        dynamodb=dynamodb,
        audit_bucket=audit_bucket or f"tidegate-{env}-audit-{account}",
        events_bucket=events_bucket or f"tidegate-{env}-events-{account}",
        ledger_table=ledger_table or f"tidegate-{env}-ledger",
    )


def of_environment(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which environment, on a command that takes a `place`."""

    def placed(
        env: str | None,
        audit_bucket: str | None,
        events_bucket: str | None,
        ledger_table: str | None,
        **options: Any,
    ) -> None:
        if env is None and None in {audit_bucket, events_bucket, ledger_table}:
            raise click.UsageError("which environment? Say --env ENV, or name both buckets and the table.")
        try:
            command(place=connect(env or "", audit_bucket, events_bucket, ledger_table), **options)
        except Transient as failure:
            if failure.code not in DENIED:
                raise
            attach = f"attach the managed policy tidegate-{env or 'ENV'}-auditor to your role"
            raise TidegateError(f"not allowed: {failure}. To be allowed, {attach}.") from None

    placed.__name__, placed.__doc__ = command.__name__, command.__doc__
    placed.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    given = (
        click.option("--ledger-table", help="Instead of tidegate-ENV-ledger."),
        click.option("--events-bucket", help="Instead of tidegate-ENV-events-ACCOUNT."),
        click.option("--audit-bucket", help="Instead of tidegate-ENV-audit-ACCOUNT."),
        click.option("--env", envvar="TIDEGATE_ENV", help="The environment, as in terraform/environments/."),
    )
    decorated: Callable[..., None] = placed
    for option in given:
        decorated = option(decorated)
    return decorated


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that shows how far a command is."""

    progress: Any
    task: Any

    def steps(self, total: int) -> None:
        """Say how many steps there are."""
        self.progress.update(self.task, total=total)

    def reading(self, what: str, done: int) -> None:
        """Say what is being read, and how many steps more are done."""
        self.progress.update(self.task, description=what, advance=done)


@contextmanager
def progress(what: str) -> Iterator[Bar]:
    """A bar on stderr where a person watches; `what` its steps are."""
    from rich.console import Console  # noqa: PLC0415  --help does not need it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    description, unit = TextColumn("{task.description}"), TextColumn(what)
    columns = (description, BarColumn(), MofNCompleteColumn(), unit, TimeElapsedColumn())
    console = Console(stderr=True)
    hidden = not sys.stderr.isatty()
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=False) as bar:
        yield Bar(bar, bar.add_task("", total=None))
