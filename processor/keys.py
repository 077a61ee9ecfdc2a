"""Where token keys come from: KMS computes a root for each key version, and none is ever stored.

AWS calls: kms:GenerateMac on each token key, once per start of the function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.crypto import KeyRing

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL: Final = b"tidegate token root/v1"
"""What the MAC is over. The keys of purposes and domains are derived from it inside (HKDF), so that a start
costs one request however many domains a policy has."""


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
