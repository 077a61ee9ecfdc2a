"""tokenize: a token that joins and that the detokenize function, and nobody else, can open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from processor.crypto import from_plaintext
from processor.policy.actions.keyed import Normalized, plaintext

if TYPE_CHECKING:
    from processor.policy.actions.action import Means, Open, Transform


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenize(Normalized):
    """Replace the value by an AES-SIV token (RFC 5297)."""


def tokenize(options: Tokenize, means: Means) -> Transform:
    """Seal any scalar; a token opens to the value as normalised, with its type."""
    assert options.domain is not None, "the plan resolves domains"  # noqa: S101
    cipher, bytes_of = means.keys.tokens(options.domain, options.data_class or ""), plaintext(options)
    seal = cipher.seal
    if options.by_subject:
        return lambda value, record: seal(bytes_of(value), record.person())
    return lambda value, _record: seal(bytes_of(value))


def open_token(options: Tokenize, means: Means) -> Open:
    """Open what `tokenize` gave, under any key version on the ring."""
    assert options.domain is not None, "the plan resolves domains"  # noqa: S101
    cipher = means.keys.tokens(options.domain, options.data_class or "")
    return lambda sealed: from_plaintext(cipher.open(sealed.text, sealed.secret))
