"""The variables and outputs of each module of terraform/, as tables in its README.md.

python -m processor.local.interfaces          writes the tables anew
python -m processor.local.interfaces --check  says which are not what the .tf files say, and changes nothing

It reads what `terraform fmt` has formatted: a block begins and ends at the margin, an attribute two signs in.
"""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from processor.errors import TidegateError
from processor.local.terraform import REPOSITORY, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BEGIN: Final = "<!-- tables: python -m processor.local.interfaces -->"
END: Final = "<!-- end of tables -->"
BLOCK: Final = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)
ATTRIBUTE: Final = re.compile(r"^  (\w+) += (.*)$")
HEREDOC: Final = re.compile(r"<<-(\w+)$")
TYPE_CHARACTERS_MAX: Final = 40  # a longer type is told by its outermost form
DEFAULT_CHARACTERS_MAX: Final = 60
STALE: Final = 1
UNUSABLE: Final = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable or an output."""

    kind: str
    name: str
    attributes: dict[str, str]
    """As they are written; of a heredoc, its text."""

    @property
    def description(self) -> str:
        """Its text."""
        text = self.attributes["description"]
        return text[1:-1].replace('\\"', '"') if text.startswith('"') else text


def folders() -> list[Path]:
    """The root and its modules."""
    return [ROOT, *sorted(path for path in ROOT.glob("modules/*") if path.is_dir())]


def entries(folder: Path) -> list[Entry]:
    """The variables and outputs of a module, in the order in which they are written.

    Raises:
        TidegateError: one of them has no description, or a variable no type.
    """
    found = []
    usual = [folder / "variables.tf", folder / "outputs.tf"]
    for file in (*usual, *sorted(set(folder.glob("*.tf")) - set(usual))):
        for kind, name, body in BLOCK.findall(file.read_text(encoding="utf-8")):
            entry = Entry(kind, name, dict(attributes(body)))
            for needed in ("description", "type") if kind == "variable" else ("description",):
                if needed not in entry.attributes:
                    raise TidegateError(f"{file}: {kind} {name} has no {needed}: write one")
            found.append(entry)
    return found


def attributes(body: str) -> Iterator[tuple[str, str]]:
    """The attributes right under a block; those of nested blocks are not among them."""
    lines = iter(body.splitlines())
    for line in lines:
        if not (found := ATTRIBUTE.match(line)):
            continue
        name, value = found.groups()
        if end := HEREDOC.match(value):
            text = []
            for inner in lines:
                if inner.strip() == end[1]:
                    break
                text.append(inner)
            value = textwrap.dedent("\n".join(text))
        elif value.endswith(("{", "[", "(")):
            for inner in lines:
                value += "\n" + inner
                if re.match(r"  [\])}]", inner):
                    break
        yield name, value


def tables(found: Sequence[Entry]) -> str:
    """The tables, between their marks."""
    variables = [entry for entry in found if entry.kind == "variable"]
    outputs = [entry for entry in found if entry.kind == "output"]
    header = ["name", "description", "type", "default", "required"]
    needed = ["" if "default" in one.attributes else "yes" for one in variables]
    rows = [
        [_code(one.name), _first(one), _type(one), _default(one), required]
        for one, required in zip(variables, needed, strict=True)
    ]
    lines = [BEGIN, "", "## Variables", "", *_table(header, rows)]
    for one in variables:
        if rest := one.description.strip().partition("\n\n")[2]:
            lines += ["", f"`{one.name}`:", "", "```", rest, "```"]
    rows = [[_code(one.name), _first(one), "yes" if "sensitive" in one.attributes else ""] for one in outputs]
    lines += ["", "## Outputs", "", *_table(["name", "description", "sensitive"], rows)]
    return "\n".join([*lines, "", END])


def _table(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    for cells in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(cells)} |".replace("  ", " ")


def _first(entry: Entry) -> str:
    """The first paragraph of its description."""
    text = " ".join(entry.description.strip().partition("\n\n")[0].split())
    return text.replace("|", "\\|").replace("<", "\\<")


def _type(entry: Entry) -> str:
    written = " ".join(entry.attributes["type"].split())
    if len(written) <= TYPE_CHARACTERS_MAX:
        return _code(written)
    outermost = re.match(r"(?:\w+\()+", written)
    forms = outermost[0] if outermost else ""
    return _code(f"{forms}…{')' * forms.count('(')}")


def _default(entry: Entry) -> str:
    written = " ".join(entry.attributes.get("default", "").split())
    if not written:
        return ""
    return _code(written) if len(written) <= DEFAULT_CHARACTERS_MAX else "see `variables.tf`"


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def renewed(folder: Path) -> tuple[str, str]:
    """The README.md of a module as it is, and as it should be.

    Raises:
        TidegateError: it has no place for tables.
    """
    file = folder / "README.md"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    before, begins, rest = text.partition(BEGIN)
    _, ends, after = rest.partition(END)
    if not begins or not ends:
        raise TidegateError(f"{file}: has no place for the tables: write the lines {BEGIN!r} and {END!r}")
    return text, before + tables(entries(folder)) + after


def main(arguments: list[str]) -> int:
    """Write, or with --check only compare. Exit codes: 0 as they should be, 1 some are not, 2 unusable."""
    if arguments not in ([], ["--check"]):
        click.echo(__doc__, err=True)
        return UNUSABLE
    stale = 0
    try:
        for folder in folders():
            text, right = renewed(folder)
            if text == right:
                continue
            stale += 1
            file = folder / "README.md"
            if not arguments:
                file.write_text(right, encoding="utf-8")
            said = "is not what the .tf files say" if arguments else "written anew"
            click.echo(f"{file.relative_to(REPOSITORY)}: {said}")
    except TidegateError as error:
        click.echo(error, err=True)
        return UNUSABLE
    return STALE if stale and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
