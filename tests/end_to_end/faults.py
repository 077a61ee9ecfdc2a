"""Bad days from a seed: a proxy before the embedded AWS that refuses, loses and delays calls, and kills."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter, defaultdict, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from random import Random
from socket import SHUT_RDWR
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import Message

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

    troubles: int
    """How often trouble begins,"""
    among: int
    """in how many of its calls, those left out that meet trouble: so many have to come."""


class Weather:
    """Which call meets which fault: it goes by the number of the call, so all that is due comes.

    Args:
        seed: of all that is drawn.
        risks: of each service.
        outage: fewest and most calls of the service that fail, one after the other, once one does.
        slow_s: the longest delay.
    """

    def __init__(
        self, seed: int, *, risks: Mapping[str, Risk], outage: tuple[int, int], slow_s: float
    ) -> None:
        self.faults: Counter[tuple[str, Fault]] = Counter()
        self._outage, self._slow_s = outage, slow_s
        self._random = {service: Random(f"{seed} {service}") for service in risks}
        self._begins = {
            service: set(self._random[service].sample(range(risk.among), risk.troubles))
            for service, risk in risks.items()
        }
        self._calm: Counter[str] = Counter()
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
            return fault, self._random[call.service].uniform(0, self._slow_s) if is_delayed else 0

    def _fault(self, call: Call) -> Fault | None:
        if not self._failing[call.service]:
            self._calm[call.service] += 1
            if self._calm[call.service] - 1 not in self._begins[call.service]:
                return None
            self._troubles[call.service] += 1
            if self._troubles[call.service] % SLOW_EVERY == 0:
                return Fault.SLOW
            self._failing[call.service] = self._random[call.service].randint(*self._outage)
        self._failing[call.service] -= 1
        return self._dealt(call)

    def _dealt(self, call: Call) -> Fault:
        """Of the kinds that the call can meet, one that its service has met no more often than others."""
        kinds = self._kinds[call.service]
        possible = [kind for kind in kinds if kind is not Fault.CONFLICT or call.is_conditional]
        if not possible:
            kinds += [kind for kind in Fault if kind in _REFUSALS[call.service] or kind in _CUT_OFF]
            self._random[call.service].shuffle(kinds)
            return self._dealt(call)
        kinds.remove(possible[0])
        return possible[0]


class Moment(Enum):
    """When the function is killed that has sent a request."""

    BEFORE = "before it is there"
    AFTER = "after its effect, the answer unheard"


class Killer:
    """Kills the function at some of its requests, by their numbers: all that is due comes.

    Args:
        seed: of all that is drawn.
        kills: how often.
        apart: fewest and most requests from one to the next.
    """

    def __init__(self, seed: int, *, kills: int, apart: tuple[int, int]) -> None:
        random = Random(seed)
        moments = [*Moment] * -(-kills // 2)
        random.shuffle(moments)
        numbers = accumulate(random.randint(*apart) for _ in range(kills))
        self._due = deque(zip(numbers, moments, strict=False))
        self._requests = 0
        self._lock = Lock()
        self.kills: Counter[tuple[str, Moment]] = Counter()
        """By the operation that was asked for."""

    @property
    def is_done(self) -> bool:
        """Whether no more is due."""
        return not self._due

    def moment(self) -> Moment | None:
        """When in the life of this request the function is to be killed, if at all."""
        with self._lock:
            self._requests += 1
            return self._due.popleft()[1] if self._due and self._due[0][0] <= self._requests else None

    def kill(self, call: Call, moment: Moment) -> None:
        """Kill it; at the next request if it is gone already, as by its timeout."""
        killed = [process for process in _functions() if _ended(process)]
        with self._lock:
            if killed:
                self.kills[call.operation, moment] += 1
            else:
                self._due.appendleft((self._requests + 1, moment))


@contextmanager
def proxied(endpoint: str, weather: Weather, killer: Killer) -> Iterator[str]:
    """An endpoint that has this weather on the way to the given one; late effects are there at the end."""
    target = urlsplit(endpoint)

    class Handler(_Handler):
        pass

    Handler.weather, Handler.killer = weather, killer
    Handler.target = str(target.hostname), int(target.port or 80)
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
    killer: Killer
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
        if moment := self.killer.moment():
            if moment is Moment.AFTER:
                self._forwarded(body)
            self.killer.kill(call, moment)
            return
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


def _functions() -> list[int]:
    """The processes that emulators of ours run."""
    parents = {int(stat.parent.name): _parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    emulators = {
        process
        for process, parent in parents.items()
        if parent == os.getpid() and b"aws-lambda-rie" in _command(process)
    }
    return [process for process, parent in parents.items() if parent in emulators]


def _ended(process: int) -> bool:
    """Whether it was this that ended it."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
        return True
    return False


def _parent(stat: Path) -> int:
    """Of a process that runs; none of one that has ended."""
    with suppress(OSError):  # it has ended since
        state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        return int(parent) if state != "Z" else 0
    return 0


def _command(process: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""
