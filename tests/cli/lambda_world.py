"""Lambda's versions and aliases of the streams of one environment, in memory."""

# ruff: noqa: N803 - the names are those of AWS
from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

CARDS: Final = "tidegate-test-cards"
SAID: Final = "Version {number}, model cards_fraud@0123456789ab, reaches {reach} (policy cards)"
ALL: Final = "alerts profiles subjects"


class Lambda:
    """A client of Lambda, as far as aliases are moved; IAM and everything else is AWS's."""

    def __init__(self, **versions: list[str]) -> None:
        """By function's last name, what each of its versions reaches; the alias points to the newest."""
        self.reach = {f"tidegate-test-{name}": reach for name, reach in versions.items()}
        self.aliases: dict[str, dict[str, dict[str, Any]]] = {
            name: {"live": self._alias("live", len(reach))} for name, reach in self.reach.items()
        }
        self.token_keys: dict[int, str] = {}
        """As the environment of a version has them, by its number."""
        self.moves: list[str] = []
        self.is_down = False

    @staticmethod
    def _alias(name: str, version: int, weights: dict[str, float] | None = None) -> dict[str, Any]:
        routed = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
        return {"Name": name, "FunctionVersion": str(version), "Description": "", **routed}

    def points(self, version: int, function: str = CARDS, **weights: float) -> None:
        """Let the alias point there, with canaries by `v<number>`."""
        by_version = {name.removeprefix("v"): weight for name, weight in weights.items()}
        self.aliases[function]["live"] = self._alias("live", version, by_version)

    def get_alias(self, *, FunctionName: str, Name: str) -> dict[str, Any]:
        if self.is_down:
            raise ClientError({"Error": {"Code": "ServiceException"}}, "GetAlias")
        return self.aliases[FunctionName][Name]

    def update_alias(self, *, FunctionName: str, Name: str, **what: Any) -> None:
        self.moves.append(f"{FunctionName} to {what['FunctionVersion']}")
        assert what["RoutingConfig"] == {"AdditionalVersionWeights": {}}
        self.aliases[FunctionName][Name] = {"Name": Name, **what, "RoutingConfig": None}

    def create_alias(self, *, FunctionName: str, Name: str, **what: Any) -> None:
        assert Name not in self.aliases[FunctionName]
        self.aliases[FunctionName][Name] = {"Name": Name, **what}

    def get_paginator(self, operation: str) -> Any:
        return _Pages({
            "list_functions": self._functions,
            "list_versions_by_function": self._versions,
            "list_aliases": lambda FunctionName: {"Aliases": list(self.aliases[FunctionName].values())},
        }[operation])  # fmt: skip

    def _functions(self) -> dict[str, Any]:
        streams = [
            {"FunctionName": name, "Environment": {"Variables": {"EVENTS_BUCKET": "tidegate-test-events-1"}}}
            for name in self.reach
        ]
        people = {"FunctionName": "tidegate-test-erase", "Environment": {"Variables": {}}}
        other = {"EVENTS_BUCKET": "tidegate-test-b-events-1"}
        neighbour = {"FunctionName": "tidegate-test-b-cards", "Environment": {"Variables": other}}
        return {"Functions": [*streams, people, neighbour, {"FunctionName": "somebody-else"}]}

    def _versions(self, FunctionName: str) -> dict[str, Any]:
        numbered = enumerate(self.reach[FunctionName], 1)
        made = [
            {
                "Version": str(at),
                "Description": SAID.format(number=at, reach=reach),
                "Environment": {"Variables": {"TOKEN_KEY_ARNS": self.token_keys.get(at, '{"1": "arn"}')}},
            }
            for at, reach in numbered
        ]
        return {"Versions": [{"Version": "$LATEST", "Description": "whatever"}, *made]}


class _Pages:
    def __init__(self, page: Any) -> None:
        self._page = page

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        return [self._page(**arguments)]
