"""truncate: an IP address shortened to its network, or a user agent to browser and system."""

from __future__ import annotations

from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.action import Options, Transform
from processor.policy.actions.user_agents import user_agent
from processor.policy.kinds import Choice, Whole, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.actions.action import Means
    from processor.policy.kinds import Fault
    from processor.policy.notes import Record

ADDRESS_CHARACTERS_MAX: Final = 45
V4: Final = 24
V6: Final = 48

_MAPPED: Final = (
    bytes(10) + b"\xff\xff"
)  # ::ffff:203.0.113.7 is an IPv4 address in IPv6 clothes (RFC 4291, 2.5.5.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate(Options):
    """Keep what many devices share: `203.0.113.7` becomes `203.0.113.0/24`."""

    kind: str = field(
        default="ip",
        metadata=key(
            Choice(
                {
                    "ip": "an IP address: its network stays",
                    "user_agent": "a User-Agent header: `Firefox/121 Windows` stays",
                }
            ),
            "What the value is.",
        ),
    )
    v4: int = field(default=V4, metadata=key(Whole(8, 32), "Bits that stay of an IPv4 address."))
    v6: int = field(default=V6, metadata=key(Whole(16, 128), "Bits that stay of an IPv6 address."))

    def faults(self) -> Iterator[Fault]:
        """What contradicts what."""
        for option, default in (("v4", V4), ("v6", V6)):
            if self.kind == "user_agent" and getattr(self, option) != default:
                yield (option,), f"{option} goes with `kind: ip` only"

    @property
    def revealed(self) -> float:
        """By the share of bits; browser and system narrow down about as much as a small network."""
        return 0.5 if self.kind == "user_agent" else (self.v4 / 32 + self.v6 / 128) / 2


def truncate(options: Truncate, _means: Means) -> Transform:
    """Shorten texts."""
    return user_agent() if options.kind == "user_agent" else _network(options)


def _network(options: Truncate) -> Transform:
    # `inet_pton` reads the strict forms only, in a tenth of the time of `ipaddress`.
    v4, v6 = options.v4, options.v6
    mask4, mask6 = _netmask(v4, 32), _netmask(v6, 128)

    def network4(packed: bytes) -> str:
        kept = int.from_bytes(packed, "big") & mask4
        return f"{inet_ntop(AF_INET, kept.to_bytes(4, 'big'))}/{v4}"

    def apply(value: Any, _record: Record) -> Any:
        if type(value) is not str or len(value) > ADDRESS_CHARACTERS_MAX:
            raise Mismatch
        try:
            if ":" not in value:
                return network4(inet_pton(AF_INET, value))
            packed = inet_pton(AF_INET6, value)
        except (OSError, ValueError):
            raise Mismatch from None
        if packed.startswith(_MAPPED):
            return network4(packed[12:])
        kept = int.from_bytes(packed, "big") & mask6
        return f"{inet_ntop(AF_INET6, kept.to_bytes(16, 'big'))}/{v6}"

    return apply


def _netmask(bits: int, width: int) -> int:
    return ((1 << bits) - 1) << (width - bits)
