"""What is written beside a package: of that very zip, with figures, without what is nobody's business."""

import json
from pathlib import Path

import pytest

from processor.errors import TidegateError
from processor.review.release import ENTRY_BYTES_MAX, release_of, write_release
from tests.packages import manifest, package, released


def test_it_says_what_is_in_the_zip(tmp_path: Path) -> None:
    zipped = package(tmp_path / "cards.zip", model=manifest(release=released(None)), shadow=manifest())
    file = write_release(zipped)
    assert file == tmp_path / "cards.release.json"
    written = json.loads(file.read_text())
    assert written == release_of(zipped)
    assert (written["policy"]["name"], written["policy"]["version"]) == ("cards", 3)
    assert written["model"]["id"].startswith("cards_fraud@")
    assert written["model"]["id"] != written["shadow"]["id"], "for one went through the gates"
    assert written["model"]["release"]["gates"][1]["passed"] is True
    assert [one.name for one in tmp_path.iterdir() if "unfinished" in one.name] == []


def test_it_is_of_that_very_zip(tmp_path: Path) -> None:
    one, two = package(tmp_path / "a/cards.zip"), package(tmp_path / "b/cards.zip", code="other")
    assert release_of(one)["package"] != release_of(two)["package"]
    assert release_of(one)["policy"] == release_of(two)["policy"]


def test_it_has_neither_examples_nor_where_the_data_lay(tmp_path: Path) -> None:
    zipped = package(tmp_path / "cards.zip", model=manifest(release=released(None)))
    text = write_release(zipped).read_text()
    assert "0.7276" in text
    for hidden in ("4111111111111111", "/home/somebody", "s3://somewhere", "scenarios"):
        assert hidden not in text


def test_a_package_without_a_model_has_none(tmp_path: Path) -> None:
    release = release_of(package(tmp_path / "cards.zip"))
    assert (release["model"], release["shadow"]) == (None, None)


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cards.zip"
    with pytest.raises(TidegateError, match="cannot be read"):
        release_of(file)
    file.write_bytes(b"PK")
    with pytest.raises(TidegateError, match="is no package"):
        release_of(file)
    package(file, model={"no": "model"})
    with pytest.raises(TidegateError, match="is no package"):
        release_of(file)
    package(file, code="x", model=manifest(notes="x" * ENTRY_BYTES_MAX))
    with pytest.raises(TidegateError, match="is no package"):
        release_of(file)
