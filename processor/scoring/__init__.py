"""Score: how unusual a change is, from its raw values, with numpy alone.

Pure but for `load_scorer` and `served_files`, which read an artefact's folder.
"""

from processor.scoring.artefact import load_scorer, served_files
from processor.scoring.scorer import Fraud, Reason, Scorer

__all__ = ["Fraud", "Reason", "Scorer", "load_scorer", "served_files"]
