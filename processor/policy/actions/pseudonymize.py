"""pseudonymize: a keyed one-way name that joins; nobody can open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from processor.policy.actions.keyed import Normalized, plaintext

if TYPE_CHECKING:
    from processor.policy.actions.action import Means, Transform


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymize(Normalized):
    """Replace the value by 16 bytes of HMAC-SHA256 under a derived key: without it, guessing is no help."""


def pseudonymize(options: Pseudonymize, means: Means) -> Transform:
    """Name any scalar."""
    assert options.domain is not None, "the plan resolves domains"  # noqa: S101
    pseudonym, bytes_of = means.keys.pseudonyms(options.domain), plaintext(options)
    if options.by_subject:
        return lambda value, record: pseudonym(bytes_of(value), record.person())
    return lambda value, _record: pseudonym(bytes_of(value))
