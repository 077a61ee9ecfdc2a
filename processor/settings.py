"""The function's environment, read once at start."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Final

from processor.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY: Final = "policy.json"
MODEL: Final = "model"
SHADOW: Final = "shadow"  # of a candidate, which judges in silence
"""Names in the package, beside the code."""
SUBJECT_CACHE_S: Final = 60
SUBJECT_CACHE_S_MAX: Final = 900
UNNAMED: Final = "unnamed"


@dataclass(frozen=True, slots=True)
class Settings:
    """What Terraform tells the function about its world."""

    events_bucket: str
    audit_bucket: str
    quarantine_bucket: str
    alerts_topic_arn: str
    ledger_table: str
    subjects_table: str
    profiles_table: str
    data_key_arn: str
    token_key_arns: dict[int, str]
    """ARN of the HMAC key of each version; the highest version makes tokens, all of them open."""
    subject_cache_s: int = SUBJECT_CACHE_S
    """How long a person's secret is used without asking again."""
    function_name: str = UNNAMED
    """By which the audit trail knows who wrote; AWS sets it."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of an environment.

        Raises:
            SettingsError: naming the variables that are missing or unusable, all of them at once.
        """
        names = [
            name
            for name, field in cls.__dataclass_fields__.items()
            if field.default is MISSING and name != "token_key_arns"
        ]
        missing = [name.upper() for name in (*names, "token_key_arns") if not environ.get(name.upper())]
        if missing:
            raise SettingsError(f"not set in the function's environment: {', '.join(missing)}. {_MEND}")
        texts = {name: environ[name.upper()] for name in names}
        return cls(
            **texts,
            token_key_arns=token_keys(environ["TOKEN_KEY_ARNS"]),
            subject_cache_s=_seconds(environ.get("SUBJECT_CACHE_SECONDS", str(SUBJECT_CACHE_S))),
            function_name=environ.get("AWS_LAMBDA_FUNCTION_NAME", UNNAMED),
        )


_MEND = "Terraform sets it in modules/stream/function.tf: apply again."


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= SUBJECT_CACHE_S_MAX:
        most = f"1 to {SUBJECT_CACHE_S_MAX}"
        raise SettingsError(f"SUBJECT_CACHE_SECONDS must be a whole number from {most}. {_MEND}")
    return int(text)


def token_keys(text: str) -> dict[int, str]:
    """The ARN of each version of the token keys, as the environment writes them.

    Raises:
        SettingsError: it does not.
    """
    try:
        arns = {int(version): arn for version, arn in json.loads(text).items()}
    except (ValueError, AttributeError):
        arns = {}
    if not arns or min(arns) < 1 or not all(isinstance(arn, str) and arn for arn in arns.values()):
        form = '{"1": "arn:aws:kms:…"}'
        raise SettingsError(f"TOKEN_KEY_ARNS must map key versions from 1 to ARNs, as in {form}. {_MEND}")
    return arns
