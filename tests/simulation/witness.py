"""Who watches a world: what must hold whenever something is written, published or acknowledged."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NoReturn

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from processor.audit import manifest_key
from processor.crypto import KeyRing
from processor.policy.people import People
from tests.simulation.editions import edition
from tests.simulation.subscriber import Subscriber

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.local.delivery import Answer
    from tests.simulation.aws_s3 import Object
    from tests.simulation.editions import Edition
    from tests.simulation.environment import Environment
    from tests.simulation.records import Name, Told
    from tests.simulation.world import World

ERASURE_IN_FORCE_S: Final = 60.0
IN_CLEAR: Final = ("schema", "policy", "sequence", "reason", "path")
ENCRYPTED: Final = "account"
"""The field whose text is another under another data key."""
BUGS: Final = ("unexpected ", "not an event")


class Violation(BaseException):
    """What must never be. Not an exception, so that nothing in the product takes it for one of its own."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name, self.detail = name, detail


class Witness:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.records = {one.name: one for one in world.schedule.records}
        self._by_raw = {_canonical(one.raw): one for one in world.schedule.records}
        self.where: dict[Name, list[str]] = {}
        """The objects in which each event is now."""
        self.lines: dict[Name, dict[str, Any]] = {}
        """What stands there of it."""
        self.stored: dict[Name, str] = {}
        """The same, letter by letter."""
        self.held: dict[int, list[str]] = {}
        """The objects of quarantine that hold each record, by index."""
        self.held_at: dict[str, float] = {}
        """When each object of quarantine was put there."""
        self.subscriber = Subscriber(self, fifo=world.schedule.fifo)
        self.texts: list[str] = []
        """All that left, in whatever way."""
        self.out: list[str] = []
        """What was printed; the sandbox puts it here."""
        self.acked: set[int] = set()
        self.told_of: set[int] = set()
        """Who was given up, as the failure destination was told."""
        self._pardoned: set[int] = set()
        self._touched: Counter[int] = Counter()
        self._versions: dict[tuple[Any, ...], str] = {}
        self._erased_at: dict[str, float] = {}
        self._read: dict[bytes, list[tuple[str, dict[str, Any]]]] = {}

    # --- What is told --------------------------------------------------------------------------------------

    def violation(self, name: str, detail: str) -> NoReturn:
        """Raises: Violation, always."""
        raise Violation(name, detail)

    def told(self, text: str) -> None:
        """What the function said when it failed."""
        self.texts.append(text)
        if any(bug in text for bug in BUGS):
            self.violation("bug", text.strip().splitlines()[-1])

    def reported(self, report: dict[str, Any]) -> None:
        """What the failure destination got."""
        self.texts.append(json.dumps(report))
        batch = report["DDBStreamBatchInfo"]
        range_ = range(int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"]) + 1)
        shard = [one for one in self.records.values() if one.shard == batch["shardId"]]
        self.told_of.update(one.index for one in shard if one.sequence in range_)

    def begins(self, records: Sequence[Told], *, is_replay: bool) -> None:
        """An invocation with these records."""
        self._touched.update(one.index for one in records)
        if is_replay:
            self._pardoned.update(one.index for one in records)

    def ends(self, records: Sequence[Told], environment: Environment, answer: Answer) -> None:
        """It was answered. Undisturbed, it took as many requests as any other."""
        alone = all(self._touched[one.index] == 1 for one in records)
        if environment.was_disturbed or not alone or self._world.schedule.page < 1000:
            return
        if answer.error or answer.payload != {"batchItemFailures": []}:
            self.violation("stopped", f"an undisturbed invocation answered {answer}")
        calls, lanes = Counter(environment.calls), len({one.raw["eventSourceARN"] for one in records})
        extra = int(self._world.schedule.table == "members")
        most = {
            ("PutItem", "ledger"): 2 + extra,
            ("Query", "ledger"): 1,
            ("PutObject", "events"): 1,
            ("HeadObject", "events"): 0,
            ("GetObject", "events"): 0,
            ("PutObject", "audit"): 2 + extra,
        }
        for what, limit in most.items():
            if calls[what] > limit * lanes:
                self.violation("requests", f"{calls[what]} of {what} for {len(records)} records")

    def key_arns(self, of: Edition) -> dict[int, str]:
        """The token keys of an edition."""
        return {int(version): arn for version, arn in json.loads(of.environ["TOKEN_KEY_ARNS"]).items()}

    def erased(self, subject: str) -> None:
        """An erasure is done."""
        self._erased_at.setdefault(subject, self._world.now)
        self._is_dead(subject)

    # --- Objects -------------------------------------------------------------------------------------------

    def sent(self, environment: Environment, body: bytes) -> None:
        """Somebody tries to write these events: what is in them is right, whether they get there or not."""
        for line in self.events(body):
            one = self.records.get(name_of(line))
            if one is None or one.poison:
                self.violation("poison", f"an event was made of what cannot pass: {name_of(line)}")
            raw = one.raw["dynamodb"]
            if (line["sequence"], line["type"]) != (raw["SequenceNumber"], one.raw["eventName"]):
                self.violation("mixed up", f"record {one.index} became another's event")
            for name, image in (("new", raw.get("NewImage")), ("old", raw.get("OldImage"))):
                if (line[name] is None) != (image is None):
                    self.violation("mixed up", f"record {one.index}: {name}")
                if image and float(line[name]["amount"]) != float(image["amount"]["N"]):
                    self.violation("mixed up", f"record {one.index}: {name}.amount")
            self._same_again(one, line)
            self._in_force(one, line, environment)

    def _same_again(self, one: Told, line: dict[str, Any]) -> None:
        """The same record under the same edition gives the same event, but for its score.

        That goes by the profiles too, which have become others meanwhile.
        """
        policy, fraud = line["policy"], line["fraud"] or {}
        edition_ = policy["sha256"], policy["key_version"], fraud.get("model")
        version = (one.index, edition_, line["notes"]["erased"])
        images = {name: _without(line[name]) for name in ("new", "old")}
        text = json.dumps({**line, **images, "fraud": None}, sort_keys=True)
        before = self._versions.setdefault(version, text)
        if before != text:
            self.violation("not the same", f"record {one.index} gave two events: {before} and {text}")

    def _in_force(self, one: Told, line: dict[str, Any], environment: Environment) -> None:
        """Who was erased a while ago has no token any more."""
        for person in one.people & self._erased_at.keys():
            since = environment.began - self._erased_at[person]
            if since > ERASURE_IN_FORCE_S and not environment.set_back and not line["notes"]["erased"]:
                self.violation(
                    "not forgotten", f"record {one.index} has a token {since:.0f} s after the erasure"
                )

    def wrote(self, bucket: str, key: str, before: Object | None, one: Object) -> None:
        """An object is there."""
        self.texts.append(key)
        if bucket == "events":
            self._wrote_events(key, before, one)
        elif bucket == "quarantine":
            self.texts.append(one.body.decode())
            told = self._opened(one.body)
            self.held.setdefault(told.index, []).append(key)
            self.held_at[key] = self._world.now
            if not told.poison:
                self._held_for_another(told)
        else:
            self.texts.append(one.body.decode())

    def _wrote_events(self, key: str, before: Object | None, one: Object) -> None:
        for line in self.events(before.body) if before else ():
            self.where[name_of(line)].remove(key)
        for text, line in self._lines(one.body):
            self.texts.append(text)
            there = self.where.setdefault(name_of(line), [])
            there.append(key)
            self.lines[name_of(line)], self.stored[name_of(line)] = line, text
            if len(there) > 1:
                self.violation("twice", f"record {self.records[name_of(line)].index} is in {there}")

    def _held_for_another(self, told: Told) -> None:
        """What can pass is held only where some policy of the day could not let it."""
        variants = [variant for _, variant in self._world.schedule.deployments]
        if not told.is_twin and not any(variant.policy == "strict" for variant in variants):
            self.violation("held", f"record {told.index} can pass and is in quarantine")

    def _opened(self, body: bytes) -> Told:
        """The record in an object of quarantine."""
        sealed = json.loads(body)
        key, context = self._world.kms.data_keys[b64decode(sealed["data_key"])]
        about = json.dumps({name: sealed[name] for name in IN_CLEAR}, sort_keys=True).encode()
        raw = AESGCM(key).decrypt(b64decode(sealed["nonce"]), b64decode(sealed["ciphertext"]), about)
        assert context["purpose"] == "tidegate.quarantine"
        return self._by_raw[_canonical(json.loads(raw))]

    def events(self, body: bytes) -> list[dict[str, Any]]:
        """The events in an object; a fence has none."""
        return [line for _, line in self._lines(body)]

    def _lines(self, body: bytes) -> list[tuple[str, dict[str, Any]]]:
        if body not in self._read:
            texts = zlib.decompress(body, 31).decode("ascii").splitlines()
            self._read[body] = [(text, json.loads(text)) for text in texts]
        return self._read[body]

    # --- Acknowledgements ----------------------------------------------------------------------------------

    def acknowledged(self, one: Told) -> None:
        """Somebody was told that the record is done with."""
        self.acked.add(one.index)
        self.check(one)

    def check(self, one: Told, *, is_end: bool = False) -> None:
        """It is in exactly one place, with all that belongs to it.

        But what a replay lets out is in quarantine, too. Whoever held it meanwhile does not answer for the
        replay's object: that has what belongs to it when the replay is done.
        """
        there, held = self.where.get(one.name, []), self.held.get(one.index, [])
        places = len(there) + len(held)
        if not places and one.index in self.acked:
            self.violation("lost", f"record {one.index} is acknowledged and nowhere")
        released = one.index in self._pardoned and len(there) == len(held) == 1
        if places > 1 and not released:
            self.violation("twice", f"record {one.index} is in {[*there, *held]}")
        if there and one.index in self.acked and (is_end or not released):
            self._belongings(one, there[0])

    def _belongings(self, one: Told, key: str) -> None:
        if ("audit", manifest_key(key)) not in self._world.s3.objects:
            self.violation("no manifest", f"record {one.index} is acknowledged, its object has none: {key}")
        self.subscriber.must_know(one)
        if self._world.schedule.table == "members" and one.raw["eventName"] == "REMOVE":
            for person in one.people:
                self._is_dead(person)

    def _is_dead(self, person: str) -> None:
        """The person's secret is destroyed, under one name at least."""
        arns = {version: f"arn:aws:kms:eu-west-1:123456789012:key/token{version}" for version in (1, 2, 3)}
        macs = {
            version: self._world.kms.generate_mac(
                KeyId=arn, Message=b"tidegate token root/v1", MacAlgorithm="HMAC_SHA_512"
            )["Mac"]
            for version, arn in arns.items()
        }
        plan = edition(self._world.schedule.table, self._world.edition.variant).plan
        names = People(plan, KeyRing(macs)).names(person) or ()
        items = [self._world.dynamodb.tables["subjects"].get((name,), {}) for name in names]
        if not any("erased_at" in item for item in items):
            self.violation("not forgotten", f"{person} has no tombstone")
        rotated = any(variant.keys != (1,) for _, variant in self._world.schedule.deployments)
        if not rotated and any("secret" in item for item in items):
            self.violation("not forgotten", f"{person} has a secret left")


def name_of(line: dict[str, Any]) -> Name:
    """Which record an event or an alert is of."""
    return line["event_id"], line["sequence"]


def _canonical(raw: Any) -> str:
    return json.dumps(raw, sort_keys=True)


def _without(image: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if image is None else {name: value for name, value in image.items() if name != ENCRYPTED}
