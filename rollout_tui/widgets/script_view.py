"""A viewer for the script of a code cell, in which calls are marked."""

from __future__ import annotations

from rich.cells import cell_len
from textual.strip import Strip

from rollout_tui import glyphs
from rollout_tui.lines.spans import Span
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.widgets.text_view import TextView


class ScriptView(TextView):
    """JavaScript with line numbers, in which the call being made is marked, and calls that are open."""

    def __init__(self) -> None:
        super().__init__("There is no source.")
        self._current: tuple[int, int] | None = None
        self._marks: dict[int, Span] = {}

    def mark(self, current: tuple[int, int] | None, marks: dict[int, Span]) -> None:
        """Mark stretches of the source instead of those marked before.

        Args:
            current: the stretch that stands out, and is scrolled to; None for none.
            marks: a mark for the line of each of these offsets.
        """
        if (current, marks) == (self._current, self._marks):
            return
        self._current, self._marks = current, marks
        if current is not None:
            self.go_to(current[0])
        self.redraw()

    @property
    def marked(self) -> str:
        """The stretch of the source that stands out."""
        return "" if self._current is None else self.text[slice(*self._current)]

    def _gutter_width(self) -> int:
        return super()._gutter_width() + glyphs.active().state_width + 1

    def _gutter(self, index: int) -> list[Span]:
        """The mark of a row, and the line number."""
        start, end = self._shown.rows.span(index)
        mark = next((one for at, one in self._marks.items() if start <= at < max(end, start + 1)), None)
        numbers = super()._gutter(index)
        if mark is None:
            return numbers
        return [mark, *(Span(SafeText(text[cell_len(mark.text) :]), style) for text, style in numbers)]

    def _coloured(self, start: int, end: int) -> list[Span]:
        """The characters of a row, those that stand out in a style of their own."""
        if self._current is None:
            return super()._coloured(start, end)
        first, last = (max(start, min(end, at)) for at in self._current)
        if first == last:
            return super()._coloured(start, end)
        current = safe_text(self.text[first:last])
        return [*super()._coloured(start, first), Span(current, "match"), *super()._coloured(last, end)]

    def _cursor_strip(self, index: int, width: int) -> Strip:
        """The line under the cursor, which without the focus looks like any other: its marks say more."""
        if self.has_focus:
            return super()._cursor_strip(index, width)
        return self._strip(self._fitted(index, width), width)
