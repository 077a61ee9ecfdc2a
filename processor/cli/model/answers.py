"""What the commands on models share: their options, progress on stderr, answers as lines or JSON."""

# ruff: noqa: PLC0415 - rich and the readers of data are imported when a command runs

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from models.sources import History
    from models.spec import Spec

    Progress = Callable[[str, int], None]

FOLDER: Final = click.Path(file_okay=False, path_type=Path)
FILE: Final = click.Path(dir_okay=False, path_type=Path)
as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
_Command = TypeVar("_Command", bound="Callable[..., Any]")


def data_option(words: str, *, required: bool = False) -> Callable[[_Command], _Command]:
    """`--data FILE…`: may be repeated, and what a shell made of `--data folder/*` is taken, too."""

    def decorate(command: _Command) -> _Command:
        more = click.argument("more", nargs=-1, metavar="")(command)
        option = click.option(
            "--data", multiple=True, required=required, metavar="FILE…", help=f"{words} {_READABLE}"
        )
        return option(more)

    return decorate


_READABLE: Final = (
    "CSV, JSON Lines or Parquet, the gate's own events, folders of them, or s3://bucket/prefix; one or more."
)


def paths(data: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """The data that was named.

    Raises:
        UsageError: there are names before which no --data stands.
    """
    if more and not data:
        raise click.UsageError(f"{more[0]}: if this is data, write --data before it")
    return (*data, *more)


def _moment(_ctx: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """Epoch seconds."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a day as 2026-11-23 or a time as 2026-11-23T21:04:05Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def period_options(words: str, *, required: bool = False) -> Callable[[_Command], _Command]:
    """`--from` and `--to`, as `start` and `end` in epoch seconds."""

    def decorate(command: _Command) -> _Command:
        end = click.option(
            "--to", "end", callback=_moment, required=required, metavar="DAY",
            help="The first day after it (UTC): the end is excluded.",
        )(command)  # fmt: skip
        return click.option(
            "--from", "start", callback=_moment, required=required, metavar="DAY",
            help=f"The first day of the period that {words}. What is earlier only warms the profiles.",
        )(end)  # fmt: skip

    return decorate


def _days(_ctx: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    number = text.removesuffix("d")
    if not (number.isascii() and number.isdigit() and len(number) <= 3):  # noqa: PLR2004 - up to 999 days
        raise click.BadParameter("a number of days, as 7d")
    return int(number)


label_delay = click.option(
    "--label-delay", callback=_days, metavar="DAYS",
    help="After how long a record is known to be fraud, as 7d. Without it: label.after_days of the spec.",
)  # fmt: skip


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Shows on stderr what is being done."""
    if quiet:
        yield lambda _step, _done: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda step, done: status.update(f"{step}: {done:,}")


def chosen_spec(folder: Path, delay: int | None) -> Spec:
    """The spec in the folder, with another delay of labels if one was asked for."""
    from models.spec import load_spec

    spec = load_spec(folder)
    return spec if delay is None else spec.with_delay(delay)


def history(spec: Spec, named: tuple[str, ...]) -> History:
    """The data that was named, or the simulator."""
    from models.rows import opened
    from models.sources import Simulated

    return opened(spec, named) if named else Simulated(spec)


def lines(figures: dict[str, Any]) -> list[str]:
    """Figures, a line each."""
    flat = {name: value for name, value in figures.items() if not isinstance(value, dict)}
    for kind, found in figures.get("scenarios", {}).items():
        flat[f"recall of scenario {kind}"] = found["recall"]
    return [f"  {name.replace('_', ' '):24} {value}" for name, value in flat.items()]


def answer(content: dict[str, Any], shown: list[str], *, as_json: bool) -> None:
    """On stdout."""
    click.echo(json.dumps(content, ensure_ascii=False) if as_json else "\n".join(shown))
