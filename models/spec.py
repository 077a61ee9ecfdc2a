"""A model's spec, `model.yaml`: what it looks at, how it is trained and on what."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import yaml

from models.simulator.world import Recipe
from processor.errors import ModelError
from processor.scoring.features import FIELD_KINDS as KINDS
from processor.scoring.features import Feature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEC: Final = "model.yaml"
MOST_TREES: Final = 1_000
MOST_SAMPLES: Final = 65_536
ESTIMATORS: Final = ("isolation_forest",)


@dataclass(frozen=True, slots=True)
class Spec:
    """A checked spec."""

    model: str
    reads: tuple[str, ...]
    features: tuple[Feature, ...]
    trees: int
    samples: int  # per tree
    seed: int
    holdout: float  # share of the records, the last ones, that the model is measured on
    time: str  # the field that orders the records
    label_field: str
    label_equals: str
    recipe: Recipe
    start: datetime
    burn_in_days: int  # of the recipe's days, at their beginning, that are not trained on


def load_spec(folder: Path) -> Spec:
    """The spec in the folder.

    Raises:
        ModelError: there is none, or it cannot be used. It names the file, the key and what that should be.
    """
    path = folder / SPEC
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); a model starts with this file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds no keys; a model's spec begins with `model: <name>`")
    return _Reader(path, content).spec()


class _Reader:
    """Reads a spec's keys, and says which one is wrong."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self._path = path
        self._content = content

    def spec(self) -> Spec:
        features = tuple(
            self._feature(name, entry) for name, entry in self.get("features", dict, bool, "a map").items()
        )
        used = list(dict.fromkeys(feature.of for feature in features))
        reads = self.get(
            "reads", list, lambda names: sorted(names) == sorted(used), f"the fields used: {used}"
        )
        self.get("estimator.kind", str, ESTIMATORS.__contains__, f"one of {', '.join(ESTIMATORS)}")
        return Spec(
            model=self.get("model", str, str.isidentifier, "a name of letters, digits and underscores"),
            reads=tuple(reads),
            features=features,
            trees=self.get("estimator.trees", int, _within(1, MOST_TREES), f"1 to {MOST_TREES}"),
            samples=self.get("estimator.samples", int, _within(2, MOST_SAMPLES), f"2 to {MOST_SAMPLES}"),
            seed=self.get("seed", int, _within(0, 2**32 - 1), "0 to 4294967295"),
            holdout=self.get("holdout", float, _within(0.05, 0.5), "a share from 0.05 to 0.5"),
            time=self.get("time", str, bool, "the field that orders the records"),
            label_field=self.get("label.field", str, bool, "a field"),
            label_equals=self.get("label.equals", str, bool, "the text that the field has for fraud"),
            recipe=self._recipe(),
            start=self._start(),
            burn_in_days=self.get("simulator.burn_in_days", int, _within(0, 365), "0 to 365"),
        )

    def get(self, key: str, kind: type, fits: Callable[[Any], bool], wanted: str) -> Any:
        """The value of a key such as `estimator.trees`."""
        value: Any = self._content
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or not fits(value):
            raise ModelError(f"{self._path}: {key} should be {wanted}")
        return value

    def _feature(self, name: str, entry: Any) -> Feature:
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            raise ModelError(
                f"{self._path}: features.{name}.kind should be one of {', '.join(sorted(KINDS))}"
            )
        if not isinstance(entry.get("of"), str) or set(entry) != {"kind", "of"}:
            raise ModelError(f"{self._path}: features.{name} should be {{kind: {kind}, of: <field>}}")
        return Feature(name, kind, entry["of"])

    def _recipe(self) -> Recipe:
        return Recipe(
            **{
                field.name: self.get(f"simulator.{field.name}", kind, _within(0, 100_000), "0 to 100000")
                for field in fields(Recipe)
                for kind in [float if "per_day" in field.name else int]
            }
        )

    def _start(self) -> datetime:
        text = self.get("simulator.start", str, _is_date, 'a date in quotes, such as "2026-04-01"')
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)


def _within(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: low <= value <= high


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
