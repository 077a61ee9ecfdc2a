"""Cold starts, measured by Lambda's own emulator: the gate's, and those of what it is compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from processor.errors import TidegateError
from processor.local import emulator
from processor.local.terraform import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMES: Final = 3
BASELINE: Final = '''\
"""The usual way: Boto3, scikit-learn and a model from joblib."""
import boto3
import joblib
from sklearn.ensemble import IsolationForest

S3 = boto3.client("s3")
MODEL: IsolationForest = joblib.load("model.joblib")


def handler(event, context):
    return None
'''
MODEL: Final = REPOSITORY / "models" / "payments_fraud" / "model.joblib"


def gate_ms(launch: Mapping[str, Any]) -> float:
    """Median initialisation of the function that `launch` describes, milliseconds."""
    return _median_ms(launch)


def baseline_ms(environ: Mapping[str, str]) -> float:
    """Median initialisation of ten lines that import Boto3, scikit-learn and a joblib model, milliseconds.

    It runs on the project's own Python, which has them, compiled.
    """
    with tempfile.TemporaryDirectory(prefix="tidegate-baseline-") as folder:
        Path(folder, "app.py").write_text(BASELINE)
        shutil.copyfile(MODEL, Path(folder, "model.joblib"))
        # A fair start: run once outside, so that everything it imports has its bytecode, as the gate has.
        compiling = {"PATH": os.defpath, **environ}
        subprocess.run([sys.executable, "app.py"], cwd=folder, env=compiling, check=True)
        launch = {"folder": Path(folder), "handler": "app.handler", "python": Path(sys.executable)}
        return _median_ms({**launch, "environ": environ})


def _median_ms(launch: Mapping[str, Any]) -> float:
    measured = []
    for _ in range(TIMES):
        with emulator.running(**launch) as function:
            if error := function.invoke({"Records": []}).error:
                log = function.log.decode(errors="replace").strip().splitlines()
                raise TidegateError("\n".join([f"A function fails at its start ({error}):", *log[-10:]]))
            measured += function.cold_starts_ms[:1]
    return median(measured)
