"""Receipts: what an erasure did, signed by a key that only the erase function may sign with.

The signature is over the canonical form of all but `signature`: JSON with sorted keys, no spaces, in UTF-8.
With the public key (`aws kms get-public-key`) anybody can check one, without AWS and years later:
https://docs.aws.amazon.com/kms/latest/developerguide/offline-public-key.html

AWS calls: kms:Sign on the receipts' key.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from processor.aws import calling

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = "tidegate.receipt/1"
ALGORITHM: Final = "ECDSA_SHA_256"
RAW_BYTES_MAX: Final = 4096  # that KMS hashes itself


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one form of a JSON document in which it is hashed and signed.

    Raises:
        ValueError: it holds what JSON in UTF-8 cannot: NaN, a lone surrogate, or too many levels.
    """
    try:
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode()
    except (ValueError, RecursionError):
        raise ValueError("not a document of JSON in UTF-8") from None  # the first may quote it


class Signer:
    """The pen: signs with one KMS key (ECC_NIST_P256)."""

    def __init__(self, kms: Any, key_arn: str) -> None:
        self._kms, self._key_arn = kms, key_arn

    def signed(self, receipt: Mapping[str, Any]) -> dict[str, Any]:
        """The receipt with its signature.

        Raises:
            Transient: KMS refused or did not answer.
        """
        message, kind = canonical(receipt), "RAW"
        if len(message) > RAW_BYTES_MAX:
            message, kind = sha256(message).digest(), "DIGEST"  # the same signature
        with calling("kms:Sign of a receipt"):
            answer = self._kms.sign(
                KeyId=self._key_arn, Message=message, MessageType=kind, SigningAlgorithm=ALGORITHM
            )
        value = b64encode(answer["Signature"]).decode()
        return {
            **receipt,
            "signature": {"algorithm": ALGORITHM, "key": self._key_arn, "value": value},
        }


def is_authentic(receipt: Mapping[str, Any], public_key: bytes) -> bool:
    """Whether a receipt is as it was signed; `public_key` is the key's DER form, as KMS gives it."""
    key = load_der_public_key(public_key)
    signature = receipt.get("signature")
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(signature, dict):
        return False
    said = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        key.verify(b64decode(signature["value"], validate=True), canonical(said), ECDSA(SHA256()))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return signature.get("algorithm") == ALGORITHM
