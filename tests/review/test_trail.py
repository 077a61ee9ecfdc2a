"""Laws of the walk: a trail that nobody touched has no flaw, and whatever is done to a link is named."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.audit import DAY_S, HEAD_OUTLIVES_DAYS
from processor.review.trail import (
    REMEDIES,
    YOUNG_S,
    Flaw,
    Head,
    Name,
    NotOfTheTrailError,
    Seen,
    Trail,
    Walked,
    Window,
    misplaced,
    read_link,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NOON = 1_793_016_000.0  # 2026-10-26T12:00:00Z
KEPT_S = 100 * DAY_S
NAME = Name("stream/payments", "c0")


def link(number: int, previous: Seen | None, *, day: str = "2026-10-26", salt: int = 0) -> Seen:
    key = f"manifests/payments/dt={day}/{number:03}.json"
    digest = sha256(f"{number}/{salt}/{previous}".encode()).digest()
    return Seen(key, number, digest, previous and previous.sha256, NOON + number)


def chain(days: Sequence[str], salt: int = 0) -> list[Seen]:
    """A link on each of these days, in this order."""
    links: list[Seen] = []
    for number, day in enumerate(days, 1):
        links.append(link(number, links[-1] if links else None, day=day, salt=salt))
    return links


def head(links: Sequence[Seen], known: int | None = None) -> Head:
    known = len(links) if known is None else known
    return Head(known, links[known - 1].sha256, NOON, NOON + KEPT_S + HEAD_OUTLIVES_DAYS * DAY_S)


def walk(
    links: Sequence[Seen],
    knows: Head | None,
    *,
    window: Window | None = None,
    now: float = NOON,
    later: Head | None = None,
    kept: float | None = None,
    walked: Walked | None = None,
) -> list[Flaw]:
    trail = Trail(window or Window())
    flaws = [flaw for one in links if (flaw := trail.add(NAME, one))]
    heads = {} if knows is None else {NAME: knows}
    walk = trail.walk(heads, lambda _name: later or knows, lambda _group, _at: kept, now, walked or Walked())
    return [*flaws, *walk]


def kinds(flaws: Sequence[Flaw]) -> list[str]:
    return sorted(flaw.kind for flaw in flaws)


lengths = st.integers(1, 12)


@given(length=lengths, behind=st.integers(0, 1))
def test_a_whole_chain_has_no_flaw_and_may_be_one_link_ahead_of_its_head(length: int, behind: int) -> None:
    links, walked = chain(["2026-10-26"] * length), Walked()
    knows = head(links, length - behind) if length > behind else None
    assert walk(links[::-1], knows, walked=walked) == []
    assert (walked.chains, walked.links) == (1, length)
    assert walked.unwitnessed == {one.key: one.written for one in links[length - behind :]}


def test_a_first_link_that_no_head_names_is_a_finding_unless_the_head_may_be_on_its_way() -> None:
    links, walked = chain(["2026-10-26"]), Walked()
    written = links[0].written
    assert walk(links, None, now=written + YOUNG_S - 1, walked=walked) == []
    (flaw,) = walk(links, None, now=written + YOUNG_S, walked=walked)
    assert (flaw.kind, flaw.place) == ("unwitnessed", links[0].key)
    assert walked.unwitnessed == {links[0].key: written}


def test_one_link_more_than_the_head_knows_is_named_however_old_it_is_and_no_finding() -> None:
    links, walked = chain(["2026-10-26"] * 3), Walked()
    assert walk(links, head(links, 2), now=NOON + 30 * DAY_S, walked=walked) == []
    assert list(walked.unwitnessed) == [links[2].key]


@given(length=lengths, data=st.data())
def test_an_altered_link_is_named_whichever_it_is(length: int, data: Any) -> None:
    links = chain(["2026-10-26"] * length)
    at = data.draw(st.integers(0, length - 1))
    knows = head(links)
    links[at] = replace(links[at], sha256=b"x" * 32)
    flaws = walk(links, knows)
    assert [flaw.place for flaw in flaws if flaw.kind == "altered"] == [links[at].key]
    broken = [flaw.place for flaw in flaws if flaw.kind == "broken"]
    assert broken == [one.key for one in links[at + 1 : at + 2]]


@given(length=st.integers(3, 12), data=st.data())
def test_each_of_several_altered_links_that_are_apart_is_named(length: int, data: Any) -> None:
    links = chain(["2026-10-26"] * length)
    knows = head(links)
    chosen = data.draw(st.sets(st.integers(0, length - 1), min_size=1, max_size=3))
    for at in chosen:
        links[at] = replace(links[at], sha256=bytes([at]) * 32)
    words = " ".join(map(str, walk(links, knows)))
    first, last = min(chosen), max(chosen)
    assert links[first].key in words
    assert links[last].key in words


@given(length=st.integers(2, 12), data=st.data())
def test_a_rewritten_tail_is_found_by_the_head(length: int, data: Any) -> None:
    """Somebody who recomputes every hash from a link on cannot recompute what the ledger holds."""
    links, at = chain(["2026-10-26"] * length), data.draw(st.integers(0, length - 1))
    knows = head(links)
    forged = links[:at]
    for number in range(at + 1, length + 1):
        forged.append(link(number, forged[-1] if forged else None, salt=1))
    flaws = walk(forged, knows)
    assert [flaw.place for flaw in flaws if flaw.kind == "altered"] == [links[-1].key]


@given(length=st.integers(1, 12), data=st.data())
def test_missing_links_are_counted_out(length: int, data: Any) -> None:
    links = chain(["2026-10-26"] * length)
    gone = data.draw(st.sets(st.integers(1, length), min_size=1))
    flaws = walk([one for one in links if one.number not in gone], head(links))
    if len(gone) == length:
        assert kinds(flaws) == ["gone"]
        return
    assert set(kinds(flaws)) == {"missing"}
    said = " ".join(flaw.words for flaw in flaws)
    runs = [number for number in sorted(gone) if number - 1 not in gone]
    assert len(flaws) == len(runs)
    assert all(f"{first} " in said for first in runs)


def test_a_chain_that_is_gone_as_a_whole_is_named_by_its_head() -> None:
    (flaw,) = walk([], head(chain(["2026-10-26"] * 3)))
    assert str(flaw).startswith("chain stream/payments/c0: its head knows links 1 to 3, and no object of it")


@pytest.mark.parametrize(("known", "kind"), [(None, "headless"), (1, "behind")])
def test_a_head_that_was_deleted_or_turned_back_is_named(known: int | None, kind: str) -> None:
    links = chain(["2026-10-26"] * 5)
    assert kinds(walk(links, known and head(links, known))) == [kind]


def test_what_was_written_since_the_heads_were_read_is_left_for_the_next_time() -> None:
    links, walked = chain(["2026-10-26"] * 9), Walked()
    seen = [one for one in links if one.number != 7]  # listed before it was there; its successors after
    assert walk(seen, head(links, 5), later=head(links, 9), walked=walked) == []
    assert (walked.links, walked.newer) == (6, 2)


def test_a_chain_that_began_since_is_left_too() -> None:
    links, walked = chain(["2026-10-26"] * 4), Walked()
    assert walk(links[1:], None, later=head(links), walked=walked) == []
    assert walked.newer == 3


def test_two_links_of_one_number_are_named() -> None:
    links = chain(["2026-10-26"] * 3)
    other = replace(links[1], key="manifests/payments/dt=2026-10-26/other.json")
    assert [(flaw.kind, flaw.place) for flaw in walk([*links, other], head(links))] == [("twice", other.key)]


@pytest.mark.parametrize("previous", [None, b"y" * 32])
def test_a_link_that_points_elsewhere_breaks_its_chain(previous: bytes | None) -> None:
    links = chain(["2026-10-26"] * 3)
    links[2] = replace(links[2], previous=previous)
    assert [(flaw.kind, flaw.place) for flaw in walk(links, head(links, 2))] == [("broken", links[2].key)]


def test_a_first_link_has_no_predecessor() -> None:
    links = chain(["2026-10-26"])
    links[0] = replace(links[0], previous=b"y" * 32)
    (flaw,) = walk(links, head(links))
    assert flaw.words.endswith("its `previous` is not null, as a first link's is")


DAYS = [f"2026-10-{day}" for day in (20, 21, 22, 23, 24, 25)]


def test_chains_that_reach_out_of_the_window_are_walked_inside_it() -> None:
    links, walked = chain(DAYS), Walked()
    window = Window("2026-10-22", "2026-10-23")
    assert walk(links[1:5], head(links), window=window, walked=walked) == []
    assert walked.reaching_out == 1


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_inside_the_window_alterations_are_found(at: int) -> None:
    links = chain(DAYS)
    knows = head(links)
    links[at] = replace(links[at], sha256=b"x" * 32)
    assert walk(links[1:], knows, window=Window("2026-10-22", "2026-10-23"))


def test_inside_the_window_holes_are_found() -> None:
    links = chain(DAYS)
    without = [one for one in links if one.number != 3]
    assert kinds(walk(without, head(links), window=Window(DAYS[1], DAYS[3]))) == ["missing"]
    # Beside a day that is read for its neighbours only, it may be a late change of a day that is not read.
    assert walk(without, head(links), window=Window(DAYS[2], DAYS[3])) == []


def test_the_ends_of_a_chain_inside_the_window_are_not_excused() -> None:
    links = chain([DAYS[2]] * 5)
    window = Window(DAYS[1], DAYS[3])
    assert kinds(walk(links[1:], head(links), window=window)) == ["missing"]
    assert kinds(walk(links[:-1], head(links), window=window)) == ["missing"]


def test_chains_of_other_days_are_no_concern_of_the_window() -> None:
    links = chain(DAYS)
    links[0] = replace(links[0], sha256=b"x" * 32)
    assert walk(links[:2], head(links), window=Window("2026-11-01", "2026-11-02")) == []
    assert walk([], head(links), window=Window("2026-11-01", "2026-11-02")) == []


def test_what_the_bucket_no_longer_keeps_is_not_missed() -> None:
    links = chain(DAYS)
    assert kinds(walk(links[3:], head(links), now=NOON + KEPT_S - 3 * DAY_S)) == ["missing"]
    assert walk(links[3:], head(links), now=NOON + KEPT_S) == []
    assert kinds(walk([], head(links), now=NOON + KEPT_S - 3 * DAY_S)) == ["gone"]
    assert walk([], head(links), now=NOON + KEPT_S) == []


def test_what_expires_goes_in_no_order() -> None:
    links, walked = chain(DAYS), Walked()
    later = [replace(one, written=NOON + one.number * DAY_S) for one in links]
    cut = [later[1], later[3], later[4], later[5]]
    knows = Head(6, links[5].sha256, later[5].written, head(links).expires + 6 * DAY_S)
    due = later[3].written + KEPT_S - 2 * DAY_S
    assert kinds(walk(cut, knows, now=due - 1)) == ["missing"], "the third; the first was due before"
    assert walk(cut, knows, now=due, walked=walked) == []
    assert walked.reaching_out == 1
    assert kinds(walk(later[:3], knows, now=due)) == ["missing"], "what only the head follows is as old as it"
    assert walk(later[:3], knows, now=knows.written + KEPT_S) == []


def test_an_erasure_is_kept_for_longer_than_the_manifests_around_it_and_than_its_chain_has_a_head() -> None:
    links = chain(["2026-10-26"] * 6)
    for known, days in ((head(links), 120), (None, 131), (None, 900)):
        walked = Walked()
        assert walk([links[2]], known, now=NOON + days * DAY_S, kept=KEPT_S, walked=walked) == []
        assert (walked.reaching_out, walked.unwitnessed) == (1, {})
    assert kinds(walk([links[2]], None, now=NOON + 100 * DAY_S, kept=KEPT_S)) == ["headless"]
    assert kinds(walk([links[2]], None, now=NOON + 900 * DAY_S)) == ["headless", "missing"]


def test_who_shortened_the_retention_is_believed() -> None:
    links = chain(DAYS)
    now = NOON + 50 * DAY_S
    assert kinds(walk(links[3:], head(links), now=now)) == ["missing"]
    assert kinds(walk([], head(links), now=now)) == ["gone"]
    for read in (links[3:], []):
        assert walk(read, head(links), now=now, kept=50 * DAY_S) == []
        assert walk(read, head(links), now=NOON + KEPT_S, kept=500 * DAY_S) == [], "the head's is shorter"


def body(**chain: Any) -> bytes:
    place = {"group": "erase", "id": "c0", "link": 1, "previous": None, **chain}
    return json.dumps({"kind": "erase", "chain": place}).encode()


@pytest.mark.parametrize(
    "bytes_read",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"chain":7}',
        body(link=0),
        body(link=True),
        body(link="1"),
        body(group=None),
        body(group="Jane"),
        body(group="stream/" + "x" * 3000),
        body(id="of Jane"),
        body(id=3),
        body(previous="secret of Jane"),
        body(previous=7),
    ],
)
def test_what_is_no_link_is_said_without_quoting_it(bytes_read: bytes) -> None:
    with pytest.raises(NotOfTheTrailError) as caught:
        read_link("records/erase/x", bytes_read, NOON)
    assert "Jane" not in str(caught.value)


OBJECT = {"key": "events/payments/dt=2026-10-26/hour=21/a.jsonl.gz"}
MANIFEST = "manifests/payments/dt=2026-10-26/a.json"
HISTORY = "manifests/payments/dt=2026-10-26/backfill=0179-a1/a.json"
ERASURE = "records/erase/dt=2026-10-26/120000-c0-1.json"
REMOVED = {"kind": "erase", "events": ["e2", "e1"]}
REMOVALS = "records/erase/dt=2026-10-26/120000-payments-{}.json"
OF_THESE = REMOVALS.format(blake2b(b"e1/e2", digest_size=8).hexdigest())


@pytest.mark.parametrize(
    ("key", "group", "record", "fits"),
    [
        (MANIFEST, "stream/payments", {"object": OBJECT}, True),
        (MANIFEST, "stream/loans", {"object": OBJECT}, False),
        (MANIFEST, "erase", {"object": OBJECT}, False),
        (MANIFEST.replace("a.json", "b.json"), "stream/payments", {"object": OBJECT}, False),
        (MANIFEST, "stream/payments", {"object": {"key": "events/a.jsonl.gz"}}, False),
        (
            HISTORY,
            "stream/payments",
            {"object": {"key": f"{OBJECT['key'].removesuffix('a.jsonl.gz')}backfill=0179-a1/a.jsonl.gz"}},
            True,
        ),
        (
            HISTORY,
            "stream/payments",
            {"object": {"key": f"{OBJECT['key'].removesuffix('a.jsonl.gz')}other=0179-a1/a.jsonl.gz"}},
            False,
        ),
        (MANIFEST, "stream/payments", {"object": 7}, False),
        (MANIFEST, "stream/payments", {}, False),
        (ERASURE, "erase", {"kind": "erase"}, True),
        (ERASURE, "stream/payments", {"kind": "erase"}, False),
        (OF_THESE, "stream/payments", REMOVED, True),
        (OF_THESE, "stream/loans", REMOVED, False),
        (OF_THESE, "stream/s", REMOVED, False),
        (OF_THESE, "erase", REMOVED, False),
        (OF_THESE, "stream/payments", REMOVED | {"kind": "detokenize"}, False),
        (OF_THESE, "stream/payments", REMOVED | {"events": ["e1"]}, False),
        (OF_THESE, "stream/payments", REMOVED | {"events": [1]}, False),
        (OF_THESE, "stream/payments", REMOVED | {"events": "e1/e2"}, False),
        (OF_THESE, "stream/payments", {"kind": "erase"}, False),
        (OF_THESE.replace("erase", "detokenize"), "stream/payments", REMOVED, False),
        (REMOVALS.format("0" * 16), "stream/payments", REMOVED, False),
        (ERASURE, "detokenize", {"kind": "erase"}, False),
        (ERASURE, "erase", {"kind": "detokenize"}, False),
        (ERASURE.replace("c0", "c1"), "erase", {"kind": "erase"}, False),
        (ERASURE.replace("-1.", "-2."), "erase", {"kind": "erase"}, False),
    ],
)
def test_a_link_has_one_place(key: str, group: str, record: Mapping[str, Any], *, fits: bool) -> None:
    found = misplaced(Name(group, "c0"), Seen(key, 1, b"", None, NOON), record)
    assert (found is None) is fits


def test_each_flaw_says_what_to_do() -> None:
    told: Callable[[str], str] = lambda kind: str(Flaw(kind, "a/b.json", "it is so"))  # noqa: E731
    for kind, remedy in REMEDIES.items():
        assert told(kind) == f"a/b.json: it is so. {remedy}"
        assert "\n" not in remedy
