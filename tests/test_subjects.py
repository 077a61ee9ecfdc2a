"""Everybody has one secret, until it is destroyed: then nobody has it, whoever comes at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from processor.errors import Transient
from processor.subjects import CACHED_MAX, State, Subjects
from tests.fake_subjects import FakeSubjects
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION = "eu-west-1"
ANN, BOB = ("psn.customer.1.ann",), ("psn.customer.1.bob",)
ANN_LATER = ("psn.customer.2.ann", "psn.customer.1.ann")


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_793_016_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "moto"])
def dynamodb(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "fake":
        yield FakeSubjects()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        client.create_table(
            TableName="people",
            KeySchema=[{"AttributeName": "subject", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "subject", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def subjects(dynamodb: Any, clock: Clock) -> Callable[..., Subjects]:
    """One more environment of the function, with a cache of its own."""

    def subjects(cache_s: float = 60) -> Subjects:
        return Subjects(dynamodb=dynamodb, table="people", clock=clock, cache_s=cache_s)

    return subjects


def test_everybody_gets_a_secret_of_their_own_and_keeps_it(subjects: Callable[..., Subjects]) -> None:
    first = subjects().secrets([ANN, BOB])
    assert set(first) == {ANN[0], BOB[0]}
    assert len(set(first.values())) == 2
    assert all(secret and len(secret) == 32 for secret in first.values())
    assert subjects().secrets([BOB, ANN]) == first, "another environment has the same"
    assert subjects().known([ANN[0], "psn.customer.1.nobody"]) == {ANN[0]: first[ANN[0]]}


def test_who_is_erased_has_none_and_gets_none(subjects: Callable[..., Subjects], clock: Clock) -> None:
    environment = subjects()
    environment.secrets([ANN, BOB])
    erased_at = environment.erase(ANN)
    assert erased_at == clock.now
    assert environment.secrets([ANN])[ANN[0]] is None, "not even where it was cached"
    assert subjects().secrets([ANN, BOB])[ANN[0]] is None
    assert subjects().secrets([BOB])[BOB[0]] is not None
    clock.now += 1000
    assert subjects().erase(ANN) == erased_at, "again changes nothing"
    assert subjects().state(ANN) == State(ANN, erased_at, erased_at, erased_at)


def test_a_person_never_seen_can_be_erased_beforehand(subjects: Callable[..., Subjects]) -> None:
    assert not subjects().state(ANN).seen
    subjects().erase(ANN)
    assert subjects().state(ANN).seen
    assert subjects().secrets([ANN]) == {ANN[0]: None}


def test_an_erasure_is_in_force_elsewhere_once_the_cache_is_too_old(
    subjects: Callable[..., Subjects], clock: Clock
) -> None:
    far = subjects(cache_s=60)
    before = far.secrets([ANN])
    subjects().erase(ANN)
    clock.now += 59.9
    assert far.secrets([ANN]) == before
    clock.now += 0.1
    assert far.secrets([ANN]) == {ANN[0]: None}


def test_after_a_rotation_nobody_is_a_stranger(subjects: Callable[..., Subjects]) -> None:
    before = subjects().secrets([ANN])[ANN[0]]
    after = subjects().secrets([ANN_LATER])
    assert after == {ANN_LATER[0]: before}
    assert subjects().known(ANN_LATER) == dict.fromkeys(ANN_LATER, before), "the old name still leads there"
    subjects().erase(ANN_LATER)
    assert subjects().known(ANN_LATER) == dict.fromkeys(ANN_LATER)


def test_an_erasure_reaches_names_whose_keys_have_left_the_ring(subjects: Callable[..., Subjects]) -> None:
    """The secret is the same under the old name: left there, it would open what the new one made."""
    subjects().secrets([ANN])
    subjects().secrets([ANN_LATER])
    later_still = ("psn.customer.3.ann", ANN_LATER[0])
    subjects().secrets([later_still])
    names = (*later_still, ANN[0])
    assert subjects().state(later_still[:1]).names == names
    subjects().erase(later_still[:1])
    assert subjects().known(names) == dict.fromkeys(names)


def test_an_erasure_is_done_once_no_name_leads_to_a_secret(
    subjects: Callable[..., Subjects], clock: Clock
) -> None:
    subjects().secrets([ANN])
    subjects().secrets([ANN_LATER])
    subjects().erase(ANN)
    begun, clock.now = int(clock.now), clock.now + 100
    state = subjects().state(ANN_LATER)
    assert (state.erased_at, state.last_erased_at) == (begun, None)
    subjects().erase(ANN_LATER)
    state = subjects().state(ANN_LATER)
    assert (state.erased_at, state.last_erased_at) == (begun, begun + 100)


def test_who_was_erased_before_a_rotation_stays_erased_after_it(subjects: Callable[..., Subjects]) -> None:
    subjects().secrets([ANN])
    subjects().erase(ANN)
    assert subjects().secrets([ANN_LATER]) == {ANN_LATER[0]: None}
    assert subjects().known([ANN_LATER[0]]) == {ANN_LATER[0]: None}, "under the new name, too"


def test_functions_with_different_keys_come_to_one_secret(subjects: Callable[..., Subjects]) -> None:
    """A rotation reaches one function after the other, and may be rolled back."""
    newer = subjects().secrets([ANN_LATER])[ANN_LATER[0]]
    older = subjects().secrets([ANN])[ANN[0]]
    assert newer == older
    assert subjects().known(ANN_LATER) == dict.fromkeys(ANN_LATER, newer)


def test_an_erasure_by_a_function_with_fewer_keys_is_one_for_all(subjects: Callable[..., Subjects]) -> None:
    subjects().secrets([ANN_LATER])
    subjects().erase(ANN)  # knows the older name alone
    assert subjects().known([ANN_LATER[0]]) == {ANN_LATER[0]: None}, "by the newer name alone"
    assert subjects().secrets([ANN_LATER]) == {ANN_LATER[0]: None}
    assert subjects().state(ANN_LATER).last_erased_at is not None, "and no secret is left"


@pytest.mark.parametrize("updates", [1, 2, 3])
def test_an_erasure_that_is_interrupted_holds_from_its_first_write_on(updates: int) -> None:
    names = ("psn.customer.3.ann", *ANN_LATER)
    dynamodb = FakeSubjects()
    subjects = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0)
    for ring in (names[2:], names[1:], names):
        subjects.secrets([ring])

    def trouble(operation: str) -> None:
        if operation == "UpdateItem" and dynamodb.calls[operation] == updates:
            raise refusal("InternalServerError", operation)

    dynamodb.hook = trouble
    with pytest.raises(Transient):
        subjects.erase(names)
    dynamodb.hook = lambda _operation: None
    fresh = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0)
    for name in names:
        assert (fresh.known([name])[name] is None) is (updates > 1)
    assert (fresh.secrets([names])[names[0]] is None) is (updates > 1)


def test_what_is_looked_up_is_two_requests_whoever_it_is() -> None:
    dynamodb = FakeSubjects()
    subjects = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0)
    subjects.secrets([BOB, ANN_LATER])
    subjects.erase(BOB)
    for names in (BOB, ANN, ANN_LATER[:1], ["psn.customer.1.nobody"]):
        dynamodb.calls.clear()
        subjects.known(names)
        assert dynamodb.calls == {"BatchGetItem": 2}


def test_a_secret_too_old_to_be_used_is_not_kept(clock: Clock) -> None:
    subjects = Subjects(dynamodb=FakeSubjects(), table="people", clock=clock, cache_s=60)
    subjects.secrets([ANN])
    clock.now += 60
    subjects.secrets([BOB])
    assert list(subjects._cache) == [BOB[0]]


def test_tombstones_hold_no_personal_data_and_no_secret(
    dynamodb: Any, subjects: Callable[..., Subjects]
) -> None:
    subjects().secrets([ANN])
    subjects().erase(ANN)
    items = (
        list(dynamodb.items.values())
        if isinstance(dynamodb, FakeSubjects)
        else dynamodb.scan(TableName="people")["Items"]
    )
    assert [set(item) for item in items] == [{"subject", "created_at", "erased_at"}]


@given(crowd=st.integers(1, 450))
def test_a_batch_of_people_is_one_request_per_hundred_and_then_none(crowd: int) -> None:
    dynamodb = FakeSubjects()
    environment = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0)
    people = [(f"psn.customer.1.{number}",) for number in range(crowd)]
    environment.secrets(people)
    dynamodb.calls.clear()
    environment.secrets(people)
    assert not dynamodb.calls
    Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0).secrets(people)
    assert dynamodb.calls == {"BatchGetItem": -(-crowd // 100)}


def test_nobody_is_asked_for_where_no_rule_goes_by_the_person() -> None:
    dynamodb = FakeSubjects()
    assert Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0).secrets([]) == {}
    assert not dynamodb.calls


def test_the_cache_is_bounded_and_forgets_the_oldest() -> None:
    dynamodb = FakeSubjects()
    environment = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0)
    environment.secrets([ANN])
    environment.secrets([(f"psn.customer.1.{number}",) for number in range(CACHED_MAX)])
    assert len(environment._cache) == CACHED_MAX
    dynamodb.calls.clear()
    environment.secrets([ANN])
    assert dynamodb.calls["BatchGetItem"] == 1


def test_two_who_create_at_once_end_with_one_secret() -> None:
    """The second comes between the first's look and its put."""
    dynamodb = FakeSubjects()
    other = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0)
    theirs: list[Any] = []

    def intrude(operation: str) -> None:
        if operation == "PutItem" and not theirs:
            theirs.append(None)
            theirs[0] = other.secrets([ANN])

    dynamodb.hook = intrude
    mine = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0).secrets([ANN])
    assert theirs == [mine]


@pytest.mark.parametrize("person", [ANN, ANN_LATER])
def test_an_erasure_that_comes_between_look_and_put_wins(person: tuple[str, ...]) -> None:
    dynamodb = FakeSubjects()
    subjects = Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0)
    if person is ANN_LATER:
        subjects.secrets([ANN])  # known under the older name: the put carries the secret over
    erased: list[int] = []

    def intrude(operation: str) -> None:
        if operation == "PutItem" and not erased:
            erased.append(0)
            Subjects(dynamodb=dynamodb, table="people", clock=lambda: 0.0).erase(person)

    dynamodb.hook = intrude
    assert subjects.secrets([person]) == {person[0]: None}
    assert all("secret" not in item for item in dynamodb.items.values())


def test_keys_left_unprocessed_are_asked_for_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("processor.aws.sleep", waited.append)

    class Throttled(FakeSubjects):
        def __init__(self, times: int) -> None:
            super().__init__()
            self.times = times

        def batch_get_item(self, **call: Any) -> dict[str, Any]:
            self.times -= 1
            if self.times < 0:
                return super().batch_get_item(**call)
            return {"Responses": {}, "UnprocessedKeys": call["RequestItems"]}

    assert Subjects(dynamodb=Throttled(3), table="people", clock=lambda: 0.0).secrets([ANN])
    assert waited == [0.05, 0.1, 0.2]
    with pytest.raises(Transient, match="left unprocessed 8 times"):
        Subjects(dynamodb=Throttled(8), table="people", clock=lambda: 0.0).secrets([ANN])


@pytest.mark.parametrize("operation", ["BatchGetItem", "PutItem", "GetItem", "UpdateItem"])
def test_trouble_is_transient_and_quotes_nothing(operation: str) -> None:
    def trouble(called: str) -> None:
        if called == operation:
            raise refusal("ProvisionedThroughputExceededException", operation)

    subjects = Subjects(dynamodb=FakeSubjects(trouble), table="people", clock=lambda: 0.0)
    with pytest.raises(
        Transient, match=rf"^dynamodb:{operation} on subjects: Provisioned\w+ \(request 7PDX\)$"
    ):
        subjects.erase(ANN) if operation in {"GetItem", "UpdateItem"} else subjects.secrets([ANN])


def test_nothing_shows_a_secret() -> None:
    subjects = Subjects(dynamodb=FakeSubjects(), table="people", clock=lambda: 0.0)
    (secret,) = subjects.secrets([ANN]).values()
    assert repr(subjects) == "Subjects('people')"
    assert secret
    assert repr(secret)[2:-1] not in repr(subjects)
