"""How much of the labelled texts is recognised, and how much of what is recognised is labelled.

All entities are looked for at once, as the hardest: what is found under one name is missed under another. A
label is found by a span of its entity that shares half with it. `pytest -s` prints the table.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from processor.policy.detection import ENTITIES, finder
from tests.labelled.keccak import keccak_256
from tests.labelled.payment import ether, segwit
from tests.labelled.quality import Found, Tally, tallies
from tests.labelled.texts import LOCALES, VALUES, Label, Labelled, labelled_texts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LABELS_MIN = 30  # of each entity, or a share says little
# Least recall and precision: the usual, and where it differs, why.
USUAL = (0.95, 0.95)
FLOORS = {
    "phone": (0.90, 0.95),  # a few are eight or nine bare digits, like orders
    "ssn": (0.85, 0.95),  # one in ten is nine bare digits beside a name, without a word that tells
}


@pytest.fixture(scope="module")
def texts() -> list[Labelled]:
    return labelled_texts()


@pytest.fixture(scope="module")
def by_entity(texts: list[Labelled]) -> dict[str, Tally]:
    find = finder(tuple(ENTITIES))
    measured = tallies(texts, [[Found(*span[:3]) for span in find(text)] for _, text, _ in texts])
    Console().print(_table(measured))
    return measured


def _table(measured: dict[str, Tally]) -> Table:
    table = Table(title="detection on the labelled texts")
    for name in ("entity", "labels", "recall", "precision", "wrong"):
        table.add_column(name, justify="left" if name == "entity" else "right")
    for entity in sorted(measured):
        one = measured[entity]
        count = one.found + len(one.missed)
        table.add_row(entity, f"{count:,}", f"{one.recall:.3f}", f"{one.precision:.3f}", str(len(one.wrong)))
    return table


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_finds_what_is_there_and_little_else(entity: str, by_entity: dict[str, Tally]) -> None:
    recall, precision = FLOORS.get(entity, USUAL)
    measured = by_entity[entity]
    assert measured.recall >= recall, measured.missed[:5]
    assert measured.precision >= precision, measured.wrong[:5]


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_finds_telephones_and_cards_everywhere(locale: str, texts: list[Labelled]) -> None:
    there = [labelled for labelled in texts if labelled.locale == locale]
    find = finder(("card", "phone"))
    measured = tallies(there, [[Found(*span[:3]) for span in find(text)] for _, text, _ in there])
    assert measured["phone"].recall >= 0.8, measured["phone"].missed[:5]
    assert measured["card"].recall >= 0.9, measured["card"].missed[:5]


def test_the_set_has_enough_of_everything(texts: list[Labelled]) -> None:
    counts = Counter(label.entity for labelled in texts for label in labelled.labels if label.is_required)
    assert set(ENTITIES) <= set(VALUES) == set(counts)
    assert min(counts.values()) >= LABELS_MIN
    assert len(texts) >= 3_000
    assert {labelled.locale for labelled in texts} == set(LOCALES)
    assert (
        sum(not labelled.labels for labelled in texts) >= len(texts) // 8
    )  # nothing in them but what looks so


def test_labels_lie_apart_and_inside(texts: list[Labelled]) -> None:
    for _, text, labels in texts:
        end = 0
        for label in labels:
            assert end <= label.start < label.end <= len(text)
            assert text[label.start : label.end].strip() == text[label.start : label.end]
            end = label.end


def test_the_set_is_the_same_in_every_process() -> None:
    command = [sys.executable, "-m", "tests.labelled.texts", "400"]
    printed = {
        subprocess.run(
            command, cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_the_sets_own_hashes_are_those_of_the_standards() -> None:
    assert keccak_256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    # The examples of EIP-55 and BIP 173.
    checked = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    assert ether(bytes.fromhex(checked[2:]), checked=True) == checked
    program = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
    assert segwit(0, program) == "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


def test_a_span_has_to_share_half_of_its_label() -> None:
    text = Labelled("en_US", "call 0123456789 or write", (Label("phone", 5, 15),))
    ways = {
        (Found("phone", 5, 15),): (1, 0, 0),
        (Found("phone", 5, 10),): (1, 0, 0),
        (Found("phone", 5, 9),): (0, 1, 1),
        (Found("card", 5, 15),): (0, 1, 0),
        (Found("phone", 5, 15), Found("phone", 16, 18)): (1, 0, 1),
        (): (0, 1, 0),
    }
    for spans, (found, missed, wrong) in ways.items():
        tally = tallies([text], [spans])["phone"]
        assert (tally.found, len(tally.missed), len(tally.wrong)) == (found, missed, wrong), spans
