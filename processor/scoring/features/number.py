"""`number`, `log`: a number as it is, or its logarithm, for what spans orders of magnitude."""

from __future__ import annotations

import numpy as np

from processor.scoring.features.kind import FieldKind
from processor.scoring.features.values import number

KINDS = {
    "number": FieldKind(lambda x: x, number, "a number"),
    "log": FieldKind(lambda x: np.log1p(np.maximum(x, 0.0)), number, "a number"),
}
