"""A function behind its alias: for each call Lambda draws the version, by the alias's weights.

    with behind_alias(stage, folder) as function:
        stage.event_source(function).drain()

Each version is its own package and environment, as published, and starts cold when it is first drawn.
"""

from __future__ import annotations

import io
import random
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from moto.awslambda.models import lambda_backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from processor.local import emulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from processor.local.delivery import Answer
    from processor.local.emulator import Function
    from processor.local.stage import Stage

ALIAS: Final = "live"


class Weighted:
    """A function's versions, running; made by `behind_alias`."""

    def __init__(self, stage: Stage, folder: Path, stack: ExitStack, seed: int) -> None:
        self._stage, self._folder, self._stack = stage, folder, stack
        self._chance = random.Random(seed)
        self._name = stage.gate.configuration["FunctionName"]
        self._lambda: Any = stage.aws.client("lambda")
        self.running: dict[str, Function] = {}
        self.calls: dict[str, int] = {}
        """By version."""

    @property
    def log(self) -> bytes:
        """What all versions have written so far."""
        return b"".join(function.log for function in self.running.values())

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """Call the version that is drawn."""
        version = self._drawn()
        self.calls[version] = self.calls.get(version, 0) + 1
        return self._version(version).invoke(event)

    def _drawn(self) -> str:
        alias = self._lambda.get_alias(FunctionName=self._name, Name=ALIAS)
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        drawn = self._chance.random()
        for version, weight in weights.items():
            if drawn < weight:
                return str(version)
            drawn -= weight
        return str(alias["FunctionVersion"])

    def _version(self, version: str) -> Function:
        if version not in self.running:
            configuration = self._lambda.get_function_configuration(
                FunctionName=self._name, Qualifier=version
            )
            folder = self._folder / f"version-{version}"
            if not folder.exists():
                backend = lambda_backends[DEFAULT_ACCOUNT_ID][self._stage.aws.region]
                with zipfile.ZipFile(
                    io.BytesIO(backend.get_function(self._name, version).code_bytes)
                ) as zipped:
                    zipped.extractall(folder)
            hosted = replace(self._stage.gate, folder=folder, configuration=configuration)
            started = emulator.running(**hosted.launch(self._stage.aws))
            self.running[version] = self._stack.enter_context(started)
        return self.running[version]


@contextmanager
def behind_alias(stage: Stage, folder: Path, seed: int = 1) -> Iterator[Weighted]:
    """The function on the stream as its alias calls it, until the context is left.

    Args:
        stage: with the stream.
        folder: where packages are unpacked.
        seed: of the draws.
    """
    with ExitStack() as stack:
        yield Weighted(stage, folder, stack, seed)
