"""The tables of variables and outputs beside each module are what its .tf files say."""

import re
import shutil
from pathlib import Path

import pytest

from processor.errors import TidegateError
from processor.local import interfaces
from processor.local.interfaces import BEGIN, END, entries, folders, main, renewed

WRITTEN = """
variable "wide" {
  description = <<-EOT
    How much | how little,
    in <units>.

    More of it:
      indented
  EOT

  type = map(object({
    default = optional(string)
    nested  = optional(object({ a = string }))
  }))
  default = {
    a = { nested = null }
  }

  validation {
    condition     = length(var.wide) > 0
    error_message = "No."
  }
}

variable "needed" {
  type        = string
  description = "Say \\"what\\"."
}

output "whole" {
  description = "All of it."
  sensitive   = true
  value = {
    description = "not this one"
  }
}
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "variables.tf").write_text(WRITTEN)
    (tmp_path / "outputs.tf").write_text('output "last" {\n  description = "x"\n  value       = 1\n}\n')
    (tmp_path / "README.md").write_text(f"# Mine\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    return tmp_path


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_the_tables_are_what_the_files_say(folder: Path) -> None:
    text, right = renewed(folder)
    assert text == right, "run: python -m processor.local.interfaces"


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_nothing_is_left_out(folder: Path) -> None:
    """Counted another way: by the lines that begin a block, however the rest is written."""
    text = "\n".join(file.read_text() for file in folder.glob("*.tf"))
    written = re.findall(r'^\s*(variable|output)\s+"([^"]+)"', text, re.MULTILINE)
    found = entries(folder)
    assert len(written) > 5
    assert sorted(written) == sorted((one.kind, one.name) for one in found)
    defaults = re.findall(r"^  default +=", text, re.MULTILINE)
    assert sum("default" in one.attributes for one in found) == len(defaults)


def test_what_is_written_in_several_lines_is_read(module: Path) -> None:
    wide, needed, whole, last = entries(module)
    assert wide.attributes.keys() == {"description", "type", "default"}
    assert wide.description == "How much | how little,\nin <units>.\n\nMore of it:\n  indented"
    assert needed.description == 'Say "what".'
    assert (whole.description, last.description) == ("All of it.", "x")


def test_a_table_has_what_is_to_be_known(module: Path) -> None:
    _, right = renewed(module)
    assert right.startswith(f"# Mine\n\n{BEGIN}\n\n## Variables\n")
    assert right.endswith(f"{END}\n\nAfter.\n")
    lines = right.splitlines()
    cells = "How much \\| how little, in \\<units>. | `map(object(…))` | `{ a = { nested = null } }`"
    assert f"| `wide` | {cells} | |" in lines
    assert '| `needed` | Say "what". | `string` | | yes |' in lines
    assert "| `whole` | All of it. | yes |" in lines
    assert "`wide`:\n\n```\nMore of it:\n  indented\n```" in right


def test_what_is_not_described_is_refused(module: Path) -> None:
    (module / "outputs.tf").write_text('output "bare" {\n  value = 1\n}\n')
    with pytest.raises(TidegateError, match=r"outputs\.tf: output bare has no description"):
        entries(module)


def test_a_readme_without_a_place_is_refused(module: Path) -> None:
    (module / "README.md").write_text("# Mine\n")
    with pytest.raises(TidegateError, match="has no place for the tables"):
        renewed(module)


def test_checking_changes_nothing_and_writing_does(
    module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interfaces, "ROOT", module)
    monkeypatch.setattr(interfaces, "REPOSITORY", module)
    before = (module / "README.md").read_text()
    assert main(["--check"]) == 1
    assert (module / "README.md").read_text() == before
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "README.md: is not what the .tf files say",
        "README.md: written anew",
    ]
    shutil.copyfile(module / "README.md", module / "kept.md")
    assert main([]) == 0
    assert (module / "README.md").read_text() == (module / "kept.md").read_text()
    assert main(["--elsewhere"]) == 2
