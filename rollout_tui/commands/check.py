"""`rollout-tui check`: is a bundle whole, and what is wrong with it.

The report has the problems of the replay and then, section by section, what the check found. What makes the
exit status 1 is marked `problem`; what only is worth knowing, `note`. `reducer.check` says which is which.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from reducer import open_bundle
from reducer.check import Finding, Place, Report, check_bundle
from reducer.check.report import Section
from rollout_tui.bundles.trace_root import one_bundle
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import write_json, write_line
from rollout_tui.commands.report_lines import problem_lines, rest_line, wrapped
from rollout_tui.outcomes import CLEAN, PROBLEMS
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.texts.short_forms import duration, plural, size

MAX_PLACES = 10
"""Places of one finding that are listed."""

_TITLES: dict[Section, str] = {
    "log": "Log",
    "payloads": "Payloads",
    "lifecycles": "Lifecycles",
    "graph": "Graph",
}


def check(path: Path, *, as_json: bool) -> int:
    """Check a bundle or a session and print the report.

    Args:
        path: A bundle directory or a file in it, or a session file.
        as_json: Print one JSON object with everything, instead of lines for people.

    Returns:
        The exit status.

    Raises:
        BundleError: There is no bundle, or its log cannot be read.
        CommandError: The session cannot be read.
    """
    if what_is(path).kind is Kind.SESSION_FILE:
        from rollout_tui.commands.check_session import check_session

        return check_session(path, as_json=as_json)
    bundle = open_bundle(one_bundle(path))
    report = check_bundle(bundle)
    if as_json:
        write_json(sys.stdout, report_json(report, str(bundle.path)))
    else:
        for line in report_lines(report, str(bundle.path)):
            write_line(sys.stdout, line)
    return CLEAN if report.is_clean else PROBLEMS


def report_json(report: Report, path: str) -> dict[str, Any]:
    """The report as JSON; printed as ASCII, so that no text of the bundle reaches a terminal as it is."""
    return {
        "path": path,
        "clean": report.is_clean,
        "schema_version": report.schema_version,
        "schema_known": report.is_schema_known,
        "session": report.session,
        "recording": report.recording,
        "replay": msgspec.to_builtins(report.replay),
        **{
            section: [
                {
                    "rule": finding.rule,
                    "severity": finding.severity,
                    "summary": finding.summary,
                    "count": finding.count,
                    "places": msgspec.to_builtins(finding.places),
                }
                for finding in report.section(section)
            ]
            for section in _TITLES
        },
        "totals": msgspec.to_builtins(report.totals),
    }


def report_lines(report: Report, path: str) -> Iterator[SafeText]:
    """The report for people, some 80 cells wide."""
    yield from wrapped(path)
    yield from wrapped(
        f"trace schema {report.schema_version}, session {report.session}, recording {report.recording}"
    )
    yield from problem_lines(report.replay, "Replay", "every event was applied")
    for section, title in _TITLES.items():
        if not report.is_schema_known and section != "log":
            continue
        yield safe_text("")
        found = report.section(section)
        yield safe_text(title if found else f"{title}: nothing to remark")
        for finding in found:
            yield from _finding_lines(finding)
    yield safe_text("")
    yield from _total_lines(report)
    yield safe_text("")
    yield _verdict(report)


def _finding_lines(finding: Finding) -> Iterator[SafeText]:
    many = f" ({finding.count})" if finding.count > 1 else ""
    yield from wrapped(f"{finding.severity}: {finding.summary}{many}", 2)
    for place in finding.places[:MAX_PLACES]:
        yield from wrapped(_place_words(place), 4)
    yield from rest_line(len(finding.places), MAX_PLACES)


def _place_words(place: Place) -> str:
    where = [f"line {place.line}"] if place.line is not None else []
    where += [f"seq {place.seq}"] if place.seq is not None else []
    if place.count > 1:
        where = [f"{place.count} times, first {', '.join(where)}" if where else f"{place.count} times"]
    named = [one for one in (place.id if place.type == "Payload" else None, place.path) if one is not None]
    parts = [", ".join(where), " ".join(named), place.text]
    return ": ".join(part for part in parts if part)


def _total_lines(report: Report) -> Iterator[SafeText]:
    totals, tokens = report.totals, report.totals.tokens
    yield safe_text("Totals")
    log = f"{totals.lines:,} lines, {size(totals.log_bytes)}"
    if report.is_schema_known:
        log += f", {totals.events:,} events applied"
        if totals.refused_events:
            log += f", {totals.refused_events:,} not"
    if totals.duration_ms is not None:
        log += f", {duration(totals.duration_ms)}"
    if not report.is_schema_known:
        yield from wrapped(f"log: {log}", 2)
        return
    payloads = f"{totals.payloads:,}, {size(totals.payload_bytes)}"
    graph = ", ".join(
        (
            plural(totals.threads, "thread"),
            plural(totals.turns, "turn"),
            plural(totals.inference_calls, "inference call"),
            plural(totals.conversation_items, "item"),
            plural(totals.tool_calls, "tool call"),
            plural(totals.code_cells, "code cell"),
            plural(totals.terminal_sessions, "terminal"),
            plural(totals.terminal_operations, "terminal operation"),
            plural(totals.compactions, "compaction"),
            plural(totals.interaction_edges, "edge"),
        )
    )
    spent = (
        f"{tokens.input:,} in (of them {tokens.cached_input:,} cached, {tokens.cache_write_input:,} "
        f"written to the cache), {tokens.output:,} out (of them {tokens.reasoning_output:,} reasoning)"
    )
    for name, words in (("log", log), ("payloads", payloads), ("graph", graph), ("tokens", spent)):
        yield from wrapped(f"{name}: {words}", 2)


def _verdict(report: Report) -> SafeText:
    notes = sum(finding.severity == "note" for finding in report.findings)
    if report.is_clean:
        return safe_text(f"clean, {plural(notes, 'note')}")
    problems = len(report.replay) + len(report.findings) - notes
    return safe_text(f"{plural(problems, 'problem')}, {plural(notes, 'note')}")
