"""A candidate takes the place of the model in use, when the gates let it, or somebody says why it must."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from models.gates import Verdict, judged, refused
from models.measuring import Released, comparison_of, figures_of, measurement
from models.release import CARD, findings, place
from processor.errors import ModelError
from processor.scoring.artefact import MANIFEST, checked, read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.rows import Progress
    from processor.scoring.artefact import Manifest


class Judgement(NamedTuple):
    """What is known of a candidate before it is released."""

    candidate: Released
    verdicts: list[Verdict]
    release: dict[str, Any]
    """For the manifest."""

    @property
    def refused(self) -> list[Verdict]:
        """The verdicts that stop it."""
        return refused(self.verdicts)


def judge(
    candidate: Path,
    folder: Path,
    named: Sequence[str | Path],
    progress: Progress,
    *,
    delay: int | None = None,
    start: float | None = None,
    end: float | None = None,
) -> Judgement:
    """What the gates say of a candidate beside the model in use, on records that neither was trained on.

    Args:
        candidate: its folder.
        folder: of the model in use; there may be none yet.
        named: data, or nothing for the simulator.
        progress: is told of what is done.
        delay: of labels, if it is another than the spec's.
        start: of the period of the records. None: when all labels of both trainings were known.
        end: of it, not included.

    Raises:
        ModelError: one of them cannot be loaded, they are different models, or there are no such records.
    """
    new = Released.load(candidate, delay)
    models = [new]
    if (folder / MANIFEST).exists():
        models.append(Released.load(folder, delay))
        if (name := models[1].manifest.content["model"]) != new.manifest.content["model"]:
            raise ModelError(
                f"{folder}: holds {name}, and {candidate} is {new.manifest.content['model']}; "
                "a model is released over itself only"
            )
        if candidate.resolve() == folder.resolve():
            raise ModelError(f"{candidate}: is the model in use; train a candidate elsewhere, by --out")
    progress("comparing arrays with scikit-learn", 0)
    flaws = findings(candidate)
    found = measurement(models, named, progress, start=start, end=end)
    progress("measuring", len(found.rows))
    figures = figures_of(new, found)
    against = comparison_of(new, found) if len(models) > 1 else None
    verdicts = judged(new.spec.gates, figures, against, flaws)
    release = {
        "against": models[1].manifest.model if len(models) > 1 else None,
        "candidate": new.manifest.model,
        "records": figures["records"],
        "from": figures["from"],
        "to": figures["to"],
        "known_cards_left_out": found.known_cards,
        "data": found.data,
        "gates": [one._asdict() for one in verdicts],
    }
    return Judgement(new, verdicts, release)


def promote(judgement: Judgement, folder: Path, now: float, forced: str | None = None) -> Manifest:
    """The candidate, in the folder of the model in use; the manifest and the card say what it had to pass.

    Args:
        judgement: of it.
        folder: where it goes. As in training, it is the old model or the new one whenever this stops.
        now: epoch seconds.
        forced: why it is released in spite of gates that refuse it.

    Raises:
        ModelError: gates refuse it and no reason is given, or it cannot be written.
    """
    stopped = [one.gate for one in judgement.refused]
    if stopped and not forced:
        raise ModelError(f"{judgement.candidate.folder}: is refused by {', '.join(stopped)}")
    manifest = read_manifest(judgement.candidate.folder)
    if manifest.model != judgement.candidate.manifest.model:
        raise ModelError(f"{judgement.candidate.folder}: has changed since it was judged; judge it again")
    names = [name for name in manifest.content["files"] if name != CARD]
    files = {name: checked(manifest, name) for name in names}
    day = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"
    content = manifest.content | {"release": {"on": day, **judgement.release}}
    content.pop("forced", None)
    if stopped:
        content["forced"] = {"reason": forced, "gates": stopped}
    return place(content, files, folder)
