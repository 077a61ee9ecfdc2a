"""shap's side of the benchmark of estimators, for its own interpreter: nothing of the project is there.

Reads from the folder given `estimator.joblib` and `rows.npy`; writes `values.npy`: how much each feature
moved each row, rows by features, more being more suspicious.
"""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import numpy as np
import shap


def main() -> None:
    """Explain."""
    folder = Path(sys.argv[1])
    estimator, rows = joblib.load(folder / "estimator.joblib"), np.load(folder / "rows.npy")
    # Of a long path an isolation forest's own total goes beyond what shap adds up; the check is not for it.
    values = np.asarray(shap.TreeExplainer(estimator).shap_values(rows, check_additivity=False))
    by_class = 3
    if values.ndim == by_class:
        values = values[:, :, 1]
    elif not hasattr(estimator, "predict_proba"):
        values = -values  # of an isolation forest: how much longer the path became
    np.save(folder / "values.npy", values)


if __name__ == "__main__":
    main()
