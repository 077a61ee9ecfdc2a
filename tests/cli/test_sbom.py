"""The bill of materials keeps CycloneDX's rules, and says nothing that differs by machine or time."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from processor.cli.sbom import bill, normal
from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHA256 = "0f" * 32
MODULES = {"processor/b.py": b"b", "processor/a.py": b"a"}
FILES = {
    "policy.json": b"{}",
    "model/manifest.json": b"{}",
    "model/arrays.npy": b"0",
    "shadow/arrays.npy": b"1",
}
# https://cyclonedx.org/docs/1.6/json/#components_items_type
TYPES = {"application", "library", "file", "data", "machine-learning-model"}


def wheel(folder: Path, name: str, version: str, *lines: str) -> tuple[Path, str]:
    path = folder / f"{name}-{version}.METADATA"
    path.write_text("\n".join([f"Name: {name}", f"Version: {version}", *lines, "", "License: of the text"]))
    return path, SHA256


@pytest.fixture
def wheels(tmp_path: Path) -> list[tuple[Path, str]]:
    return [
        wheel(tmp_path, "Zed_Parser", "2.0", "License-Expression: MIT OR Apache-2.0", "License: MIT"),
        wheel(tmp_path, "old", "1.5", "License: GPL", "Classifier: License :: OSI Approved :: BSD License"),
        wheel(tmp_path, "older", "0.1", "License: Public Domain"),
        wheel(tmp_path, "bare", "3"),
    ]


def made(wheels: list[tuple[Path, str]]) -> bytes:
    return bill("payments", {"python": "3.13"}, wheels, MODULES, FILES)


def parts(of: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for part in of:
        yield part
        yield from parts(part.get("components", []))


def test_it_keeps_the_rules_of_the_schema(wheels: list[tuple[Path, str]]) -> None:
    told = json.loads(made(wheels))
    assert (told["bomFormat"], told["specVersion"], told["version"]) == ("CycloneDX", "1.6", 1)
    everything = [told["metadata"]["component"], *parts(told["components"])]
    refs = [part["bom-ref"] for part in everything]
    assert len(set(refs)) == len(refs)
    for part in everything:
        assert part["type"] in TYPES
        assert part["name"]
        for one in part.get("hashes", []):
            assert one["alg"] == "SHA-256"
            assert re.fullmatch("[0-9a-f]{64}", one["content"])
        kinds = [set(licence) for licence in part.get("licenses", [])]
        assert kinds == [{"expression"}] or all(kind == {"license"} for kind in kinds)
    graph = {one["ref"]: one.get("dependsOn", []) for one in told["dependencies"]}
    assert graph.keys() <= set(refs)
    assert graph["tidegate/payments"] == [part["bom-ref"] for part in told["components"]]


def test_it_says_nothing_of_when_or_where(wheels: list[tuple[Path, str]]) -> None:
    once = made(wheels)
    assert made(wheels[::-1]) == once
    assert bill("payments", {"python": "3.13"}, wheels, dict(reversed(MODULES.items())), FILES) == once
    told = json.loads(once)
    assert "serialNumber" not in told
    assert "timestamp" not in told["metadata"]
    assert str(wheels[0][0].parent) not in once.decode()


def test_a_licence_is_the_expression_or_the_classifier_or_the_words(wheels: list[tuple[Path, str]]) -> None:
    told = {part["name"]: part for part in json.loads(made(wheels))["components"] if "purl" in part}
    assert told["Zed_Parser"]["purl"] == "pkg:pypi/zed-parser@2.0"
    assert {name: part["licenses"] for name, part in told.items()} == {
        "Zed_Parser": [{"expression": "MIT OR Apache-2.0"}],
        "old": [{"license": {"name": "BSD License"}}],
        "older": [{"license": {"name": "Public Domain"}}],
        "bare": [{"license": {"name": "not stated"}}],
    }


def test_policy_and_models_are_data_with_their_hashes(wheels: list[tuple[Path, str]]) -> None:
    told = {part["bom-ref"]: part for part in json.loads(made(wheels))["components"]}
    assert told["policy.json"]["type"] == "data"
    assert [one["name"] for one in told["tidegate/model"]["components"]] == [
        "model/arrays.npy",
        "model/manifest.json",
    ]
    assert [one["name"] for one in told["tidegate/shadow"]["components"]] == ["shadow/arrays.npy"]
    assert [one["name"] for one in told["tidegate/processor"]["components"]] == [
        "processor/a.py",
        "processor/b.py",
    ]


def test_a_package_without_dependencies_or_model_has_a_bill() -> None:
    told = json.loads(bill("access", {}, [], MODULES, {"policies/payments.json": b"{}"}))
    assert [part["name"] for part in told["components"]] == ["tidegate", "policies/payments.json"]


def test_metadata_without_a_name_is_said(tmp_path: Path) -> None:
    path = tmp_path / "METADATA"
    path.write_text("Metadata-Version: 2.1\n")
    with pytest.raises(TidegateError, match="names no distribution"):
        made([(path, SHA256)])


def test_names_are_compared_as_indexes_do() -> None:
    assert {normal(name) for name in ("Zed_Parser", "zed.parser", "ZED--parser")} == {"zed-parser"}
