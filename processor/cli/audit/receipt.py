"""`tidegate audit receipt`: whether an erasure's receipt is as the erase function signed it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.lines import unusable
from processor.receipts import SCHEMA, is_authentic

BYTES_MAX: Final = 1_000_000
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(name="receipt")
@click.argument("file", type=_FILE)
@click.option("--public-key", "pem", type=_FILE, help="The key, in PEM: then nothing is asked of AWS.")
@click.option("--env", envvar="TIDEGATE_ENV", help="The environment whose key it must be, asked of KMS.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def receipt(file: Path, pem: Path | None, env: str | None, *, as_json: bool) -> None:
    """Check the signature of the receipt FILE, which `tidegate erase` answers with.

    Say whose signature it has to be, by --env or by --public-key: anybody can sign with a key of their own,
    and name it in the receipt. Which key the receipt names is not believed.
    Exit codes: 0 signed and unaltered, 1 not so, 2 unusable input.

    \b
    Example: years later, far from AWS.
      aws kms get-public-key --key-id alias/tidegate-prod-receipts --query PublicKey --output text |
        base64 -d | openssl pkey -pubin -inform DER -out receipts.pem
      tidegate audit receipt receipt.json --public-key receipts.pem
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if pem is None and env is None:
        raise click.UsageError(
            "whose signature must it be? Say --env ENV, or give the key: --public-key FILE."
        )
    document = _read(file)
    flaw, arn = None, None
    if pem is not None:
        key = _der(pem)
    else:
        arn, key = _of_kms(str(env))
        if document["signature"].get("key") != arn:
            flaw = f"it names another key than {arn}, with which {env} signs receipts"
    if flaw is None and not is_authentic(document, key):
        flaw = "the signature is not that of this key over this receipt: it was altered, or signed by another"
    answer = {
        "authentic": flaw is None,
        "finding": flaw,
        **{part: document.get(part) for part in ("subjects", "erased_at", "in_force_at", "backups_gone_at")},
        **{part: document.get(part) for part in ("requested_by", "reason", "again", "policies", "record")},
        "key": arn,
        "public_key": None if pem is None else str(pem),
    }
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _said(file, answer))
    if flaw is not None:
        sys.exit(FINDINGS)


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            document = json.loads(stream.read(BYTES_MAX))
    except OSError as error:
        unusable(f"{file}: cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        unusable(f"{file}: not JSON: give the receipt as `tidegate erase --json` printed it")
    if (
        not isinstance(document, dict)
        or document.get("schema") != SCHEMA
        or not isinstance(document.get("signature"), dict)
    ):
        unusable(f"{file}: no receipt of the schema {SCHEMA} with a signature")
    return document


def _der(pem: Path) -> bytes:
    """The public key of a PEM file, in DER."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  --help does not need it
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    try:
        key = load_pem_public_key(pem.read_bytes())
    except OSError as error:
        unusable(f"{pem}: cannot be read: {error.strerror}")
    except ValueError:
        unusable(f"{pem}: not a public key in PEM (-----BEGIN PUBLIC KEY-----)")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _of_kms(env: str) -> tuple[str, bytes]:
    """ARN and public half, in DER, of the key with which an environment signs receipts."""
    import boto3  # noqa: PLC0415  --help does not need it

    from processor.cli.functions import explained  # noqa: PLC0415

    attach = f"attach the managed policy tidegate-{env}-auditor to your role"
    with explained("kms:DescribeKey of the receipts' key", attach, env=env):
        kms = boto3.client("kms")
        arn = str(kms.describe_key(KeyId=f"alias/tidegate-{env}-receipts")["KeyMetadata"]["Arn"])
    with explained("kms:GetPublicKey of the receipts' key", attach, env=env):
        return arn, kms.get_public_key(KeyId=arn)["PublicKey"]


def _said(file: Path, answer: dict[str, Any]) -> str:
    if not answer["authentic"]:
        return f"{file}: do not trust it: {answer['finding']}"
    names = answer["subjects"] if isinstance(answer["subjects"], list) else []
    lines = [
        f"{file}: signed by {answer['key'] or 'the key in ' + answer['public_key']} and unaltered",
        f"  erased     {answer['erased_at']}, in force everywhere from {answer['in_force_at']} on",
        f"  backups    gone by {answer['backups_gone_at']}",
        f"  person     {', '.join(map(str, names))}",
        f"  by         {answer['requested_by']}",
        f"  reason     {answer['reason']}",
    ]
    return "\n".join(lines)
