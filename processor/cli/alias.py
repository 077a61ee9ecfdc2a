"""The alias `live` of a function on a stream: where it points, which versions there are, and moving it.

AWS calls: lambda ListFunctions, GetAlias, ListVersionsByFunction, ListAliases, UpdateAlias, CreateAlias.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3

from processor.cli.functions import ALIAS, explained
from processor.errors import TidegateError
from processor.review.canary import Pointing, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

IN_FORCE: Final = "The version that the stream is sent to"
"""As terraform/modules/stream/function.tf says it, so that a plan after a release is empty."""
WITHDRAWN: Final = re.compile(r"withdrawn-([0-9]+)")
"""An alias of this name marks a version that no rollback shall end at."""
DESCRIPTION_MAX: Final = 256
ON_STREAM: Final = "EVENTS_BUCKET"
"""What the functions on people do not have in their environment."""
TOKEN_KEYS: Final = "TOKEN_KEY_ARNS"  # noqa: S105  a variable


class Live:
    """The alias of one stream's function.

    Args:
        env: of Terraform.
        stream: its name there.
        client: a Boto3 client of Lambda.
    """

    def __init__(self, env: str, stream: str, client: Any) -> None:
        self.stream, self.function = stream, f"tidegate-{env}-{stream}"
        self._env, self._lambda = env, client

    def now(self) -> Pointing:
        """Where it points."""
        with self._explained("GetAlias"):
            alias = self._lambda.get_alias(FunctionName=self.function, Name=ALIAS)
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        version, said = int(alias["FunctionVersion"]), alias.get("Description", "")
        for canary, weight in weights.items():  # Lambda takes one
            return Pointing(version, int(canary), round(weight * 100), said)
        return Pointing(version, said=said)

    def versions(self) -> dict[int, Version]:
        """All that were published and are still there, by number."""
        with self._explained("ListVersionsByFunction"):
            pages = self._lambda.get_paginator("list_versions_by_function").paginate(
                FunctionName=self.function
            )
            found = [one for page in pages for one in page["Versions"] if one["Version"].isdecimal()]
        return {version.number: version for version in map(_version, found)}

    def withdrawn(self) -> set[int]:
        """The numbers of the versions that were taken back."""
        with self._explained("ListAliases"):
            pages = self._lambda.get_paginator("list_aliases").paginate(FunctionName=self.function)
            names = [one["Name"] for page in pages for one in page["Aliases"]]
        return {int(found[1]) for name in names if (found := WITHDRAWN.fullmatch(name))}

    def go_on(self, version: int) -> None:
        """Send everything to a version, as an apply would."""
        self._point(version, IN_FORCE)

    def go_back(self, target: Version, bad: Version, why: str) -> None:
        """Send everything to a version again, and mark the one that was not good; the alias says both.

        That order: the stream is safe after the first call.
        """
        said = f"Rolled back {datetime.now(UTC):%Y-%m-%dT%H:%MZ} from {bad} to {target}: {why}"
        self._point(target.number, said[:DESCRIPTION_MAX])
        with self._explained("CreateAlias"):
            if bad.number not in self.withdrawn():
                mark = {"Name": f"withdrawn-{bad.number}", "FunctionVersion": str(bad.number)}
                self._lambda.create_alias(
                    FunctionName=self.function, Description=why[:DESCRIPTION_MAX], **mark
                )

    def _point(self, version: int, said: str) -> None:
        with self._explained("UpdateAlias"):
            self._lambda.update_alias(
                FunctionName=self.function,
                Name=ALIAS,
                FunctionVersion=str(version),
                Description=said,
                RoutingConfig={"AdditionalVersionWeights": {}},  # left out, the weights would stay
            )

    def _explained(self, action: str) -> AbstractContextManager[None]:
        permit = f"attach the managed policy tidegate-{self._env}-releaser to your role"
        return explained(f"lambda:{action} on {self.function}", permit, env=self._env)


def _version(published: Mapping[str, Any]) -> Version:
    environ = published.get("Environment", {}).get("Variables", {})
    keys = frozenset(json.loads(environ.get(TOKEN_KEYS, "{}")))
    return Version(int(published["Version"]), published.get("Description", ""), keys)


def lambda_client() -> Any:
    """Of Lambda, as whoever the credentials say."""
    with explained("the credentials"):
        return boto3.client("lambda")


def streams(env: str, client: Any) -> list[str]:
    """The streams of an environment, by name.

    Raises:
        TidegateError: there are none, or they cannot be listed.
    """
    permit = f"attach the managed policy tidegate-{env}-releaser to your role"
    with explained("lambda:ListFunctions", permit, env=env):
        found = sorted(_streams(env, client))
    if not found:
        raise TidegateError(
            f"no stream of the environment {env} is in this account and region: check AWS_PROFILE."
        )
    return found


def _streams(env: str, client: Any) -> Iterator[str]:
    prefix = f"tidegate-{env}-"
    for page in client.get_paginator("list_functions").paginate():
        for one in page["Functions"]:
            environ = one.get("Environment", {}).get("Variables", {})
            of_env = environ.get(ON_STREAM, "").startswith(
                f"{prefix}events-"
            )  # tidegate-dev-… may be of dev-a
            if one["FunctionName"].startswith(prefix) and of_env:
                yield one["FunctionName"].removeprefix(prefix)
