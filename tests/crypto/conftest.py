"""How many public vectors a run has passed, at its end: what is skipped or empty must not look passed."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

PROPERTY = "public vectors"


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[str, list[Any]], list[Any]]:
    """The cases as they come, counted under a name for the summary."""

    def counted(name: str, cases: list[Any]) -> list[Any]:
        assert cases
        record_property(PROPERTY, (name, len(cases)))
        return cases

    return counted


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        counts.update({name: count for kind, (name, count) in report.user_properties if kind == PROPERTY})
    if counts:
        told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        terminalreporter.write_line(f"public vectors passed: {told}; {counts.total():,} in all")
