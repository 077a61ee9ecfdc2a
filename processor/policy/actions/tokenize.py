"""tokenize: a token that joins and that the detokenize function, and nobody else, can open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processor.policy.actions.keyed import Normalized, plaintext

if TYPE_CHECKING:
    from processor.policy.actions.action import Means, Transform
    from processor.policy.notes import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenize(Normalized):
    """Replace the value by an AES-SIV token (RFC 5297)."""


def tokenize(options: Tokenize, means: Means) -> Transform:
    """Seal any scalar; a token opens to the value as normalised, with its type."""
    assert options.domain is not None, "the plan resolves domains"  # noqa: S101
    seal, bytes_of = means.keys.tokens(options.domain).seal, plaintext(options)

    def apply(value: Any, _record: Record) -> Any:
        return seal(bytes_of(value))

    return apply
