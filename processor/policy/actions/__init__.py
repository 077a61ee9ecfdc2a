"""The registry of actions: one line each, with what a reviewer wants to know about it."""

from __future__ import annotations

from processor.policy.actions.action import CLASSES, Action, Means, Options, Transform
from processor.policy.actions.bucket import Bucket, bucket
from processor.policy.actions.drop import OMITTED, Drop, drop
from processor.policy.actions.encrypt import Encrypt, encrypt, open_encrypted
from processor.policy.actions.fpe import Fpe, fpe, open_fpe
from processor.policy.actions.generalize import Generalize, generalize
from processor.policy.actions.hash import Hash, hashed
from processor.policy.actions.keep import Keep, keep
from processor.policy.actions.keyed import Keyed
from processor.policy.actions.mask import Mask, mask
from processor.policy.actions.pseudonymize import Pseudonymize, pseudonymize
from processor.policy.actions.redact import Redact, redact
from processor.policy.actions.scrub import Scrub, scrub
from processor.policy.actions.shift_dates import ShiftDates, shift_dates
from processor.policy.actions.tokenize import Tokenize, open_token, tokenize
from processor.policy.actions.truncate import Truncate, truncate

__all__ = ["ACTIONS", "CLASSES", "OMITTED", "Action", "Keyed", "Means", "Options", "Transform"]

# fmt: off
ACTIONS: dict[str, Action] = {
    #                      options       made by       exposure
    "drop":         Action(Drop,         drop,         (0, 0), guarded=False, whole=True),
    "redact":       Action(Redact,       redact,       (5, 5), guarded=False, whole=True),
    "encrypt":      Action(Encrypt,      encrypt,      (10, 10), guarded=False, reversible=True, opens=open_encrypted),  # noqa: E501  one line each
    "pseudonymize": Action(Pseudonymize, pseudonymize, (20, 20), guarded=False, joinable=True),
    "hash":         Action(Hash,         hashed,       (25, 75), guarded=False, joinable=True),
    "tokenize":     Action(Tokenize,     tokenize,     (30, 30), guarded=False, joinable=True, reversible=True, opens=open_token),  # noqa: E501  one line each
    "fpe":          Action(Fpe,          fpe,          (35, 65), guarded=False, joinable=True, reversible=True, opens=open_fpe),  # noqa: E501  one line each
    "bucket":       Action(Bucket,       bucket,       (35, 70)),
    "generalize":   Action(Generalize,   generalize,   (40, 75)),
    "mask":         Action(Mask,         mask,         (40, 75)),
    "truncate":     Action(Truncate,     truncate,     (45, 80)),
    "shift_dates":  Action(ShiftDates,   shift_dates,  (55, 75), guarded=False, reversible=True),
    "scrub":        Action(Scrub,        scrub,        (75, 95)),
    "keep":         Action(Keep,         keep,         (100, 100), joinable=True, reversible=True),
}
# fmt: on
