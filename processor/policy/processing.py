"""What only people know of a processing: who answers for it, why it is done, who sees what comes of it.

The function does not look at it. `tidegate report` writes it into the records of processing activities,
beside what the policy and Terraform say: Art. 30(1) of Regulation (EU) 2016/679.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from processor.policy.kinds import Many, Section, Text, key

WORDS = Text(r"[^\s\x00-\x1f][^\x00-\x1f]{0,299}", "1 to 300 characters in one line")
LIST = Many(WORDS, most=20)
NONE_OR_MORE = Many(WORDS, least=0, most=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who answers for data."""

    name: str = field(metadata=key(WORDS, "Who."))
    contact: str = field(metadata=key(WORDS, "How to reach them: an address, of a mailbox or a house."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """What the records of processing say beyond the policy (GDPR 30(1)). What is left out is not stated."""

    controller: Party | None = field(
        default=None, metadata=key(Section(Party), "Who decides why and how the data is processed (a).")
    )
    joint_controllers: tuple[str, ...] = field(
        default=(), metadata=key(NONE_OR_MORE, "Others who decide with them, and how to reach them (a).")
    )
    representative: Party | None = field(
        default=None,
        metadata=key(Section(Party), "Of a controller outside the Union, within it (a; GDPR 27)."),
    )
    protection_officer: Party | None = field(
        default=None, metadata=key(Section(Party), "The data protection officer, where there is one (a).")
    )
    purposes: tuple[str, ...] = field(
        default=(), metadata=key(LIST, "Why the data is processed, each in a few words (b).")
    )
    people: tuple[str, ...] = field(
        default=(), metadata=key(LIST, "Whose data it is: customers, staff (c, categories of data subjects).")
    )
    recipients: tuple[str, ...] = field(
        default=(),
        metadata=key(LIST, "To whom events and alerts are shown, within the house and outside (d)."),
    )
    transfers: tuple[str, ...] | None = field(
        default=None,
        metadata=key(
            NONE_OR_MORE,
            "Third countries whose recipients get to see data, with the safeguard; [] for none (e).",
        ),
    )
    measures: tuple[str, ...] = field(
        default=(), metadata=key(NONE_OR_MORE, "Security measures besides those of the gate (g).")
    )
