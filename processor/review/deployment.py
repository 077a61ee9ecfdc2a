"""What a Terraform plan would change of what runs: each stream's policy and model, in force and to come.

What is in force is in the state (terraform/releases.tf); what is to come is in the zip that the plan names,
not in the folders it was made of.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from processor.errors import TidegateError
from processor.policy import load_plan
from processor.review.approval import Approval
from processor.review.comparison import compare
from processor.review.release import MODELS, release_of
from processor.scoring.artefact import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from processor.review.comparison import Comparison

FUNCTION: Final = re.compile(r'module\.stream\["([^"]+)"\]\.aws_lambda_function\.this')
ALIAS: Final = 'module.stream["{}"].aws_lambda_alias.live'
MEND: Final = "make package"


class Standing(Enum):
    """What becomes of a stream."""

    FIRST = "first"
    """Nothing runs there yet."""
    UNKNOWN = "unknown"
    """Something runs, and the state does not say what."""
    SAME = "same"
    CHANGED = "changed"
    REMOVED = "removed"
    BACK = "back"
    """It was rolled back, and the same package would be put in force again."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stream: what is in force, and what is to come."""

    stream: str
    standing: Standing
    old: dict[str, Any] | None
    """The releases, as `release_of` has them."""
    new: dict[str, Any] | None
    notes: tuple[str, ...] = ()
    """What a reader has to know besides, such as that the zip is older than the policy beside it."""

    def part(self, name: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Policy, model or shadow: in force and to come."""
        return (self.old or {}).get(name), (self.new or {}).get(name)

    @property
    def changed(self) -> list[str]:
        """The parts that are not the same."""
        pairs = {name: self.part(name) for name in ("policy", *MODELS)}
        return [name for name, (old, new) in pairs.items() if old != new]


def deployments(planned: Mapping[str, Any], root: Path) -> list[Deployment]:
    """All streams of a plan, by name.

    Args:
        planned: the plan, as `terraform show -json` tells it.
        root: the folder it was made in, which its paths begin at.

    Raises:
        TidegateError: that is no plan.
    """
    try:
        recorded = planned["output_changes"].get("deployed", {}).get("before") or {}
        folder = planned["variables"]["policies_folder"]["value"]
        changes = {one["address"]: one["change"] for one in planned["resource_changes"]}
        return [
            _deployment(
                found[1], changes[address], changes.get(ALIAS.format(found[1])), recorded.get(found[1]),
                root, root / folder,
            )
            for address in sorted(changes)
            if (found := FUNCTION.fullmatch(address))
        ]  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise TidegateError(
            f"this is no plan of terraform/ ({type(error).__name__}: {error}): "
            "give what `terraform show -json FILE` says of one"
        ) from error


def _deployment(  # noqa: PLR0917  what is known of one stream
    stream: str,
    change: Mapping[str, Any],
    alias: Mapping[str, Any] | None,
    recorded: dict[str, Any] | None,
    root: Path,
    policies: Path,
) -> Deployment:
    before, after = change["before"], change["after"]
    pointed = list(_of_alias(alias, before, recorded))
    notes = pointed or list(_of_record(before, recorded))
    new = None
    if after is not None:
        try:
            new = release_of(root / after["filename"])
        except TidegateError as error:
            notes.append(f"What is to come is not known: {error}")
        else:
            notes += _of_package(after, new, policies, root.parent / "models")
    standing = _standing(before, after, recorded, new)
    if standing is Standing.SAME and _is_behind(alias, before):
        standing = Standing.BACK
    return Deployment(stream, standing, recorded, new, tuple(notes))


def _is_behind(alias: Mapping[str, Any] | None, function: Mapping[str, Any] | None) -> bool:
    """Whether the alias points to another version than the newest."""
    pointed = (alias or {}).get("before") or {}
    newest = (function or {}).get("version")
    return bool(newest and pointed.get("function_version", newest) != newest)


def _of_alias(
    alias: Mapping[str, Any] | None, function: Mapping[str, Any] | None, recorded: dict[str, Any] | None
) -> Iterator[str]:
    """Where the stream is sent, if that is not simply the newest version; nothing otherwise."""
    if alias is None or not alias.get("before"):
        return
    now, after = alias["before"], alias.get("after") or {}
    version, newest = now["function_version"], (function or {}).get("version")
    routed = (
        {} if not now.get("routing_config") else now["routing_config"][0]["additional_version_weights"] or {}
    )
    for canary, weight in routed.items():  # Lambda takes one
        yield f"A canary runs: {weight:.0%} of the batches go to version {canary}, the rest to {version}."
    if not routed and _is_behind(alias, function):
        said = now.get("description", "")
        yield f"The stream is sent to version {version}, not to the newest one, {newest}. {said}".rstrip()
        if recorded and (function or {}).get("source_code_hash") == _as_lambda(recorded["package"]["sha256"]):
            yield f"What is compared below is with version {newest}, which the last apply put in force."
    if after.get("routing_config"):
        yield f"This apply begins a canary: most batches stay with version {after['function_version']}."
    elif routed or _is_behind(alias, function):
        yield "An apply sends all of it to the newest version."


def _standing(before: Any, after: Any, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Standing:
    if after is None:
        return Standing.REMOVED
    if before is None:
        return Standing.FIRST
    if old is None or new is None:
        return Standing.UNKNOWN
    return Standing.SAME if old["package"] == new["package"] else Standing.CHANGED


def _of_record(before: Mapping[str, Any] | None, recorded: dict[str, Any] | None) -> Iterator[str]:
    if before is None:
        return
    if recorded is None:
        yield "What is in force is not known: its package had nothing beside it when it was applied."
    elif before.get("source_code_hash") not in {None, _as_lambda(recorded["package"]["sha256"])}:
        yield (
            "The function has another package than the last apply that went through recorded: "
            "what is said of what is in force may not be so."
        )


def _of_package(
    after: Mapping[str, Any], new: Mapping[str, Any], policies: Path, models: Path
) -> Iterator[str]:
    """What tells the zip from the plan, and from what it was made of."""
    if after.get("source_code_hash") not in {None, _as_lambda(new["package"]["sha256"])}:
        yield "The package was built anew since this plan was made: plan again."
    policy = policies / f"{new['policy']['name']}.yaml"
    if _differs(policy, new["policy"]["sha256"]):
        yield f"The package holds another policy than {policy.name} is now: {MEND}"
    if new["model"] is not None:
        name, _, digits = new["model"]["id"].partition("@")
        if _differs(models / name / MANIFEST, digits):
            yield f"The package holds another model than models/{name} does now: {MEND}"


def _differs(file: Path, sha256: str) -> bool:
    """Whether a file is there and its SHA-256 does not begin so."""
    try:
        return not hashlib.sha256(file.read_bytes()).hexdigest().startswith(sha256)
    except OSError:
        return False


def _as_lambda(sha256: str) -> str:
    """A hash as Lambda and Terraform write it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def read_planned(data: bytes) -> dict[str, Any]:
    """The plan in what `terraform show -json` printed.

    Raises:
        TidegateError: it is no JSON object.
    """
    try:
        planned = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TidegateError(
            "the plan is no JSON: give what `terraform show -json FILE` says of it"
        ) from error
    if not isinstance(planned, dict):
        raise TidegateError("the plan is no JSON object")
    return planned


def policy_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Comparison, Approval | None]:
    """The policies of two releases compared, with who answers for what is wider, if somebody does.

    Raises:
        PolicyError: this version cannot read one of them.
    """
    comparison = compare(*(load_plan(one["compiled"].encode()) for one in (old, new)))
    said = json.loads(new["compiled"]).get("allowed_wider")
    if said is None:
        return comparison, None
    plan = comparison.new
    approval = Approval(plan.name, said["before"], plan.sha256, said["reason"], tuple(said["fields"]))
    return comparison, approval if approval.covers(comparison) else None
