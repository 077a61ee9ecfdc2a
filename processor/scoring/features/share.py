"""`share`: how common a text is, as its share of the training data; 0 if it was never seen there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from processor.scoring.features.kind import FieldKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processor.scoring.features.kind import Reader

KINDS = {"share": FieldKind(lambda x: x, None, "a text")}


def share_of(shares: Mapping[str, float]) -> Reader:
    """The reader of a feature over these shares."""

    def share(value: Any) -> float:
        return shares.get(value, 0.0) if isinstance(value, str) else math.nan

    return share
