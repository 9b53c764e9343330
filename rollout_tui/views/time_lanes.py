"""What agents did as a picture: a letter for each column of time, marks, an axis. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rollout_tui import glyphs
from rollout_tui.insight.timing.columns import Column, Window
from rollout_tui.insight.timing.lanes import KINDS, Kind
from rollout_tui.lines.rows import blank
from rollout_tui.lines.spans import Piece, Span, StyleName, fit, span, spans_width
from rollout_tui.views.time_look import TimeLook

LETTERS: Mapping[Kind, str] = {
    "model": "m",
    "tool": "t",
    "wait for tool": "w",
    "wait for person": "P",
    "wait for agent": "W",
    "between": "-",
    "idle": ".",
}
"""The letter of each kind."""

MEANINGS: Mapping[Kind, str] = {
    "model": "model",
    "tool": "tool",
    "wait for tool": "waits for a tool",
    "wait for agent": "waits for an agent",
    "wait for person": "waits for a person",
    "between": "between",
    "idle": "idle",
}
"""What it stands for."""

KINDS_EXPLAINED: Mapping[Kind, str] = {
    "model": "an inference call, or a request to compact",
    "tool": "a tool that works; what it waits for an approval is not recorded apart",
    "wait for tool": "a call that only waits for what runs already: a cell, a command",
    "wait for agent": "a call that only waits for another agent",
    "wait for person": "a question to the user that waits for the answer",
    "between": "time of a turn in which nothing that the log tells of runs",
    "idle": "outside of its turns",
}
"""What it stands for, in a sentence."""

STYLES: Mapping[Kind, StyleName] = {
    "model": "accent",
    "tool": "good",
    "wait for tool": "warn",
    "wait for person": "link",
    "wait for agent": "special",
    "between": "muted",
    "idle": "muted",
}

BOTH = "*"
"""The mark of a column in which there are failures and compactions."""

NAME_PART = 4
"""Names of agents take this part of a row at most."""

TICK_CELLS = 10
"""Columns between two ticks of the axis at least."""

_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, *(1000 * s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600,
          900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)))  # fmt: skip

assert set(LETTERS) == set(MEANINGS) == set(STYLES) == set(KINDS)


def compaction_mark() -> str:
    """The mark of a compaction."""
    return "C" if glyphs.active().state_width > 1 else "▼"


def letter(column: Column) -> tuple[str, StyleName]:
    """What stands in a column: a mark before any letter."""
    if column.failures and column.compactions:
        return BOTH, "bad"
    if column.failures:
        return glyphs.active().failed, "bad"
    if column.compactions:
        return compaction_mark(), "strong"
    return (" ", "text") if column.kind is None else (LETTERS[column.kind], STYLES[column.kind])


def picture(columns: Sequence[Column], spot: int | None = None) -> list[Span]:
    """A letter for each column; that of the spot stands out."""
    looks = [letter(one) for one in columns]
    if spot is not None:
        looks[spot] = looks[spot][0], "match"
    return [
        span("".join(one for one, _ in group), style)
        for style, group in groupby(looks, key=lambda one: one[1])
    ]


_LEGEND: Sequence[Kind] = (
    "model",
    "tool",
    "wait for tool",
    "wait for agent",
    "wait for person",
    "idle",
    "between",
)
"""Kinds as a legend has them: the last ones are left out first."""

_SHORT: Mapping[Kind, str] = {"wait for agent": "for an agent", "wait for person": "for a person"}
"""In a legend, behind what a wait is."""


def legend() -> list[Piece]:
    """What letters and marks mean, as much as fits: the marks longest."""
    kinds = [(LETTERS[kind], _SHORT.get(kind, MEANINGS[kind]), STYLES[kind]) for kind in _LEGEND]
    return [
        Piece(rank, [span(" "), span(mark, style), span(f" {words} ", "muted")])
        for rank, (mark, words, style) in enumerate([*_mark_words(), *kinds], 1)
    ]


def _mark_words() -> list[tuple[str, str, StyleName]]:
    failed: tuple[str, str, StyleName] = (glyphs.active().failed, "failure", "bad")
    return [failed, (compaction_mark(), "compaction", "strong")]


def legend_words() -> str:
    """The same as a text."""
    kinds = [f"{LETTERS[kind]} {MEANINGS[kind]}" for kind in _LEGEND]
    return "  ".join([*kinds, *(f"{mark} {words}" for mark, words, _ in _mark_words())])


def time_label(ms: int, step: int) -> str:
    """A time since the beginning, as exact as its step: `0s`, `1.25s`, `3m05s`, `1h05m`."""
    digits = 0 if step >= 1000 else 1 if step >= 100 else 2 if step >= 10 else 3
    minutes, rest = divmod(max(0, ms), 60_000)
    part = f"{rest % 1000:03}"[:digits]
    seconds = f"{rest // 1000:{'02' if minutes else ''}}{'.' if part else ''}{part}s"
    if step % 60_000 == 0:
        seconds = ""
    if minutes < 60:
        return f"{minutes}m{seconds}" if minutes else seconds or "0"
    return f"{minutes // 60}h{minutes % 60:02}m{seconds}"


def name_cells(names: Sequence[Sequence[Span]], width: int) -> int:
    """Cells of the column of names in a row of so many cells."""
    return min(max(map(spans_width, names), default=0), max(1, width // NAME_PART))


def padded(name: Sequence[Span], cells: int) -> list[Span]:
    """A name in exactly so many cells, and a blank behind it."""
    shown = fit(name, cells)
    return [*shown, Span(blank(cells - spans_width(shown) + 1))]


def axis(look: TimeLook, indent: int) -> list[Span]:
    """The times of the columns, and where the spot is.

    Args:
        look: where the reader is.
        indent: cells before the first column.
    """
    window, columns, begin = look.window, look.columns, look.found.whole.begin
    cells = [" "] * columns
    free = 0
    for at, step in _ticks(window, columns, begin):
        place = window.column_of(at, columns)
        words = f"|{time_label(at - begin, step)}"
        if free <= place and place + len(words) <= columns:
            cells[place : place + len(words)] = words
            free = place + len(words) + 1
    spot = look.column
    return [
        Span(blank(indent)),
        span("".join(cells[:spot]), "muted"),
        span(cells[spot] if cells[spot] != " " else glyphs.active().down, "match"),
        span("".join(cells[spot + 1 :]), "muted"),
    ]


def _ticks(window: Window, columns: int, begin: int) -> Iterator[tuple[int, int]]:
    """Round times since the beginning, far enough apart, each with the step from one to the next."""
    least = window.ms * TICK_CELLS // columns
    step = next((one for one in _STEPS if one >= least), -(-least // _STEPS[-1]) * _STEPS[-1])
    first = -(-(window.begin - begin) // step)
    for number in range(first, (window.end - 1 - begin) // step + 1):
        yield begin + number * step, step
