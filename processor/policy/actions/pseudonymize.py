"""pseudonymize: a keyed one-way name that joins; nobody can open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processor.policy.actions.keyed import Keyed, plaintext

if TYPE_CHECKING:
    from processor.crypto import KeyRing
    from processor.policy.actions.action import Transform
    from processor.policy.notes import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymize(Keyed):
    """Replace the value by 16 bytes of HMAC-SHA256 under a derived key: without it, guessing is no help."""


def pseudonymize(options: Pseudonymize, keys: KeyRing) -> Transform:
    """Name any scalar."""
    assert options.domain is not None, "the plan resolves domains"  # noqa: S101
    pseudonym, bytes_of = keys.pseudonyms(options.domain), plaintext(options)

    def apply(value: Any, _record: Record) -> Any:
        return pseudonym(bytes_of(value))

    return apply
