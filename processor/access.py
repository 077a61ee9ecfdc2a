"""Start of the two functions on people: policies, keys and clients, checked before the first request is read.

Both are of one package, which holds the compiled plans of all policies under `policies/`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
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
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from processor.audit import Link
    from processor.crypto import KeyRing
    from processor.policy import Plan

POLICIES: Final = "policies"
"""The folder of the compiled plans in the package."""
NEEDED: Final = (
    "AUDIT_BUCKET", "LEDGER_TABLE", "SUBJECTS_TABLE", "TOKEN_KEY_ARNS", "AWS_LAMBDA_FUNCTION_NAME",
)  # fmt: skip
DETOKENIZE: Final = (*NEEDED, "DATA_KEY_ARN")
ERASE: Final = (*NEEDED, "RECEIPT_KEY_ARN", "SUBJECTS_RECOVERY_DAYS", "SUBJECT_CACHE_SECONDS")
KEY_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:(\d{12}):key/.+")
MEND: Final = "Terraform sets it: apply again."


@dataclass(frozen=True, slots=True)
class _Premises:
    """What both functions are made of."""

    plans: list[Plan]
    keys: KeyRing
    kms: Any
    dynamodb: Any
    callers: Callers
    subjects: Subjects
    record: Callable[[str, Mapping[str, Any]], Link]
    voice: Voice


def detokenizing(package: Path, environ: Mapping[str, str]) -> tuple[Desk, Voice]:
    """The detokenize function of the package in this folder, in this environment.

    Raises:
        SettingsError, PolicyError: what is wrong and how to mend it.
        Transient: KMS did not give the token keys.
    """
    checked(environ, DETOKENIZE)
    here = _premises(package, environ, "detokenize")
    arn = environ["DATA_KEY_ARN"]
    unwrapping = {
        plan.name: Unwrapping(kms=here.kms, data_key_arn=arn, policy=plan.name, clock=time.time)
        for plan in here.plans
    }
    desk = Desk(
        books={plan.name: book_of(plan, here.keys, unwrapping[plan.name]) for plan in here.plans},
        callers=here.callers,
        rates=Rates(dynamodb=here.dynamodb, table=environ["LEDGER_TABLE"], clock=time.time),
        subjects=here.subjects,
        record=here.record,
        clock=time.time,
    )
    return desk, here.voice


def erasing(package: Path, environ: Mapping[str, str]) -> tuple[Office, Voice]:
    """The erase function of the package in this folder, in this environment.

    Raises:
        SettingsError, PolicyError: what is wrong and how to mend it.
        Transient: KMS did not give the token keys.
    """
    checked(environ, ERASE)
    here = _premises(package, environ, "erase")
    office = Office(
        policies={plan.name: (plan, People(plan, here.keys)) for plan in here.plans if plan.by_subject},
        callers=here.callers,
        subjects=here.subjects,
        record=here.record,
        audit_bucket=environ["AUDIT_BUCKET"],
        signer=Signer(here.kms, environ["RECEIPT_KEY_ARN"]),
        in_force_s=_whole(environ, "SUBJECT_CACHE_SECONDS"),
        recovery_days=_whole(environ, "SUBJECTS_RECOVERY_DAYS"),
        clock=time.time,
    )
    return office, here.voice


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


def _premises(package: Path, environ: Mapping[str, str], group: str) -> _Premises:
    plans, arns = packaged_plans(package / POLICIES), token_keys(environ["TOKEN_KEY_ARNS"])
    s3, dynamodb, kms, sts = connect("s3", "dynamodb", "kms", "sts")
    function, account = environ["AWS_LAMBDA_FUNCTION_NAME"], _account(arns)
    return _Premises(
        plans=plans,
        keys=key_ring(kms, arns),
        kms=kms,
        dynamodb=dynamodb,
        callers=Callers(
            endpoint=sts.meta.endpoint_url,
            function=function,
            account=account,
            ask=ask_sts(),
            clock=time.time,
        ),
        subjects=Subjects(dynamodb=dynamodb, table=environ["SUBJECTS_TABLE"], clock=time.time, cache_s=0),
        record=_records(group, plans, s3, dynamodb, environ),
        voice=Voice(function, time.time, partial(print, flush=True)),
    )


def _account(arns: Mapping[int, str]) -> str:
    """The account of the environment: that of its token keys. Nothing else in a function says it."""
    accounts = {found[1] if (found := KEY_ARN.fullmatch(arn)) else "" for arn in arns.values()}
    if len(accounts) > 1 or "" in accounts:
        raise SettingsError(f"TOKEN_KEY_ARNS must name keys of one account by their ARNs. {MEND}")
    return accounts.pop()


def _records(
    group: str, plans: list[Plan], s3: Any, dynamodb: Any, environ: Mapping[str, str]
) -> Callable[[str, Mapping[str, Any]], Link]:
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
