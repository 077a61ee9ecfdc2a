"""One feature of a model, with what training learnt about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a model."""

    name: str
    kind: str
    """A key of `FIELD_KINDS` or `PROFILE_KINDS`."""
    of: str = ""
    """The raw field, for a kind over one."""
    profile: str = ""
    """The profile, for a kind over what is known of an entity."""
    days: tuple[int, ...] = ()
    """Mean lives of the windows that it looks at."""
    options: Mapping[str, float] = field(default_factory=dict)
    median: float = math.nan
    """In training: what stands for it where it is missing."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of a kind over texts: how common each was in training."""
