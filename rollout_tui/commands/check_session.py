"""`rollout-tui check SESSION`: what a session can tell and what it cannot, and what in it is not known.

A problem is a line that is no record, a file that is missing or cannot be read, and a kind of record that is
not known. Fields that are not known are notes, and so is all that no session records.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from reducer.model.objects import OBJECTS
from reducer.sessions.drift import Unknown
from reducer.sessions.survey import Survey, Told, survey
from rollout_tui.commands.output import write_json, write_line
from rollout_tui.commands.report_lines import problem_lines, rest_line, wrapped
from rollout_tui.commands.sessions import open_session
from rollout_tui.insight.certainty import MARK, NOT_RECORDED
from rollout_tui.outcomes import CLEAN, PROBLEMS
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.texts.short_forms import plural, size

MAX_LISTED = 50
"""Kinds, fields and files that are listed; `--json` has all."""


def check_session(path: Path, *, as_json: bool) -> int:
    """Look through a session and print the report.

    Args:
        path: one of its files.
        as_json: print one JSON object with everything, instead of lines for people.

    Returns:
        The exit status.

    Raises:
        CommandError: the session cannot be read.
    """
    found = survey(open_session(path))
    if as_json:
        write_json(sys.stdout, _json(found, str(path)))
    else:
        for line in _lines(found, str(path)):
            write_line(sys.stdout, line)
    return CLEAN if found.is_clean else PROBLEMS


def _json(found: Survey, path: str) -> dict[str, Any]:
    return {"path": path, "rebuilt_from": "session", "clean": found.is_clean, **msgspec.to_builtins(found)}


def _lines(found: Survey, path: str) -> Iterator[SafeText]:
    yield from wrapped(path)
    sizes = (plural(len(found.files), "session file"), plural(found.records, "record"), size(found.bytes))
    begun = ", ".join(f"codex {version or '?'} ({count})" for version, count in _most(found.begun_by))
    yield from wrapped(", ".join(sizes) + (f"; begun by {begun}" if begun else ""))
    for file in found.files[:MAX_LISTED]:
        yield from wrapped(file, 2)
    yield from rest_line(len(found.files), MAX_LISTED)
    yield from problem_lines(found.problems, "Records", "every line was read")
    yield safe_text("")
    yield safe_text(f"What it tells ({MARK} is rebuilt from other records, - is {NOT_RECORDED})")
    for told in found.told:
        yield from _told_lines(told)
    yield from _unknown_lines(found.unknown_kinds, "Kinds of records", "problem")
    yield from _unknown_lines(found.unknown_fields, "Fields of records", "note")
    yield safe_text("")
    problems = len(found.problems) + len(found.unknown_kinds)
    words = plural(problems, "problem") if problems else "clean"
    yield safe_text(f"{words}, {plural(len(found.unknown_fields), 'note')}")


def _most(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: -one[1])


def _told_lines(told: Told) -> Iterator[SafeText]:
    words = f"{plural(told.objects, OBJECTS[told.type].word)}: {told.exact:,} exact"
    rebuilt = told.objects - told.exact - told.inferred
    words += f", {rebuilt:,} rebuilt in part" if rebuilt else ""
    words += f", {told.inferred:,} inferred" if told.inferred else ""
    yield from wrapped(words, 2)
    for mark, counts in ((MARK, told.rebuilt), ("-", told.not_recorded)):
        for what, number in _most(counts):
            of = "all" if number == told.objects else f"{number:,}"
            yield from wrapped(f"{mark} {what}: of {of}", 4)


def _unknown_lines(unknown: list[Unknown], heading: str, severity: str) -> Iterator[SafeText]:
    yield safe_text("")
    if not unknown:
        yield safe_text(f"{heading}: all are known")
        return
    yield safe_text(heading)
    for one in unknown[:MAX_LISTED]:
        times = f" ({one.count:,})" if one.count > 1 else ""
        yield from wrapped(f"{severity}: unknown {one.what}{times}", 2)
        yield from wrapped(f"first {one.file} line {one.line}", 4)
    yield from rest_line(len(unknown), MAX_LISTED)
