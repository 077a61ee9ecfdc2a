from __future__ import annotations

import json

from processor.audit import Audit
from processor.sinks import Stored
from tests.fakes import FakeS3

KEY = "events/payments/dt=2026-11-23/hour=21/0a1b2c3d-100-200-0011223344556677.jsonl.gz"
STORED = Stored("tidegate-events", KEY, 123, "c2hhMjU2", "v1", created=True)
SUMMARY = {"records": 2, "flagged": 1, "actions": [{"field": "email", "action": "tokenize", "count": 2}]}


def test_a_manifest_describes_the_stored_object() -> None:
    s3 = FakeS3()
    Audit(s3, "audit").describe(STORED, SUMMARY)
    ((key, body),) = s3.under("").items()
    assert key == "manifests/payments/dt=2026-11-23/0a1b2c3d-100-200-0011223344556677.json"
    assert json.loads(body) == {
        "schema": "tidegate.manifest/1",
        "object": {
            "bucket": "tidegate-events",
            "key": KEY,
            "version_id": "v1",
            "bytes": 123,
            "sha256": "c2hhMjU2",
        },
        **SUMMARY,
    }


def test_a_manifest_is_written_once() -> None:
    s3 = FakeS3()
    for _ in range(2):
        Audit(s3, "audit").describe(STORED, SUMMARY)
    assert len(s3.objects) == 1
