"""How the gate calls AWS: clients that give up in time, failures in words that hold nothing of a record.

A call is tried up to three times, with jitter between (botocore's standard mode). `Patience` ends that
earlier: before an attempt that the function's time may not suffice for, and after the first where the service
has been in trouble since its last call. So the function is not stopped while it waits, and a service that is
down costs one probe in each invocation, because the first failure stops the batch.
"""

from __future__ import annotations

from contextlib import contextmanager
from math import inf
from time import sleep
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

CONNECT_S, READ_S = 2, 10
ATTEMPT_S: Final = CONNECT_S + READ_S + 1.0  # the longest that one takes, and a second to say so
CONFIG: Final = Config(
    connect_timeout=CONNECT_S,
    read_timeout=READ_S,
    retries={"mode": "standard", "total_max_attempts": 3},
)
ONCE: Final = Config(retries={"mode": "standard", "total_max_attempts": 1})
BROKEN: Final = 500
KEYS_MAX: Final = 100  # of one BatchGetItem
TRIES_MAX: Final = 8  # for what DynamoDB leaves unprocessed
WAIT_S: Final = 0.05  # before the second try, doubling
THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "SlowDown",
        "Throttled", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip
"""How services say that there is too much for them, where it is no 503."""


class OutOfTime(BotoCoreError):  # noqa: N818  an attempt that was not made, as is the next
    """The function would be stopped before an answer comes."""


class ServiceDown(BotoCoreError):  # noqa: N818
    """The service is in trouble, and one probe in an invocation is enough."""


class Patience:
    """When calls are not tried again, for all clients of a function.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._until, self._reserve_s = clock, inf, 0.0
        self._down: set[str] = set()

    def begin(self, seconds: float) -> None:
        """An invocation begins that will be stopped after so many seconds."""
        self._until = self._clock() + seconds
        # Of a short time a third is kept, or nothing would ever be tried.
        self._reserve_s = min(ATTEMPT_S, seconds / 3)

    def is_over(self) -> bool:
        """Whether what is left is only what an attempt of a call may take: then no more work is begun."""
        return self._clock() + self._reserve_s > self._until

    def watch(self, client: Any) -> None:
        """Let the calls of a client be ended by this."""
        for moment, react in (
            ("before-send", self._before),
            ("after-call", self._after),
            ("after-call-error", self._after_error),
        ):
            client.meta.events.register(moment, react)

    def _before(self, event_name: str, request: Any, **_: Any) -> None:
        if self.is_over():
            raise OutOfTime
        if _service(event_name) in self._down and not _is_first(request):
            raise ServiceDown

    def _after(self, event_name: str, http_response: Any, parsed: Any, **_: Any) -> None:
        code = parsed.get("Error", {}).get("Code") if isinstance(parsed, dict) else None
        is_down = http_response.status_code >= BROKEN or code in THROTTLED
        (self._down.add if is_down else self._down.discard)(_service(event_name))

    def _after_error(self, event_name: str, exception: Exception, **_: Any) -> None:
        if not isinstance(exception, OutOfTime):
            self._down.add(_service(event_name))


def _service(event_name: str) -> str:
    return event_name.split(".")[1]


def _is_first(request: Any) -> bool:
    attempt = request.headers.get("amz-sdk-request", b"attempt=1")
    return b"attempt=1" in (attempt if isinstance(attempt, bytes) else attempt.encode())


def connect(*services: str, patience: Patience | None = None, once: Collection[str] = ()) -> tuple[Any, ...]:
    """A client for each service, with the credentials and the region of the environment.

    Args:
        services: their names.
        patience: that may end calls earlier.
        once: services for which there are clients besides, at the end, that try no call again: for what must
            not be done twice.
    """
    # What Boto3 does, without Boto3, which imports s3transfer and multiprocessing besides: 14 of 216 ms.
    # All of one session: another would read its files again, which takes 38 ms and 11 MB.
    session = botocore.session.get_session()
    clients = tuple(session.create_client(service, config=CONFIG) for service in services)
    clients += tuple(session.create_client(service, config=CONFIG.merge(ONCE)) for service in once)
    if patience is not None:
        for client in clients:
            patience.watch(client)
    return clients


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


def items_of(
    ask: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    table: str,
    attribute: str,
    keys: Collection[str],
    what: str,
) -> Iterator[dict[str, Any]]:
    """The items with these keys, as they are now; none for a key that has none. One request per 100.

    Args:
        ask: BatchGetItem with these `RequestItems`.
        table: its name.
        attribute: the table's partition key, a text.
        keys: of it.
        what: to read of each item (`ProjectionExpression`); empty for all of it.

    Raises:
        Transient: DynamoDB refused, did not answer, or left keys unprocessed each time.
    """
    ordered = sorted(keys)  # the same requests for the same keys
    options = {"ConsistentRead": True} | ({"ProjectionExpression": what} if what else {})
    for at in range(0, len(ordered), KEYS_MAX):
        batch = [{attribute: {"S": key}} for key in ordered[at : at + KEYS_MAX]]
        request: Mapping[str, Any] = {table: {"Keys": batch, **options}}
        for attempt in range(TRIES_MAX):
            if attempt:
                sleep(WAIT_S * 2 ** (attempt - 1))
            answer = ask(request)
            yield from answer.get("Responses", {}).get(table, [])
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                break
        else:
            raise Transient(f"dynamodb:BatchGetItem: keys left unprocessed {TRIES_MAX} times")
