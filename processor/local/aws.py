"""An AWS embedded in this process: moto's server on loopback, with IAM enforced as AWS would.

    with embedded_aws() as aws:
        s3 = aws.client("s3")

Terraform, Boto3 and the function reach it by AWS_ENDPOINT_URL. Nothing of it outlives the context.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.server import ThreadedMotoServer

from processor.errors import TidegateError
from processor.local.authorised import CALLS
from processor.local.moto_gaps import RUNNING, mended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.local.authorised import Call
    from processor.local.delivery import Answer

HOST: Final = "127.0.0.1"
REGION: Final = "eu-west-1"
ADMINISTRATOR: Final = "administrator"
CONFIG: Final = Config(proxies={})
DIRECTLY: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Both pass by a proxy that the environment may name: it does not know our loopback."""

EXPIRED_BY: Final = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
"""Who DynamoDB's time to live says has removed an item."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys of a user, or of a role with its session token."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def environ(self) -> dict[str, str]:
        """The environment variables that AWS's tools read."""
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }
        return variables | ({"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {})


class EmbeddedAws:
    """A running server; made by `embedded_aws`."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.region = REGION
        self._sessions: dict[Credentials, Any] = {}  # the stubs know clients by literal names only
        self.administrator = Credentials("before", "enforcement")
        self.administrator = self._make_administrator()

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """A Boto3 client, the administrator's if no one else's."""
        who = credentials or self.administrator
        if (
            who not in self._sessions
        ):  # a session reads its service descriptions once: 0.3 s a client otherwise
            self._sessions[who] = boto3.Session(
                aws_access_key_id=who.access_key_id,
                aws_secret_access_key=who.secret_access_key,
                aws_session_token=who.session_token,
                region_name=self.region,
            )
        return self._sessions[who].client(service, endpoint_url=self.endpoint, config=CONFIG)

    def environ(self, credentials: Credentials | None = None) -> dict[str, str]:
        """The environment variables that lead AWS's tools here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **(credentials or self.administrator).environ(),
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), HOST])),
        }

    def credentials_of(self, role_arn: str) -> Credentials:
        """Keys of a role, as Lambda hands them to the functions that it runs.

        The roles trust Lambda alone, so this works only while IAM is not enforced.
        """
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="lambda")
        keys = answer["Credentials"]
        return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def user(self, name: str, policy_arn: str) -> Credentials:
        """Keys of a new user who may do what a managed policy says, and nothing else."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    @contextmanager
    def serving(self, function: str, answer: Callable[[Any], Answer]) -> Iterator[None]:
        """Let `answer` take the calls of a function that Terraform made, while the context is open.

        Whether a caller may call it, IAM decides before.
        """
        RUNNING[function] = answer
        try:
            yield
        finally:
            del RUNNING[function]

    @property
    def calls(self) -> dict[Call, int]:
        """What IAM was asked while it was enforced, and how often."""
        return CALLS.kept()

    def enforce_iam(self, *, enforced: bool) -> None:
        """Refuse from now on what IAM does not allow; or let everyone do everything again."""
        self._post("reset-auth", "0" if enforced else "inf")

    def expire(self, table: str, now: float) -> int:
        """Remove the items whose time to live is over, as DynamoDB does within a few days; how many.

        Args:
            table: its name; nothing must be writing to it.
            now: epoch seconds.
        """
        kept = dynamodb_backends[DEFAULT_ACCOUNT_ID][self.region].get_table(table)
        attribute = kept.ttl.get("AttributeName") or ""
        expired = [
            item
            for item in list(kept.all_items())
            if attribute in item.attrs
            and item.attrs[attribute].type == "N"
            and float(item.attrs[attribute].value) < now
        ]
        for item in expired:
            kept.delete_item(item.hash_key, item.range_key)
            if kept.stream_shard:
                kept.stream_shard.items[-1].record["userIdentity"] = EXPIRED_BY
        return len(expired)

    def reset(self) -> None:
        """Forget everything."""
        CALLS.forget()
        self._post("reset-auth", "inf")
        self._post("reset", "")

    def _make_administrator(self) -> Credentials:
        # moto refuses made-up keys once IAM is enforced, so whoever sets the stage needs real ones.
        iam = self.client("iam")
        iam.create_user(UserName=ADMINISTRATOR)
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_user_policy(UserName=ADMINISTRATOR, PolicyName="everything", PolicyDocument=policy)
        key = iam.create_access_key(UserName=ADMINISTRATOR)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def _post(self, what: str, body: str) -> None:
        url, plain = f"{self.endpoint}/moto-api/{what}", {"Content-Type": "text/plain"}
        request = urllib.request.Request(url, body.encode(), plain)  # noqa: S310  our own http address
        with DIRECTLY.open(request, timeout=10):
            pass


@contextmanager
def embedded_aws(port: int = 0) -> Iterator[EmbeddedAws]:
    """An empty AWS on this port of loopback, any free one if 0. IAM is not enforced yet.

    One at a time: moto keeps its state in the process.

    Raises:
        TidegateError: the port is in use.
    """
    _must_be_free(port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would print every request
    with mended():
        server = ThreadedMotoServer(HOST, port, verbose=False)
        server.start()
        try:
            aws = EmbeddedAws("http://{}:{}".format(*server.get_host_and_port()))
            try:
                yield aws
            finally:
                aws.reset()
        finally:
            server.stop()
            if server._server:  # noqa: SLF001  stop() leaves the socket open
                server._server.server_close()  # noqa: SLF001


def _must_be_free(port: int) -> None:
    # The server's thread would end without a word, and we would wait for it forever.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise TidegateError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}): choose another, or 0 for any."
            ) from None
