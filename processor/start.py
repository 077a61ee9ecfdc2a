"""Start: policy, model, keys and clients, checked before the first record is read.

An error here stops the function: a gate that is not sure of itself stays shut.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from processor.audit import Audit, Chain
from processor.aws import connect
from processor.entities import editions, entity_names, short_names
from processor.errors import Finding, PolicyError
from processor.event import alert_for, envelope_for, summary
from processor.judge import Judge
from processor.keys import DataKeys, key_ring
from processor.ledger import Ledger
from processor.pipeline import Gate
from processor.policy import Plan, Sanitiser, load_plan
from processor.profiles import Profiles
from processor.quarantine import Quarantine
from processor.removals import Removals
from processor.scoring import granted_scorer
from processor.settings import MODEL, POLICY, SHADOW, Settings
from processor.sinks import Alerts, Feed
from processor.subjects import Subjects
from processor.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from processor.aws import Patience
    from processor.crypto import KeyRing
    from processor.scoring import Scorer


def start(
    package: Path, environ: Mapping[str, str], patience: Patience | None = None, *, apart: str = ""
) -> tuple[Gate, Telemetry]:
    """The gate of the package in this folder, in this environment, calling AWS with this patience.

    Its metrics are the policy's; with `apart`, those of its name with this at the end.

    Raises:
        SettingsError, PolicyError, ModelError: what is wrong and how to mend it.
        Transient: KMS did not give the token keys.
    """
    settings = Settings.read(environ)
    plan = packaged_plan(package / POLICY)
    scorers = Scorers(*(_scorer(package / folder, plan) for folder in (MODEL, SHADOW)))
    aws = Clients(*connect("s3", "dynamodb", "kms", "sns", patience=patience, once=["dynamodb"]))
    gate = _gate(settings, plan, scorers, aws, (package / POLICY).read_bytes())
    return gate, Telemetry(
        plan.name + apart,
        scorers.used.model if scorers.used else None,
        time.time,
        partial(print, flush=True),
        features=scorers.used.features.names if scorers.used else (),
        shadow=scorers.shadow.model if scorers.shadow else None,
    )


def _scorer(folder: Path, plan: Plan) -> Scorer | None:
    """A model of the package; that of the policy has to be there, a candidate may."""
    if plan.score is None or (folder.name == SHADOW and not folder.is_dir()):
        return None
    return granted_scorer(folder, plan.score)


class Clients(NamedTuple):
    """The clients that the gate calls AWS by."""

    s3: Any
    dynamodb: Any
    kms: Any
    sns: Any
    once: Any
    """DynamoDB, for what must not be done twice: no call is tried again."""


class Scorers(NamedTuple):
    """The models of a package."""

    used: Scorer | None
    shadow: Scorer | None
    """A candidate."""


def _gate(settings: Settings, plan: Plan, scorers: Scorers, aws: Clients, compiled: bytes) -> Gate:
    keys = key_ring(aws.kms, settings.token_key_arns)
    chain = _chain(settings, plan, keys, aws)
    subjects = Subjects(
        dynamodb=aws.dynamodb,
        table=settings.subjects_table,
        clock=time.time,
        cache_s=settings.subject_cache_s,
    )
    arn = settings.data_key_arn
    data_keys = DataKeys(kms=aws.kms, data_key_arn=arn, policy=plan.name, clock=time.time)
    return Gate(
        plan=plan,
        judge=_judge(settings, plan, scorers, keys, aws),
        sanitiser=Sanitiser(plan, keys, data_keys),
        subjects=subjects,
        envelope=envelope_for(plan, keys.versions[0]),
        quarantine=Quarantine(
            s3=aws.s3,
            kms=aws.kms,
            bucket=settings.quarantine_bucket,
            data_key_arn=arn,
            policy=plan.name,
        ),
        ledger=_ledger(settings, plan, scorers.used.model if scorers.used else None, keys, aws),
        feed=Feed(aws.s3, settings.events_bucket),
        audit=Audit(
            aws.s3,
            settings.audit_bucket,
            chain=chain,
            policy=compiled,
            policy_name=plan.name,
            policy_sha256=plan.sha256,
        ),
        removals=Removals(
            plan=plan,
            subjects=subjects,
            chain=chain,
            function=settings.function_name,
            clock=time.time,
        ),
        alert=alert_for(plan),
        alerts=Alerts(aws.sns, settings.alerts_topic_arn, plan.name),
    )


def _judge(settings: Settings, plan: Plan, scorers: Scorers, keys: KeyRing, aws: Clients) -> Judge | None:
    if scorers.used is None or plan.score is None:
        return None
    rule = plan.score

    def judge(scorer: Scorer, *, read_only: Collection[str] = (), **more: Any) -> Judge:
        profiles = Profiles(
            dynamodb=aws.dynamodb,
            adding=aws.once,
            table=settings.profiles_table,
            profiles=scorer.features.profiles,
            names=entity_names(plan, keys, rule.model, scorer.features),
            read_only=read_only,
        )
        return Judge(
            scorer=scorer,
            threshold=scorer.threshold(rule.flag_at),
            profiles=profiles if scorer.features.profiles else None,
            short=short_names(keys, rule.model),
            **more,
        )

    shadow = None
    if scorers.shadow is not None:
        kept, made = (editions(scorer.features) for scorer in (scorers.used, scorers.shadow))
        alike = [name for name, edition in made.items() if edition == kept.get(name)]
        shadow = judge(scorers.shadow, read_only=alike)
    return judge(scorers.used, keeps_features=rule.keep_features, shadow=shadow)


def _chain(settings: Settings, plan: Plan, keys: KeyRing, aws: Clients) -> Chain:
    return Chain(
        s3=aws.s3,
        bucket=settings.audit_bucket,
        dynamodb=aws.dynamodb,
        ledger_table=settings.ledger_table,
        group=f"stream/{plan.name}",
        clock=time.time,
        retention_days=plan.retention_days.audit,
        key_version=keys.versions[0],
    )


def _ledger(settings: Settings, plan: Plan, model: str | None, keys: KeyRing, aws: Clients) -> Ledger:
    return Ledger(
        dynamodb=aws.dynamodb,
        table=settings.ledger_table,
        feed=Feed(aws.s3, settings.events_bucket),
        policy=plan.name,
        edition=f"{plan.sha256}/{model}",
        retention_days=plan.retention_days.ledger,
        summarise=partial(summary, plan=plan, model=model, versions=keys.versions),
        clock=time.time,
    )


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
