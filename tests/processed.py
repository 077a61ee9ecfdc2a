"""A policy that says why and for whom it processes, and outputs of Terraform, for tests of the records."""

from __future__ import annotations

import json
from typing import Any

POLICY = """\
policy: cards
version: 3
subject: id
fields:
  id: {action: pseudonymize, class: identifier, required: true}
  email: {action: tokenize, scope: subject, class: identifier}
  number: {action: mask, keep_last: 4, class: pan}
  place: drop
  amount: {action: keep, class: public}
purposes:
  support: {fields: [email], values_per_hour: 7}
routes: {sns: {events: all}}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""
PROCESSING = """\
processing:
  controller: {name: Example Cards Ltd, contact: "privacy@example.com, 1 High Street"}
  protection_officer: {name: "R. Roe <officer>", contact: dpo@example.com}
  purposes: [fraud is found and stopped]
  people: [card holders]
  recipients: [analysts of the house]
  transfers: []
"""
ARN = "arn:aws:iam::123456789012"


def outputs(**changes: Any) -> str:
    """What `terraform output -json` prints."""
    values = {
        "account_id": "123456789012",
        "alerts_topic_arn": "arn:aws:sns:eu-west-1:123456789012:tidegate-prod-alerts",
        "analyst_policy_arn": f"{ARN}:policy/tidegate-prod-analyst",
        "auditor_policy_arn": f"{ARN}:policy/tidegate-prod-auditor",
        "buckets": {name: f"tidegate-prod-{name}" for name in ("events", "audit", "quarantine")},
        "data_residency": ["eu-central-1", "eu-west-1"],
        "detokenize": {"caller_policy_arn": f"{ARN}:policy/tidegate-prod-detokenize-caller"},
        "ledger_table": "tidegate-prod-ledger",
        "legal_hold": {},
        "replayer_policy_arn": f"{ARN}:policy/tidegate-prod-replayer",
        "streams": {
            "cards": {
                "policy": "cards",
                "role_arn": f"{ARN}:role/tidegate-prod-cards",
                "source_table": "the-cards",
                "log_group": "/aws/lambda/tidegate-prod-cards",
            },
            "loans": {
                "policy": "loans",
                "role_arn": f"{ARN}:role/tidegate-prod-loans",
                "source_table": "loans",
            },
        },
        "subjects_table": "tidegate-prod-subjects",
    }
    return json.dumps(
        {name: {"value": value, "type": "string"} for name, value in (values | changes).items()}
    )
