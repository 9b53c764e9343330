"""Lines of a report for people: made safe, wrapped, and not without end."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from reducer import Problem
from rollout_tui.commands.output import MAX_LISTED_LINE
from rollout_tui.safe_text import SafeText, clip, safe_text
from rollout_tui.texts.short_forms import plural

WIDTH = 80
"""Cells of a line of a report."""

MAX_PROBLEMS = 50
"""Problems that are listed; `--json` has all, as it has all places of a finding."""


def problem_lines(problems: Sequence[Problem], heading: str, otherwise: str) -> Iterator[SafeText]:
    """Problems with their consequences.

    Args:
        problems: what is wrong.
        heading: what it was found by.
        otherwise: what is to be said if nothing is wrong.
    """
    yield safe_text("")
    if not problems:
        yield safe_text(f"{heading}: {otherwise}")
        return
    yield safe_text(f"{heading}: {plural(len(problems), 'problem')}")
    for problem in problems[:MAX_PROBLEMS]:
        yield from wrapped(problem.where(), 2)
        yield from wrapped(problem.reason, 4)
        if problem.reference_says is not None:
            yield from wrapped(f"codex says: {problem.reference_says}", 4)
        yield from wrapped(problem.consequence, 4)
    yield from rest_line(len(problems), MAX_PROBLEMS)


def rest_line(number: int, shown: int) -> Iterator[SafeText]:
    """How many more there are than are shown, if there are."""
    if number > shown:
        yield safe_text(f"    and {number - shown:,} more; --json has all {number:,}")


def wrapped(text: str, indent: int = 0) -> Iterable[SafeText]:
    """Text of a recording in lines: made safe, not longer than a list's line may be, wrapped."""
    shown = clip(safe_text(text[: 4 * MAX_LISTED_LINE]), MAX_LISTED_LINE)
    margin = " " * indent
    # Characters may be two cells wide; a text that holds such is wrapped as if all were.
    width = WIDTH if cell_len(shown) == len(shown) else WIDTH // 2
    lines = textwrap.wrap(
        shown, width, initial_indent=margin, subsequent_indent=margin + "  ", break_on_hyphens=False
    )
    return map(safe_text, lines or [""])
