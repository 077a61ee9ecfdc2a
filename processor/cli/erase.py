"""`tidegate erase`: forget a person, and keep the receipt."""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli.functions import Functions, env_option
from processor.cli.lines import unusable
from processor.identities import BINARY, NUMBER, TEXT
from processor.receipts import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

FROM_STDIN: Final = "-"
SUBJECT_BYTES_MAX: Final = 10_000


@click.command()
@env_option()
@click.option(
    "--subject", required=True,
    help="Whom: their id as it is in the source table; - reads it from stdin, so that no history keeps it.",
)  # fmt: skip
@click.option("--reason", required=True, help="Why, in up to 200 characters without personal data.")
@click.option("--policy", help="Whose people are meant, if the policies are about different ones.")
@click.option(
    "--as", "read_as", type=click.Choice([TEXT, NUMBER, BINARY]),
    help="How an id like 1001 is meant. A binary one is never meant unless it is said; it comes in base64.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--unseen", is_flag=True, help="Also somebody of whom there was no record yet.")
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal, nobody is erased without it.")
@click.option(
    "--receipt", type=click.Path(dir_okay=False, path_type=Path),
    help="Where the signed receipt goes, a new file. [default: receipt-<digest>.json, here]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Answer with the receipt on stdout.")
def erase(
    *, env: str, subject: str, reason: str, policy: str | None, read_as: str | None, dry_run: bool,
    unseen: bool, yes: bool, receipt: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Forget a person: destroy their secret, so that their tokens open for nobody and join nothing any more.

    It cannot be undone. New records of the person come out with these fields redacted; counts and scores of
    the past stay. The audit trail records who asked and why, of dry runs and of refusals, too; the receipt is
    signed and says when the last backup of the secret is gone. Doing it again changes nothing and gives
    another receipt.

    \b
    Example: look first, then do it, with the id out of the shell's history
      tidegate erase --env prod --subject - --reason 'GDPR Art. 17, case 117' --dry-run < id.txt
      tidegate erase --env prod --subject - --reason 'GDPR Art. 17, case 117' --yes \\
        --receipt case-117.json < id.txt
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if receipt is not None and receipt.exists():
        unusable(f"{receipt} is there already: a receipt goes into a new file only")
    if not (yes or dry_run or _asks()):
        unusable("nobody is here to confirm it: say --yes, or --dry-run to see first what would be done")
    given = _from_stdin() if subject == FROM_STDIN else subject
    optional = {"policy": policy, "as": read_as}
    request: dict[str, Any] = {
        "subject": given, "reason": reason, "unseen": unseen,
        **{name: value for name, value in optional.items() if value is not None},
    }  # fmt: skip
    functions = Functions(env)
    if dry_run or not yes:
        preview = functions.call("erase", {**request, "dry_run": True})
        if dry_run:
            click.echo(json.dumps(preview) if as_json else "\n".join(_previewed(preview)))
            return
        click.echo("\n".join(_previewed(preview)), err=True)
        click.confirm("Erase this person for good?", abort=True, err=True)
    answer = functions.call("erase", {**request, "dry_run": False})
    if as_json:
        click.echo(json.dumps(answer))
    if receipt is not None or not as_json:
        _keep(receipt or Path(f"receipt-{sha256(canonical(answer)).hexdigest()[:12]}.json"), answer)
    click.echo("\n".join(_done(answer)), err=as_json)


def _asks() -> bool:
    """Whether somebody is there to ask."""
    return sys.stdin.isatty()


def _from_stdin() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Subject", hide_input=True, err=True))
    given = sys.stdin.buffer.read(SUBJECT_BYTES_MAX + 1)
    try:
        text = given.decode("utf-8")
    except UnicodeDecodeError:
        unusable("--subject -: not UTF-8")
    # The line's end that `echo` adds is no part of an id; other spaces may be.
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or "\n" in text or len(given) > SUBJECT_BYTES_MAX:
        unusable("--subject -: stdin must hold one id, on one line")
    return text


def _previewed(preview: Mapping[str, Any]) -> list[str]:
    since, erased = preview["seen_since"], preview["erased_at"]
    known = f"known since {since}" if since else "nobody of whom there was a record"
    lines = [f"person: {known}" + (f", erased at {erased}" if erased else "")]
    lines += [f"  {name}" for name in preview["subjects"]]
    lines += _covered(preview["policies"])
    lines.append(f"in force everywhere: {preview['in_force_at']}" + ("" if erased else " if done now"))
    lines.append(f"last backup of the secret gone: {preview['backups_gone_at']}")
    return lines


def _done(answer: Mapping[str, Any]) -> list[str]:
    again = " (it had been done before)" if answer["again"] else ""
    lines = [f"erased at {answer['erased_at']}{again}, asked by {answer['requested_by']}"]
    lines += [f"  {name}" for name in answer["subjects"]]
    lines += _covered(answer["policies"])
    lines.append(f"in force everywhere: {answer['in_force_at']}")
    lines.append(f"last backup of the secret gone: {answer['backups_gone_at']}")
    lines.append(f"audit trail: s3://{answer['record']['bucket']}/{answer['record']['key']}")
    return lines


def _covered(policies: list[dict[str, Any]]) -> list[str]:
    return [f"policy {one['name']}, version {one['version']}: {', '.join(one['fields'])}" for one in policies]


def _keep(path: Path, answer: Mapping[str, Any]) -> None:
    text = json.dumps(answer, indent=2) + "\n"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        click.echo(text)  # done is done: it must not be lost
        unusable(f"the person is erased, but the receipt cannot be written to {path}: {error.strerror}")
    click.echo(f"receipt: {path}", err=True)
