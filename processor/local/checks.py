"""What the gate is held to, from outside: nothing missing, nothing twice, nothing leaked. Pure."""

from __future__ import annotations

import json
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST: Final = 4  # bytes of a value that can be searched for: shorter ones are found everywhere by chance
GZIP_MAGIC: Final = b"\x1f\x8b"
GZIP_WBITS: Final = 31


class Bytes(NamedTuple):
    """Something found behind the gate, and where."""

    place: str
    content: bytes


class Leak(NamedTuple):
    """A raw value found behind the gate. The value itself is not repeated."""

    place: str
    at: int
    """Where in its bytes."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Event ids that went in, held against those that came out; all empty if each came out once."""

    missing: tuple[str, ...]
    twice: tuple[str, ...]
    unknown: tuple[str, ...]
    """Came out without having gone in."""


def compare(went_in: Iterable[str], came_out: Iterable[str]) -> Comparison:
    """What is wrong with what came out."""
    known, counts = set(went_in), Counter(came_out)
    return Comparison(
        missing=tuple(sorted(known - counts.keys())),
        twice=tuple(sorted(name for name, count in counts.items() if count > 1)),
        unknown=tuple(sorted(counts.keys() - known)),
    )


def leaks(values: Iterable[str], found: Iterable[Bytes]) -> list[Leak]:
    """Where any of the values stands in any of the bytes, as UTF-8 or escaped as in JSON.

    Every position of the bytes is looked up once, however many values there are: 0.3 s per megabyte.

    Raises:
        ValueError: a value is too short to be searched for.
    """
    needles = sorted({needle for value in values for needle in _spellings(value)})
    if not needles:
        return []
    width = min(map(len, needles))
    if width < SHORTEST:
        raise ValueError(f"a value to search for has fewer than {SHORTEST} bytes")
    starting = defaultdict(list)
    for needle in needles:
        starting[needle[:width]].append(needle)
    return [
        Leak(place, at)
        for place, content in found
        for at in range(len(content) - width + 1)
        for needle in starting.get(content[at : at + width], ())
        if content.startswith(needle, at)
    ]


def _spellings(value: str) -> Iterator[bytes]:
    yield value.encode()
    yield json.dumps(value)[1:-1].encode()
    yield json.dumps(value)[1:-1].encode().replace(b"/", b"\\/")


def unpacked(content: bytes) -> bytes:
    """The content, and behind it what it holds compressed."""
    if not content.startswith(GZIP_MAGIC):
        return content
    return content + b"\n" + zlib.decompress(content, GZIP_WBITS)


def summed_actions(manifests: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """How often each action was applied, by field: the manifests' counts added up."""
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for manifest in manifests:
        for entry in manifest["actions"]:
            totals[entry["field"]][entry["action"]] += entry["count"]
    return {field: dict(counts) for field, counts in sorted(totals.items())}
