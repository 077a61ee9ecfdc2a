"""What must hold when a world has come to rest."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from processor.audit import manifest_key
from tests.simulation.records import CANARY, DIGITS
from tests.simulation.witness import name_of

if TYPE_CHECKING:
    from tests.simulation.actors import Mapping
    from tests.simulation.world import World

FORMS: Final = (
    CANARY,
    CANARY.upper(),
    CANARY.title(),
    CANARY[::-1],
    CANARY.encode().hex(),
    # In base64, wherever it stands in a group of three bytes: without the letters that its neighbours share.
    *(b64encode(b"x" * before + CANARY.encode())[4:12].decode() for before in range(3)),
    DIGITS,
)


def at_rest(world: World, mapping: Mapping, *, is_late: bool = False) -> None:
    """Look at everything.

    Args:
        world: at rest.
        mapping: the stream's.
        is_late: whether a replay let out meanwhile what was held: such events come after newer ones.

    Raises:
        Violation: something is not as it must be.
    """
    witness = world.witness
    for one in world.schedule.records:
        if one.index not in witness.acked and (world.is_kept(one) or one.index not in witness.told_of):
            witness.violation("lost", f"record {one.index} was never acknowledged")
        witness.check(one, is_end=True)
    _manifests(world)
    if not world.schedule.runs and not is_late:
        _order(world, {one.item for lost in mapping.lost for one in lost})
    _chains(world)
    _metrics(world)
    _profiles(world)
    _canaries(world)


def _profiles(world: World) -> None:
    """Terminals count no event twice; and on a quiet day each once, less what was there before its change."""
    counted = sum(
        int(value["N"])
        for item in world.dynamodb.tables["profiles"].values()
        for name, value in item.items()
        if name.startswith("e.")
    )
    bodies = [one.raw["dynamodb"] for one in world.schedule.records if world.witness.where.get(one.name)]
    came, went = (sum(name in body for body in bodies) for name in ("NewImage", "OldImage"))
    day = world.schedule
    disturbs = (day.faults, day.runs, day.deployments, day.again, day.erasures, day.leaps, day.late_days)
    is_quiet = not any(disturbs)
    if counted != came - went if is_quiet else not -went <= counted <= came:
        world.witness.violation("profiles", f"{counted} events count, where {came} came and {went} went")


def _manifests(world: World) -> None:
    """One of each object that is no fence, and it describes that object."""
    witness, audit = world.witness, world.s3.within("audit", "manifests/")
    described = set()
    for key, one in world.s3.within("events").items():
        lines = witness.events(one.body)
        if not lines:
            continue
        described.add(manifest_key(key))
        manifest = json.loads(audit[manifest_key(key)].body) if manifest_key(key) in audit else None
        if manifest is None:
            if not any(witness.records[name_of(line)].index in witness.acked for line in lines):
                continue  # given up for its age before it was described: nobody was told that it is done
            witness.violation("no manifest", f"of {key}")
        said = manifest["object"]
        right = {
            "bucket": "events",
            "key": key,
            "version_id": one.version_id,
            "bytes": len(one.body),
            "sha256": one.checksum,
        }
        sequences = sorted(int(line["sequence"]) for line in lines)
        flagged = sum(bool(line["fraud"] and line["fraud"]["flagged"]) for line in lines)
        erased = sum(line["notes"]["erased"] for line in lines)
        (policy,) = {line["policy"]["sha256"] for line in lines}
        if (
            said != right
            or (manifest["records"], manifest["flagged"], manifest["notes"]["erased"])
            != (len(lines), flagged, erased)
            or manifest["policy"]["sha256"] != policy
            or not int(manifest["first"]) <= sequences[0] <= sequences[-1] <= int(manifest["last"])
        ):
            witness.violation("manifest", f"that of {key} does not describe it: {manifest}")
    for key in audit.keys() - described:
        witness.violation("manifest", f"{key} describes no object of events")


def _order(world: World, unordered: set[int]) -> None:
    """The changes of an item stand in their order: within an object, and from one object to the next."""
    latest: dict[tuple[str, int], int] = {}
    for _, one in sorted(world.s3.within("events").items(), key=lambda place: place[1].born):
        for line in world.witness.events(one.body):
            told = world.witness.records[name_of(line)]
            if told.item in unordered:
                continue
            row = told.raw["eventSourceARN"], told.item
            if latest.get(row, -1) > told.index:
                world.witness.violation("order", f"record {told.index} is after {latest[row]}")
            latest[row] = told.index


def _chains(world: World) -> None:
    """Each chain of the audit trail is whole, and its head knows all but perhaps the last link."""
    chains: dict[str, dict[int, tuple[str | None, str]]] = {}
    for key, one in world.s3.within("audit").items():
        if key.startswith("policies/"):
            continue
        link = json.loads(one.body)["chain"]
        chain = chains.setdefault(link["id"], {})
        if link["link"] in chain:
            world.witness.violation("chain", f"{link['id']} has two links {link['link']}")
        chain[link["link"]] = link["previous"], sha256(one.body).hexdigest()
    heads: dict[str, Any] = {
        item["intent"]["S"]: item
        for (stream, _), item in world.dynamodb.tables["ledger"].items()
        if stream.startswith("chains/")
    }
    for name, chain in chains.items():
        before = None
        for number in range(1, len(chain) + 1):
            previous, own = chain.get(number, (None, ""))
            if not own or previous != before:
                world.witness.violation("chain", f"{name} is broken at link {number}")
            before = own
        known = int(heads[name]["links"]["N"]) if name in heads else 0
        if not 0 <= len(chain) - known <= 1:
            world.witness.violation("chain", f"{name} has {len(chain)} links, its head says {known}")


def _metrics(world: World) -> None:
    """Nothing was counted twice."""
    told = [json.loads(line) for line in "".join(world.witness.out).splitlines()]
    written = sum(len(places) for places in world.witness.where.values())
    held = sum(len(places) for places in world.witness.held.values())
    for name, limit in (("EventsWritten", written), ("RecordsQuarantined", held)):
        counted = sum(line[name] for line in told)
        if counted > limit:
            world.witness.violation("metrics", f"{name} counts {counted} of {limit}")


def _canaries(world: World) -> None:
    """No raw value, no person's secret and no key is anywhere outside."""
    witness = world.witness
    ever = [item for _, item in world.dynamodb.ever]
    items = [{name: value for name, value in item.items() if name != "secret"} for item in ever]
    text = "\n".join([*witness.texts, *witness.out, repr(items)])
    secrets = [item["secret"]["B"] for item in ever if "secret" in item]
    for form in FORMS:
        if (at := text.find(form)) >= 0:
            witness.violation("leak", f"…{text[max(0, at - 120) : at + 60]}…")
    for secret in {*secrets, *world.kms.secrets()}:
        forms = (secret.hex(), b64encode(secret).decode().rstrip("="), repr(secret)[2:-1])
        if any(form in text for form in forms):
            witness.violation("leak", "a secret or a key is outside")
