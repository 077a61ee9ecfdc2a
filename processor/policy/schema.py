"""The JSON schema of a policy file, for editors. Not part of the Lambda package.

Generated from the declarations that read a policy, so that it can be behind them only until the test has run
that compares it with `policies/schema.json`.
"""

from __future__ import annotations

import json

from processor.policy.kinds import Section
from processor.policy.plan import Plan

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """The schema as the text of its file."""
    schema = {
        "$schema": DIALECT,
        "title": "Tidegate policy",
        "description": "What may leave a DynamoDB stream: a field that no rule names does not.",
        **Section(Plan).schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
