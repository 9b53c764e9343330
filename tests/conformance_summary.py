"""Counts the outcomes of comparisons with the reference and says the sums at the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

PROPERTY = "conformance"
"""A test records `<what is compared>: <outcome>` under this name."""

SESSIONS = "sessions"
"""A test records `<codex version>|<what>|<found>|<there>` under this name."""

OUTCOMES = ("equal", "refused as the reference", "different")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each that is compared: equal / refused as the reference / different, and others if any."""
    outcomes: dict[str, Counter[str]] = {}
    for value in _recorded(terminalreporter, PROPERTY):
        what, _, outcome = value.partition(": ")
        outcomes.setdefault(what, Counter())[outcome] += 1
    if outcomes:
        terminalreporter.section("conformance")
    for what, counted in sorted(outcomes.items()):
        names = [*OUTCOMES, *sorted(set(counted) - set(OUTCOMES))]
        terminalreporter.write_line(f"{what}: {', '.join(f'{counted[name]} {name}' for name in names)}")
    _say_sessions(terminalreporter)


def _recorded(terminalreporter: pytest.TerminalReporter, name: str) -> Iterator[str]:
    """What tests recorded under a name."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                yield from (str(value) for key, value in report.user_properties if key == name)


def _say_sessions(terminalreporter: pytest.TerminalReporter) -> None:
    """A table: what was found in sessions of what their bundles have, by codex version."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for value in _recorded(terminalreporter, SESSIONS):
        version, what, met, there = value.split("|")
        for row in (version, "all"):
            counted = found.setdefault(what, {}).setdefault(row, Counter())
            counted.update(met=int(met), there=int(there))
    if not found:
        return
    versions = [*sorted({version for rows in found.values() for version in rows} - {"all"}), "all"]
    terminalreporter.section("sessions: found / in the bundle")
    terminalreporter.write_line(f"{'':16}" + "".join(f"{version:>12}" for version in versions))
    for what, rows in found.items():
        cells = (f"{rows[one]['met']}/{rows[one]['there']}" if one in rows else "" for one in versions)
        terminalreporter.write_line(f"{what:16}" + "".join(f"{cell:>12}" for cell in cells))
