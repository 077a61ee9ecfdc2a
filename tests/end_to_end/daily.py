"""The data scientist's daily path, from a clone: train, deploy, train anew on what came out, release.

python -m tests.end_to_end.daily

It is run in a clone that it may change (`clone` makes one), where the policy keeps features and a label takes
two days. Fifty days of a small world go by, after four weeks in which it gets going, and the gate is there
from the first. Every step is a command that somebody would type. Prints one JSON object of what came of it.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from boto3.dynamodb.types import TypeSerializer

from models.simulator import Recipe, simulate
from processor.local.emulator import architecture
from processor.local.stage import PACKAGE, PYTHON, standing
from processor.telemetry import SHADOW
from tests.end_to_end.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from processor.local.delivery import Answer
    from processor.local.emulator import Function
    from processor.local.stage import Stage

ROOT: Final = Path(__file__).parents[2]
START: Final = datetime(2026, 9, 1, tzinfo=UTC)
BURN_IN: Final = 28
DAYS: Final = 50
WORLD: Final = Recipe(
    customers=90,
    terminals=60,
    days=BURN_IN + DAYS,
    compromised_terminals_per_day=0.1,
    compromised_customers_per_day=0.1,
)
SEED: Final = 11
LABEL_DAYS: Final = 2
AT_ONCE: Final = 25  # of one BatchWriteItem
BATCH: Final = 1_000  # moto takes one update of a profile after the other: the more in a batch, the fewer
DAY_S: Final = 86_400
FRAUD: Final = "chargeback"
KINDS: Final = ("approved", "declined")
TIDEGATE: Final = str(Path(sys.executable).with_name("tidegate"))
MODEL: Final = "models/payments_fraud"
CANDIDATE: Final = ".build/candidate"
COUNTED: Final = ("Records", "EventsWritten", "EventsFlagged", "ProfilesMissed", *SHADOW, "ShadowBehind")


def clone(folder: Path) -> None:
    """What is committed or lies there to be, with the edits that this path needs, and tools already built."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".build").mkdir()
    for name in ("wheels", "runtime"):  # hours of nobody's time: they depend on lock files alone
        (ROOT / ".build" / name).mkdir(parents=True, exist_ok=True)
        (folder / ".build" / name).symlink_to(ROOT / ".build" / name)
    _edit(
        folder / "policies" / "payments.yaml",
        ("equals: chargeback, after_days: 7}", f"equals: chargeback, after_days: {LABEL_DAYS}}}"),
        ("  flag_at: p99.5 ", "  keep_features: true\n  flag_at: p95.0 "),
        ("    events: flagged ", "    events: none "),  # which are in the other tests, and cost moto its time
    )
    _edit(
        folder / "models" / "payments_fraud" / "model.yaml",
        ("equals: chargeback, after_days: 7}", f"equals: chargeback, after_days: {LABEL_DAYS}}}"),
        ("card: customer_id\n", ""),
        ("flag_at: p99.5, at_most: 0.02", "flag_at: p95.0, at_most: 0.2"),
    )


def _edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, (path, old)
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def day(number: int) -> float:
    """When a day of the world begins, the first is 1: epoch seconds."""
    return START.timestamp() + (number - 1) * DAY_S


def date(number: int) -> str:
    return f"{datetime.fromtimestamp(day(number), UTC):%Y-%m-%d}"


def payments() -> list[dict[str, Any]]:
    """The payments of the days, in order, with whom they are of; `fraud` says what nobody knows yet."""
    first = datetime.fromtimestamp(day(1) - BURN_IN * DAY_S, UTC)
    world = simulate(WORLD, seed=SEED, start=first).since(BURN_IN)
    chance = random.Random(SEED)
    people = [
        {
            "email": f"customer{at}@example.org",
            "name": f"Customer {at}",
            "birth_date": f"{chance.randint(1940, 2004)}-05-17",
            "address": {"country": chance.choice(["DE", "FR", "US"]), "postcode": "10115"},
        }
        for at in range(WORLD.customers)
    ]
    columns = (
        world.created_at.astype("datetime64[s]").astype(np.int64), world.customer_id, world.terminal_id,
        world.cents, world.fraud,
    )  # fmt: skip
    return [
        {
            "payment_id": f"p-{row:06d}",
            "created_at": f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "customer_id": f"C{customer:04d}",
            "terminal_id": f"T{terminal:04d}",
            "amount": Decimal(cents).scaleb(-2),
            "status": chance.choices(KINDS, (96, 4))[0],
            **people[customer],
            "fraud": fraud,
        }
        for row, (time, customer, terminal, cents, fraud) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    ]


def when(payment: dict[str, Any]) -> float:
    """When something is written to the table: as it is made, or as it comes back. Epoch seconds."""
    made = datetime.fromisoformat(payment["created_at"]).timestamp()
    return made + LABEL_DAYS * DAY_S * (payment["status"] == FRAUD)


def changes(known: list[dict[str, Any]], first: int, end: int) -> list[dict[str, Any]]:
    """The table's writes of some days: payments as they are made, frauds as they come back."""
    written = [{name: value for name, value in one.items() if name != "fraud"} for one in known]
    back = [{**made, "status": FRAUD} for made, one in zip(written, known, strict=True) if one["fraud"]]
    of_days = [one for one in [*written, *back] if day(first) <= when(one) < day(end)]
    return sorted(of_days, key=when)


def types(*words: str, environ: dict[str, str] | None = None) -> str:
    """What a command prints. All that it says is told if it fails."""
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **(environ or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def tidegate(*words: str, environ: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON that a command of ours answers with."""
    answer: dict[str, Any] = json.loads(types(TIDEGATE, *words, "--json", environ=environ))
    return answer


def walk() -> dict[str, Any]:
    """The whole path."""
    known = payments()
    with standing(Silent()) as stage:
        environ = stage.aws.environ() | {"AWS_REGION": stage.aws.region}
        events = f"s3://{stage.outputs['buckets']['events']}/events/payments/"
        said = {"before": stream(stage, changes(known, 1, 31))}

        exported = export([one for one in known if when(one) < day(31)])
        said["trained"] = tidegate(*trains(exported, 8, 23))
        said["released"] = tidegate(*releases(exported, 25, 31))
        types(TIDEGATE, "package", "--host")
        said["used"] = stream(redeployed(stage), changes(known, 31, 41))

        said["trained_again"] = tidegate(*trains(events, 8, 39), environ=environ)
        types(TIDEGATE, "package", "--host", "--shadow", CANDIDATE)
        said["shadowed"] = stream(redeployed(stage), changes(known, 41, 51 + LABEL_DAYS))

        said["released_again"] = tidegate(*releases(events, 41, 51), environ=environ)
        types(TIDEGATE, "package", "--host")
        said["plan"], released = applied(stage)
        said["afterwards"] = stream(released, changes(known, 50, 51)[:1])
    return said


def export(known: list[dict[str, Any]]) -> str:
    """Raw records as somebody exported them: in the form that they had in the end."""
    name = "history.jsonl.gz"
    with gzip.open(ROOT / name, "wt", encoding="utf-8") as file:
        for one in known:
            status = FRAUD if one["fraud"] else one["status"]
            file.write(json.dumps({**one, "amount": float(one["amount"]), "status": status}) + "\n")
    return name


def trains(data: str, first: int, end: int) -> tuple[str, ...]:
    period = ("--from", date(first), "--to", date(end))
    return ("model", "train", MODEL, "--data", data, *period, "--out", CANDIDATE)


def releases(data: str, first: int | None = None, end: int | None = None) -> tuple[str, ...]:
    period = () if first is None or end is None else ("--from", date(first), "--to", date(end))
    return ("model", "release", CANDIDATE, MODEL, "--data", data, *period)


def applied(stage: Stage) -> tuple[str, Stage]:
    """What `make apply` prints, a plan under what it changes, and the stage after it."""
    variables = (f"-var=runtime=python{PYTHON}", f"-var=architecture={architecture()}", "-auto-approve")
    apply = ("processor.local.terraform", "apply", "local", *variables)
    return types(sys.executable, "-m", *apply, environ=stage.aws.environ()), running(stage)


def redeployed(stage: Stage) -> Stage:
    """The stage after `terraform apply`."""
    stage.terraform.run("apply", "-auto-approve", "-input=false", "-refresh=false")
    return running(stage)


def running(stage: Stage) -> Stage:
    """The stage, running what was packaged."""
    folder = Path(tempfile.mkdtemp(dir=ROOT))
    with zipfile.ZipFile(PACKAGE) as zipped:
        zipped.extractall(folder)
    now = stage.by_now()
    return replace(now, gate=replace(now.gate, folder=folder))


class Dated:
    """The function, told of each change as if it came at its own time: moto has but one clock, ours."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def invoke(self, delivery: dict[str, Any]) -> Answer:
        for record in delivery["Records"]:
            image = record["dynamodb"]["NewImage"]
            record["dynamodb"]["ApproximateCreationDateTime"] = when(
                {"created_at": image["created_at"]["S"], "status": image["status"]["S"]}
            )
        return self._function.invoke(delivery)


def stream(stage: Stage, written: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Write to the table, deliver, and add up what the function says of it."""
    serialize, dynamodb = TypeSerializer().serialize, stage.aws.client("dynamodb")
    with stage.function() as function:
        dated: Any = Dated(function)
        mapping = stage.stream["mapping_id"]
        stage.aws.client("lambda").update_event_source_mapping(UUID=mapping, BatchSize=BATCH)
        source = stage.event_source(dated)
        source.skip_what_is_there()
        puts = [
            {"PutRequest": {"Item": {name: serialize(value) for name, value in item.items()}}}
            for item in written
        ]
        for at in range(0, len(puts), AT_ONCE):
            dynamodb.batch_write_item(RequestItems={stage.stream["source_table"]: puts[at : at + AT_ONCE]})
        source.drain()
        log = function.log.decode()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"')]
    told = {name: sum(line.get(name, 0) for line in lines) for name in COUNTED}
    return told | {"models": sorted({line["Model"] for line in lines}), "done": source.tally.done}


if __name__ == "__main__":
    print(json.dumps(walk()))  # noqa: T201
