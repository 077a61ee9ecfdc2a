"""The Lambda function that forgets people. Everything is made ready at import.

{"subject": "C-1001", "reason": "GDPR Art. 17, case 117", "policy": "payments"?, "dry_run": bool,
 "as": "text" | "number" | "binary"?, "unseen": bool, "proof": {"headers": {…}}}
→ the signed receipt, or what would be done, or {"refused": why}
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from processor.access import erasing
from processor.calls import answered
from processor.erasure import erase

OFFICE, VOICE = erasing(Path(__file__).parents[1], os.environ)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one request. To ask again after a failure is safe.

    Raises:
        TidegateError: AWS failed on the way, or something unexpected did.
    """
    return answered(VOICE, partial(erase, OFFICE, event, context.aws_request_id))
