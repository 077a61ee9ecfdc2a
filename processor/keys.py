"""Where keys come from: KMS computes a root for each version of the token keys, and makes data keys.

AWS calls: kms:GenerateMac on each token key, once per start of the function; kms:GenerateDataKey on the data
key, when a rule encrypts and the last one is old or worn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.crypto import DataKey, KeyRing
from processor.crypto.envelope import SEALS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LABEL: Final = b"tidegate token root/v1"
"""What the MAC is over. The keys of purposes and domains are derived from it inside (HKDF), so that a start
costs one request however many domains a policy has."""

PURPOSE: Final = "tidegate.encrypt"
"""The `purpose` of the KMS encryption context of data keys for values: the role may make them for this."""
DATA_KEY_SECONDS_MAX: Final = 3600


def key_ring(kms: Any, arns: Mapping[int, str]) -> KeyRing:
    """The key ring whose roots are the 64-byte MACs of the KMS keys (HMAC_512), one for each version.

    Raises:
        Transient: KMS refused or did not answer. The function does not start without its keys.
    """
    roots = {}
    for version, arn in arns.items():
        with calling(f"kms:GenerateMac for token key version {version}"):
            answer = kms.generate_mac(KeyId=arn, Message=LABEL, MacAlgorithm="HMAC_SHA_512")
        roots[version] = answer["Mac"]
    return KeyRing(roots)


class DataKeys:
    """The data key of the moment for what one policy encrypts: made when first needed, kept for an hour."""

    def __init__(self, *, kms: Any, data_key_arn: str, policy: str, clock: Callable[[], float]) -> None:
        self._kms, self._arn, self._clock = kms, data_key_arn, clock
        self._context = {"purpose": PURPOSE, "policy": policy}
        self._key: DataKey | None = None
        self._made, self._seals = 0.0, 0

    def __repr__(self) -> str:
        return "DataKeys(…)"  # never the bytes

    def __call__(self) -> DataKey:
        """A key for one more value.

        Raises:
            Transient: KMS refused or did not answer.
        """
        self._seals += 1
        fresh = self._clock() - self._made < DATA_KEY_SECONDS_MAX and self._seals <= SEALS_MAX
        if self._key is None or not fresh:
            with calling("kms:GenerateDataKey for values"):
                made = self._kms.generate_data_key(
                    KeyId=self._arn, KeySpec="AES_256", EncryptionContext=self._context
                )
            self._key = DataKey(made["Plaintext"], made["CiphertextBlob"])
            self._made, self._seals = self._clock(), 1
        return self._key
