"""Calls give up in time, and do not press a service that is down."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError

from processor.aws import ATTEMPT_S, Patience, calling, connect
from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OK, BROKEN = (200, b"{}"), (500, b"{}")
THROTTLED = (400, b'{"__type": "com.amazonaws#ThrottlingException", "message": "jane.doe@example.com"}')
REFUSED = (400, b'{"__type": "com.amazonaws#ConditionalCheckFailedException"}')
TIMEOUT = None


class Raw(BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


class World:
    """A service that answers what it is told, and a clock that each answer moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setattr("time.sleep", lambda _seconds: None)  # of the jitter between attempts
        self.now, self.takes_s = 0.0, 0.0
        self.answers: list[tuple[int, bytes] | None] = []
        self.attempts = 0
        self.patience = Patience(lambda: self.now)
        self.dynamodb, self.kms = connect("dynamodb", "kms", patience=self.patience)
        for client in (self.dynamodb, self.kms):
            client.meta.events.register("before-send", self.answer)  # after those of the patience

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        self.attempts += 1
        self.now += self.takes_s
        answer = self.answers.pop(0) if self.answers else OK
        if answer is TIMEOUT:
            raise ConnectTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, answer[0], {}, Raw(answer[1]))

    def put(self) -> None:
        with calling("dynamodb:PutItem on the ledger"):
            self.dynamodb.put_item(TableName="ledger", Item={})

    def attempts_of(self, call: Callable[[], object]) -> int:
        before = self.attempts
        with suppress(Transient):
            call()
        return self.attempts - before


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


@pytest.mark.parametrize("trouble", [BROKEN, THROTTLED, TIMEOUT])
def test_a_passing_trouble_is_tried_again(world: World, trouble: Any) -> None:
    world.answers = [trouble, trouble, OK]
    assert world.attempts_of(world.put) == 3
    world.put()


@pytest.mark.parametrize("trouble", [BROKEN, THROTTLED, TIMEOUT])
def test_what_must_not_be_done_twice_is_tried_once(world: World, trouble: Any) -> None:
    """An answer may be lost after the effect: who asks again adds again."""
    _, world.dynamodb = connect("kms", once=["dynamodb"])
    world.dynamodb.meta.events.register("before-send", world.answer)
    world.answers = [trouble, OK]
    assert world.attempts_of(world.put) == 1


@pytest.mark.parametrize("trouble", [BROKEN, THROTTLED, TIMEOUT])
def test_a_service_that_is_down_costs_one_probe_until_it_answers(world: World, trouble: Any) -> None:
    world.answers = [trouble] * 5
    assert world.attempts_of(world.put) == 3
    assert world.attempts_of(world.put) == 1, "a probe"
    assert world.attempts_of(world.put) == 1
    world.put()
    world.answers = [trouble, OK]
    assert world.attempts_of(world.put) == 2, "it answered: calls are patient again"


def test_one_service_s_trouble_is_not_another_s(world: World) -> None:
    world.answers = [BROKEN] * 3
    assert world.attempts_of(world.put) == 3
    world.answers = [BROKEN, OK]
    assert (
        world.attempts_of(
            lambda: world.kms.generate_mac(KeyId="k", Message=b"m", MacAlgorithm="HMAC_SHA_512")
        )
        == 2
    )


def test_a_refusal_is_no_trouble(world: World) -> None:
    world.answers = [REFUSED, BROKEN, OK]
    assert world.attempts_of(world.put) == 1
    assert world.attempts_of(world.put) == 2


def test_what_a_service_says_is_not_repeated(world: World) -> None:
    world.answers = [THROTTLED] * 3
    with pytest.raises(
        Transient, match=r"^dynamodb:PutItem on the ledger: ThrottlingException \(request \S+\)$"
    ):
        world.put()


def test_no_attempt_begins_that_the_time_may_not_suffice_for(world: World) -> None:
    world.patience.begin(60)
    world.takes_s = 12
    world.answers = [TIMEOUT] * 9
    assert world.attempts_of(world.put) == 3
    world.patience.begin(60)
    assert world.attempts_of(lambda: [world.put(), world.put()]) <= 3
    world.now += 60 - ATTEMPT_S
    with pytest.raises(Transient, match=r"^dynamodb:PutItem on the ledger: OutOfTime$"):
        world.put()


def test_no_call_ever_outlasts_the_function(world: World) -> None:
    world.takes_s, world.answers = ATTEMPT_S - 1, [TIMEOUT] * 100
    for timeout_s in (40, 60, 900):
        begun = world.now
        world.patience.begin(timeout_s)
        while not world.patience.is_over():
            world.attempts_of(world.put)
        assert world.now - begun < timeout_s


def test_in_a_short_time_something_is_tried_all_the_same(world: World) -> None:
    world.patience.begin(6)
    assert not world.patience.is_over()
    assert world.attempts_of(world.put) == 1
    world.now += 4.1
    assert world.patience.is_over()
    assert world.attempts_of(world.put) == 0


def test_running_out_of_time_says_nothing_about_the_service(world: World) -> None:
    world.patience.begin(10)
    world.now += 9
    assert world.attempts_of(world.put) == 0
    world.patience.begin(600)
    world.answers = [BROKEN, BROKEN, OK]
    assert world.attempts_of(world.put) == 3
