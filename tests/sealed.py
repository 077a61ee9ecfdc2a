"""How somebody with the key opens an object of the quarantine."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def opened(body: bytes, kms: Any) -> tuple[dict[str, Any], Any]:
    """What stands in the clear, and the record, as someone with the key reads them."""
    document = json.loads(body)
    sealed = {name: b64decode(document.pop(name)) for name in ("data_key", "nonce", "ciphertext")}
    context = {"purpose": "tidegate.quarantine", "policy": document["policy"]}
    key = kms.decrypt(CiphertextBlob=sealed["data_key"], EncryptionContext=context)["Plaintext"]
    about = json.dumps(document, sort_keys=True).encode()
    return document, json.loads(AESGCM(key).decrypt(sealed["nonce"], sealed["ciphertext"], about))
