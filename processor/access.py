"""Start of the two functions on people: policies, keys and clients, checked before the first request is read.

Both are of one package, which holds the compiled plans of all policies under `policies/`.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from processor.asking import book_of
from processor.audit import Chain, record_key
from processor.aws import connect
from processor.calls import Voice
from processor.erasure import Office
from processor.errors import Finding, PolicyError, SettingsError, Transient
from processor.keys import key_ring
from processor.policy import load_plan
from processor.policy.people import People
from processor.proof import Callers, ask_sts
from processor.rates import Rates
from processor.receipts import Signer
from processor.reidentification import Desk
from processor.settings import token_keys
from processor.subjects import Subjects
from processor.unwrapping import Unwrapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from processor.audit import Link
    from processor.policy import Plan

POLICIES: Final = "policies"
"""The folder of the compiled plans in the package."""
NEEDED: Final = (
    "AUDIT_BUCKET", "LEDGER_TABLE", "SUBJECTS_TABLE", "TOKEN_KEY_ARNS", "AWS_LAMBDA_FUNCTION_NAME",
)  # fmt: skip
DETOKENIZE: Final = (*NEEDED, "DATA_KEY_ARN")
ERASE: Final = (*NEEDED, "RECEIPT_KEY_ARN", "SUBJECTS_RECOVERY_DAYS", "SUBJECT_CACHE_SECONDS")
MEND: Final = "Terraform sets it: apply again."


def detokenizing(package: Path, environ: Mapping[str, str]) -> tuple[Desk, Voice]:
    """The detokenize function of the package in this folder, in this environment.

    Raises:
        SettingsError, PolicyError: what is wrong and how to mend it.
        Transient: KMS did not give the token keys.
    """
    checked(environ, DETOKENIZE)
    plans = packaged_plans(package / POLICIES)
    s3, dynamodb, kms, sts = connect("s3", "dynamodb", "kms", "sts")
    keys = key_ring(kms, token_keys(environ["TOKEN_KEY_ARNS"]))
    desk = Desk(
        books={
            plan.name: book_of(
                plan,
                keys,
                Unwrapping(kms=kms, data_key_arn=environ["DATA_KEY_ARN"], policy=plan.name, clock=time.time),
            )
            for plan in plans
        },
        callers=_callers(sts, environ),
        rates=Rates(dynamodb=dynamodb, table=environ["LEDGER_TABLE"], clock=time.time),
        subjects=Subjects(dynamodb=dynamodb, table=environ["SUBJECTS_TABLE"], clock=time.time, cache_s=0),
        record=_records("detokenize", plans, s3, dynamodb, environ),
        clock=time.time,
    )
    return desk, _voice(environ)


def erasing(package: Path, environ: Mapping[str, str]) -> tuple[Office, Voice]:
    """The erase function of the package in this folder, in this environment.

    Raises:
        SettingsError, PolicyError: what is wrong and how to mend it.
        Transient: KMS did not give the token keys.
    """
    checked(environ, ERASE)
    plans = packaged_plans(package / POLICIES)
    s3, dynamodb, kms, sts = connect("s3", "dynamodb", "kms", "sts")
    keys = key_ring(kms, token_keys(environ["TOKEN_KEY_ARNS"]))
    office = Office(
        policies={plan.name: (plan, People(plan, keys)) for plan in plans if plan.by_subject},
        callers=_callers(sts, environ),
        subjects=Subjects(dynamodb=dynamodb, table=environ["SUBJECTS_TABLE"], clock=time.time, cache_s=0),
        record=_records("erase", plans, s3, dynamodb, environ),
        audit_bucket=environ["AUDIT_BUCKET"],
        signer=Signer(kms, environ["RECEIPT_KEY_ARN"]),
        in_force_s=_whole(environ, "SUBJECT_CACHE_SECONDS"),
        recovery_days=_whole(environ, "SUBJECTS_RECOVERY_DAYS"),
        clock=time.time,
    )
    return office, _voice(environ)


def checked(environ: Mapping[str, str], names: tuple[str, ...]) -> None:
    """See that these are set.

    Raises:
        SettingsError: naming all that are not.
    """
    if missing := [name for name in names if not environ.get(name)]:
        raise SettingsError(f"not set in the function's environment: {', '.join(missing)}. {MEND}")


def packaged_plans(folder: Path) -> list[Plan]:
    """The compiled policies of the package, by name.

    Raises:
        PolicyError: there are none, or one that this version cannot read.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        hint = "Build the package with `make package` and deploy that."
        raise PolicyError([Finding(f"{POLICIES}/", 1, 1, "holds no policy in the package", hint)])
    return [load_plan(file.read_bytes()) for file in files]


def _whole(environ: Mapping[str, str], name: str) -> int:
    if not environ[name].isdecimal():
        raise SettingsError(f"{name} must be a whole number. {MEND}")
    return int(environ[name])


def _callers(sts: Any, environ: Mapping[str, str]) -> Callers:
    return Callers(
        endpoint=sts.meta.endpoint_url,
        function=environ["AWS_LAMBDA_FUNCTION_NAME"],
        ask=ask_sts(),
        clock=time.time,
    )


def _voice(environ: Mapping[str, str]) -> Voice:
    return Voice(environ["AWS_LAMBDA_FUNCTION_NAME"], time.time, partial(print, flush=True))


def _records(group: str, plans: list[Plan], s3: Any, dynamodb: Any, environ: Mapping[str, str]) -> Any:
    chain = Chain(
        s3=s3,
        bucket=environ["AUDIT_BUCKET"],
        dynamodb=dynamodb,
        ledger_table=environ["LEDGER_TABLE"],
        group=group,
        clock=time.time,
        retention_days=max(plan.retention_days.audit for plan in plans),
    )

    def record(kind: str, document: Mapping[str, Any]) -> Link:
        link = chain.append(record_key(kind, time.time(), chain), document)
        if link is None:  # no other writer makes such keys
            raise Transient("s3:PutObject of the record: its key is taken")
        return link

    return record
