"""What becomes of a canary, and where a roll-back ends."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.local.terraform import ROOT
from processor.review.canary import Course, Look, Pointing, Version, before, decide

STATES = st.dictionaries(
    st.sampled_from(["errors", "leaks", "flags"]), st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])
)
LOOKS = st.builds(
    Look,
    states=STATES,
    records=st.integers(0, 10**6),
    seconds=st.floats(0, 10_000),
    is_ours=st.booleans(),
)
SAID = "Version 4, model cards_fraud@0123456789ab, reaches alerts profiles (policy cards)"


@given(LOOKS, st.floats(1, 10_000))
def test_it_goes_on_only_if_time_is_over_nothing_rings_and_something_came(look: Look, for_s: float) -> None:
    goes_on = decide(look, for_s) is Course.GO_ON
    proven = "ALARM" not in look.states.values() and look.records > 0 and look.seconds >= for_s
    assert goes_on == (proven and look.is_ours)


@given(LOOKS, st.floats(1, 10_000))
def test_what_rings_takes_it_back_at_once_unless_somebody_else_did(look: Look, for_s: float) -> None:
    assert (decide(look, for_s) is Course.GO_BACK) == (look.is_ours and bool(look.ringing))
    assert (decide(look, for_s) is Course.STOLEN) == (not look.is_ours)


def test_silence_without_traffic_is_no_proof() -> None:
    look = Look(states={"errors": "OK", "drift": "INSUFFICIENT_DATA"}, records=0, seconds=900)
    assert decide(look, 900) is Course.UNPROVEN
    assert (look.ringing, look.unjudged) == ([], ["drift"])


@given(st.sets(st.integers(1, 30), min_size=1), st.sets(st.integers(1, 30)), st.integers(1, 30))
def test_a_roll_back_ends_at_the_newest_before_that_was_not_withdrawn(
    numbers: set[int], withdrawn: set[int], in_force: int
) -> None:
    found = before(map(Version, numbers), in_force, withdrawn)
    fit = [number for number in numbers - withdrawn if number < in_force]
    assert (found and found.number) == (max(fit) if fit else None)


def test_a_version_says_what_it_holds_and_reaches() -> None:
    version = Version(12, SAID)
    assert str(version) == "version 12 (policy cards: Version 4, model cards_fraud@0123456789ab)"
    assert version.reach == {"alerts", "profiles"}
    assert Version(1, "Version 1, model none, reaches nothing more (policy cards)").reach == frozenset()


def test_a_version_of_an_older_tidegate_says_nothing_and_reaches_nobody_knows_what() -> None:
    version = Version(3, "Sanitises and scores the changes of one table (policy cards)")
    assert str(version) == "version 3 (made by an older Tidegate)"
    assert version.reach == frozenset()


def test_terraform_describes_a_version_in_the_words_that_are_read() -> None:
    text = (ROOT / "modules/stream/function.tf").read_text(encoding="utf-8")
    (said,) = re.findall(r'^  description +=\s"\$\{var\.release\}(.*)"$', text, re.MULTILINE)
    assert said == (
        ', reaches ${local.reaches == "" ? "nothing more" : local.reaches} (policy ${var.policy})'
    )


@pytest.mark.parametrize(
    ("pointing", "said"),
    [(Pointing(12), "version 12"), (Pointing(12, 13, 10), "version 12, 10 % to version 13")],
)
def test_where_an_alias_points_is_said_in_a_word(pointing: Pointing, said: str) -> None:
    assert str(pointing) == said
