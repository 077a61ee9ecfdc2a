"""The Lambda function that opens tokens, for those who may. Everything is made ready at import.

{"policy": "payments", "purpose": "dispute", "ticket": "DSP-4711", "proof": {"headers": {…}},
 "tokens": [{"field": "email", "token": "tok.email.1.…", "subject": "psn.customer.1.…"}]}
→ {"values": [{"value": …} | {"status": "erased"} | {"status": "invalid"}], "record": {"key", "sha256"}}
→ {"refused": why}
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from processor.access import detokenizing
from processor.calls import answered
from processor.reidentification import reidentify

DESK, VOICE = detokenizing(Path(__file__).parents[1], os.environ)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one request; its record is in the audit trail before.

    Raises:
        TidegateError: AWS failed on the way, or something unexpected did: then nothing is answered.
    """
    return answered(VOICE, partial(reidentify, DESK, event, context.aws_request_id))
