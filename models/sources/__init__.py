"""Where training data comes from: the simulator, or files of records."""

from models.sources.changes import Changed, History
from models.sources.data import READABLE, Data, open_sources
from models.sources.fields import SCENARIO
from models.sources.measured import Measured
from models.sources.recorded import LONGEST_LINE, MOST_RECORDS, Recorded
from models.sources.simulated import Simulated, Source

__all__ = [
    "LONGEST_LINE",
    "MOST_RECORDS",
    "READABLE",
    "SCENARIO",
    "Changed",
    "Data",
    "History",
    "Measured",
    "Recorded",
    "Simulated",
    "Source",
    "open_sources",
]
