"""The way back: from what a rule let out to the value, for the detokenize function alone.

A text does not always say which case of a field made it, so all are tried. Each costs the same whatever comes
of it: without the person's secret another is used and the result thrown away, and in place of a text that has
not even the form of a token a stand-in is opened.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from processor.crypto import InvalidToken
from processor.crypto.keyring import SECRET_BYTES
from processor.policy.actions import ACTIONS
from processor.policy.actions.action import Means, Open, Sealed
from processor.policy.actions.tokenize import Tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.crypto import KeyRing
    from processor.crypto.typed import Scalar
    from processor.policy.plan import Plan, Rule

DUMMY: Final = bytes(SECRET_BYTES)
"""Stands for a secret that is not there. Anybody may know it: nothing that it opens is given out."""
SIV_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens what one field of the policy holds in an event."""

    by_subject: bool
    """Whether some case goes by the person."""
    needs_subject: bool
    """Whether all do, so that nothing opens without the person's secret."""
    by_event: bool
    """Whether the id of the event is needed where it stood."""
    by_version: bool
    """Whether the key's version has to be said: the text does not name it, and the ring holds several."""
    _cases: tuple[_Case, ...]

    def __call__(
        self, text: str, secret: bytes | None = None, event_id: str = "", version: int | None = None
    ) -> Scalar:
        """The value, as it was normalised.

        Args:
            text: what stood in the event.
            secret: the person's, None where there is none: then what goes by the person stays closed.
            event_id: see `by_event`.
            version: see `by_version`.

        Raises:
            InvalidToken: forged, altered, foreign, of another person, event or key; or the person is erased.
        """
        opened = [case.tried(text, secret, event_id, version) for case in self._cases]
        for value in opened:
            if value is not None:
                return value
        raise InvalidToken


@dataclass(frozen=True, slots=True)
class _Case:
    """One rule of a field."""

    by_subject: bool
    mark: str
    """How what it lets out begins; empty if anyhow."""
    others: tuple[str, ...]
    """How what it never lets out begins."""
    stand_in: _StandIn | None
    opens: Open

    def tried(self, text: str, secret: bytes | None, event_id: str, version: int | None) -> Scalar | None:
        """The value if this case made the text and may open it; None takes as long."""
        if text.startswith(self.others) or (self.stand_in is None and not text.startswith(self.mark)):
            return None
        formed = self.stand_in is None or self.stand_in.has_form(text)
        shown = text if formed or self.stand_in is None else self.stand_in.token
        own = (secret or DUMMY) if self.by_subject else b""
        try:
            value = self.opens(Sealed(text=shown, secret=own, event_id=event_id, version=version))
        except (ValueError, InvalidToken):
            return None
        # What `fpe` makes has no tag: under the dummy it gave something, too.
        return value if formed and (secret or not self.by_subject) else None


@dataclass(frozen=True, slots=True)
class _StandIn:
    """A token of a field, to be opened in place of what has not the form of one."""

    token: str
    _form: re.Pattern[str]

    def has_form(self, text: str) -> bool:
        """Whether to open this text takes a decryption, whatever comes of it."""
        found = self._form.fullmatch(text)
        if found is None:
            return False
        try:
            sealed = urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
        except ValueError:
            return False
        return len(sealed) > SIV_BYTES and urlsafe_b64encode(sealed).rstrip(b"=").decode() == found[1]


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


def _opener(plan: Plan, rules: list[Rule], keys: KeyRing, unwrap: Callable[[bytes], bytes]) -> Opener:
    cases = tuple(_case(plan, rule, rules, keys, unwrap) for rule in rules)
    actions = {rule.action for rule in rules}
    return Opener(
        by_subject=any(case.by_subject for case in cases),
        needs_subject=all(case.by_subject for case in cases),
        by_event="encrypt" in actions,
        by_version="fpe" in actions and len(keys.versions) > 1,
        _cases=cases,
    )


def _case(
    plan: Plan, rule: Rule, beside: list[Rule], keys: KeyRing, unwrap: Callable[[bytes], bytes]
) -> _Case:
    opens = ACTIONS[rule.action].opens
    assert opens is not None, "its only caller sees to it"  # noqa: S101
    means = Means(keys=keys, path=rule.path, policy=plan.name, limits=plan.limits, unwrap=unwrap)
    mark = _mark(rule)
    return _Case(
        by_subject=rule.options.by_subject,
        mark=mark,
        # `fpe` has no tag: of a forged token that happens to be of its form it would make a value.
        others=() if mark else tuple(filter(None, map(_mark, beside))),
        stand_in=_stand_in(mark, rule.options, keys) if isinstance(rule.options, Tokenize) else None,
        opens=opens(rule.options, means),
    )


def _mark(rule: Rule) -> str:
    """How the output of a rule begins, so that cases of one field can be told apart; that of `fpe` anyhow."""
    if isinstance(rule.options, Tokenize):
        return f"tok.{rule.options.domain}."
    return "enc." if rule.action == "encrypt" else ""


def _stand_in(mark: str, options: Tokenize, keys: KeyRing) -> _StandIn:
    form = re.compile(rf"{re.escape(mark)}(?:{'|'.join(map(str, keys.versions))})\.([A-Za-z0-9_-]+)")
    return _StandIn(keys.tokens(options.domain or "").seal(b"stand-in", b"of nobody"), form)
