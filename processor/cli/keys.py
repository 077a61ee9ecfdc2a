"""`tidegate keys`: the versions of the token keys in an environment."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.functions import ALIAS, env_option, explained
from processor.cli.rotation import Function, People, Seen, Use, status
from processor.errors import TidegateError
from processor.identities import NAME
from processor.policy import load_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLAN_BYTES_MAX: Final = 4_000_000
STEP: Final = 10_000  # people between two words on stderr


@click.group()
def keys() -> None:
    """The token keys: which versions there are, and which can retire.

    \b
    Example:
      tidegate keys status --env prod
    """  # noqa: D301  \b is click's mark for lines that stay as they are


@keys.command(name="status")
@env_option()
@click.option("--no-people", is_flag=True, help="Do not count people: that reads the whole subjects table.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def status_command(env: str, *, no_people: bool, as_json: bool) -> None:
    """Show which versions of the token keys are in use, and which can retire from when.

    Versions are those of the functions (TOKEN_KEY_ARNS); when each last made tokens is what the chains of the
    audit trail say; for how long their events are kept, the compiled policies in the audit bucket: all that
    were ever in force, not just today's. Names and numbers are read, no secret and no value.
    Exit codes: 0 fine, 1 functions or keys disagree, 2 unusable input.

    \b
    Example: before version 1 is taken out of token_key_versions
      tidegate keys status --env prod
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    answer = {"env": env, **status(_seen(env, people=not no_people), time.time())}
    if as_json:
        click.echo(json.dumps(answer))
    else:
        click.echo("\n".join(_lines(answer)))
    if answer["findings"]:
        sys.exit(FINDINGS)


def _seen(env: str, *, people: bool) -> Seen:
    import boto3  # noqa: PLC0415  --help does not need it

    with explained("the credentials"):
        session = boto3.Session()
        functions, environ = _functions(session, env)
        kms: Any = session.client("kms")
        states = {}
        for arn in sorted({arn for one in functions for arn in one.arns.values()}):
            with explained(f"kms:DescribeKey on {arn}"):
                states[arn] = str(kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"])
        policies = sorted({one.policy for one in functions if one.policy})
        dynamodb: Any = session.client("dynamodb")
        return Seen(
            functions=tuple(functions),
            states=states,
            uses=tuple(
                use for policy in policies for use in _uses(dynamodb, environ["LEDGER_TABLE"], policy)
            ),
            kept_days=_kept_days(session.client("s3"), environ["AUDIT_BUCKET"], policies),
            people=_people(dynamodb, environ["SUBJECTS_TABLE"]) if people else None,
        )


def _functions(session: Any, env: str) -> tuple[list[Function], dict[str, str]]:
    """The functions that have token keys, and the names of buckets and tables that they are given."""
    client: Any = session.client("lambda")
    prefix = f"tidegate-{env}-"
    found: list[Function] = []
    environ: dict[str, str] = {}
    with explained("lambda:ListFunctions"):
        pages = client.get_paginator("list_functions").paginate()
        names = [one["FunctionName"] for page in pages for one in page["Functions"]]
    for name in sorted(name for name in names if name.startswith(prefix)):
        with explained(f"lambda:GetFunctionConfiguration on {name}", env=env):
            configured = client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
        variables = configured.get("Environment", {}).get("Variables", {})
        # An environment prod-us has functions of this prefix, too: the tables' names tell them apart.
        if "TOKEN_KEY_ARNS" not in variables or variables.get("LEDGER_TABLE") != f"{prefix}ledger":
            continue
        arns = {int(version): arn for version, arn in json.loads(variables["TOKEN_KEY_ARNS"]).items()}
        # Only the function on a stream writes events; it is named by its policy.
        policy = name.removeprefix(prefix) if "EVENTS_BUCKET" in variables else None
        found.append(Function(name, policy, arns))
        environ |= variables
    if not found:
        raise TidegateError(
            f"there is no function {prefix}… with token keys here. Is this the right account and region? "
            f"Else check --env and AWS_PROFILE, or deploy it: make apply ENV={env}."
        )
    return found, {"SUBJECTS_TABLE": f"{prefix}subjects", **environ}


def _uses(dynamodb: Any, table: str, policy: str) -> Iterator[Use]:
    query: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "#stream = :chains",
        "ExpressionAttributeNames": {"#stream": "stream"},  # a reserved word
        "ProjectionExpression": "key_version, written_at",
        "ExpressionAttributeValues": {":chains": {"S": f"chains/stream/{policy}"}},
    }
    with explained(f"dynamodb:Query on {table}"):
        for page in dynamodb.get_paginator("query").paginate(**query):
            for head in page["Items"]:
                if "key_version" in head:
                    yield Use(policy, int(head["key_version"]["N"]), int(head["written_at"]["N"]))


def _kept_days(s3: Any, bucket: str, policies: list[str]) -> dict[str, int]:
    """For how long events of each policy are kept at most, by all its versions in the audit trail."""
    kept: dict[str, int] = {}
    for policy in policies:
        with explained(f"s3:ListBucket and s3:GetObject on {bucket}/policies/{policy}/"):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"policies/{policy}/")
            found = [one["Key"] for page in pages for one in page.get("Contents", [])]
            for key in found:
                plan = load_plan(s3.get_object(Bucket=bucket, Key=key)["Body"].read(PLAN_BYTES_MAX))
                kept[policy] = max(kept.get(policy, 0), plan.retention_days.events)
    return kept


def _people(dynamodb: Any, table: str) -> dict[int, People]:
    """How many people are known by names of each version; no secret is read."""
    # What is selected is said, because the steward's policy asks for it: all but the secret.
    scan = {
        "TableName": table,
        "ProjectionExpression": "subject, erased_at, previous",
        "Select": "SPECIFIC_ATTRIBUTES",
    }
    older: set[bytes] = set()
    names: list[tuple[bytes, int, bool]] = []
    with explained(f"dynamodb:Scan on {table}"):
        for page in dynamodb.get_paginator("scan").paginate(**scan):
            for item in page["Items"]:
                parts = NAME.fullmatch(item["subject"]["S"])
                if parts is None:
                    continue
                names.append((_short(parts[0]), int(parts["version"]), "erased_at" in item))
                older.update(_short(one["S"]) for one in item.get("previous", {}).get("L", ()))
                if len(names) % STEP == 0:
                    click.echo(f"{len(names):,} names counted", err=True)
    return counted(names, older)


def _short(name: str) -> bytes:
    """The part of a name that tells people apart: of a million, each byte counts."""
    return name[-22:].encode()


def counted(names: list[tuple[bytes, int, bool]], older: set[bytes]) -> dict[int, People]:
    """From names (short, version, erased) and those that a newer name says it follows, the counts."""
    people: dict[int, People] = {}
    for name, version, erased in names:
        of_version = people.setdefault(version, People())
        if erased:
            of_version.erased += 1
            of_version.erased_elsewhere += name in older
        else:
            of_version.live += 1
            of_version.live_elsewhere += name in older
    return people


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    for one in answer["versions"]:
        makes = ", ".join(one["makes_tokens_in"])
        yield f"version {one['version']}: " + (f"makes tokens in {makes}" if makes else "opens tokens only")
        for key in one["keys"]:
            yield f"  key      {key['arn']} ({key['state']})"
        for policy, use in one["policies"].items():
            kept = use["events_kept_days"]
            days = f"{kept} days" if kept else "an unknown time"
            yield f"  {policy}: last used {use['last_used']}, seen since {use['first_seen']}, kept {days}"
        if not one["policies"]:
            yield "  no use of it is known"
        if "people" in one:
            yield "  people   " + _people_words(one["people"])
        if (retirement := one["retirement"]) is not None:
            when = "can retire now" if retirement["now"] else f"can retire from {retirement['from']}"
            yield f"  {when if retirement['from'] else 'cannot retire'}: {retirement['why']}"
            yield from (f"  warning  {warning}" for warning in retirement["warnings"])
    yield from (f"finding: {finding}" for finding in answer["findings"])


def _people_words(people: Mapping[str, int]) -> str:
    live, erased = people["live"], people["erased"]
    newer = people["live_known_under_a_newer_name"], people["erased_known_under_a_newer_name"]
    return f"{live:,} ({newer[0]:,} under a newer name too), erased {erased:,} ({newer[1]:,} too)"
