"""How the gate calls AWS: clients that give up in time, failures in words that hold nothing of a record."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

# Three tries of at most 12 s: a call that hangs fails within the function's timeout, so that the log says
# which call it was.
CONFIG: Final = Config(
    connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
)


def connect(*services: str) -> tuple[Any, ...]:
    """A client for each service, with the credentials and the region of the environment."""
    # What Boto3 does, without Boto3, which imports s3transfer and multiprocessing besides: 14 of 216 ms.
    session = botocore.session.get_session()
    return tuple(session.create_client(service, config=CONFIG) for service in services)


@contextmanager
def calling(what: str, sequence: str = "") -> Iterator[None]:
    """Turn a failed call into `Transient`.

    AWS's own message is left out, and the exception with it: both may quote the request.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        request = error.response.get("ResponseMetadata", {}).get("RequestId", "unknown")
        raise Transient(f"{what}: {code} (request {request})", sequence=sequence, code=code) from None
    except BotoCoreError as error:
        raise Transient(f"{what}: {type(error).__name__}", sequence=sequence) from None
