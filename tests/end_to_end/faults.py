"""Bad days: a proxy before the embedded AWS that refuses, loses and delays calls, and a killer."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from socket import SHUT_RDWR
from threading import Lock, Thread, Timer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from email.message import Message

    from processor.local.delivery import Answer

HOST: Final = "127.0.0.1"
FORWARD_S: Final = 30
SLOW_EVERY: Final = 4  # troubles; the others are outages
ECHO: Final = "what-aws-says-may-quote-a-request"
"""Stands in every refusal's message: nobody may repeat it."""


class Fault(StrEnum):
    """What becomes of a call instead of its answer."""

    BROKEN = "500"
    UNAVAILABLE = "503"
    THROTTLED = "too much"
    CONFLICT = "409"
    """Of conditional writes to S3: another one to the same key is under way."""
    DROPPED = "dropped before the effect"
    UNANSWERED = "dropped after the effect"
    LATE = "dropped, the effect comes later"
    SLOW = "answered late"


_CUT_OFF: Final = (Fault.DROPPED, Fault.UNANSWERED, Fault.LATE)

# Of a status and a code. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and the pages of
# the same name of the other services.
_REFUSALS: Final[Mapping[str, Mapping[Fault, tuple[int, str]]]] = {
    "dynamodb": {
        Fault.BROKEN: (500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
        Fault.UNAVAILABLE: (503, "com.amazonaws.dynamodb.v20120810#ServiceUnavailable"),
        Fault.THROTTLED: (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    },
    "kms": {
        Fault.BROKEN: (500, "KMSInternalException"),
        Fault.UNAVAILABLE: (503, "DependencyTimeoutException"),
        Fault.THROTTLED: (400, "ThrottlingException"),
    },
    "s3": {
        Fault.BROKEN: (500, "InternalError"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
        Fault.THROTTLED: (503, "SlowDown"),
        Fault.CONFLICT: (409, "ConditionalRequestConflict"),
    },
    "sns": {
        Fault.BROKEN: (500, "InternalFailure"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
        Fault.THROTTLED: (429, "Throttled"),
    },
}
_XML: Final = {
    "s3": "<Error><Code>{}</Code><Message>{}</Message><RequestId>made-up</RequestId></Error>",
    "sns": (
        "<ErrorResponse><Error><Type>Receiver</Type><Code>{}</Code><Message>{}</Message></Error>"
        "<RequestId>made-up</RequestId></ErrorResponse>"
    ),
}
_JSON: Final = '{{"__type": "{}", "message": "{}"}}'


@dataclass(frozen=True, slots=True)
class Call:
    """A request of AWS, as far as faults go by it."""

    service: str
    operation: str
    """Its name; of S3 its method."""
    is_conditional: bool

    @classmethod
    def of(cls, method: str, headers: Message[str, str], body: bytes) -> Call:
        """What a signed request asks for."""
        # AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …
        service = headers["Authorization"].split(", ")[0].split("/")[-2]
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        if service == "sns":
            operation = parse_qs(body.decode())["Action"][0]
        return cls(service, operation or method, "If-None-Match" in headers)


@dataclass(frozen=True, slots=True)
class Risk:
    """How bad the days of a service are."""

    chance: float
    """Of a call that trouble begins with it."""
    troubles: int
    """How often at most, so that bad days end."""
    chances: Mapping[str, float] = field(default_factory=dict)
    """Of operations that differ."""


class Weather:
    """Which call meets which fault.

    Args:
        seed: of all chances. Which call comes when is up to the function.
        risks: of each service.
        outage: fewest and most calls of the service that fail, one after the other, once one does.
        slow_s: the longest delay.
    """

    def __init__(
        self, seed: int, *, risks: Mapping[str, Risk], outage: tuple[int, int], slow_s: float
    ) -> None:
        self.faults: Counter[tuple[str, Fault]] = Counter()
        self._random, self._risks, self._outage, self._slow_s = Random(seed), risks, outage, slow_s
        self._failing: Counter[str] = Counter()
        self._troubles: Counter[str] = Counter()
        self._kinds: dict[str, list[Fault]] = defaultdict(list)
        self._lock = Lock()

    def over(self, call: Call) -> tuple[Fault | None, float]:
        """The fault of this call, if any, and seconds of delay, if it has one."""
        with self._lock:
            fault = self._fault(call)
            if fault:
                self.faults[call.service, fault] += 1
            is_delayed = fault in (Fault.SLOW, Fault.LATE)
            return fault, self._random.uniform(0, self._slow_s) if is_delayed else 0

    def _fault(self, call: Call) -> Fault | None:
        if not self._failing[call.service]:
            risk = self._risks[call.service]
            chance = risk.chances.get(call.operation, risk.chance)
            if self._troubles[call.service] == risk.troubles or self._random.random() >= chance:
                return None
            self._troubles[call.service] += 1
            if self._troubles[call.service] % SLOW_EVERY == 0:
                return Fault.SLOW
            self._failing[call.service] = self._random.randint(*self._outage)
        self._failing[call.service] -= 1
        return self._dealt(call)

    def _dealt(self, call: Call) -> Fault:
        """Of the kinds that the call can meet, one that its service has met no more often than others."""
        kinds = self._kinds[call.service]
        possible = [kind for kind in kinds if kind is not Fault.CONFLICT or call.is_conditional]
        if not possible:
            kinds += [kind for kind in Fault if kind in _REFUSALS[call.service] or kind in _CUT_OFF]
            self._random.shuffle(kinds)
            return self._dealt(call)
        kinds.remove(possible[0])
        return possible[0]


@contextmanager
def proxied(endpoint: str, weather: Weather) -> Iterator[str]:
    """An endpoint that has this weather on the way to the given one; late effects are there at the end."""
    target = urlsplit(endpoint)

    class Handler(_Handler):
        pass

    Handler.weather, Handler.target = weather, (str(target.hostname), int(target.port or 80))
    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = False  # so that closing waits for what is on its way
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # S3's clients wait for 100 Continue
    timeout = FORWARD_S
    weather: Weather
    target: tuple[str, int]

    def handle(self) -> None:
        """Take one request."""
        with suppress(ConnectionError):  # who sent it was killed
            super().handle()

    def _answer(self) -> None:
        self.close_connection = True
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            return  # who sends it was killed before its end
        call = Call.of(self.command, self.headers, body)
        fault, delay_s = self.weather.over(call)
        if fault in (Fault.DROPPED, Fault.LATE):
            with suppress(OSError):  # it was killed meanwhile
                self.connection.shutdown(SHUT_RDWR)  # the files over it keep it from being closed
        if fault is Fault.DROPPED:
            return
        if refusal := _REFUSALS[call.service].get(fault) if fault else None:
            self._say(*_refused(call.service, *refusal))
            return
        time.sleep(delay_s)
        answer = self._forwarded(body)
        if fault not in (Fault.UNANSWERED, Fault.LATE):
            self._say(*answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815  names that http.server looks for

    def _forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Pass it on as it is, `Host` included, which is signed."""
        onward = HTTPConnection(*self.target, timeout=FORWARD_S)
        headers = {
            name: value for name, value in self.headers.items() if name not in ("Expect", "Connection")
        }
        try:
            onward.request(self.command, self.path, body, headers)
            answer = onward.getresponse()
            content = answer.read()
        finally:
            onward.close()
        framing = {
            "transfer-encoding",
            "connection",
            *(() if self.command == "HEAD" else ("content-length",)),
        }
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in framing]
        return answer.status, kept, content

    def _say(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _refused(service: str, status: int, code: str) -> tuple[int, list[tuple[str, str]], bytes]:
    body = _XML.get(service, _JSON).format(code, ECHO).encode()
    kind = "text/xml" if service in _XML else "application/x-amz-json-1.0"
    return status, [("Content-Type", kind)], body


@dataclass(slots=True)
class Killer:
    """Calls a function, and at random moments of some of the calls kills its process.

    Args:
        invoke: calls the function.
        seed: of all chances.
        chance: of a call.
        within_s: the latest moment, from the beginning of the call.
        most: how often at most.
    """

    invoke: Callable[[Any], Answer]
    seed: int
    chance: float
    within_s: float
    most: int
    kills: int = 0
    failed: int = 0
    """Calls that did not end as the function wanted."""
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def __call__(self, event: Any) -> Answer:
        """Call the function."""
        timer = Timer(self._random.uniform(0, self.within_s), self._kill)
        if self._random.random() < self.chance and self.kills < self.most:
            timer.start()
        try:
            answer = self.invoke(event)
        finally:
            timer.cancel()
        if timer.ident is not None:
            timer.join()
        self.failed += bool(answer.error)
        return answer

    def _kill(self) -> None:
        for process in _functions():
            os.kill(process, signal.SIGKILL)
            self.kills += 1


def _functions() -> list[int]:
    """The processes that emulators of ours run."""
    parents = {int(stat.parent.name): _parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    emulators = {
        process
        for process, parent in parents.items()
        if parent == os.getpid() and b"aws-lambda-rie" in _command(process)
    }
    return [process for process, parent in parents.items() if parent in emulators]


def _parent(stat: Path) -> int:
    with suppress(OSError):  # it has ended since
        return int(stat.read_text().rpartition(")")[2].split()[1])
    return 0


def _command(process: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""
