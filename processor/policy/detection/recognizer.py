"""What a recogniser is: one entity, one file, this declaration in it as `RECOGNIZER`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from processor.policy.detection.scan import Scan, Span

POSSIBLE, LIKELY, CERTAIN = 0.3, 0.6, 0.9
SCORES = {"possible": POSSIBLE, "likely": LIKELY, "certain": CERTAIN}
"""How sure a finding is: its form fits; a word near says so, or a form that little else has; validated by a
check digit that chance rarely meets, or one of those with the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognizer:
    """How one entity is found: by the form and check digits of `pattern`, or by a `find` of its own.

    A pattern is tried only where its necessary conditions hold: near digits if it has any, and after one of
    the literals that it needs. So it costs nothing in a text that has none of them.
    """

    entity: str
    pattern: str = ""
    """Over folded text (plain ASCII signs). Linear: every sign can be matched in one way only, every
    repetition has a bound. It brings its own look-around for what may not stand beside it."""
    digits: tuple[int, int] = (0, 0)
    """How many digits a match holds, at least and at most; (0, 0) where none has to be there."""
    glued: bool = False
    """Whether a letter touches one of its digits, always: it is tried only where one does."""
    needs: tuple[str, ...] = ()
    """Literals in lower case, one of which must be in the text."""
    hint: str = ""
    """A pattern that has to match somewhere in the text, for what no literal tells."""
    valid: Callable[[str], bool] | None = None
    """Told the match without separators and in capitals, whether its check digits and ranges are right."""
    context: tuple[str, ...] = ()
    """Words in lower case, one of which near it makes it surer."""
    bare: float | None = None
    """The score without such a word; None: it is not found without one."""
    near: float = CERTAIN
    """The score with one."""
    find: Callable[[Scan], Iterable[Span]] | None = None
    """Instead of a pattern, for what none expresses."""
    examples: tuple[str, ...] = ()
    """Each is found as a whole after the first word of the context. From the number's specification."""
    counterexamples: tuple[str, ...] = ()
    """None is found, not even after a word of the context."""
