"""One feature of a model, with what training learnt about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Zone(NamedTuple):
    """A time zone as a table, so that the function needs no time zone data."""

    name: str
    """Of the IANA, as Europe/Berlin."""
    changes: tuple[tuple[int, int], ...]
    """In order: an epoch second, and from then on (the first: before, too) the offset from UTC in seconds."""


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
    zone: Zone | None = None
    """Whose local time it is, for a kind over a moment; None for UTC."""
    options: Mapping[str, float] = field(default_factory=dict)
    median: float = math.nan
    """In training: what stands for it where it is missing."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of a kind over texts: how common each was in training."""
