"""JSON Lines on the command line: read within limits, numbers exact, no value in what is said of a line."""

from __future__ import annotations

import json
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from processor.cli import UNUSABLE
from processor.errors import Poison

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

LINE_BYTES_MAX: Final = 4_000_000  # a DynamoDB item holds 400 KB; escapes make at most six times that of it


def numbered(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines that hold anything, each with its number from 1; of one that is too long, its beginning."""
    number = 0
    while line := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        rest = line
        while len(rest) > LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_BYTES_MAX + 1)
        if line.strip():
            yield number, line


def parsed(line: bytes) -> dict[str, Any]:
    """The object of one line: whole numbers are `int`, all others `Decimal`.

    Raises:
        Poison: not one JSON object (RFC 8259) in UTF-8, with each key once.
    """
    if len(line) > LINE_BYTES_MAX:
        raise Poison(f"the line is longer than {LINE_BYTES_MAX:,} bytes")
    try:
        record = json.loads(
            line.decode("utf-8").rstrip(),
            parse_float=Decimal,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise Poison("not UTF-8") from None
    except json.JSONDecodeError as error:
        # Its message may quote the line.
        raise Poison(f"not JSON from column {error.pos + 1} on") from None
    except (ValueError, DecimalException):
        raise Poison("a number has too many digits") from None
    except RecursionError:
        raise Poison("nested too deeply") from None
    if type(record) is not dict:
        raise Poison("not a JSON object")
    return record


def report(number: int, poison: Poison) -> None:
    """Say on stderr what is wrong with a line."""
    click.echo(f"line {number}: {poison}", err=True)


def unusable(message: object) -> NoReturn:
    """End the command: its input cannot be used at all."""
    click.echo(f"tidegate: {message}", err=True)
    raise SystemExit(UNUSABLE)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Poison("a key is twice in one object")
    return made


def _no_number(_constant: str) -> NoReturn:
    raise Poison("NaN and Infinity are no JSON numbers")
