"""Whose data a record is: the names under which the gate keeps a person's secret.

A name is the pseudonym of the subject's value, in the domain and the spelling of the subject's own rule. So
where the policy pseudonymizes the subject, what stands in an event is the name by which the gate knows the
person.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from processor.crypto import to_plaintext
from processor.crypto.keyring import DOMAIN
from processor.policy import paths
from processor.policy.actions.keyed import Keyed, Normalized, plaintext
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.crypto import KeyRing
    from processor.policy.plan import Plan

NAMES_KEPT: Final = 4096
KEPT_CHARACTERS_MAX: Final = 256  # of a value: 4,096 keys of DynamoDB could take 8 MB, other texts much more
SCALARS: Final = frozenset({str, int, Decimal, bool, bytes})
NAMELESS: Final = "subject"
"""The domain of a subject whose field has no name that can be one."""


class People:
    """The people of one policy, under one key ring. The policy names a subject.

    Policies whose subjects share a domain share their people: who is erased for one is erased for all.
    """

    def __init__(self, plan: Plan, keys: KeyRing) -> None:
        assert plan.subject is not None, "the plan sees to it"  # noqa: S101
        self._path = paths.parse(plan.subject)
        self.domain, _ = spelling(plan)
        rule = _rule(plan)
        bytes_of = plaintext(rule) if isinstance(rule, Normalized) else to_plaintext
        names = keys.names(self.domain)
        # Each is needed several times: for the secret, and for every image. Typed, because 1 is not "1".
        self._names = lru_cache(NAMES_KEPT, typed=True)(lambda value: names(bytes_of(value)))

    def of(self, image: Any) -> tuple[str, ...] | None:
        """The names of the person whom an image is about, None where it does not say."""
        for name in self._path:
            image = image.get(name) if type(image) is dict else None
        return self.names(image)

    def names(self, value: Any) -> tuple[str, ...] | None:
        """The names of a subject's value as in the source table, newest first; None if it is no scalar."""
        if type(value) not in SCALARS:
            return None
        is_long = (type(value) is str or type(value) is bytes) and len(value) > KEPT_CHARACTERS_MAX
        try:
            return self._names.__wrapped__(value) if is_long else self._names(value)
        except (Mismatch, ValueError):
            return None


def spelling(plan: Plan) -> tuple[str, str]:
    """The domain of a policy's people, and which spellings of a subject are one (`normalize`)."""
    rule = _rule(plan)
    if rule is not None:
        return rule.domain or NAMELESS, rule.normalize if isinstance(rule, Normalized) else "none"
    last = paths.parse(plan.subject)[-1] if plan.subject else ""
    return (last if isinstance(last, str) and DOMAIN.fullmatch(last) else NAMELESS), "none"


def _rule(plan: Plan) -> Keyed | None:
    """What the subject's own rule says of keys: the first that has a domain."""
    keyed = (rule.options for rule in plan.rules if rule.path == plan.subject)
    return next((options for options in keyed if isinstance(options, Keyed) and options.domain), None)
