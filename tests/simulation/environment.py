"""An environment of the function: the real handler module, run anew at each cold start, with own clients.

The clients do what botocore's do: three attempts, hooks around each, and errors of botocore's types. What
comes of an attempt is the world's to say.
"""

from __future__ import annotations

import builtins
import traceback
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

import processor
from processor.local.delivery import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulation.editions import Edition
    from tests.simulation.world import World

HANDLER: Final = Path(processor.__file__).parent / "handler.py"
CODE = compile(HANDLER.read_text(), str(HANDLER), "exec")
ATTEMPTS: Final = 3
TIMEOUT_S: Final = 60.0
THROTTLES: Final = frozenset({"ThrottlingException", "Throttled"})
SERVER_ERROR: Final = 500


class Killed(BaseException):
    """The function ends here: nothing that it would have done afterwards happens."""


class Environment:
    """One environment. It serves one invocation at a time.

    Raises:
        Killed: while it starts.
    """

    def __init__(self, world: World, edition: Edition) -> None:
        self.world, self.edition = world, edition
        self.name = f"e{len(world.environments)}"
        world.environments.append(self)
        self.skew_s, self.set_back = 0.0, False
        self.is_dead = False
        self.drag_s = 0.0
        """What it takes to look at the clock."""
        self.excused_s = 0.0
        """Of the world's time, what went by for others only."""
        self.began, self.until = world.now, world.now + TIMEOUT_S
        self.calls: list[tuple[str, str]] = []
        """Operation and place of each attempt of this invocation."""
        self.was_disturbed = False
        self.forgotten: Callable[[], None] | None = None
        """Called once if Lambda takes the invocation for failed while it goes on."""
        self._module: dict[str, Any] = {}

    def start(self) -> None:
        """What Lambda does first: import the module."""
        self._module = {
            "__name__": "processor.handler",
            "__file__": str(self.edition.package / "processor" / "handler.py"),
            "__builtins__": vars(builtins) | {"__import__": self._import},
        }
        exec(CODE, self._module)  # noqa: S102  the product's own module

    def invoke(self, event: dict[str, Any], seconds: float = TIMEOUT_S) -> Answer:
        """What the function answers to an event.

        Raises:
            Killed: it gave none in its time.
        """
        self.began, self.until = self.world.now, self.own_time + seconds
        self.calls, self.was_disturbed, self.drag_s = [], False, 0.0
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int((self.until - self.own_time) * 1000),
            aws_request_id="request",
        )
        try:
            answer = Answer(self._module["handler"](event, context))
        except Exception as error:  # noqa: BLE001  as Lambda does: told with its traceback
            told = "".join(traceback.format_exception(error))
            self.world.witness.told(told)
            answer = Answer(error=str(error))
        self.stand_up()
        return answer

    @property
    def own_time(self) -> float:
        """Monotonic seconds."""
        return self.world.now - self.excused_s

    def stand_up(self) -> None:
        """Nothing of a killed invocation goes on.

        Raises:
            Killed: this one was.
        """
        if self.own_time > self.until:
            self.is_dead = True
        if self.is_dead:
            raise Killed

    def _import(self, name: str, *rest: Any) -> Any:
        """The modules that tell the time and the environment are the world's."""
        if name == "os":
            return SimpleNamespace(environ=self.edition.environ)
        return self.world.time if name == "time" else __import__(name, *rest)


class Client:
    """A client of botocore, as far as it can be told from outside."""

    def __init__(self, environment: Environment, service: str, attempts: int = ATTEMPTS) -> None:
        self._environment, self._service, self._most = environment, service, attempts
        self._reactions: list[tuple[str, Callable[..., Any]]] = []
        self.meta = SimpleNamespace(events=SimpleNamespace(register=self._register))

    def __getattr__(self, method: str) -> Any:
        return partial(self._call, method)

    def _register(self, moment: str, react: Callable[..., Any]) -> None:
        self._reactions.append((moment, react))

    def _emit(self, moment: str, operation: str, **about: Any) -> None:
        for awaited, react in self._reactions:
            if awaited == moment:
                react(event_name=f"{moment}.{self._service}.{operation}", **about)

    def _call(self, method: str, **call: Any) -> Any:
        operation = "".join(part.capitalize() for part in method.split("_"))
        try:
            answer = self._attempts(method, operation, call)
        except ClientError as error:
            self._after(operation, error.response)
            raise
        except BotoCoreError as error:
            self._emit("after-call-error", operation, exception=error)
            raise
        self._after(operation, answer)
        return answer

    def _after(self, operation: str, answer: dict[str, Any]) -> None:
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        self._emit("after-call", operation, http_response=SimpleNamespace(status_code=status), parsed=answer)

    def _attempts(self, method: str, operation: str, call: dict[str, Any]) -> Any:
        effect = partial(getattr(getattr(self._environment.world, self._service), method), **call)
        for attempt in range(self._most):
            header = f"attempt={attempt + 1}; max={self._most}"
            self._emit("before-send", operation, request=SimpleNamespace(headers={"amz-sdk-request": header}))
            try:
                answer = self._environment.world.attempt(self._environment, operation, call, effect)
            except ClientError as error:
                error.response["ResponseMetadata"]["RetryAttempts"] = attempt
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status < SERVER_ERROR and error.response["Error"]["Code"] not in THROTTLES:
                    raise
                failure: Exception = error
            except BotoCoreError as error:
                failure = error
            else:
                return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": attempt}}
        raise failure


def events(records: Sequence[dict[str, Any]], *, is_replay: bool) -> dict[str, Any]:
    """The event of an invocation."""
    return {"Records": list(records), **({"replay": True} if is_replay else {})}
