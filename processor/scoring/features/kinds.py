"""All kinds of features: a new one is a module with `KINDS`, and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.scoring.features import amounts, count, distinct, moments, number, risk, run, share, since

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processor.scoring.features.kind import FieldKind, ProfileKind

FIELD_KINDS: Final[Mapping[str, FieldKind]] = {**number.KINDS, **moments.KINDS, **share.KINDS}
PROFILE_KINDS: Final[Mapping[str, ProfileKind]] = {
    **count.KINDS,
    **amounts.KINDS,
    **since.KINDS,
    **distinct.KINDS,
    **risk.KINDS,
    **run.KINDS,
}
