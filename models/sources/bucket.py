"""Data in S3: listed by pages, read as a stream, small objects ahead of their turn.

AWS calls: s3:ListBucket on the bucket, s3:GetObject under the prefix; kms:Decrypt where objects are encrypted
by a key of KMS. AWS_ENDPOINT_URL and AWS_PROFILE are Boto3's and work as there.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from models.sources.found import FILES_MAX, HIDDEN, Stream
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL: Final = re.compile(r"s3:/{1,2}(?P<bucket>[A-Za-z0-9][A-Za-z0-9.-]{1,62})(?:/(?P<prefix>.*))?", re.DOTALL)
THREADS: Final = 8
SMALL: Final = 8 * 1024 * 1024  # bytes; read whole, before its turn. A batch of events is at most that
TRIES: Final = 5
LOG_IN: Final = "log in (aws sso login), or set AWS_PROFILE to a profile that works"
DENIED: Final = frozenset({"AccessDenied", "403", "AllAccessDisabled"})
STALE: Final = frozenset(
    {"ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "RequestExpired"}
)
GONE: Final = frozenset({"NoSuchBucket", "NoSuchKey", "404"})


@dataclass(frozen=True, slots=True)
class Object:
    """An object of a bucket."""

    client: Any
    bucket: str
    key: str
    size: int

    @property
    def name(self) -> str:
        """Its URL."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def label(self) -> str:
        """Its URL: that tells nothing of the machine."""
        return self.name

    @property
    def is_small(self) -> bool:
        """Whether it may be read before its turn."""
        return self.size <= SMALL

    def whole(self) -> bytes:
        """All its bytes.

        Raises:
            ModelError: it cannot be read.
        """
        with _explained(f"{self.name}: cannot be read", "s3:GetObject"):
            body: bytes = self.client.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()
            return body

    @contextmanager
    def opened(self) -> Iterator[Stream]:
        """Its bytes, as they come."""
        with _explained(f"{self.name}: cannot be read", "s3:GetObject"):
            body = self.client.get_object(Bucket=self.bucket, Key=self.key)["Body"]
        try:
            yield Stream(self._reading(body))
        finally:
            body.close()

    def _reading(self, body: Any) -> Callable[[int], bytes]:
        def read(most: int) -> bytes:
            with _explained(f"{self.name}: cannot be read to its end", "s3:GetObject"):
                data: bytes = body.read(most)
                return data

        return read


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object whose bytes are here."""

    name: str
    label: str
    body: bytes

    @contextmanager
    def opened(self) -> Iterator[Stream]:
        """Its bytes."""
        yield Stream(io.BytesIO(self.body).read)


def objects(url: str) -> list[Object]:
    """The object, or all objects under the prefix, by key; hidden ones left out.

    Raises:
        ModelError: that is no URL of S3, there is nothing, or S3 does not let it be read.
    """
    import boto3  # noqa: PLC0415  only for data in S3
    from botocore.config import Config  # noqa: PLC0415

    parts = URL.fullmatch(url)
    if parts is None:
        raise ModelError(f"{url}: should be s3://bucket/prefix")
    bucket, prefix = parts["bucket"], parts["prefix"] or ""
    config = Config(max_pool_connections=THREADS, retries={"mode": "standard", "total_max_attempts": TRIES})
    where = f"s3://{bucket}/{prefix}"
    with _explained(f"{where}: cannot be listed", "s3:ListBucket"):
        client: Any = boto3.Session().client("s3", config=config)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = [(one["Key"], one["Size"]) for page in pages for one in page.get("Contents", [])]
    found = _meant(entries, prefix)
    if not found:
        raise ModelError(f"{where}: there is nothing under this prefix")
    if len(found) > FILES_MAX:
        raise ModelError(f"{where}: has more than {FILES_MAX:,} objects; name the prefixes that matter")
    return [Object(client, bucket, key, size) for key, size in sorted(found)]


def _meant(entries: list[tuple[str, int]], prefix: str) -> list[tuple[str, int]]:
    """An object of that name, or else those under it as a folder, or else those whose names begin so."""
    folder = prefix.rstrip("/") + "/" if prefix else ""
    exact = [entry for entry in entries if entry[0] == prefix and not prefix.endswith("/")]
    inside = [entry for entry in entries if entry[0].startswith(folder)]
    return exact or [
        (key, size)
        for key, size in inside or entries
        if not key.endswith("/") and not key.rpartition("/")[2].startswith(HIDDEN)
    ]


@contextmanager
def _explained(what: str, action: str) -> Iterator[None]:
    """Turn what Boto3 raises into one error with what to do. AWS's own message is left out."""
    from botocore.exceptions import (  # noqa: PLC0415  only for data in S3
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
        ProfileNotFound,
    )

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        if code in DENIED:
            why = f"you are not allowed to: it takes {action}, and kms:Decrypt where a key encrypts"
        elif code in STALE:
            why = f"the credentials are not accepted ({code}): {LOG_IN}"
        elif code in GONE:
            why = f"it is not there ({code})"
        else:
            why = f"S3 says {code}"
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound, NoRegionError) as error:
        why = f"{type(error).__name__}: {LOG_IN}"
    except EndpointConnectionError:
        why = "S3 does not answer; see AWS_ENDPOINT_URL, AWS_REGION and the network"
    except BotoCoreError as error:
        why = type(error).__name__
    else:
        return
    raise ModelError(f"{what}: {why}")
