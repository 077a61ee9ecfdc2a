"""One person's rights, exercised by the commands that people type, each under an identity of its own.

An investigator opens the token of an e-mail; a privacy officer has the person forgotten; the investigator's
token is dead from then on, and what the table still says of the person comes out without it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeSerializer

from processor.local.evidence import events_in
from processor.local.terraform import REPOSITORY
from processor.policy.actions.keyed import NORMAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.local.aws import Credentials
    from processor.local.mapping import EventSource
    from processor.local.stage import Stage

OPENING: Final = (
    "detokenize", "--env", "local", "--policy", str(REPOSITORY / "policies" / "payments.yaml"),
    "--purpose", "fraud_investigation", "--ticket", "FRD-1", "--fields", "email",
)  # fmt: skip
COMMAND: Final = (sys.executable, "-c", "from processor.cli import main; main()")
ENV: Final = "local"
FIELD: Final = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What came of it, step by step."""

    opened: bool
    """Whether the investigator's token opened to the raw value."""
    denied: bool
    """Whether IAM kept the investigator from erasing anybody."""
    receipt: dict[str, Any]
    verified: bool
    """Whether the receipt's signature is good."""
    status_after: str
    """What the same token answers after the erasure."""
    redacted_after: bool
    """Whether a new payment of the person came out without it, and the rest as ever."""
    audited: bool
    """Whether the audit trail is whole, both acts in it."""
    said: tuple[str, ...]
    """What the commands wrote to stderr, where one did not do what it should."""

    def problems(self) -> list[str]:
        """What did not go as it has to."""
        wrong = {
            "a token did not open for an investigator": not self.opened,
            "an investigator could erase somebody": not self.denied,
            "the receipt of an erasure is not signed": not self.verified,
            "a token of an erased person still opens": self.status_after != "erased",
            "an erased person's new record was not redacted": not self.redacted_after,
            "the audit trail is not whole": not self.audited,
        }
        return [text for text, found in wrong.items() if found]


@dataclass(slots=True)
class Terminal:
    """Somebody at a terminal, who types `tidegate` commands."""

    stage: Stage
    credentials: Credentials
    said: list[str] = field(default_factory=list)
    """What commands that failed wrote to stderr."""

    def types(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Run `tidegate …`: its exit code and what it printed."""
        environ = {"PATH": os.defpath, **self.stage.aws.environ(self.credentials)}
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=stdin, env=environ, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            self.said.append(f"{' '.join(arguments[:2])}: {done.stderr.strip()}")
        return done.returncode, done.stdout


def exercise(
    stage: Stage, source: EventSource, payment: dict[str, Any], event: dict[str, Any]
) -> tuple[Rights, bytes]:
    """Open, erase, try again, pay again, and verify: what came of it, and what the functions logged.

    Args:
        stage: with the function on the stream running.
        source: that delivers to it.
        payment: somebody's raw payment, and
        event: what came out of it.
    """
    said: list[str] = []
    callers = {name: stage.outputs[name]["caller_policy_arn"] for name in ("detokenize", "erase")}
    investigator = Terminal(stage, stage.aws.user("investigator", callers["detokenize"]), said)
    officer = Terminal(stage, stage.aws.user("privacy-officer", callers["erase"]), said)
    auditor = Terminal(stage, stage.aws.user("auditor", stage.outputs["auditor_policy_arn"]), said)
    who, line = str(payment["customer_id"]), json.dumps(event) + "\n"
    erasing = ("erase", "--env", ENV, "--subject", "-", "--reason", "GDPR Art. 17, case 7", "--yes")
    with stage.access() as functions, tempfile.TemporaryDirectory() as folder:
        receipt = Path(folder, "receipt.json")
        opened = _answer(investigator.types(*OPENING, stdin=line)[1])
        code, _ = investigator.types(*erasing, "--receipt", str(receipt), stdin=who)
        denied = code != 0 and not receipt.exists()
        officer.types(*erasing, "--receipt", str(receipt), stdin=who)
        verified, _ = auditor.types("audit", "receipt", str(receipt), "--env", ENV)
        after = _answer(investigator.types(*OPENING, stdin=line)[1])
        signed = json.loads(receipt.read_text()) if receipt.exists() else {}
        log = b"".join(function.log for function in functions)
    # Until the erasure is in force everywhere.
    time.sleep(float(stage.gate.configuration["Environment"]["Variables"]["SUBJECT_CACHE_SECONDS"]))
    again = pay_again(stage, source, payment, "again")["new"]
    audited, _ = auditor.types("audit", "verify", "--env", ENV)
    rights = Rights(
        opened=opened.get("value") == NORMAL["email"](payment[FIELD]),
        denied=denied,
        receipt=signed,
        verified=verified == 0,
        status_after=str(after.get("status", "opened")),
        redacted_after=again.get(FIELD) == "[redacted]"
        and again["customer_id"] == event["new"]["customer_id"],
        audited=audited == 0,
        said=tuple(said),
    )
    return rights, log


def _answer(lines: str) -> dict[str, Any]:
    """The first answer among JSON Lines."""
    answer: dict[str, Any] = json.loads(lines.splitlines()[0]) if lines.strip() else {}
    return answer


def pay_again(stage: Stage, source: EventSource, payment: dict[str, Any], name: str) -> dict[str, Any]:
    """The event of one more payment of the same person, with `name` at the end of its id."""
    more = {**payment, "payment_id": f"{payment['payment_id']}-{name}"}
    serialize = TypeSerializer().serialize
    item = {name: serialize(value) for name, value in more.items()}
    stage.aws.client("dynamodb").put_item(TableName=stage.stream["source_table"], Item=item)
    source.drain()
    paid = (event for event in events_in(stage) if event["new"])
    same = (event for event in paid if event["new"].get("payment_id") == more["payment_id"])
    return next(same, {"new": {}})


def most_telling(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The event to investigate: flagged if there is one, of an insertion, with a token."""
    opened = [
        event for event in events if event["new"] and str(event["new"].get(FIELD, "")).startswith("tok.")
    ]
    return max(opened, key=lambda event: bool(event["fraud"] and event["fraud"]["flagged"]), default={})
