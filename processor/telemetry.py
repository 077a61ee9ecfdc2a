"""What the gate says about its work: one line of JSON per batch, which is log and metrics at once.

CloudWatch reads the metrics out of the line (embedded metric format), so they cost no request:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

No value of a record is ever said, because nothing that could hold one can be: a line is made of counts,
durations, ids in the form that AWS gives them, names that the policy has, and sentences of `SAYABLE`. A text
that is none of these is left out, whoever passed it on.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from operator import index
from pathlib import Path
from secrets import token_hex
from socket import AF_INET, SOCK_DGRAM, socket
from time import perf_counter
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from processor.judge import Agreement
    from processor.ledger import Settled
    from processor.policy import Plan

NAMESPACE: Final = "Tidegate"
BY_VERSION: Final = ("Records", "EventsFlagged")
"""Told of each version besides: a canary has a small part of the stream, and would be lost in the whole."""
VERSION: Final = "AWS_LAMBDA_FUNCTION_VERSION"  # Lambda sets it; without it nothing is told by version
REASONS_MAX: Final = 20  # told per batch; the quarantine has them all
ROOT: Final = Path(__file__).parents[1]

Stage = Literal["decode", "people", "score", "sanitise", "settle", "profiles", "audit", "alerts"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)

COUNTS: Final = {
    "Records": "records",  # delivered, redeliveries included
    "EventsWritten": "written",
    "EventsFlagged": "flagged",
    "AlertsPublished": "alerts",  # at least once, so redeliveries included
    "RecordsQuarantined": "quarantined",
    "DuplicatesAvoided": "duplicates",
    "LeaksStopped": "leaks",
    "FieldsUnknown": "unknown",
    "ValuesMismatched": "mismatched",
    "ValuesOversized": "oversized",
    "ValuesErased": "erased",
    "PeopleForgotten": "forgotten",
    "FeaturesImputed": "imputed",
    "ProfilesMissed": "missed",  # entities whose profile could not be told of what was written
}
"""Metrics that tell a tally, with which."""
DECILES: Final = tuple(f"ScoreDecile{at}" for at in range(10))
"""Metrics of how many scores lie in each tenth, where a model scores. In training each has as many."""
SHADOW: Final = {"ShadowFlaggedToo": "both", "ShadowFlaggedAlone": "alone", "ShadowFlaggedNot": "missed"}
"""Metrics of an agreement, where a candidate judges beside the model in use, with which of it."""
DURATIONS: Final = {f"Duration{stage.title()}": stage for stage in STAGES}
METRICS: Final = {
    **dict.fromkeys((*COUNTS, "BatchesStopped", "ColdStart", *DECILES, *SHADOW, "ShadowBehind"), "Count"),
    **dict.fromkeys(("IteratorAge", *DURATIONS), "Milliseconds"),
}
"""Every metric of a batch, with its unit."""

HOLES: Final = {
    "type": "nothing|null|a boolean|a string|a list|a map|a number",
    "kind": "INSERT|MODIFY|REMOVE|BOOL|NULL|[BLMNS]|[BNS]S|bool|bytes|dict|frozenset|int|list|str|Decimal",
    "view": "set the view type of the table's stream to NEW_AND_OLD_IMAGES",
    "number": "[0-9]{1,3}(?:,?[0-9]{3})?",
    "folder": "events|manifests|policies|quarantine|records",
    "place": r"[A-Za-z_]\w{0,63} at (?:unknown|[\w./-]{1,200}\.py):[0-9]{1,5}",
    "code": r"[A-Za-z0-9_.]{1,64}",  # AWS's name for a failure, or botocore's
    "id": "[A-Za-z0-9+/=-]{1,128}",  # AWS's, of a request
}
"""What stands for what in the sentences: each either among few words or not of the records' making."""
CALLS: Final = (
    "dynamodb:BatchGetItem on profiles",
    "dynamodb:BatchGetItem on subjects",
    "dynamodb:GetItem on subjects",
    "dynamodb:PutItem on subjects",
    "dynamodb:PutItem on the ledger",
    "dynamodb:Query on the ledger",
    "dynamodb:UpdateItem on profiles",
    "dynamodb:UpdateItem on subjects",
    "kms:GenerateDataKey for quarantine",
    "kms:GenerateDataKey for values",
    "kms:GenerateMac for token key version {number}",
    "s3:HeadObject on events",
    "s3:GetObject on events",
    "s3:GetObject on the export",
    "s3:PutObject under {folder}/",
    "sns:Publish",
)
STOPS: Final = (
    *(f"{call}: {{code}}" for call in CALLS),
    *(f"{call}: {{code}} (request {{id}})" for call in CALLS),
    "dynamodb:BatchGetItem: keys left unprocessed {number} times",
    "ledger: more than {number} MB of intents after this batch",
    "ledger: {number} rounds without a free key, because other runs fence at once",
    "time ran out: {number} records are left",
    "{place}",
)
"""Why a batch stopped."""
REASONS: Final = (
    "B holds what is not base64",
    "N holds a number beyond DynamoDB's {number} digits or its range",
    "N holds what is not a number",
    "a record of the kind {kind} lacks this image: {view}",
    "a required field is missing",
    "a required field is missing: its parent is a {kind}",
    "a stream record must be a map, not {type}",
    "a value has a type that DynamoDB does not have",
    "a value must be a map with one type, not {type}",
    "an image is a map, not a {kind}",
    "another record of the batch has its event id",
    "another run holds it: under another policy it could not pass",
    "cannot be sanitised: {place}",
    "has more than the {number} attributes of limits.items",
    "is nested deeper than {number} levels",
    "is no event id",
    "is none of INSERT, MODIFY and REMOVE",
    "is not JSON in base64",
    "is not a sequence number",
    "is not the ARN of a table's stream",
    "is not the name of a table",
    "must be a map of attributes, not {type}",
    "must be an epoch time of the precision that is named",
    "must be a {kind}, not {type}",
    "must be epoch seconds",
    "the policy says on_remove: erase, and the key does not say who the person is",
    "the record names no item",
    "there is a field that no rule names",
    "{kind} holds {type}",
)
"""Why a record is in quarantine."""
SAYABLE: Final = {"stops": STOPS, "reasons": REASONS}
PARTS: Final = frozenset(
    {
        *("dynamodb", "Keys", "NewImage", "OldImage", "SequenceNumber", "ApproximateCreationDateTime"),
        *("eventID", "eventName", "eventSourceARN", "?"),
        *("kinesis", "data", "sequenceNumber", "approximateArrivalTimestamp", "tableName"),
    }
)
"""Names in the paths of errors that AWS gives; `?` is one that is not said."""
UNSAID: Final = "another reason"
UUID: Final = (8, 4, 4, 4, 12)
HEXADECIMAL: Final = frozenset("0123456789abcdef")


@dataclass(slots=True)
class Tally:
    """What became of one delivery of a batch. What an earlier delivery did is not counted again."""

    request_id: str = ""
    """Lambda's, of the call."""
    records: int = 0
    quarantined: int = 0
    written: int = 0
    duplicates: int = 0
    """Records whose events an earlier delivery, or another run, has written."""
    flagged: int = 0
    alerts: int = 0
    leaks: int = 0
    unknown: int = 0
    """Fields that no rule names."""
    mismatched: int = 0
    oversized: int = 0
    erased: int = 0
    """Values redacted because they are of a person who was erased."""
    forgotten: int = 0
    """People erased because of removals, those of earlier deliveries of the batch included."""
    imputed: int = 0
    missed: int = 0
    oldest: int | None = None
    """When the oldest change was made, epoch seconds; None if nothing could be decoded."""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Why records are in quarantine: (reason, path)."""
    stopped: str = ""
    """Why the batch has to come again; empty if it need not."""
    deciles: Sequence[int] = ()
    """Scores in each tenth, those of an earlier delivery included; nothing if nothing was scored."""
    spread: Sequence[Sequence[int]] = ()
    """Values in each bin of each of the model's features, then of the score; nothing without a baseline."""
    agreement: Agreement | None = None
    """Of the model in use with a candidate; None if there is none that has judged."""
    is_shadow_behind: bool = False
    """Whether a candidate could not judge the batch, or its profiles miss something of it."""
    names: frozenset[str] = frozenset()
    """The paths of the policy's rules: names that may be said."""
    durations: dict[Stage, float] = field(default_factory=dict)
    """Seconds in each stage that was entered."""
    clock: Callable[[], float] = perf_counter
    _stage: Stage | None = None
    _since: float = 0.0

    def begin(self, records: Sequence[Any], plan: Plan) -> None:
        """A batch of this many records comes to the gate of this policy."""
        self.records = len(records)
        self.names = frozenset(rule.path for rule in plan.rules)

    def enters(self, stage: Stage | None) -> None:
        """The batch enters a stage, and so leaves the one before; None: it leaves the gate."""
        now = self.clock()
        if self._stage is not None:
            self.durations[self._stage] = self.durations.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def add(self, settled: Settled) -> None:
        """Count an object of events, if this delivery created it."""
        if settled.stored.created:
            summary = settled.intent.summary
            self.written += summary["records"]
            self.flagged += summary["flagged"]
            self.imputed += summary["imputed"]
            for name in ("leaks", "unknown", "mismatched", "oversized", "erased"):
                setattr(self, name, getattr(self, name) + summary["notes"][name])


class Telemetry:
    """The gate's voice. `write` takes one line of text; in Lambda it is `print`."""

    def __init__(
        self,
        policy: str,
        model: str | None,
        clock: Callable[[], float],
        write: Callable[[str], Any],
        *,
        features: Sequence[str] = (),
        shadow: str | None = None,
    ) -> None:
        self._policy, self._model, self._features = policy, model, tuple(features)
        self._shadow = shadow
        self._clock, self._write = clock, write
        self._is_cold = True

    def batch(self, tally: Tally) -> None:
        """Say what became of a batch, and to X-Ray whose it was if the call is traced."""
        tally.enters(None)
        now = self._clock()
        numbers = self._numbers(tally, now)
        metrics = [{"Name": name, "Unit": METRICS[name]} for name in numbers]
        directives = [{"Namespace": NAMESPACE, "Dimensions": [["Policy"]], "Metrics": metrics}]
        if version := os.environ.get(VERSION):
            of_version = [one for one in metrics if one["Name"] in BY_VERSION]
            by = [["Policy", "Version"]]
            directives.append({"Namespace": NAMESPACE, "Dimensions": by, "Metrics": of_version})
        line = {
            "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": directives},
            "level": "ERROR" if tally.stopped else "WARN" if tally.reasons else "INFO",
            "message": f"stopped: {sayable(tally.stopped, 'stops')}" if tally.stopped else "passed",
            "request_id": tally.request_id if _is_uuid(tally.request_id) else "",
            "Policy": self._policy,
            "Model": self._model,
            **({"Version": version} if version else {}),
            **({"Shadow": self._shadow} if self._shadow else {}),
            **numbers,
            "quarantined": [
                {"reason": reason, "path": path, "count": index(count)}
                for (reason, path), count in _said(tally).most_common(REASONS_MAX)
            ],
            **self._drift(tally),
        }
        self._write(json.dumps(line, separators=(",", ":")))
        about = {"policy": self._policy, "model": self._model or "none", "records": numbers["Records"]}
        trace(os.environ, now - sum(tally.durations.values()), now, about, is_fault=bool(tally.stopped))
        self._is_cold = False

    def _numbers(self, tally: Tally, now: float) -> dict[str, int | float]:
        """Each metric by name, without what there is nothing to say of: a 0 would spoil averages."""
        numbers: dict[str, int | float] = {
            name: index(getattr(tally, attribute)) for name, attribute in COUNTS.items()
        }
        numbers["BatchesStopped"] = int(bool(tally.stopped))
        numbers["ColdStart"] = int(self._is_cold)
        if tally.deciles and not tally.stopped:
            numbers |= {name: index(count) for name, count in zip(DECILES, tally.deciles, strict=True)}
        if self._shadow and not tally.stopped:
            numbers["ShadowBehind"] = int(tally.is_shadow_behind)
            if (found := tally.agreement) is not None:
                numbers |= {name: index(getattr(found, part)) for name, part in SHADOW.items()}
        if tally.oldest is not None:
            numbers["IteratorAge"] = max(0, int((now - index(tally.oldest)) * 1000))
        for name, stage in DURATIONS.items():
            if stage in tally.durations:
                numbers[name] = round(tally.durations[stage] * 1000, 3)
        return numbers

    def _drift(self, tally: Tally) -> dict[str, Any]:
        """How features and scores are spread, for `tidegate model drift`; not of what has to come again."""
        if len(tally.spread) != len(self._features) + 1 or tally.stopped:
            return {}
        *features, score = [[index(count) for count in row] for row in tally.spread]
        return {"drift": {"score": score, "features": dict(zip(self._features, features, strict=True))}}


def _is_uuid(text: str) -> bool:
    """Whether it is in the form of Lambda's request ids. A pattern would have to be compiled first."""
    parts = text.split("-")
    return tuple(map(len, parts)) == UUID and HEXADECIMAL.issuperset("".join(parts))


def sayable(text: str, among: Literal["stops", "reasons"]) -> str:
    """The text, if it is one of these sentences of `SAYABLE`; words that say nothing if it is not."""
    return text if _sentences(among).fullmatch(text) else UNSAID


@cache  # compiled when it is first needed: in most environments it never is
def _sentences(among: Literal["stops", "reasons"]) -> re.Pattern[str]:
    def pattern(sentence: str) -> str:
        parts = re.split(r"\{(\w+)\}", sentence)
        return "".join(f"(?:{HOLES[part]})" if at % 2 else re.escape(part) for at, part in enumerate(parts))

    return re.compile("|".join(map(pattern, SAYABLE[among])), re.ASCII)


def _said(tally: Tally) -> Counter[tuple[str, str]]:
    said: Counter[tuple[str, str]] = Counter()
    if tally.reasons:
        known = PARTS.union(*map(_parts, tally.names))
        for (reason, path), count in tally.reasons.items():
            said[sayable(reason, "reasons"), path if _parts(path) <= known else "?"] += count
    return said


def _parts(path: str) -> set[str]:
    """The names in a path; as a whole it need not be a rule's, it may lead to where a rule is missing."""
    return set(re.split(r"[.\[\]]+", path)) - {""}


def trace(
    environ: Mapping[str, str], start: float, end: float, about: Mapping[str, str | float], *, is_fault: bool
) -> None:
    """Tell X-Ray of the work between two moments, if it samples this call: one datagram, never waited for.

    Without X-Ray's SDK, which a cold start would have to import:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

    Args:
        environ: of the function, as Lambda sets it for each call.
        start: epoch seconds, as is `end`.
        end: of the work.
        about: annotations, which traces are found by.
        is_fault: whether the work failed.
    """
    header = dict(part.partition("=")[::2] for part in environ.get("_X_AMZN_TRACE_ID", "").split(";"))
    host, _, port = environ.get("AWS_XRAY_DAEMON_ADDRESS", "").rpartition(":")
    if header.get("Sampled") != "1" or not {"Root", "Parent"} <= header.keys() or not port.isdecimal():
        return
    subsegment = {
        "name": "tidegate",
        "type": "subsegment",
        "id": token_hex(8),
        "trace_id": header["Root"],
        "parent_id": header["Parent"],
        "start_time": start,
        "end_time": end,
        "fault": is_fault,
        "annotations": about,
    }
    with suppress(OSError), socket(AF_INET, SOCK_DGRAM) as daemon:
        daemon.settimeout(0)
        daemon.sendto(b'{"format":"json","version":1}\n' + json.dumps(subsegment).encode(), (host, int(port)))


def place_of(error: BaseException) -> str:
    """Where an unexpected error arose and of which type: its text is left out, it may quote a value."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    own = [(Path(name), line) for name, line in frames if Path(name).is_relative_to(ROOT)]
    path, line = own[-1] if own else (Path("unknown"), 0)
    where = path.relative_to(ROOT) if path.is_absolute() else path
    return f"{type(error).__name__} at {where.as_posix()}:{line}"
