"""`tidegate model …`: train, score, verify, measure and describe the models that score the stream.

scikit-learn is imported by the commands that need it, so that `--help` stays quick.
"""

from __future__ import annotations

from typing import Final

import click

from processor.cli import LazyGroup

COMMANDS: Final = {
    "train": ("processor.cli.model.train:train", "Train a model by its spec, and release it."),
    "score": ("processor.cli.model.score:score", "Score recorded data as the function would have."),
    "verify": ("processor.cli.model.verify:verify", "Check an artefact against its manifest."),
    "evaluate": ("processor.cli.model.evaluate:evaluate", "Measure how much a model finds."),
    "drift": ("processor.cli.model.drift:drift", "Compare what comes now with what was trained on."),
    "release": ("processor.cli.model.release:release", "Release a candidate, if it passes the gates."),
    "card": ("processor.cli.model.card:card", "Print the model card."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def model() -> None:
    """Train, score, verify, measure and describe the models that score the stream.

    A model is a folder: model.yaml says how it is made, and beside it is what training made of it.

    \b
    Example: change the spec, train, look at the figures, commit the folder.
      tidegate model train models/payments_fraud
      tidegate model card models/payments_fraud
      tidegate model verify models/payments_fraud
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
