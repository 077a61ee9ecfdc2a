"""For each clause of each standard, policies that go against it and policies that do not."""

from __future__ import annotations

from typing import Any, NamedTuple

from processor.policy.actions import CLASSES

Policy = tuple[dict[str, Any], dict[str, Any]]
"""The fields, and what else the policy says."""

DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}


def of(name: str, action: str, **options: Any) -> dict[str, Any]:
    """A rule for a field of a class."""
    return {"action": action, "class": name, **options}


def reading(*paths: str) -> dict[str, Any]:
    return {"score": {"model": "small", "reads": list(paths), "flag_at": 0.9}}


def kept_for(**days: int) -> dict[str, Any]:
    return {"retention_days": {**DAYS, **days}}


class Case(NamedTuple):
    """Policies that go against a clause, and policies that do not, each as fields and what else it says."""

    standard: str
    clause: str
    bad: list[Policy]
    good: list[Policy]


def only(*rules: Any) -> list[Policy]:
    """Policies of one field each."""
    return [({"x": rule}, {}) for rule in rules]


def each(action: str, *names: str, **options: Any) -> list[Policy]:
    """Policies of one field each, of one action and several classes."""
    return only(*(of(name, action, **options) for name in names))


HASH_SIDE_BY_SIDE = {"a": of("pan", "hash"), "b": of("pan", "mask", keep_last=4)}
CASES_SIDE_BY_SIDE = {
    "a": [{"when": "kind == 1", **of("pan", "pseudonymize")}, of("pan", "mask", keep_first=6)]
}
FPE_SIDE_BY_SIDE = {"a": of("pan", "fpe", keep_last=4), "b": of("pan", "hash")}
ONE_WAY = ("pseudonymize", "hash")
REVERSIBLE = ("tokenize", "encrypt")
LINKABLE = ONE_WAY + REVERSIBLE
PERSONAL = [name for name in CLASSES if name not in {"public", "secret", "authentication_data"}]
SAFE = "hipaa-safe-harbor"
CFR = "45 CFR 164.514"

CASES = [
    Case(
        "pci-dss-4",
        "3.2.1",
        [({"x": "drop"}, kept_for(quarantine=91))],
        [({"x": "drop"}, kept_for(quarantine=90))],
    ),
    Case(
        "pci-dss-4",
        "3.3.1",
        [
            *each("encrypt", "authentication_data"),
            *each("tokenize", "authentication_data"),
            ({"x": of("authentication_data", "drop")}, reading("x")),
            ({"card": of("authentication_data", "drop")}, reading("card.cvv")),
            ({"card.*": of("authentication_data", "drop")}, reading("card.cvv")),
        ],
        [
            *each("drop", "authentication_data"),
            *each("redact", "authentication_data"),
            ({"x": of("authentication_data", "drop"), "amount": "keep"}, reading("amount")),
        ],
    ),
    Case(
        "pci-dss-4",
        "3.4.1",
        each("mask", "pan", keep_first=9)
        + each("mask", "pan", keep_last=5)
        + each("keep", "pan")
        + each("scrub", "pan"),
        each("mask", "pan", keep_first=8, keep_last=4) + each("fpe", "pan", keep_first=6, keep_last=4),
    ),
    Case(
        "pci-dss-4",
        "3.5.1",
        [
            *each("keep", "pan"),
            *each("scrub", "pan"),
            *each("mask", "pan", keep_first=7),
            *each("mask", "pan", keep_last=5),
            (HASH_SIDE_BY_SIDE, {}),
            (CASES_SIDE_BY_SIDE, {}),
            (FPE_SIDE_BY_SIDE, {}),
            *only({"action": "keep", "allow": ["card"]}, of("public", "keep", allow=["email", "world"])),
        ],
        [
            *(({"x": of("pan", action)}, {}) for action in ("drop", "redact", *LINKABLE)),
            *each("mask", "pan", keep_first=6, keep_last=4),
            ({"a": of("pan", "tokenize"), "b": of("pan", "mask", keep_last=4)}, {}),
            ({"a": of("pan", "hash"), "b": of("pan", "mask")}, {}),
            ({"a": of("pan", "mask", keep_first=6), "b": of("pan", "mask", keep_last=4)}, {}),
            ({"a": of("pan", "hash"), "b": of("identifier", "mask", keep_last=4)}, {}),
            *each("keep", "public", allow=["email"]),
        ],
    ),
    Case(
        "pci-dss-4",
        "3.5.1.1",
        each("hash", "pan", key="none"),
        each("hash", "pan") + each("hash", "identifier", key="none"),
    ),
    Case(
        "pci-dss-4", "8.3.2", each("tokenize", "secret") + each("keep", "secret"), each("encrypt", "secret")
    ),
    Case(
        "pci-dss-4",
        "12.5.2",
        [*only("keep", "redact"), ({"x": of("public", "keep")}, reading("y")), ({"x": "drop"}, reading("x"))],
        [*only("drop"), *each("keep", "public"), ({"x": of("public", "keep")}, reading("x"))],
    ),
    Case(
        SAFE,
        f"{CFR}(b)(2)(i)(A), (D)-(F), (H)-(L)",
        each("keep", "identifier", "pan")
        + each("mask", "identifier", "pan", keep_last=4)
        + each("scrub", "identifier")
        + each("generalize", "identifier", to="initials"),
        each("drop", "identifier", "pan") + each("redact", "identifier"),
    ),
    Case(
        SAFE,
        f"{CFR}(b)(2)(i)(B)",
        each("keep", "place", "postcode")
        + each("tokenize", "place", "postcode")
        + each("generalize", "place", to="grid")
        + each("generalize", "postcode", to="zip3", low_population="keep")
        + each("generalize", "postcode", to="zip3", low_population="census_2000"),
        each("drop", "place", "postcode")
        + each("generalize", "postcode", to="zip3")
        + each("generalize", "postcode", to="zip3", low_population="census_2020"),
    ),
    Case(
        SAFE,
        f"{CFR}(b)(2)(i)(C)",
        each("generalize", "birth_date", to="year")
        + each("generalize", "birth_date", to="year", top=90)
        + each("generalize", "birth_date", "date", to="month")
        + each("keep", "age", "date", "birth_date")
        + each("generalize", "age", to="age", top=95)
        + each("bucket", "age", edges=[0, 50, 95])
        + each("bucket", "age", width=10)
        + [({"x": of("date", "shift_dates")}, {"subject": "x"})],
        each("generalize", "birth_date", to="year", top=89)
        + each("generalize", "date", to="year")
        + each("generalize", "age", to="age", top=85)
        + each("bucket", "age", edges=[0, 18, 90]),
    ),
    Case(
        SAFE,
        f"{CFR}(b)(2)(i)(G), (K)",
        each("mask", "national_id", keep_last=4) + each("keep", "national_id"),
        each("drop", "national_id") + each("redact", "national_id"),
    ),
    Case(
        SAFE,
        f"{CFR}(b)(2)(i)(M)-(O)",
        each("truncate", "network") + each("keep", "network"),
        each("drop", "network") + each("truncate", "network", kind="user_agent"),
    ),
    Case(SAFE, f"{CFR}(b)(2)(i)(P), (Q)", each("encrypt", "biometric"), each("redact", "biometric")),
    Case(
        SAFE,
        f"{CFR}(b)(2)(i)(R)",
        [
            *each("keep", "secret"),
            *each("hash", "authentication_data"),
            ({"x": "drop"}, {"unknown": "redact"}),
        ],
        [*each("drop", "secret", "authentication_data"), ({"x": "drop"}, {"unknown": "quarantine"})],
    ),
    Case(
        SAFE, f"{CFR}(b)(2)(i)", only("keep", "tokenize"), only("drop") + each("keep", "sensitive", "quasi")
    ),
    Case(
        SAFE,
        f"{CFR}(c)",
        [
            ({"x": of(name, action)}, {})
            for name in ("identifier", "national_id", "pan", "network")
            for action in LINKABLE
        ],
        each("drop", "identifier") + each("pseudonymize", "public"),
    ),
    Case("gdpr", "Art. 4(5)", each("hash", *PERSONAL, key="none"), each("hash", *PERSONAL)),
    Case(
        "gdpr",
        "Art. 5(1)(c)",
        each("keep", "birth_date", "postcode", "place", "network")
        + each("scrub", "place")
        + each("generalize", "birth_date", to="day")
        + each("generalize", "place", to="grid", degrees=0.001)
        + each("truncate", "network", v4=32)
        + each("truncate", "network", v6=64)
        + each("mask", "postcode", keep_last=4),
        each("generalize", "birth_date", to="month")
        + each("generalize", "postcode", to="zip3")
        + each("mask", "postcode", keep_first=3)
        + each("truncate", "network")
        + each("generalize", "network", to="host")
        + each("drop", "place"),
    ),
    Case(
        "gdpr",
        "Art. 5(1)(e)",
        [({"x": "drop"}, kept_for(quarantine=31))],
        [({"x": "drop"}, kept_for(quarantine=30))],
    ),
    Case(
        "gdpr",
        "Art. 9(1)",
        each("keep", "sensitive", "biometric")
        + each("scrub", "sensitive")
        + each("mask", "sensitive", keep_last=4),
        each("drop", "sensitive", "biometric") + each("encrypt", "sensitive"),
    ),
    Case(
        "gdpr",
        "Art. 22(4)",
        [({"x": of("sensitive", "drop")}, reading("x"))],
        [({"x": of("sensitive", "drop"), "y": of("quasi", "drop")}, reading("y"))],
    ),
    Case(
        "gdpr",
        "Art. 17(1)",
        [({"x": of("identifier", action)}, {}) for action in LINKABLE]
        + [({"x": of("identifier", action)}, {"subject": "x"}) for action in REVERSIBLE]
        + each("tokenize", "pan", "biometric", "network"),
        [({"x": of("identifier", action)}, {"subject": "x"}) for action in ONE_WAY]
        + [({"x": of("identifier", action, scope="subject")}, {"subject": "x"}) for action in REVERSIBLE]
        + each("redact", "identifier"),
    ),
    Case(
        "gdpr", "Art. 25(2)", [({"x": "drop"}, {"unknown": "redact"})], [({"x": "drop"}, {"unknown": "drop"})]
    ),
    Case("gdpr", "Art. 30(1)(c)", only("keep"), only("drop") + each("keep", "public")),
    Case(
        "gdpr",
        "Art. 32(1)(a)",
        each("keep", "identifier", "national_id", "pan", "secret", "authentication_data")
        + each("scrub", "identifier")
        + each("mask", "identifier", keep_first=7)
        + each("generalize", "identifier", to="year")
        + each("tokenize", "secret"),
        each("pseudonymize", "identifier", "national_id", "pan")
        + each("mask", "pan", keep_first=6, keep_last=4)
        + each("generalize", "identifier", to="initials")
        + each("drop", "secret"),
    ),
    Case(
        "ccpa",
        "1798.100(a)(3)",
        [({"x": "drop"}, kept_for(quarantine=46))],
        [({"x": "drop"}, kept_for(quarantine=45))],
    ),
    Case("ccpa", "1798.100(c)", [({"x": "drop"}, {"unknown": "redact"})], [({"x": "drop"}, {})]),
    Case(
        "ccpa",
        "1798.105(c)(1)",
        [
            *each("tokenize", "identifier", "national_id", "pan", "network", "biometric", "sensitive"),
            ({"x": of("identifier", "tokenize"), "id": of("identifier", "keep")}, {"subject": "id"}),
        ],
        [
            (
                {"x": of("identifier", "tokenize", scope="subject"), "id": of("identifier", "keep")},
                {"subject": "id"},
            )
        ],
    ),
    Case("ccpa", "1798.110(c)(1)", only("redact"), each("redact", "identifier")),
    Case(
        "ccpa",
        "1798.121(a)",
        [
            ({"x": of(name, "drop")}, reading("x"))
            for name in ("national_id", "sensitive", "biometric", "secret")
        ],
        [({"x": of("quasi", "drop")}, reading("x"))],
    ),
    Case(
        "ccpa",
        "1798.140(m)",
        each("keep", "birth_date", "postcode", "network") + each("truncate", "network", v4=32),
        each("generalize", "birth_date", to="year") + each("truncate", "network"),
    ),
    Case("ccpa", "1798.140(aa)", each("hash", *PERSONAL, key="none"), each("hash", *PERSONAL)),
    Case(
        "ccpa",
        "1798.140(ae)(1)(A)",
        each("keep", "national_id")
        + each("mask", "national_id", keep_first=1)
        + each("mask", "national_id", keep_last=5),
        each("mask", "national_id", keep_last=4) + each("pseudonymize", "national_id"),
    ),
    Case("ccpa", "1798.140(ae)(1)(B)", each("mask", "secret", "authentication_data"), each("drop", "secret")),
    Case(
        "ccpa",
        "1798.140(ae)(1)(C)",
        each("keep", "place") + each("generalize", "place", to="grid", degrees=0.01),
        each("drop", "place")
        + each("generalize", "place", to="grid")
        + each("generalize", "place", to="grid", degrees=0.02),
    ),
    Case("ccpa", "1798.140(ae)(1)(D), (2)(B)", each("scrub", "sensitive"), each("hash", "sensitive")),
    Case("ccpa", "1798.140(ae)(2)(A)", each("mask", "biometric"), each("encrypt", "biometric")),
    Case(
        "ccpa",
        "1798.150(a)(1)",
        each("keep", "identifier", "pan") + each("scrub", "identifier") + each("mask", "pan", keep_last=5),
        each("mask", "pan", keep_last=4) + each("generalize", "identifier", to="domain"),
    ),
]
