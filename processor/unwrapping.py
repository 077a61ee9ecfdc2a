"""Data keys of `encrypt`, made usable again by KMS under the context of their policy.

AWS calls: kms:Decrypt on the data key, with the context `purpose` = tidegate.encrypt.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.crypto import InvalidToken
from processor.errors import Transient
from processor.keys import PURPOSE

if TYPE_CHECKING:
    from collections.abc import Callable

WRAPPED_BYTES_MAX: Final = 6144  # that KMS takes
KEPT_MAX: Final = 64
KEPT_S_MAX: Final = 300
NOT_OURS: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"})
"""How KMS names what was not wrapped by this key for this policy, or not wrapped at all."""


class Unwrapping:
    """The data keys of one policy: each asked for once in a while, however many values it has sealed."""

    def __init__(self, *, kms: Any, data_key_arn: str, policy: str, clock: Callable[[], float]) -> None:
        self._kms, self._arn, self._clock = kms, data_key_arn, clock
        self._context = {"purpose": PURPOSE, "policy": policy}
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()

    def __repr__(self) -> str:
        return "Unwrapping(…)"  # never the bytes

    def __call__(self, wrapped: bytes) -> bytes:
        """The data key of its wrapped form.

        Raises:
            InvalidToken: this key wrapped no such thing for this policy.
            Transient: KMS refused or did not answer.
        """
        if not 1 <= len(wrapped) <= WRAPPED_BYTES_MAX:
            raise InvalidToken
        name, now = sha256(wrapped).digest(), self._clock()
        while self._kept and now - next(iter(self._kept.values()))[0] >= KEPT_S_MAX:
            self._kept.popitem(last=False)
        if name not in self._kept:
            self._kept[name] = now, self._decrypted(wrapped)
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        return self._kept[name][1]

    def _decrypted(self, wrapped: bytes) -> bytes:
        try:
            with calling("kms:Decrypt of a data key"):
                answer = self._kms.decrypt(
                    CiphertextBlob=wrapped, KeyId=self._arn, EncryptionContext=self._context
                )
        except Transient as failure:
            if failure.code in NOT_OURS:
                raise InvalidToken from None
            raise
        return bytes(answer["Plaintext"])
