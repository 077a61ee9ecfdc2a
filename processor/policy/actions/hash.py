"""hash: HMAC-SHA-256 in full, under the domain's key: a keyed cryptographic hash of PCI DSS 4.0, 3.5.1.1."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.keyed import Normalized, plaintext
from processor.policy.kinds import Choice, key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.actions.action import Means, Transform
    from processor.policy.kinds import Fault
    from processor.policy.notes import Record

TAG_BYTES: Final = 1  # in front of a plaintext, for its type


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash(Normalized):
    """Replace the value by 64 hex digits that joins are made on."""

    keyed_by: str = field(
        default="domain",
        metadata=key(
            Choice(
                {
                    "domain": "HMAC-SHA-256 under the domain's key: without it, guessing is no help",
                    "none": "SHA-256 of the value's UTF-8 text, to match lists that others hash so. Whoever "
                    "can guess a value can check the guess: all telephone numbers take seconds",
                }
            ),
            "Under which key.",
            name="key",
        ),
    )

    def faults(self) -> Iterator[Fault]:
        """What contradicts what."""
        for option in ("scope", "previous"):
            if self.keyed_by == "none" and getattr(self, option) in ("subject", True):
                yield (option,), f"{option}: without a key (key: none) there is nobody's and no previous one"

    @property
    def revealed(self) -> float:
        """All or nothing."""
        return 1.0 if self.keyed_by == "none" else 0.0


def hashed(options: Hash, means: Means) -> Transform:
    """Hash any scalar."""
    bytes_of = plaintext(options)
    if options.keyed_by == "none":

        def apply_plain(value: Any, _record: Record) -> Any:
            # Others hash texts, so types are not told apart: the number 1 and the text "1" match.
            return hashlib.sha256(bytes_of(value)[TAG_BYTES:]).hexdigest()

        return apply_plain
    assert options.domain is not None, "the plan resolves domains"  # noqa: S101
    name = means.keys.hashes(options.domain)
    if options.by_subject:
        return lambda value, record: name(bytes_of(value), record.person())
    return lambda value, _record: name(bytes_of(value))
