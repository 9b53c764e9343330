"""What was printed beside what was shown, as rows: side by side, or in one column where room is short."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from itertools import accumulate

from rollout_tui import glyphs
from rollout_tui.insight.output.comparison import Comparison, PairKind, Run
from rollout_tui.lines.rows import Row, blank
from rollout_tui.lines.spans import Span, StyleName, span, spans_width
from rollout_tui.safe_text import clip, safe_text
from rollout_tui.texts.short_forms import plural

SIDE_BY_SIDE = 100
"""Cells from which the two texts stand side by side."""

CHARS_PER_CELL = 8
"""Characters of a line that are looked at per cell; a line may be megabytes long."""

_STYLES: dict[PairKind, StyleName] = {
    "same": "text",
    "joined": "text",
    "unseen": "removed",
    "changed": "warn",
    "unshown": "removed",
    "added": "added",
    "cut": "warn",
    "told": "muted",
}


class ComparisonRows:
    """A row source over a comparison. Rows are made when they are looked at; each is known by its place."""

    def __init__(self, comparison: Comparison, width: int) -> None:
        """Lay the comparison out.

        Args:
            comparison: the two texts.
            width: cells that a row has.
        """
        self._comparison = comparison
        self._width = width
        self._wide = width >= SIDE_BY_SIDE
        self._ends = list(
            accumulate((run.length * self._rows_of(run.kind) for run in comparison.runs), initial=1)
        )

    def _rows_of(self, kind: PairKind) -> int:
        """Rows that a pair of lines takes: in one column, two lines that differ stand one above the other."""
        return 2 if kind == "changed" and not self._wide else 1

    def __len__(self) -> int:
        return self._ends[-1]

    def key(self, index: int) -> Hashable:
        """The place of a row."""
        return index

    def find(self, key: Hashable) -> int | None:
        """The row in a place."""
        return key if isinstance(key, int) and 0 <= key < len(self) else None

    def parent(self, index: int) -> int | None:
        """No row is under another."""
        return None

    def row(self, index: int) -> Row:
        """A row: the title of the two sides, a line of both, or a line of one."""
        if not index:
            return Row(0, self._title())
        place = bisect_right(self._ends, index) - 1
        run, offset = self._comparison.runs[place], index - self._ends[place]
        lower = False
        if self._rows_of(run.kind) == 2:
            offset, lower = offset // 2, bool(offset % 2)
        left = self._comparison.printed[run.left + offset] if run.left >= 0 else None
        right = self._comparison.shown[run.right + offset].text if run.right >= 0 else None
        if run.kind == "told":
            return Row(index, self._told(run, offset))
        if self._wide:
            return Row(index, self._both(run.kind, left, right))
        return Row(index, self._one(run.kind, left, right, lower=lower))

    def _title(self) -> tuple[Span, ...]:
        counted = self._comparison
        printed = plural(len(counted.printed), "line") if counted.is_known else "not in the log"
        shown = plural(counted.count("same", "joined", "changed", "added", "cut"), "line")
        if not self._wide:
            return (span(f"{counted.verb}: {printed}; shown to the model: {shown}", "strong"),)
        return self._sides(
            span(f"{counted.verb}: {printed}", "strong"),
            Span(safe_text(" ")),
            span(f"shown to the model: {shown}", "strong"),
        )

    def _told(self, run: Run, offset: int) -> tuple[Span, ...]:
        """What is told about the output, on the side of what was shown."""
        marks = glyphs.active()
        line = self._comparison.shown[run.right + offset]
        text = self._text(line.text)
        if line.kind == "heading":
            words, style = f"{marks.rule * 2} {text}", "accent"
        elif line.kind in ("notice", "head cut", "tail cut"):
            words, style = f"{marks.warning} {text}", "warn"
        else:
            words, style = f"  {text}", "muted"
        told = span(words, "accent" if style == "accent" else "warn" if style == "warn" else "muted")
        return self._sides(Span(blank(0)), Span(safe_text(" ")), told) if self._wide else (told,)

    def _both(self, kind: PairKind, left: str | None, right: str | None) -> tuple[Span, ...]:
        """Both sides of a line, with a mark between them."""
        style = _STYLES[kind]
        return self._sides(
            span(self._text(left or ""), style),
            span(self._mark(kind), style),
            span(self._text(right or ""), style),
        )

    def _one(self, kind: PairKind, left: str | None, right: str | None, *, lower: bool) -> tuple[Span, ...]:
        """A line in one column. Of two that differ the printed one stands above the shown one."""
        if kind == "changed":
            side: PairKind = "added" if lower else "unshown"
            text = right if lower else left
            return (span(f"{self._mark(side)} ", _STYLES[side]), span(self._text(text or ""), "warn"))
        text = right if right is not None else left
        return (span(f"{self._mark(kind)} ", _STYLES[kind]), span(self._text(text or ""), _STYLES[kind]))

    def _mark(self, kind: PairKind) -> str:
        marks = glyphs.active()
        if kind == "added" and not self._comparison.is_known:
            return " "
        return {
            "same": marks.kept,
            "joined": marks.kept,
            "unseen": marks.dropped,
            "changed": marks.warning,
            "unshown": marks.dropped,
            "added": marks.added,
            "cut": marks.ellipsis,
            "told": " ",
        }[kind]

    def _text(self, text: str) -> str:
        return text[: self._width * CHARS_PER_CELL]

    def _sides(self, left: Span, mark: Span, right: Span) -> tuple[Span, ...]:
        """Two columns of the same width."""
        room = (self._width - 3) // 2
        shown = Span(clip(left.text, room), left.style)
        gap = Span(blank(room - spans_width([shown]) + 1))
        return (shown, gap, mark, Span(blank(1)), right)


def comparison_words(comparison: Comparison) -> list[Span]:
    """A comparison in a line: whether the model saw what was printed, and what was left out."""
    verb = comparison.verb
    if not comparison.is_known:
        return [span(f"the log does not have what was {verb}", "warn")]
    missing = comparison.count("unshown", "unseen", "changed")
    others = comparison.count("added", "changed")
    spans: list[Span] = []
    if not comparison.printed:
        spans.append(span(f"nothing was {verb}", "muted"))
    elif missing:
        total = plural(len(comparison.printed), "line")
        most = "" if comparison.is_complete else "at most "
        spans.append(span(f"the model never saw {most}{missing} of {total} {verb}", "bad"))
    elif not comparison.count("cut"):
        spans.append(span(f"the model saw all that was {verb}", "good"))
    if comparison.notices:
        spans.append(span(f"  cut by Codex: {comparison.notices[-1]}", "warn"))
    if others:
        spans.append(
            span(
                f"  {plural(others, 'line')} shown that {'were' if others > 1 else 'was'} not {verb}", "muted"
            )
        )
    return spans
