"""Calling the functions on people: with a proof of who calls, and with errors that say what to do."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
import click
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

from processor.errors import TidegateError
from processor.proof import BODY, CONTENT_TYPE, FUNCTION_HEADER, REQUEST_HEADER, host_of, request_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ALIAS: Final = "live"
ENV: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
# Once: a call that was answered too late has been counted and recorded, and would be again.
CONFIG: Final = Config(
    connect_timeout=5, read_timeout=120, retries={"mode": "standard", "total_max_attempts": 1}
)
DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
STALE: Final = frozenset(
    {
        "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
        "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired",
    }
)  # fmt: skip
LOG_IN: Final = "Log in (aws sso login), or set AWS_PROFILE to a profile that works."


def env_option() -> Callable[..., Any]:
    """The option that says which environment, as terraform/environments names it."""
    return click.option(
        "--env", envvar="TIDEGATE_ENV", required=True, callback=_checked_env, show_envvar=True, metavar="ENV",
        help="The environment, as in make apply ENV=….",
    )  # fmt: skip


def _checked_env(_ctx: click.Context, _option: click.Parameter, env: str) -> str:
    if not ENV.fullmatch(env):
        raise click.BadParameter("lower-case letters, digits and hyphens, as dev or prod")
    return env


class Functions:
    """The functions of one environment, called as whoever the credentials say."""

    def __init__(self, env: str) -> None:
        self._env = env
        # The functions ask the STS of their region and take no proof for another, whatever a profile says.
        core = botocore.session.get_session()
        core.set_config_variable("sts_regional_endpoints", "regional")
        with explained("the credentials"):
            self._session = boto3.Session(botocore_session=core)
            self._lambda: Any = self._session.client("lambda", config=CONFIG)
            self._endpoint: str = self._session.client("sts").meta.endpoint_url

    def call(self, function: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """What `detokenize` or `erase` answers.

        Raises:
            TidegateError: it does not grant the request, could not be asked, or failed; with what to do.
        """
        name = f"tidegate-{self._env}-{function}"
        managed = f"attach the managed policy {name}-caller to your role"
        with explained(f"lambda:InvokeFunction on {name}:{ALIAS}", managed, env=self._env):
            payload = json.dumps({**request, "proof": {"headers": self._proof(name, request)}})
            answer = self._lambda.invoke(FunctionName=name, Qualifier=ALIAS, Payload=payload.encode())
            body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            said = body.get("errorMessage", "without a word") if isinstance(body, dict) else "without a word"
            raise TidegateError(
                f"{name} failed: {said}. Nothing was answered. Ask again; its log is /aws/lambda/{name}."
            )
        if "refused" in body:
            raise TidegateError(f"{name} refuses: {body['refused']}")
        return dict(body)

    def _proof(self, name: str, request: Mapping[str, Any]) -> dict[str, str]:
        """The signed headers of `sts:GetCallerIdentity`, bound to this request at this function."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        headers = {
            "Host": host_of(self._endpoint),
            "Content-Type": CONTENT_TYPE,
            FUNCTION_HEADER: name,
            REQUEST_HEADER: request_digest(request),
        }
        signed = AWSRequest("POST", f"{self._endpoint.rstrip('/')}/", headers, BODY)
        region = self._lambda.meta.region_name
        SigV4Auth(credentials.get_frozen_credentials(), "sts", region).add_auth(signed)
        return {header.lower(): str(value) for header, value in signed.headers.items()}


@contextmanager
def explained(what: str, permit: str = "", *, env: str = "") -> Iterator[None]:
    """Turn what AWS and its client raise into one error with what to do about it.

    Args:
        what: the call, as `service:Action on resource`.
        permit: how to be allowed to, if AWS denies it.
        env: where what is missing would be.
    """
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError) as error:
        raise TidegateError(f"there are no AWS credentials ({type(error).__name__}). {LOG_IN}") from None
    except ProfileNotFound:
        raise TidegateError("AWS_PROFILE names a profile that ~/.aws/config does not have.") from None
    except NoRegionError:
        raise TidegateError(
            "no AWS region is set: AWS_DEFAULT_REGION=eu-west-1, or one in the profile."
        ) from None
    except ClientError as error:
        raise TidegateError(_words(error, what, permit, env)) from None
    except BotoCoreError as error:
        raise TidegateError(f"{what}: AWS cannot be reached ({type(error).__name__}).") from None


def _words(error: ClientError, what: str, permit: str, env: str) -> str:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code in DENIED:
        return f"not allowed: {what}. To be allowed, {permit or 'add this action to your role'}."
    if code in STALE:
        return f"AWS does not take these credentials ({code}). {LOG_IN}"
    if code == "ResourceNotFoundException":
        there = f"check --env and AWS_PROFILE, or deploy it: make apply ENV={env}"
        return f"not found: {what}. Is this the right account and region? Else {there}."
    request = error.response.get("ResponseMetadata", {}).get("RequestId", "unknown")
    return f"{what}: AWS answered {code} (request {request})."
