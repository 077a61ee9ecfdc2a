"""`tidegate sanitize`: a policy at work on plain records, without AWS."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.lines import numbered, parsed, report, unusable
from processor.crypto import KeyRing
from processor.errors import Poison, PolicyError
from processor.event import dumps
from processor.policy import Sanitiser
from processor.policy.source import read_source
from processor.stream import Change

if TYPE_CHECKING:
    from processor.policy import Plan

KEY_BYTES_MIN: Final = 32
KEY_BYTES_MAX: Final = 4096

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--policy", "policy_file", type=_FILE, required=True, help="The policy's YAML file.")
@click.option(
    "--key-file",
    type=_FILE,
    help="At least 32 random bytes, in a file that is yours alone (mode 0600). Without it: a key that is "
    "thrown away.",
)
def sanitize(policy_file: Path, key_file: Path | None) -> None:
    """Sanitise records: JSON Lines on stdin, JSON Lines on stdout, in the same order.

    A line that cannot be sanitised is not on stdout; stderr says which one and why, and the exit code is 1.
    Tokens and pseudonyms join only under one key: keep a key file to compare what two runs give. It stands in
    for the people's own secrets, too, so nobody is ever erased here.

    \b
    Example:
      (umask 077; head -c 64 /dev/urandom > key)
      tidegate sanitize --policy policies/payments.yaml --key-file key < payments.jsonl > sanitised.jsonl
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    try:
        plan = read_source(policy_file).plan
    except PolicyError as error:
        unusable(f"the policy is unusable\n{error}")
    sanitiser = Sanitiser(plan, KeyRing({1: root_of(key_file)}))
    now, failed = int(time.time()), 0
    for number, line in numbered(sys.stdin.buffer):
        try:
            sanitised = sanitiser.sanitise(_change(plan, parsed(line), now, number)).new
        except Poison as poison:
            report(number, poison)
            failed += 1
        else:
            sys.stdout.write(dumps(sanitised) + "\n")
    if failed:
        click.echo(f"tidegate: lines that failed: {failed:,}", err=True)
        sys.exit(FINDINGS)


def _change(plan: Plan, record: dict[str, Any], now: int, number: int) -> Change:
    # The line stands for the event: what is encrypted on two of them has nothing in common.
    return Change(f"line-{number}", "INSERT", now, plan.name, "", {}, record, None, expired=False)


def root_of(key_file: Path | None) -> bytes:
    """The root of the keys, from a file or thrown away; ends the command if the file is unusable."""
    if key_file is None:
        click.echo(
            "tidegate: no --key-file: tokens and pseudonyms are made with a key that is thrown away, and "
            "join nothing outside of this run",
            err=True,
        )
        return token_bytes(64)
    try:
        with key_file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            root = stream.read(KEY_BYTES_MAX + 1)
    except OSError as error:
        unusable(f"{key_file}: cannot be read: {error.strerror}")
    # Windows has no such bits.
    if os.name == "posix" and stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        unusable(f"{key_file}: others can read or replace it ({stat.filemode(mode)}): chmod 600 {key_file}")
    if not KEY_BYTES_MIN <= len(root) <= KEY_BYTES_MAX:
        unusable(
            f"{key_file}: a key has {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes; make one with "
            f"(umask 077; head -c 64 /dev/urandom > {key_file})"
        )
    return root
