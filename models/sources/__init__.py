"""Where training data comes from: the simulator, or files of records."""

from models.sources.blocks import LONGEST_LINE
from models.sources.changes import Changed, History
from models.sources.data import READABLE, Data, open_sources
from models.sources.fields import SCENARIO
from models.sources.measured import Measured
from models.sources.simulated import Simulated

__all__ = [
    "LONGEST_LINE",
    "READABLE",
    "SCENARIO",
    "Changed",
    "Data",
    "History",
    "Measured",
    "Simulated",
    "open_sources",
]
