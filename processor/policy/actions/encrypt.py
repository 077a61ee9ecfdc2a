"""encrypt: the value sealed under a data key that KMS wraps; opens for whom KMS lets, and joins nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.crypto import from_plaintext, open_sealed, to_plaintext
from processor.policy.actions.action import Open, Options, Sealed, Transform
from processor.policy.kinds import Choice, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.crypto.typed import Scalar
    from processor.policy.actions.action import Means
    from processor.policy.notes import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Encrypt(Options):
    """Replace the value by AES-256-GCM ciphertext under a data key that KMS wraps."""

    scope: str = field(
        default="domain",
        metadata=key(
            Choice(
                {
                    "domain": "whoever KMS lets opens it, until the event expires",
                    "subject": "and the person's secret is needed: once the person is erased nobody opens it",
                }
            ),
            "Whose key it is. `subject` needs the policy's `subject`.",
        ),
    )

    @property
    def by_subject(self) -> bool:
        """Whether a person's secret is part of the key."""
        return self.scope == "subject"


def associated_data(policy: str, path: str, event_id: str) -> bytes:
    """Where a sealed value stands; only there it opens. Each part after its length: none runs over."""
    parts = [part.encode() for part in ("tidegate.encrypt/2", policy, path, event_id)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def encrypt(options: Encrypt, means: Means) -> Transform:
    """Seal any scalar; equal values of two events have nothing in common."""
    assert means.data_key is not None, "whoever builds the sanitiser brings it"  # noqa: S101
    data_key, policy, path = means.data_key, means.policy, means.path
    by_subject = options.by_subject

    def apply(value: Any, record: Record) -> Any:
        try:
            plaintext = to_plaintext(value)
        except ValueError:
            raise Mismatch from None
        secret = record.person() if by_subject else b""
        return data_key().seal(plaintext, associated_data(policy, path, record.event_id), secret)

    return apply


def open_encrypted(_options: Encrypt, means: Means) -> Open:
    """Open what `encrypt` gave, of the event where it stands."""
    assert means.unwrap is not None, "whoever opens brings it"  # noqa: S101
    unwrap, policy, path = means.unwrap, means.policy, means.path

    def opened(sealed: Sealed) -> Scalar:
        associated = associated_data(policy, path, sealed.event_id)
        return from_plaintext(open_sealed(sealed.text, unwrap, associated, sealed.secret))

    return opened
