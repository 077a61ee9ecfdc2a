"""The text of a drafted policy: rules in groups, with what was seen, in the YAML all readers agree on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from processor.crypto.keyring import DOMAIN
from processor.policy import paths
from processor.review.meanings import GROUPS, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH: Final = 112
DOMAIN_CHARACTERS_MAX: Final = 64

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*|\.\*~?|\[\*\])*")
_AMBIGUOUS = re.compile(r"y|n|yes|no|on|off|true|false|null|nan|inf|infinity", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One rule of the draft."""

    path: paths.Path
    rule: str
    group: str
    seen: str
    """What the sample has there, without a value."""
    advice: str = ""
    """Where somebody has to decide: what else could be written."""
    person: bool = False
    """Whether it says whose data a record is."""


HEADER: Final = """\
# yaml-language-server: $schema=schema.json
#
# What may leave the {name} table, and in what form.
#
# Drafted by `tidegate policy init` from {records} records; nobody has decided anything yet. It is closed by
# default: what the draft is not sure of is dropped, redacted or pseudonymized, under a comment that begins
# with "decide:" and says what was seen and what else could be written. Then, before it ships:
#   tidegate policy check     and read its table of exposure from the top
#   tidegate policy preview   with the same sample, and see who is still unique
#
# Texts that YAML readers could take for something else (0123, 1e3, yes, 2026-01-01) must be quoted: Terraform
# reads routes and retention_days from this very file.
policy: {name}
version: 1
"""
SUBJECT: Final = """\
# Whose data a record is. Every request of a person, to be shown or to be forgotten, starts from this field.
subject: {subject}
"""
NO_SUBJECT: Final = """\
# decide: whose data a record is. No field says so for sure; it is the one that every request of a person, to
# be shown or to be forgotten, starts from.
# subject: customer_id
"""
UNKNOWN: Final = """\
# drop: fields that no rule names do not leave. redact: their names do. quarantine: the whole record is held
# back, which is right where a new field means that somebody made a mistake.
unknown: drop
"""
LEFT_OUT: Final = """
  # decide: {:,} names of attributes look like data themselves, or are more than a policy has rules for. They
  # are not written here, so no rule names them, and so they do not leave."""
FOOTER: Final = """\
# decide: whether a model scores the raw record inside the gate. Only its score, the flag and the reasons
# leave.
# score:
#   model: payments_fraud
#   reads: [amount, created_at]   # raw fields, granted one by one
#   flag_at: p99.5                # the most suspicious 5 of 1,000; or an absolute score, as 0.98

routes:
  s3: {events: all}
  sns: {events: none}       # all | flagged | none; `flagged` needs the score section

# Days. Terraform sets the buckets' and the log group's lifecycle by them.
retention_days:
  events: 400               # thirteen months: this month beside the same one last year
  audit: 2557               # seven years
  quarantine: 14            # raw records: as short as a repair takes
  logs: 90
  ledger: 21                # longer than a replay may come after the fact"""


def policy_text(name: str, records: int, lines: Sequence[Line], subject: Line | None, left_out: int) -> str:
    """The file.

    Args:
        name: of the policy.
        records: of the sample.
        lines: the rules.
        subject: that of the field that says whose data a record is.
        left_out: names that no rule could be written for.
    """
    return "\n".join(_parts(name, records, lines, subject, left_out)) + "\n"


def _parts(
    name: str, records: int, lines: Sequence[Line], subject: Line | None, left_out: int
) -> Iterator[str]:
    yield HEADER.format(name=name, records=f"{records:,}")
    yield SUBJECT.format(subject=_key(subject.path)) if subject else NO_SUBJECT
    yield UNKNOWN
    yield "fields:"
    first = True
    for group, title in GROUPS.items():
        of_group = [line for line in lines if (line.group if not line.advice else "decide") == group]
        if of_group:
            yield ("" if first else "\n") + f"  # ── {title} ".ljust(WIDTH, "─")
            first = False
            for line in of_group:
                yield from _written(line)
    if left_out:
        yield LEFT_OUT.format(left_out)
    yield ""
    yield FOOTER


def _written(line: Line) -> Iterator[str]:
    rule = f"  {_key(line.path)}: {_with_domain(line)}"
    if line.advice:
        said = f"decide: {line.seen}. {line.advice[0].upper()}{line.advice[1:]}."
        yield from (f"  # {part}" for part in wrap(said, WIDTH - 4, break_on_hyphens=False))
        yield rule
    elif len(rule) + len(line.seen) + 4 <= WIDTH:
        yield f"{rule}  # {line.seen}"
    else:
        yield f"  # {line.seen}"
        yield rule


def _with_domain(line: Line) -> str:
    """The rule, with a domain written out where the path has no name that can be one."""
    names = [segment for segment in line.path if isinstance(segment, str)]
    keyed = re.match(r"\{action: (pseudonymize|tokenize)", line.rule)
    if not keyed or (names and DOMAIN.fullmatch(names[-1])):
        return line.rule
    domain = re.sub(r"[^a-z0-9]+", "_", words_of(names[-1]) if names else "").strip("_0123456789") or "names"
    domain = json.dumps(domain) if _AMBIGUOUS.fullmatch(domain) else domain[:DOMAIN_CHARACTERS_MAX]
    return line.rule.replace(keyed[0], f"{keyed[0]}, domain: {domain}")


def _key(path: paths.Path) -> str:
    """A path as a key of YAML: in quotes unless every reader takes it for the same text."""
    text = paths.render(path)
    if _PLAIN.fullmatch(text) and not _AMBIGUOUS.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False)
