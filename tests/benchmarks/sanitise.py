"""What sanitising costs over what it cannot do without, in one run.

python -m tests.benchmarks.sanitise [--json]

A payment of 20 attributes: three tokens, two masks, one pseudonym, one text of 200 characters scrubbed, the
rest kept under the leak guard. The floor is the primitives alone: AES-SIV and HMAC-SHA-256 with base64, and
the search of the text.
"""

from __future__ import annotations

import hmac
import json
import sys
from base64 import urlsafe_b64encode
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from processor.crypto import KeyRing
from processor.policy import Sanitiser
from processor.policy.detection import SCORES, finder
from processor.policy.plan import read_plan
from processor.stream import Change
from tests.benchmarks.stages import us_per_record

ENTITIES = ("card", "ssn", "email", "phone", "iban", "ip")
NOTE = (
    "Customer called about order 8812-A on Monday and asked us to write to jane.doe@example.com or to ring "
    "+44 20 7946 0958 before noon; she paid with 4111 1111 1111 1111 and will send a form by post soon."
)
PAYMENT: dict[str, Any] = {
    "payment_id": "pay_01HF8Z6Q2M3N4P5R6S7T8V9W0X",
    "customer_id": "cus_8f14e45fceea167a",
    "email": "jane.doe@example.com",
    "phone": "+44 20 7946 0958",
    "device_id": "d41d8cd98f00b204e9800998ecf8427e",
    "card_number": "4111 1111 1111 1111",
    "account": "GB82WEST12345698765432",
    "note": NOTE,
    "amount": Decimal("129.95"),
    "currency": "EUR",
    "status": "captured",
    "channel": "web",
    "created_at": "2026-11-23T21:04:05Z",
    "merchant_category": "5732",
    "terminal_id": "term-00123",
    "country": "GB",
    "attempt": 1,
    "is_test": False,
    "sku": "SKU-4711",
    "campaign": "autumn-2026",
}
HIDDEN: dict[str, Any] = {
    "email": {"action": "tokenize", "normalize": "email"},
    "phone": {"action": "tokenize", "normalize": "digits"},
    "device_id": "tokenize",
    "customer_id": "pseudonymize",
    "card_number": {"action": "mask", "keep_last": 4, "keep": " -"},
    "account": {"action": "mask", "keep_last": 4},
    "note": {"action": "scrub", "entities": list(ENTITIES)},
}


def measure() -> dict[str, float]:
    """µs per payment, of the whole and of its floor, and their ratio."""
    document = {
        "policy": "bench",
        "version": 1,
        "fields": {name: HIDDEN.get(name, "keep") for name in PAYMENT},
        "routes": {"sns": {"events": "none"}},
        "retention_days": {"events": 1, "audit": 1, "quarantine": 1, "logs": 1, "ledger": 2},
    }
    plan, problems = read_plan(document, "0" * 64)
    assert plan is not None, problems
    assert (len(NOTE), len(PAYMENT)) == (200, 20)
    sanitiser = Sanitiser(plan, KeyRing({1: b"benchmark" * 8}))
    change = Change("e", "INSERT", 1_795_467_845, "bench", "1", {}, PAYMENT, None, expired=False)
    cipher, context = AESSIV(bytes(64)), [b"tidegate.token/1", b"email", b"1"]
    values = [PAYMENT[name].encode() for name in ("email", "phone", "device_id")]
    subject, key = PAYMENT["customer_id"].encode(), bytes(32)
    find = finder(ENTITIES, least=SCORES["likely"])

    def floor() -> None:
        for value in values:
            urlsafe_b64encode(cipher.encrypt(value, context))
        urlsafe_b64encode(hmac.digest(key, subject, "sha256"))
        find(NOTE)

    whole, parts = us_per_record(lambda: sanitiser.sanitise(change), 1), us_per_record(floor, 1)
    return {"sanitise_us": whole, "floor_us": parts, "ratio": whole / parts}


def main() -> None:
    """Measure and print."""
    found = measure()
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    sys.stdout.write(
        f"sanitise a payment of 20 attributes: {found['sanitise_us']:.1f} µs; its primitives and its search "
        f"alone: {found['floor_us']:.1f} µs; ratio {found['ratio']:.2f}\n"
    )


if __name__ == "__main__":
    main()
