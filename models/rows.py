"""Records as training and evaluation need them: their features, when they were, whether they were fraud."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.sources import SCENARIO
from processor.scoring.features import FeatureSet, Memory, Step, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from models.sources import Source
    from models.spec import Spec
    from processor.scoring.features import Feature
    from processor.scoring.features.values import FloatColumn, Matrix

    Progress = Callable[[str, int], None]  # (what is being done, records done)

CHUNK: Final = 10_000
MOST_TEXTS: Final = 1_000  # whose shares a feature keeps: the commonest; rarer ones count as never seen


@dataclass(frozen=True, slots=True)
class Rows:
    """Records in order of time, those without a time left out. NaN stands where a feature is missing."""

    matrix: Matrix
    time: FloatColumn  # epoch seconds
    fraud: NDArray[np.bool_] | None  # None when no record has the label's field
    scenario: NDArray[np.int64] | None  # the kind of fraud, 0 for honest, where it is known

    def __len__(self) -> int:
        return len(self.matrix)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> Rows:
        """Some of the rows."""
        return Rows(
            self.matrix[rows],
            self.time[rows],
            None if self.fraud is None else self.fraud[rows],
            None if self.scenario is None else self.scenario[rows],
        )


def gather(features: FeatureSet, spec: Spec, source: Source, progress: Progress) -> Rows:
    """Everything in the source, measured by the code that the function uses."""
    chunks = [_measured(features, spec, chunk) for chunk in _chunks(source, "reading records", progress)]
    if not chunks:
        return Rows(np.empty((0, len(features.names)), np.float32), np.empty(0), None, None)
    matrix, time, label, scenario = (np.concatenate(column) for column in zip(*chunks, strict=True))
    rows = Rows(
        matrix,
        time,
        label == 1 if (label >= 0).any() else None,
        scenario if (scenario >= 0).all() else None,
    )
    order = np.argsort(time, kind="stable")  # NaN comes last
    return rows[order[: len(order) - int(np.isnan(time).sum())]]


def learn_shares(features: Iterable[Feature], source: Source, progress: Progress) -> tuple[Feature, ...]:
    """The features, those of kind "share" with how common each text is."""
    features = tuple(features)
    counts: dict[str, Counter[str]] = {
        feature.of: Counter() for feature in features if feature.kind == "share"
    }
    if counts:
        for chunk in _chunks(source, "counting texts", progress):
            for field, counter in counts.items():
                counter.update(value for image in chunk if isinstance(value := image.get(field), str))
    return tuple(
        replace(feature, shares=_shares(counts[feature.of])) if feature.kind == "share" else feature
        for feature in features
    )


def _shares(counter: Counter[str]) -> dict[str, float]:
    commonest = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_TEXTS]
    return {text: count / counter.total() for text, count in commonest}


def _measured(features: FeatureSet, spec: Spec, images: list[dict[str, Any]]) -> tuple[NDArray[Any], ...]:
    label = [
        int(image[spec.label_field] == spec.label_equals) if spec.label_field in image else -1
        for image in images
    ]
    scenario = [value if type(value := image.get(SCENARIO)) is int else -1 for image in images]
    return (
        features.measure([Step(None, image) for image in images], Memory()),
        np.array([instant(image.get(spec.time)) for image in images]),
        np.array(label),
        np.array(scenario),
    )


def _chunks(source: Source, step: str, progress: Progress) -> Iterator[list[dict[str, Any]]]:
    images = source.images()
    done = 0
    while chunk := list(islice(images, CHUNK)):
        done += len(chunk)
        progress(step, done)
        yield chunk
