"""The curve of the contexts of an agent: a bar for each call, and what is marked on it below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from rollout_tui import glyphs
from rollout_tui.insight.tokens.contexts import CallContext
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.texts.short_forms import count

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LABEL = 6
"""Cells of the numbers at the left."""

_WIDEST = 8
"""Cells of a column at most, with the gap behind it."""


class Look(Struct, frozen=True):
    """How the parts of a bar look: each by its own character, so that colour only helps.

    Attributes:
        cached: what the provider had cached.
        new: what it had not.
        answer: what came out.
        compaction: marks a call after a compaction.
        cache_break: marks one at which the cache broke.
        here: marks the call that the reader is at.
        axis: stands between numbers and bars.
        has_eighths: whether the top of a bar may be a part of a cell.
    """

    cached: str
    new: str
    answer: str
    compaction: str
    cache_break: str
    here: str
    axis: str
    has_eighths: bool


def look() -> Look:
    """How it looks with the marks that are in use."""
    if glyphs.active().ascii_only:
        return Look(".", "#", "o", "v", "!", "^", "|", has_eighths=False)
    has_eighths = glyphs.active().has_pictures  # a Linux console has no eighths of a block
    return Look("░", "█", "▒", "▼", "!", "▲", "│", has_eighths)


class Curve:
    """A curve of some calls in a width: a column for each, or for several where there are more than fit.

    Attributes:
        calls: the calls of one agent, in order.
        per_column: how many calls a column stands for; the tallest of them is drawn.
    """

    def __init__(self, calls: Sequence[CallContext], width: int) -> None:
        """Divide the width.

        Args:
            calls: the calls of one agent, in order.
            width: cells there are, those of the numbers at the left included.
        """
        self.calls = calls
        self._room = max(1, width - _LABEL - 1)
        self.per_column = max(1, -(-len(calls) // self._room))
        self._columns = [
            calls[first : first + self.per_column] for first in range(0, len(calls), self.per_column)
        ]
        self._bars: dict[int, list[list[Span]]] = {}
        self._cells = max(1, min(_WIDEST, self._room // max(1, len(self._columns))))

    def lines(
        self,
        height: int,
        here: int | None = None,
        *,
        with_compactions: bool = False,
        with_breaks: bool = False,
    ) -> list[list[Span]]:
        """The curve, and below it what is marked: compactions, breaks, and the call that the reader is at.

        Args:
            height: lines of the bars; at least one.
            here: the place of that call, from 0; None if it is none of these.
            with_compactions: whether there is a line for compactions also where there are none.
            with_breaks: whether there is one for breaks.
        """
        if height not in self._bars:
            self._bars[height] = self._drawn(height)
        marks, lines = look(), [*self._bars[height]]
        compacted = self._marked(marks.compaction, "special", lambda call: call.is_compacted)
        broken = self._marked(marks.cache_break, "warn", lambda call: call.cache_break is not None)
        lines += [
            line for line, wanted in ((compacted, with_compactions), (broken, with_breaks)) if line or wanted
        ]
        return [*lines, self._axis(here)]

    def _drawn(self, height: int) -> list[list[Span]]:
        """The bars, with numbers at their left."""
        most = max(map(_height, self.calls), default=0)
        tallest = [max(column, key=_height) for column in self._columns]
        lines = []
        for level in reversed(range(height)):
            label = count(most) if level == height - 1 else "0" if level == 0 else ""
            axis = span(f"{label:>{_LABEL}}{look().axis}", "muted")
            lines.append(_joined([axis, *(self._cell(call, level, height, most or 1) for call in tallest)]))
        return lines

    def _cell(self, call: CallContext, level: int, height: int, most: int) -> Span:
        """What a bar has at a level: the part that has most of the cell."""
        marks, scale = look(), height * 8 / most
        tokens = call.tokens
        tops = [tokens.cached * scale, tokens.input * scale, (tokens.input + tokens.output) * scale]
        tops[2] = max(tops[2], 1.0 if _height(call) else 0.0)  # a small one is no nothing
        low, high = level * 8, (level + 1) * 8
        shares, below = [], 0.0
        for top in tops:
            shares.append(max(0.0, min(top, high) - max(below, low)))
            below = max(below, top)
        filled = round(sum(shares))
        if not filled:
            return self._wide(" ", "text")
        part = shares.index(max(shares))
        styles: tuple[StyleName, ...] = ("muted", "accent", "good")
        shape = (marks.cached, marks.new, marks.answer)[part]
        if filled < 8 and marks.has_eighths:
            shape = _EIGHTHS[filled]
        elif filled < 4 and level:
            return self._wide(" ", "text")
        return self._wide(shape, styles[part])

    def _wide(self, shape: str, style: StyleName) -> Span:
        """A cell as wide as columns are: the gap between two is part of that."""
        bar = max(1, self._cells - 1)
        return span(shape * bar + " " * (self._cells - bar), style)

    def _marked(self, mark: str, style: StyleName, holds: Callable[[CallContext], bool]) -> list[Span]:
        """A line of marks; empty if there is nothing to mark."""
        shown = [any(map(holds, column)) for column in self._columns]
        if not any(shown):
            return []
        cells = "".join(f"{mark if one else ' ':<{self._cells}}" for one in shown)
        return [span(" " * (_LABEL + 1)), span(cells.rstrip(), style)]

    def _axis(self, here: int | None) -> list[Span]:
        """Numbers of calls below their columns, or a mark at the one where the reader is."""
        if here is not None and 0 <= here < len(self.calls):
            at, words = here // self.per_column * self._cells, f"call {here + 1}"
            behind = f"{' ' * at}{look().here} {words}"
            line = behind if len(behind) <= self._room else f"{words} {look().here}".rjust(at + 1)
            return [span(" " * (_LABEL + 1)), span(line, "strong")]
        line = ""
        grouped = f"   a column is {self.per_column} calls" if self.per_column > 1 else ""
        for place in range(len(self._columns)):
            number, at = place * self.per_column + 1, place * self._cells
            is_round = place == 0 or number % 10 == 0 or (number % 5 == 0 and self._cells > 1)
            has_room = at + len(f"{number}{grouped}") <= self._room
            if is_round and has_room and at >= len(line) + (2 if line else 0):
                line = line.ljust(at) + str(number)
        return [span(f"{'call':>{_LABEL}} ", "muted"), span(line + grouped, "muted")]


def _height(call: CallContext) -> int:
    return call.tokens.input + call.tokens.output


def _joined(spans: list[Span]) -> list[Span]:
    """Neighbours in one style put together."""
    joined: list[Span] = []
    for one in spans:
        if joined and joined[-1].style == one.style:
            joined[-1] = span(joined[-1].text + one.text, one.style)
        else:
            joined.append(one)
    return joined


def legend() -> list[Span]:
    """What the parts and marks of the curve mean."""
    marks = look()
    return [
        span(f"{marks.cached} cached ", "muted"),
        span(f"{marks.new} new ", "accent"),
        span(f"{marks.answer} answer ", "good"),
        span(f" {marks.compaction} compaction ", "special"),
        span(f" {marks.cache_break} cache break", "warn"),
    ]
