"""Start: policy, model, keys and clients, checked before the first record is read.

An error here stops the function: a gate that is not sure of itself stays shut.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from processor.audit import Audit
from processor.aws import connect
from processor.errors import Finding, PolicyError
from processor.event import envelope_for, summary
from processor.keys import DataKeys, key_ring
from processor.ledger import Ledger
from processor.pipeline import Gate
from processor.policy import Plan, Sanitiser, load_plan
from processor.quarantine import Quarantine
from processor.scoring import granted_scorer
from processor.settings import MODEL, POLICY, Settings
from processor.sinks import Alerts, Feed
from processor.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def start(package: Path, environ: Mapping[str, str]) -> tuple[Gate, Telemetry]:
    """The gate of the package in this folder, in this environment.

    Raises:
        SettingsError, PolicyError, ModelError: what is wrong and how to mend it.
        Transient: KMS did not give the token keys.
    """
    settings = Settings.read(environ)
    plan = packaged_plan(package / POLICY)
    scorer = granted_scorer(package / MODEL, plan.score) if plan.score else None
    s3, dynamodb, kms, sns = connect("s3", "dynamodb", "kms", "sns")
    model = scorer.model if scorer else None
    ledger = Ledger(
        dynamodb=dynamodb,
        table=settings.ledger_table,
        feed=Feed(s3, settings.events_bucket),
        policy=plan.name,
        edition=f"{plan.sha256}/{model}",
        retention_days=plan.retention_days.ledger,
        summarise=partial(summary, plan=plan, model=model),
        clock=time.time,
    )
    quarantine = Quarantine(
        s3=s3,
        kms=kms,
        bucket=settings.quarantine_bucket,
        data_key_arn=settings.data_key_arn,
        policy=plan.name,
    )
    gate = Gate(
        plan=plan,
        scorer=scorer,
        threshold=scorer.threshold(plan.score.flag_at) if scorer and plan.score else 1.0,
        sanitiser=Sanitiser(
            plan,
            key_ring(kms, settings.token_key_arns),
            DataKeys(kms=kms, data_key_arn=settings.data_key_arn, policy=plan.name, clock=time.time),
        ),
        envelope=envelope_for(plan),
        quarantine=quarantine,
        ledger=ledger,
        audit=Audit(s3, settings.audit_bucket),
        alerts=Alerts(sns, settings.alerts_topic_arn, plan.name),
    )
    return gate, Telemetry(plan.name, model, time.time, partial(print, flush=True))


def packaged_plan(path: Path) -> Plan:
    """The compiled policy at this path.

    Raises:
        PolicyError: it is missing or not one that this version can read.
    """
    try:
        return load_plan(path.read_bytes())
    except OSError:
        hint = "Build the package with `make package` and deploy that."
        raise PolicyError([Finding(path.name, 1, 1, "is missing in the package", hint)]) from None
