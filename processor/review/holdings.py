"""Where what a policy is about lies, for how long, and who can read it: by it and Terraform's outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy import Plan

NOT_KNOWN: Final = "not known without --outputs"
HOW: Final = "make it with: python -m processor.local.terraform output ENV -json"


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is taken of Terraform's outputs."""

    values: dict[str, Any]

    @property
    def regions(self) -> tuple[str, ...]:
        """Where the data may lie."""
        return tuple(self.values["data_residency"])

    def role(self, name: str) -> str:
        """The managed policy of an output, by its name; empty where the environment has none."""
        return str(self.values.get(name) or "").rpartition("/")[2]

    def streams(self, policy: str) -> dict[str, Any]:
        """The streams that a policy is applied to."""
        return {name: one for name, one in self.values["streams"].items() if one["policy"] == policy}

    def hold(self, policy: str) -> str:
        """Why and until when nothing of a policy expires; empty where all does."""
        held = (self.values.get("legal_hold") or {}).get(policy)
        if held is None:
            return ""
        until = f", until {held['until']}" if held.get("until") else ""
        return f"legal hold: {held['reason']}{until}"


def read_outputs(text: str, file: str) -> Outputs:
    """The outputs that `terraform output -json` printed.

    Raises:
        TidegateError: they are none of this project's.
    """
    try:
        values = {name: one["value"] for name, one in json.loads(text).items()}
        outputs = Outputs(values)
        _ = [
            outputs.regions,
            outputs.hold(""),
            values["detokenize"]["caller_policy_arn"],
            values["buckets"]["events"],
        ]
        _ = [(one["policy"], one["role_arn"], one["source_table"]) for one in values["streams"].values()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"({type(error).__name__}: {error})"
        raise TidegateError(f"{file}: holds no outputs of terraform/ {said}; {HOW}") from error
    return outputs


@dataclass(frozen=True, slots=True)
class Holding:
    """One place that holds something of the records."""

    name: str
    where: str
    holds: str
    kept: str
    readers: str
    hold: str = ""
    """Why it is kept for longer."""


def holdings(plan: Plan, outputs: Outputs | None) -> Iterator[Holding]:
    """Each place, in the order in which a record meets them."""
    days, known = plan.retention_days, outputs or Outputs({"streams": {}, "data_residency": ()})
    streams, buckets = known.streams(plan.name), known.values.get("buckets", {})
    hold = known.hold(plan.name)

    def where(place: str) -> str:
        return place if outputs else NOT_KNOWN

    def bucket(name: str, folder: str) -> str:
        return where(f"s3://{buckets.get(name)}/{folder}/{plan.name}/")

    def read_by(*readers: str) -> str:
        return ", ".join(filter(None, readers)) if outputs else NOT_KNOWN

    def kept(number: int) -> str:
        return f"{number:,} days{f'; not now, {hold}' if hold else ''}"

    roles = [one["role_arn"].rpartition("/")[2] for one in streams.values()]
    tables = ", ".join(one["source_table"] for one in streams.values())
    yield Holding(
        "source table", where(tables or "no stream has this policy"), "raw records",
        "as its owner says; the stream itself for a day", read_by(*roles),
    )  # fmt: skip
    for one in streams.values():
        if found := one.get("data_stream"):
            hours = found["retention_hours"]
            yield Holding(
                "data stream", where(found["arn"]), "raw records",
                f"{hours:,} hours" if hours else "as its owner says",
                read_by(*roles, "whoever else may read the data stream"),
            )  # fmt: skip
    yield Holding(
        "events", bucket("events", "events"), "sanitised events", kept(days.events),
        read_by(known.role("analyst_policy_arn"), known.role("auditor_policy_arn")), hold,
    )  # fmt: skip
    if plan.routes.sns.events != "none":
        yield Holding(
            "alerts", where(str(known.values.get("alerts_topic_arn"))),
            f"events: {plan.routes.sns.events}", "not kept by the gate", "whoever is subscribed",
        )  # fmt: skip
    yield Holding(
        "audit trail", bucket("audit", "manifests"), "counts, hashes, who opened what; no value",
        kept(days.audit), read_by(known.role("auditor_policy_arn")), hold,
    )  # fmt: skip
    yield Holding(
        "quarantine", bucket("quarantine", "quarantine"), "raw records that could not be sanitised, sealed",
        kept(days.quarantine), read_by(known.role("replayer_policy_arn")), hold,
    )  # fmt: skip
    logs = ", ".join(one["log_group"] for one in streams.values() if "log_group" in one)
    yield Holding("logs", where(logs), "counts and names of rules; no value", f"{days.logs:,} days", "")
    yield Holding(
        "ledger", where(str(known.values.get("ledger_table"))), "which record is in which object",
        f"{days.ledger:,} days", read_by(*roles),
    )  # fmt: skip
    if plan.by_subject:
        yield Holding(
            "people's secrets", where(str(known.values.get("subjects_table"))),
            "a random secret for each person, under a pseudonym", "until the person is erased",
            read_by(*roles),
        )  # fmt: skip
    if plan.score:
        yield Holding(
            "profiles", where(str(known.values.get("profiles_table"))),
            "totals of behaviour, under pseudonyms",
            "until idle for longer than the model looks back", read_by(*roles),
        )  # fmt: skip


def openers(plan: Plan, outputs: Outputs | None) -> str:
    """Who opens tokens and encrypted values."""
    if not plan.purposes:
        return "nobody: the policy names no purpose"
    if outputs is None:
        return NOT_KNOWN
    called: str = outputs.values["detokenize"]["caller_policy_arn"]
    return f"whoever {called.rpartition('/')[2]} is attached to, for a purpose of the policy"
