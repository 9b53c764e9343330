"""Counts the outcomes of comparisons with the reference and says the sums at the end of the run."""

from __future__ import annotations

from collections import Counter

import pytest

PROPERTY = "conformance"
"""A test records `<what is compared>: <outcome>` under this name."""

OUTCOMES = ("equal", "refused as the reference", "different")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each that is compared: equal / refused as the reference / different, and others if any."""
    outcomes: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for name, value in report.user_properties:
                    if name == PROPERTY:
                        what, _, outcome = str(value).partition(": ")
                        outcomes.setdefault(what, Counter())[outcome] += 1
    if outcomes:
        terminalreporter.section("conformance")
    for what, counted in sorted(outcomes.items()):
        names = [*OUTCOMES, *sorted(set(counted) - set(OUTCOMES))]
        terminalreporter.write_line(f"{what}: {', '.join(f'{counted[name]} {name}' for name in names)}")
