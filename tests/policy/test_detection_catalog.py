"""The catalog says what is there, and what each recogniser shows of itself is true."""

from pathlib import Path

import pytest

from processor.policy import detection
from processor.policy.detection import ENTITIES, REGIONS, finder
from processor.policy.detection.catalog import load
from processor.policy.detection.recognizer import POSSIBLE

ENGINE = {"__init__", "catalog", "custom", "engine", "linear", "recognizer", "scan", "words"}
NO_WORD = "see"

each = pytest.mark.parametrize("entity", ENTITIES)


def word_of(entity: str) -> str:
    return next(iter(load(entity).context), NO_WORD)


def test_the_catalog_equals_the_files_of_the_folder() -> None:
    folder = Path(detection.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - ENGINE == set(ENTITIES)
    assert len(ENTITIES) == 36


def test_each_entity_has_one_region_and_one_line() -> None:
    assert sorted(entity for region in REGIONS.values() for entity in region) == sorted(ENTITIES)
    assert not REGIONS.keys() & ENTITIES.keys()
    assert all(doc and "\n" not in doc and len(doc) <= 100 for doc in ENTITIES.values())
    assert all(
        entity.startswith(region)
        for region in REGIONS
        for entity in REGIONS[region]
        if region not in {"world", "us"}
    )


@each
def test_its_examples_are_found_as_a_whole_after_its_first_word(entity: str) -> None:
    find, word = finder((entity,)), word_of(entity)
    assert load(entity).examples
    for example in load(entity).examples:
        for text in (f"{word} {example}", f"{word}: {example}, thanks", f"{word.upper()} [{example}]"):
            found = [(text[span.start : span.end], span.entity) for span in find(text)]
            assert found == [(example, entity)], text


@each
def test_its_counterexamples_are_not(entity: str) -> None:
    find, word = finder((entity,), least=POSSIBLE), word_of(entity)
    assert load(entity).counterexamples
    for counterexample in load(entity).counterexamples:
        text = f"{word} {counterexample}, thanks"
        assert find(text) == [], text
