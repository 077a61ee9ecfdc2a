"""The way back: from what a rule let out to the value, for the detokenize function alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from processor.crypto import InvalidToken
from processor.policy.actions import ACTIONS
from processor.policy.actions.action import Means, Open, Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.crypto import KeyRing
    from processor.crypto.typed import Scalar
    from processor.policy.plan import Plan, Rule

MARKED: Final = {"tokenize": "tok.", "encrypt": "enc."}
"""How the output of an action begins, so that cases of one field can be told apart; that of `fpe` anyhow."""


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens what one field of the policy holds in an event."""

    by_subject: bool
    """Whether the person's secret is needed."""
    by_event: bool
    """Whether the id of the event is needed where it stood."""
    by_version: bool
    """Whether the key's version has to be said: the text does not name it, and the ring holds several."""
    _cases: tuple[tuple[str, bool, Open], ...]

    def __call__(
        self, text: str, secret: bytes | None = None, event_id: str = "", version: int | None = None
    ) -> Scalar:
        """The value, as it was normalised.

        Raises:
            InvalidToken: forged, altered, foreign, of another person, event or key; or the person is erased.
        """
        for mark, by_subject, opens in self._cases:
            if text.startswith(mark) and (secret or not by_subject):
                own = secret or b"" if by_subject else b""
                try:
                    return opens(Sealed(text=text, secret=own, event_id=event_id, version=version))
                except ValueError:
                    raise InvalidToken from None
        raise InvalidToken


def openers(plan: Plan, keys: KeyRing, unwrap: Callable[[bytes], bytes]) -> dict[str, Opener]:
    """For each field that can be opened, by the path of its rules, what opens it.

    Args:
        plan: the policy.
        keys: the ring; `fpe` opens under the version that is said, or the newest.
        unwrap: from a wrapped data key to the key, for `encrypt`. What it raises passes.
    """
    rules: dict[str, list[Rule]] = {}
    for rule in plan.rules:
        if ACTIONS[rule.action].opens is not None:
            rules.setdefault(rule.path, []).append(rule)
    return {path: _opener(plan, cases, keys, unwrap) for path, cases in rules.items()}


def _opener(plan: Plan, cases: list[Rule], keys: KeyRing, unwrap: Callable[[bytes], bytes]) -> Opener:
    # What says which action made it comes first: a text of `fpe` may begin with anything.
    cases = sorted(cases, key=lambda rule: rule.action not in MARKED)
    built = []
    for rule in cases:
        opens = ACTIONS[rule.action].opens
        assert opens is not None, "its only caller sees to it"  # noqa: S101
        means = Means(keys=keys, path=rule.path, policy=plan.name, limits=plan.limits, unwrap=unwrap)
        mark = MARKED.get(rule.action, "")
        built.append((mark, rule.options.by_subject, opens(rule.options, means)))
    actions = {rule.action for rule in cases}
    return Opener(
        by_subject=any(by_subject for _, by_subject, _ in built),
        by_event="encrypt" in actions,
        by_version="fpe" in actions and len(keys.versions) > 1,
        _cases=tuple(built),
    )
