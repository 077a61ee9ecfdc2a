"""The functions on people at work in moto, with policies, people and tokens, for tests."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from processor.asking import book_of
from processor.audit import Chain, record_key
from processor.crypto import KeyRing
from processor.keys import DataKeys
from processor.policy import Sanitiser
from processor.policy.people import People
from processor.policy.plan import read_plan
from processor.rates import Rates
from processor.reidentification import Desk, reidentify
from processor.stream import Change
from processor.subjects import Subjects
from processor.unwrapping import Unwrapping
from tests.callers import callers, with_proof

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from processor.audit import Link
    from processor.policy import Plan
    from tests.callers import Sts

DETOKENIZE = "tidegate-dev-detokenize"
NOW = 1_795_467_845.0  # 2026-11-23T21:04:05Z
AUDIT, LEDGER, PEOPLE = "tidegate-dev-audit", "tidegate-dev-ledger", "tidegate-dev-subjects"
ROOTS = {1: b"1" * 32, 2: b"2" * 32}
KEYS = KeyRing(ROOTS)
EVENT = "e" * 32

PAYMENTS: dict[str, Any] = {
    "policy": "payments",
    "version": 7,
    "subject": "customer_id",
    "fields": {
        "customer_id": {"action": "pseudonymize", "domain": "customer"},
        "email": {"action": "tokenize", "scope": "subject", "class": "identifier"},
        "card.number": {"action": "fpe", "scope": "subject", "luhn": "any", "domain": "card"},
        "iban": "tokenize",
        "limit": "tokenize",
        "photo": "tokenize",
        "note": "encrypt",
        "amount": "keep",
    },
    "purposes": {
        "dispute": {
            "fields": ["email", "iban", "card.number", "limit", "photo", "note"], "values_per_hour": 120,
        },
        "delivery": {"fields": ["email"]},
    },
    "routes": {"sns": {"events": "none"}},
    "retention_days": {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21},
}  # fmt: skip


ANN = {
    "customer_id": "C-1001",
    "email": "ann@example.com",
    "card": {"number": "4000001234567899"},
    "iban": "DE02120300000000202051",
    "limit": Decimal("12.50"),
    "photo": b"\x00\xff",
    "note": "call Ann",
    "amount": 7,
}
ASKED = {"policy": "payments", "purpose": "dispute", "ticket": "DSP-4711"}


def plan_of(document: Mapping[str, Any] = PAYMENTS, **changes: Any) -> Plan:
    plan, problems = read_plan({**document, **changes}, "0" * 64)
    assert plan is not None, problems
    return plan


@cache
def _session() -> Any:
    """One for all tests: it reads the descriptions of services once, which takes longer than a test."""
    return boto3.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


class World:
    """AWS as the two functions see it, and as the gate left it. Use it within `moto.mock_aws`."""

    def __init__(self) -> None:
        self.now = NOW
        self.s3, self.dynamodb = _session().client("s3"), _session().client("dynamodb")
        self.kms = _session().client("kms")
        self.s3.create_bucket(Bucket=AUDIT, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for table, *names in ((LEDGER, "stream", "intent"), (PEOPLE, "subject")):
            kinds = zip(names, ("HASH", "RANGE"), strict=False)
            self.dynamodb.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in kinds],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
                BillingMode="PAY_PER_REQUEST",
            )
        self.data_key = self.kms.create_key()["KeyMetadata"]["Arn"]

    def clock(self) -> float:
        return self.now

    def subjects(self, dynamodb: Any = None) -> Subjects:
        return Subjects(dynamodb=dynamodb or self.dynamodb, table=PEOPLE, clock=self.clock, cache_s=0)

    def sanitised(self, plan: Plan, new: Mapping[str, Any], keys: KeyRing = KEYS) -> dict[str, Any]:
        """What the gate lets out of a record; its person gets a secret if there was none."""
        people = People(plan, keys)
        names = people.of(new)
        data_keys = DataKeys(kms=self.kms, data_key_arn=self.data_key, policy=plan.name, clock=self.clock)
        change = Change(EVENT, "INSERT", int(self.now), "payments", "1", {}, dict(new), None, expired=False)
        secrets = self.subjects().secrets([names] if names else [])
        out = Sanitiser(plan, keys, data_keys).sanitise(change, secrets).new
        assert out is not None
        return out

    def record(self, group: str) -> Callable[[str, Mapping[str, Any]], Link]:
        chain = self.chain(group)

        def record(kind: str, document: Mapping[str, Any]) -> Link:
            link = chain.append(record_key(kind, self.now, chain), document)
            assert link is not None
            return link

        return record

    def chain(self, group: str) -> Chain:
        return Chain(
            s3=self.s3, bucket=AUDIT, dynamodb=self.dynamodb, ledger_table=LEDGER, group=group,
            clock=self.clock, retention_days=2557,
        )  # fmt: skip

    def records(self, kind: str) -> list[dict[str, Any]]:
        """What the audit trail says, in order."""
        listed = self.s3.list_objects_v2(Bucket=AUDIT, Prefix=f"records/{kind}/").get("Contents", [])
        bodies = [self.s3.get_object(Bucket=AUDIT, Key=one["Key"])["Body"].read() for one in listed]
        return sorted(map(json.loads, bodies), key=lambda record: int(record["chain"]["link"]))

    def people(self) -> dict[str, dict[str, Any]]:
        """The items of the subjects table by name."""
        return {item["subject"]["S"]: item for item in self.dynamodb.scan(TableName=PEOPLE)["Items"]}


def desk_of(world: World, keys: KeyRing = KEYS, sts: Sts | None = None, **changes: Any) -> Desk:
    plan = plan_of(**changes)
    unwrap = Unwrapping(kms=world.kms, data_key_arn=world.data_key, policy=plan.name, clock=world.clock)
    return Desk(
        books={plan.name: book_of(plan, keys, unwrap)},
        callers=callers(DETOKENIZE, time.time, sts),
        rates=Rates(dynamodb=world.dynamodb, table=LEDGER, clock=world.clock),
        subjects=world.subjects(),
        record=world.record("detokenize"),
        clock=world.clock,
    )


def token(event: dict[str, Any], path: str = "email", **more: Any) -> dict[str, Any]:
    """One token of an event, as a request asks for it."""
    value = event
    for name in path.split("."):
        value = value[name]
    by_subject = {"subject": event["customer_id"]} if path in {"email", "card.number"} else {}
    return {"field": path, "token": value, **by_subject, **more}


def ask(desk: Desk, *tokens: Any, **changes: Any) -> dict[str, Any]:
    asked = with_proof({**ASKED, "tokens": list(tokens), **changes}, DETOKENIZE)
    answer, _call = reidentify(desk, asked, "r-1")
    return answer


def values(desk: Desk, *tokens: Any, **changes: Any) -> list[Any]:
    answer = ask(desk, *tokens, **changes)
    assert "refused" not in answer, answer
    return list(answer["values"])
