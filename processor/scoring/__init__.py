"""Score: how unusual a change is, from its raw values, with numpy alone.

Pure but for what reads an artefact's folder: `granted_scorer`, `load_scorer`, `served_files`.
"""

from processor.scoring.artefact import granted_scorer, load_scorer, served_files
from processor.scoring.features import Memory, Step
from processor.scoring.scorer import Fraud, Reason, Scored, Scorer

__all__ = [
    "Fraud",
    "Memory",
    "Reason",
    "Scored",
    "Scorer",
    "Step",
    "granted_scorer",
    "load_scorer",
    "served_files",
]
