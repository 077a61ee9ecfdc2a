"""The world of a schedule: what is in AWS, what time it is, and what comes of every call."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from processor.local.delivery import STREAM_KEEPS_S, Answer, failure_report
from tests.simulation.aws_dynamodb import DynamoDB
from tests.simulation.aws_others import KMS, SNS
from tests.simulation.aws_s3 import S3
from tests.simulation.editions import Variant, edition
from tests.simulation.environment import Environment, Killed, events
from tests.simulation.records import BEGUN
from tests.simulation.refusals import refusal
from tests.simulation.turns import Turns
from tests.simulation.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from processor.local.delivery import Lost
    from tests.simulation.editions import Edition
    from tests.simulation.records import Told
    from tests.simulation.schedule import Fault, Schedule

CALLS_MAX: Final = 6000  # of a world; the busiest take a third of it
CALL_S: Final = 0.02
BACKOFF_S: Final = 0.2
BACKOFF_S_MAX: Final = 30.0
IDLE_MAX: Final = 20  # turns: all others wait, too
STALL_S: Final = 75.0
ENDPOINT: Final = "https://aws.example"
REFUSED: Final = {  # kind: what services say, and S3 of a PutObject
    "throttled": ("ThrottlingException", "SlowDown"),
    "broken": ("InternalError", "InternalError"),
    "refused": ("AccessDenied", "ConditionalRequestConflict"),
}
IN_PARTS: Final = ("PublishBatch", "PublishBatch", "BatchGetItem", "GetObject")
TIMED_OUT: Final = "Task timed out"


class Time:
    """What the product takes for the module `time`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def time(self) -> float:
        return self._world.now + self._world.here().skew_s

    def monotonic(self) -> float:
        here = self._world.here()
        self._world.elapse(here.drag_s, here)
        return here.own_time

    def sleep(self, seconds: float) -> None:
        self._world.wait(seconds)


class Torn:
    """The body of an answer whose connection ends before it does."""

    def read(self) -> bytes:
        raise ReadTimeoutError(endpoint_url=ENDPOINT)


class World:
    """Everything around the function, under one schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.step, self.now = 0, float(BEGUN + 1000)
        self.turns = Turns(Random(f"{schedule.seed}/order"), schedule.switch)
        self.chance = Random(f"{schedule.seed}/chance")
        self.witness = Witness(self)
        self.s3 = S3(self.witness.wrote)
        self.dynamodb = DynamoDB(lambda: self.step, lambda: self.now, schedule.page)
        self.kms = KMS(Random(f"{schedule.seed}/kms"))
        self.sns = SNS(self.witness.subscriber.hears, lambda: self.now)
        self.time = Time(self)
        self.environments: list[Environment] = []
        self.trace: list[str] = []
        self.struck = 0
        """Faults that came to pass."""
        self.is_calm = False
        self.written: dict[int, float] = {}
        """When each record came to the stream: all in the beginning, or each before it was first seen."""
        self._faults = {fault.step: fault for fault in schedule.faults}
        self._waiting: dict[str, Fault] = {}
        self._late: list[tuple[int, str, Callable[[], Any]]] = []
        self._idle: list[Environment] = []
        self._here: dict[int, Environment] = {}

    def here(self) -> Environment:
        """The environment that is at work."""
        return self._here[self.turns.current]

    @property
    def edition(self) -> Edition:
        """What is deployed now."""
        variants = [variant for step, variant in self.schedule.deployments if step <= self.step]
        variant = variants[-1] if variants else Variant()
        return edition(self.schedule.table, variant, fifo=self.schedule.fifo)

    # --- Invocations ---------------------------------------------------------------------------------------

    def invoke(
        self,
        records: Sequence[Told],
        *,
        is_replay: bool = False,
        go_on: Callable[[Answer], None] | None = None,
    ) -> Answer | None:
        """The answer to these records; None if another actor went on with a failure (`go_on`) meanwhile."""
        batch = f"{'replay of ' if is_replay else ''}{[one.index for one in records]}"
        self.log(f"invoked with {batch}")
        forgotten = False

        def forget() -> None:
            nonlocal forgotten
            forgotten = True
            assert go_on is not None
            self.turns.spawn(lambda: go_on(Answer(error=TIMED_OUT)))

        environment = None
        for one in records:
            self.came(one)
        self.witness.begins(records, is_replay=is_replay)
        try:
            environment = self._environment()
            environment.forgotten = forget if go_on else None
            answer = environment.invoke(events([one.raw for one in records], is_replay=is_replay))
            self.witness.ends(records, environment, answer)
            self._idle.append(environment)
        except Killed:
            answer = Answer(error=TIMED_OUT)
        self.log(f"answered {answer.error or answer.payload} to {batch}{', to nobody' if forgotten else ''}")
        return None if forgotten else answer

    def _environment(self) -> Environment:
        """One that is idle, or a new one."""
        current = self.edition
        self._idle = [one for one in self._idle if one.edition is current]
        if self._idle and (self.is_calm or self.chance.random() >= self.schedule.cold):
            environment = self._idle.pop(self.chance.randrange(len(self._idle)))
            self._here[self.turns.current] = environment
            return environment
        environment = Environment(self, current)
        self._here[self.turns.current] = environment
        try:
            environment.start()
        except Exception as error:  # noqa: BLE001  Lambda tells it, and the invocation has failed
            self.witness.told(repr(error))
            raise Killed from None
        return environment

    def bare(self) -> Environment:
        """One without the function in it, for those who use parts of the product by themselves."""
        environment = Environment(self, self.edition)
        environment.until = float("inf")
        self._here[self.turns.current] = environment
        return environment

    def lost(self, lost: Lost, shard: str) -> None:
        """What the failure destination gets."""
        report = failure_report(
            lost,
            function_arn="arn:aws:lambda:eu-west-1:123456789012:function:gate",
            stream_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/payments/stream/label",
            shard=shard,
            request_id="request",
            now=self.now,
        )
        self.log(f"gave up {len(lost.batch.entries)} records: {lost.condition}")
        self.witness.reported(report)

    def came(self, one: Told) -> float:
        """When a record came to the stream."""
        return self.written.setdefault(one.index, BEGUN + 1000.0 if self.schedule.backlog else self.now)

    def is_kept(self, one: Told) -> bool:
        """Whether the stream has the record still."""
        return self.now - self.came(one) <= STREAM_KEEPS_S

    def leap(self, seconds: float) -> None:
        """Hours go by. What was on its way has come; what ran has timed out."""
        self.rest()
        self.now += seconds
        self.log(f"{seconds / 3600:g} hours later")

    def elapse(self, seconds: float, who: Environment | None) -> None:
        """Time goes by for one environment; the others have as much left as before."""
        self.now += seconds
        for other in self.environments if seconds else ():
            if other is not who:
                other.excused_s += seconds

    def wait(self, seconds: float) -> None:
        """Let others go on for some time; if all wait, the time goes by at once."""
        until, idle = self.now + seconds, 0
        while self.now < until and idle < IDLE_MAX and not self.turns.is_alone:
            before = self.step
            self.turns.pause(surely=True)
            idle = idle + 1 if self.step == before else 0
        self.elapse(max(until - self.now, 0.0), self._here.get(self.turns.current))

    def back_off(self, failures: int) -> None:
        """What Lambda waits before it delivers again, more with every failure."""
        self.wait(self.chance.random() * min(BACKOFF_S * 2**failures, BACKOFF_S_MAX))

    # --- Calls ---------------------------------------------------------------------------------------------

    def attempt(
        self, who: Environment, operation: str, call: dict[str, Any], effect: Callable[[], Any]
    ) -> Any:
        """What comes of an attempt of a call."""
        who.stand_up()
        self.turns.pause()
        who.stand_up()
        self.step += 1
        self.now += CALL_S
        if self.step > CALLS_MAX:
            self.witness.violation("restless", f"{CALLS_MAX:,} calls, and it goes on")
        self._land()
        place = str(call.get("Key", call.get("TableName", "")))
        if operation == "PutObject" and call["Bucket"] == "events":
            self.witness.sent(who, call["Body"])
        who.calls.append((operation, call.get("Bucket", call.get("TableName", "")) or operation))
        fault = None if self.is_calm else self._due(operation)
        if fault is None:
            return self._told(who, operation, place, effect)
        self.struck += 1
        who.was_disturbed = True
        self.log(f"{operation} {place} ← {fault.kind} {fault.number}", who)
        return self._strike(fault, who, operation, call, effect)

    def _due(self, operation: str) -> Fault | None:
        """What happens at this call; what only some calls can suffer waits for one of them."""
        fault = self._faults.get(self.step)
        if fault is None or fault.kind != "partly":
            return fault or self._waiting.pop(operation, None)
        where = IN_PARTS[fault.number % len(IN_PARTS)]
        if where == operation:
            return fault
        self._waiting[where] = fault
        return None

    def _told(self, who: Environment, operation: str, place: str, effect: Callable[[], Any]) -> Any:
        try:
            answer = effect()
        except ClientError as error:
            self.log(f"{operation} {place} → {error.response['Error']['Code']}", who)
            raise
        self.log(f"{operation} {place}", who)
        return answer

    def _strike(
        self, fault: Fault, who: Environment, operation: str, call: dict[str, Any], effect: Callable[[], Any]
    ) -> Any:
        kind = fault.kind
        if kind in {"unanswered late", "killed late"}:
            self._late.append((self.step + fault.number, f"{operation} of {who.name}", effect))
        elif kind in {"unanswered", "killed after"}:
            self._quietly(effect)
        if kind.startswith("killed"):
            who.is_dead = True
            raise Killed
        if kind.startswith("unanswered"):
            self.elapse(fault.number % 11, who)
            raise ReadTimeoutError(endpoint_url=ENDPOINT)
        if kind == "unsent":
            raise ConnectTimeoutError(endpoint_url=ENDPOINT)
        if kind in REFUSED:
            raise refusal(REFUSED[kind][operation == "PutObject"], operation, call)
        if kind == "partly":
            return self._partly(operation, call, fault.number, effect)
        self._shift(fault, who)
        if kind == "forgotten" and who.forgotten:
            go_on, who.forgotten = who.forgotten, None
            go_on()
        return effect()

    def _shift(self, fault: Fault, who: Environment) -> None:
        """Let time do what it should not."""
        if fault.kind == "clock":
            who.skew_s += (fault.number - 45) * 60
            who.set_back |= fault.number < 45
        elif fault.kind == "stalled":
            self.elapse(STALL_S, None)
        elif fault.kind == "slow":
            who.drag_s = fault.number / 20

    def _partly(self, operation: str, call: dict[str, Any], number: int, effect: Callable[[], Any]) -> Any:
        if operation == "BatchGetItem":
            ((table, request),) = call["RequestItems"].items()
            cut = number % (len(request["Keys"]) + 1)
            left = {table: {**request, "Keys": request["Keys"][cut:]}}
            if not cut:
                return {"Responses": {}, "UnprocessedKeys": left}
            some = {**request, "Keys": request["Keys"][:cut]}
            answer = self.dynamodb.batch_get_item(RequestItems={table: some})
            return answer | ({"UnprocessedKeys": left} if left[table]["Keys"] else {})
        if operation == "PublishBatch":
            entries = call["PublishBatchRequestEntries"]
            kept = [entry for at, entry in enumerate(entries) if (number >> at % 6) & 1]
            if kept:
                self.sns.publish_batch(TopicArn=call["TopicArn"], PublishBatchRequestEntries=kept)
            failed = [entry for entry in entries if entry not in kept]
            said = [{"Id": one["Id"], "Code": "Throttled", "Message": repr(one)} for one in failed]
            return {"Failed": said}
        if operation == "GetObject":
            return effect() | {"Body": Torn()}
        return effect()

    def _land(self, *, all_of_it: bool = False) -> None:
        """Let effects come that are due."""
        due = [late for late in self._late if all_of_it or late[0] <= self.step]
        self._late = [late for late in self._late if late not in due]
        for _, what, effect in due:
            self.log(f"{what} comes late")
            self._quietly(effect)

    def rest(self) -> None:
        """Nothing is under way any more."""
        self._land(all_of_it=True)

    @staticmethod
    def _quietly(effect: Callable[[], Any]) -> None:
        with suppress(ClientError):
            effect()

    def log(self, what: str, who: Environment | None = None) -> None:
        """One line of what happened, for who reads a failure."""
        self.trace.append(f"{self.step:4} actor {self.turns.current} {who.name if who else '':4} {what}")
