"""`tidegate model …`: train, verify, measure and describe the models that score the stream.

scikit-learn is imported by the commands that need it, so that `--help` stays quick.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.rows import Progress
    from models.sources import Source
    from models.spec import Spec


_FOLDER: Final = click.Path(file_okay=False, path_type=Path)
_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")


@click.group()
def model() -> None:
    """Train, verify, measure and describe the models that score the stream.

    A model is a folder: model.yaml says how it is made, and beside it is what training made of it.

    \b
    Example: change the spec, train, look at the figures, commit the folder.
      tidegate model train models/payments_fraud
      tidegate model card models/payments_fraud
      tidegate model verify models/payments_fraud
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@model.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--data", type=_FILE, help="Records to train on, as JSON Lines. Without it: the seeded simulator."
)
@click.option("--out", type=_FOLDER, help="Where the artefact goes. Without it: the folder of the spec.")
@_as_json
def train(folder: Path, data: Path | None, out: Path | None, *, as_json: bool) -> None:
    """Train the model whose spec is FOLDER/model.yaml, and write its artefact.

    The last records in order of time (`holdout` in the spec) are held out, and the card's figures are
    measured on them. The same spec, data and library versions give the same arrays.

    \b
    Example: train on what a table exported, beside the model in use.
      tidegate model train models/payments_fraud --data payments.jsonl --out /tmp/candidate
    """  # noqa: D301
    from models import release, training
    from models.spec import SPEC

    spec = _spec(folder)
    with _progress(quiet=as_json) as progress:
        trained = training.train(spec, _source(spec, data), progress)
    manifest = release.write(trained, (folder / SPEC).read_bytes(), out or folder)
    answer = {"model": manifest.model, "folder": str(out or folder), "figures": trained.figures}
    _answer(answer, [f"{manifest.model} in {out or folder}", *_lines(trained.figures)], as_json=as_json)


@model.command()
@click.argument("folder", type=_FOLDER)
@_as_json
def verify(folder: Path, *, as_json: bool) -> None:
    """Check every file of the artefact in FOLDER against its manifest, and the arrays against scikit-learn.

    The function makes the first of these checks itself when it starts, and does not start if it fails.

    \b
    Example: in the build, before the package is made.
      tidegate model verify models/payments_fraud || exit 1
    """  # noqa: D301
    from models import release
    from processor.scoring.artefact import read_manifest

    name = read_manifest(folder).model
    found = release.findings(folder)
    _answer({"model": name, "findings": found}, found or [f"{name} is intact"], as_json=as_json)
    if found:
        sys.exit(FINDINGS)


@model.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--data", type=_FILE, help="Records to measure on, as JSON Lines. Without it: the held-out ones."
)
@_as_json
def evaluate(folder: Path, data: Path | None, *, as_json: bool) -> None:
    """Measure the artefact in FOLDER: on the later records of the simulator, or on records of your own.

    Records are fraud where the field of the spec's `label` has its value.

    \b
    Example: how does the model in use do on last month's payments?
      tidegate model evaluate models/payments_fraud --data last-month.jsonl --json
    """  # noqa: D301
    from models.evaluation import figures
    from models.rows import gather
    from processor.scoring import load_scorer
    from processor.scoring.artefact import read_manifest

    scorer = load_scorer(folder)
    spec = _spec(folder)
    if not data and "simulator" not in read_manifest(folder).content.get("training", {}):
        raise ModelError(
            f"{folder}: was not trained on the simulator; name records to measure on with --data"
        )
    with _progress(quiet=as_json) as progress:
        rows = gather(scorer.features, spec, _source(spec, data), progress)
    if not data:
        rows = rows[len(rows) - round(len(rows) * spec.holdout) :]
    if not len(rows):
        raise ModelError(f"{data}: holds no record with a usable {spec.time}")
    found = figures(scorer, rows)
    answer = {"model": scorer.model, "figures": found}
    _answer(answer, [scorer.model, *_lines(found)], as_json=as_json)


@model.command()
@click.argument("folder", type=_FOLDER)
@_as_json
def card(folder: Path, *, as_json: bool) -> None:
    """Print the model card of the artefact in FOLDER.

    \b
    Example: what is it for, what does it find, what can it not do?
      tidegate model card models/payments_fraud
    """  # noqa: D301
    from processor.scoring.artefact import checked, read_manifest

    manifest = read_manifest(folder)
    text = checked(manifest, "MODEL_CARD.md").decode()
    answer = {"model": manifest.model, "figures": manifest.content.get("figures"), "card": text}
    _answer(answer, [text], as_json=as_json)


def _spec(folder: Path) -> Spec:
    from models.spec import load_spec

    return load_spec(folder)


def _source(spec: Spec, data: Path | None) -> Source:
    from models.sources import Recorded, Simulated

    return Recorded(data) if data else Simulated(spec)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    """Shows on stderr what is being done."""
    if quiet:
        yield lambda _step, _done: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda step, done: status.update(f"{step}: {done:,}")


def _lines(figures: dict[str, Any]) -> list[str]:
    """The figures, a line each."""
    flat = {name: value for name, value in figures.items() if not isinstance(value, dict)}
    for kind, found in figures.get("scenarios", {}).items():
        flat[f"recall of scenario {kind}"] = found["recall"]
    return [f"  {name.replace('_', ' '):24} {value}" for name, value in flat.items()]


def _answer(answer: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else "\n".join(lines))
