"""Counts the outcomes of comparisons with the reference and says the sums at the end of the run."""

from __future__ import annotations

from collections import Counter

import pytest

PROPERTY = "conformance"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line: equal / refused as the reference / different."""
    outcomes: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                outcomes.update(value for name, value in report.user_properties if name == PROPERTY)
    if outcomes:
        counts = (f"{outcomes[name]} {name}" for name in ("equal", "refused as the reference", "different"))
        terminalreporter.section("conformance")
        terminalreporter.write_line(", ".join(counts))
