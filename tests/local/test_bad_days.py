"""Bad days of the end-to-end tests: what is due comes, and the same from the same seed."""

import pytest

from tests.end_to_end import faults
from tests.end_to_end.faults import Call, Fault, Killer, Moment, Risk, Weather

PUT = Call("s3", "PUT", is_conditional=True)
GET = Call("s3", "GET", is_conditional=False)


def weather(seed: int) -> Weather:
    return Weather(seed, risks={"s3": Risk(5, among=20)}, outage=(2, 4), slow_s=1)


def test_all_trouble_comes_within_as_many_calls_as_it_is_among() -> None:
    for seed in range(50):
        days = weather(seed)
        met = [days.over(PUT)[0] for _ in range(20 + 4 * 3)]
        assert met.count(Fault.SLOW) == 1, "the fourth of five"
        assert 4 * 2 <= len([one for one in met if one and one is not Fault.SLOW]) <= 4 * 4
        assert not any(days.over(PUT)[0] for _ in range(100)), "bad days end"


def test_the_same_seed_is_the_same_days() -> None:
    def lived(seed: int) -> list[tuple[Fault | None, float]]:
        days = weather(seed)
        return [days.over(PUT) for _ in range(40)]

    assert lived(3) == lived(3) != lived(4)


def test_only_conditional_writes_meet_a_conflict() -> None:
    for seed in range(50):
        days = weather(seed)
        assert Fault.CONFLICT not in {days.over(GET)[0] for _ in range(60)}


def test_every_kill_is_of_a_process_or_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    running = [7]
    monkeypatch.setattr(faults, "_functions", lambda: list(running))
    monkeypatch.setattr(faults, "_ended", lambda process: process in running)
    killer = Killer(1, kills=4, apart=(2, 5))
    moments = []
    for number in range(30):
        running[:] = [] if number < 10 else [7]
        if moment := killer.moment():
            moments.append(moment)
            killer.kill(PUT, moment)
    assert killer.is_done
    assert len(moments) > killer.kills.total() == 4, "some hit nobody"
    assert {moment for _, moment in killer.kills} == set(Moment)
