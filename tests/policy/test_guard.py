"""The guard's short cuts change nothing: it stops exactly what the recognisers find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processor.policy.detection import GUARDED, find
from processor.policy.guard import guard
from processor.policy.notes import REDACTED, Notes, Record

parts = st.sampled_from(
    [*"0123456789", "@", "\uff20", ".", "a", "b", "co", "-", " ", "é", "9", "12", "@x.de"]
)
whole = st.sampled_from(
    ["4111111111111111", "078-05-1120", "GB82WEST12345698765432", "a@b.co", "+44 20 7946 0958"]
)


@given(st.lists(parts | whole, max_size=12).map("".join))
def test_it_stops_what_is_recognised_and_nothing_else(text: str) -> None:
    check = guard(())
    assert check is not None
    record = Record(0, Notes((), []))
    recognised = bool(find(text, GUARDED))
    assert check(text, record) == (REDACTED if recognised else text)
    assert record.notes.leaks == recognised
