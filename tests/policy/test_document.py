"""The subset of YAML: what is refused, where and in which words; what is accepted reads alike everywhere."""

import json
import os
import subprocess
from itertools import product
from pathlib import Path

import pytest
import yaml

from processor.errors import PolicyError
from processor.policy.document import BYTES_MAX, Document, read_document


def findings(text: str | bytes) -> list[str]:
    """`line:column: message`, and the hint after a bar."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(PolicyError) as caught:
        read_document(data, "p.yaml")
    assert all(finding.file == "p.yaml" for finding in caught.value.findings)
    return [f"{found.line}:{found.column}: {found.message} | {found.hint}" for found in caught.value.findings]


AMBIGUOUS = {
    "0123": "a number in base 8 or in base 10",
    "08": "a number in base 8 or in base 10",
    "-00": "a number in base 8 or in base 10",
    "0x1F": "a number or a text",
    "0o17": "a number or a text",
    "0b11": "a number or a text",
    "1_000": "a number or a text, exact or rounded",
    "1:30": "a number in base 60 or a text",
    "20:30:40.5": "a number in base 60 or a text",
    "1e3": "a number or a text, exact or rounded",
    "1.0e+3": "a number or a text, exact or rounded",
    ".5": "a number or a text, exact or rounded",
    "5.": "a number or a text, exact or rounded",
    "+5": "a number or a text, exact or rounded",
    "-0": "a number or a text, exact or rounded",
    "1.2.3": "a number or a text, exact or rounded",
    "1234567890123456789": "a number or a text, exact or rounded",
    ".inf": "a number or a text",
    "-.INF": "a number or a text",
    ".NaN": "a number or a text",
    "Infinity": None,
    "y": "true or false, or a text",
    "N": "true or false, or a text",
    "yes": "true or false, or a text",
    "Off": "true or false, or a text",
    "TRUE": "true or false, or a text",
    "Null": "nothing, or a text",
    "2026-11-23": "a date or a text",
    "2026-11-23T21:04:05Z": "a date or a text",
    "<<": "an order to merge another map, or a key",
    "=": "more than a text",
    "a:b": "more than a text",
    "a#b": "more than a text",
    "10.0.0.0/8": "more than a text",
    "5 days": "more than a text",
    "-x": "more than a text",
}


@pytest.mark.parametrize(
    ("scalar", "words"), [(scalar, words) for scalar, words in AMBIGUOUS.items() if words]
)
def test_ambiguous_scalars_are_refused_with_the_quoted_form(scalar: str, words: str) -> None:
    said = f'{scalar} could be read as {words} | If it is a text, quote it: "{scalar}".'
    assert findings(f"a:\n  b: {scalar}\n") == [f"2:6: {said}"]
    assert findings(f"{scalar}: 1\n") == [f"1:1: {said}"]
    assert findings(f"- [x, {scalar}]\n") == [f"1:7: {said}"]
    for quote in "'\"":
        assert read_document(f"a: {quote}{scalar}{quote}".encode(), "p.yaml").data == {"a": scalar}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: the file is empty"),
        ("# only a comment\n", "1:1: the file is empty"),
        (
            "a: 1\nb: 2\na: 3\n",
            "3:1: 'a' is twice in this map | Remove one: readers keep the last without a word.",
        ),
        ("a: {b: 1, b: 1}", "1:11: 'b' is twice in this map"),
        ('a: 1\n"a": 2', "2:1: 'a' is twice in this map"),
        ("a: &x 1", "1:4: an anchor, &x"),
        ("a: 1\nb: *x", "2:4: an alias, *x"),
        ("*: keep", "1:2: not YAML: while scanning an alias"),
        ("a: !!str 1", "1:4: a tag, tag:yaml.org,2002:str"),
        ("a: !secret x", "1:4: a tag, !secret"),
        ("a: ! x", "1:4: a tag, !"),
        ("%YAML 1.1\n---\na: 1", "1:1: a YAML directive"),
        ("a: 1\n---\nb: 2", "2:1: a second document"),
        ("1: keep", '1:1: a key must be a text | Quote it: "1".'),
        ("true: keep", '1:1: a key must be a text | Quote it: "true".'),
        ("? \n: keep", "1:2: a key must be a text | Write it as name: value."),
        ("[a]: keep", "1:1: a key must be a text"),
        ("? {a: 1}\n: keep", "1:3: a key must be a text"),
        ("a: |\n  text\n", "1:4: a text over several lines"),
        ("a: >-\n  text\n", "1:4: a text over several lines"),
        ("a: one\n  two\n", "1:4: a text over several lines"),
        ("a: 'one\n  two'\n", "1:4: a text over several lines"),
        ("a:\n\tb: 1", "2:1: an invisible character, U+0009"),
        ("a: 1 # \u202etrojan", "1:8: an invisible character, U+202E"),
        ("# a\u2028b: 1", "1:4: an invisible character, U+2028"),
        ("\ufeffa: 1", "1:1: an invisible character, U+FEFF"),
        ("a: 1\rb: 2", "1:5: an invisible character, U+000D"),
        ('a: "\\x07"', "1:4: a text with an invisible character"),
        ('a: "\\uD800"', "1:4: a text with an invisible character"),
        ("a: 'e\u0301'", "1:4: a text with a character in two parts"),
        ("a: [1, 2", "1:9: not YAML: while parsing a flow sequence"),
        ("a: b: c", "1:5: not YAML: mapping values are not allowed here"),
        ("[" * 100, "1:17: nested deeper than 16 levels"),
        (b"a: caf\xe9", "1:7: not UTF-8"),
        (b"a: 1\nb\xc3\xa9: \xff", "2:5: not UTF-8"),
        (b"#" * (BYTES_MAX + 1), "1:1: the file has 262,145 bytes; 262,144 are read at most"),
    ],
)
def test_what_readers_may_differ_on_is_refused(text: str | bytes, said: str) -> None:
    (found,) = findings(text)
    assert found.startswith(said)


def test_everything_wrong_is_said_at_once_in_the_file_s_order() -> None:
    said = findings("a: yes\nb: &x 010\na: 1\nc: [on, *x]\n")
    assert [found.split(": ")[0] for found in said] == ["1:4", "2:4", "2:4", "3:1", "4:5", "4:9"]


def test_places_are_kept() -> None:
    document = read_document(b'a: 1\nb:\n  - x\n  - {"c.d": y1, e: }\n', "p.yaml")
    assert document.data == {"a": 1, "b": ["x", {"c.d": "y1", "e": None}]}
    assert document.locate(("b", 1, "c.d"), on_key=False) == (4, 13)
    assert document.locate(("b", 1, "c.d"), on_key=True) == (4, 6)
    assert document.locate(("b", 1, "c.d", "deeper"), on_key=True) == (4, 6)
    assert document.locate(("b", 7), on_key=False) == (3, 3)
    assert document.locate((), on_key=False) == (1, 1)


def accepted(text: str) -> Document | None:
    try:
        return read_document(text.encode(), "p.yaml")
    except PolicyError:
        return None


def test_what_is_accepted_reads_alike_in_pyyaml_and_terraform(tmp_path: Path, policies: Path) -> None:
    """All short plain texts of the signs that make trouble, and the released policies."""
    scalars = map("".join, (part for n in range(1, 4) for part in product("01yNeE.:-+_~#x*[ ", repeat=n)))
    words = [*AMBIGUOUS, "true", "false", "null", "p99.5", "items[*].sku", "O_1", "é", "Inf", "nan", "0.50"]
    texts = [f"a: {scalar}" for scalar in (*scalars, *words)]
    texts += [path.read_text() for path in sorted(policies.glob("*.yaml"))]
    read = {text: document.data for text in texts if (document := accepted(text))}
    assert len(read) > 200
    for text, data in read.items():
        assert yaml.safe_load(text) == data, text

    (tmp_path / "texts.json").write_text(json.dumps(list(read)))
    asked = subprocess.run(
        ["terraform", "console"],
        input='jsonencode([for text in jsondecode(file("texts.json")) : yamldecode(text)])',
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"},
        capture_output=True,
        text=True,
        check=True,
    )
    by_terraform = json.loads(json.loads(asked.stdout))
    for text, (data, other) in zip(read, zip(read.values(), by_terraform, strict=True), strict=True):
        assert data == other, text
