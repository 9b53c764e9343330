"""A viewer for a text of any length: sources, patches, outputs, messages."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.reactive import var

from rollout_tui import glyphs
from rollout_tui.keys import Scope, bindings
from rollout_tui.lines.spans import Span
from rollout_tui.lines.text_colour import TextColours
from rollout_tui.safe_text import SafeText, safe_pieces, safe_text
from rollout_tui.texts.syntax import Language
from rollout_tui.texts.text_lines import CHARS_PER_CELL, TextLayout, TextRows, text_hits
from rollout_tui.texts.view_search import Looked
from rollout_tui.widgets.line_view import LineView

INLINE_CHARS = 64_000
"""A text up to this long is laid out at once; of a longer one, this much is shown in the meantime."""

SIDE_STEP = 16
"""Characters that left and right move by when lines are not wrapped."""

UNKNOWN_WIDTH = 80
"""Cells assumed before the first layout."""


class TextView(LineView):
    """Shows a text line by line, wrapped or cut at the edge, with colours and line numbers if wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.TEXT)]

    wrap: var[bool] = var(True, init=False)
    """Whether lines longer than the view go on in the next row."""

    def __init__(self, empty: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        """Create a view without text.

        Args:
            empty: The sentence shown while there is no text.
            id: The id of the widget.
            classes: The CSS classes of the widget.
        """
        super().__init__(empty, id=id, classes=classes)
        self._whole = TextLayout("")
        self._shown = self._whole  # is another one while a long text is being laid out
        self._colours = TextColours("", "text")
        self._has_numbers = False
        self._laid_out_for: int | None = None
        self._side = 0

    @property
    def text(self) -> str:
        """The text as given: not safe for a terminal."""
        return self._whole.text

    @property
    def line(self) -> str:
        """The line under the cursor, whole: not safe for a terminal."""
        begin = self._cursor_offset()
        first, end = self.text.rfind("\n", 0, begin) + 1, self.text.find("\n", begin)
        return self.text[first:] if end < 0 else self.text[first:end]

    @property
    def is_complete(self) -> bool:
        """Whether all of the text is laid out."""
        return self._shown is self._whole

    def show(self, text: str, language: Language = "text", *, numbers: bool = False) -> None:
        """Show a text from its beginning.

        Args:
            text: Any text.
            language: How to colour it.
            numbers: Whether to number its lines.
        """
        self._has_numbers = numbers
        self._whole = TextLayout(text)
        self._colours = TextColours(text, language)
        self._side = 0
        self._shown = TextLayout(text[:INLINE_CHARS]) if len(text) > INLINE_CHARS else self._whole
        self._laid_out_for = self._wrap_width()
        self._shown.build_all(self._laid_out_for)
        self.lines_changed(cursor=0, screen_row=0)
        if not self.is_complete or self._wrap_width() != self._laid_out_for:
            self._lay_out()
        self._colour(language)

    def clear(self, sentence: str = "") -> None:
        """Show no text but a sentence."""
        self.empty = safe_text(sentence)
        self.show("")

    # Searching: positions are characters.

    def find_basis(self) -> Hashable:
        """The text."""
        return self._whole

    def find_size(self) -> int:
        """How long the text is."""
        return len(self.text)

    def find_start(self) -> int:
        """The first character of the row under the cursor."""
        return self._cursor_offset()

    def find_is_quick(self) -> bool:
        """Whether the text is short."""
        return len(self.text) <= INLINE_CHARS

    def find_hits(self, query: str, start: int) -> Iterator[Looked]:
        """Where the text has another one in it."""
        return text_hits(self.text, query, start)

    def show_hit(self, position: int) -> None:
        """Show a character."""
        self.go_to(position)

    def go_to(self, offset: int) -> None:
        """Put the cursor on the row with a character, and show that character.

        Args:
            offset: Which character of the text.
        """
        rows = self._shown.rows
        row = rows.row_at(offset)
        if not self.wrap and len(rows):
            column = offset - rows.span(row)[0]
            if not self._side <= column < self._side + self._text_width() // 2:
                self._set_side(max(0, column - SIDE_STEP))
        self.jump(row)

    def go_to_line(self, line: int) -> None:
        """Put the cursor on a line, counted from 0."""
        lines = self._shown.rows.lines
        if len(lines):
            self.go_to(lines.starts[max(0, min(line, len(lines) - 1))])

    @property
    def line_count(self) -> int:
        """How many rows there are."""
        return len(self._shown.rows) if self._shown.text else 0

    def line_spans(self, index: int, width: int) -> Sequence[Span]:
        """A row: its number, and its text in colours."""
        rows = self._shown.rows
        start, end = rows.span(index)
        if not self.wrap:
            start = min(end, start + self._side)
        end = min(end, start + width * CHARS_PER_CELL)
        gutter = self._gutter(index) if self._has_numbers else []
        return [*gutter, *self._coloured(start, end)]

    def _gutter(self, index: int) -> list[Span]:
        """The number of the line that begins in a row; a mark where none does."""
        rows = self._shown.rows
        width = self._gutter_width()
        is_first = not self.wrap or rows.is_first(index)
        label = str(rows.lines.line_at(rows.starts[index]) + 1) if is_first else glyphs.active().wrapped
        return [Span(safe_text(f"{label:>{width - 1}} "), "muted")]

    def _gutter_width(self) -> int:
        """Cells that line numbers take."""
        return len(str(max(1, len(self._shown.rows.lines)))) + 1 if self._has_numbers else 0

    def _coloured(self, start: int, end: int) -> list[Span]:
        """The characters from `start` to `end` as spans."""
        text = self._shown.text[start:end]
        pieces: Sequence[str] = safe_text(text)
        if pieces is not text:
            pieces = safe_pieces(text)
        spans: list[Span] = []
        position = 0
        for first, last, style in self._colours.between(start, end):
            if first - start > position:
                spans.append(Span(SafeText("".join(pieces[position : first - start]))))
            spans.append(Span(SafeText("".join(pieces[first - start : last - start])), style))
            position = last - start
        if position < len(pieces):
            spans.append(Span(SafeText("".join(pieces[position:]))))
        return spans

    def _text_width(self) -> int:
        """Cells a row of text has."""
        return max(2, (self.line_width or UNKNOWN_WIDTH) - self._gutter_width())

    def _wrap_width(self) -> int:
        """The width to lay out for; 0 for lines as they are."""
        return self._text_width() if self.wrap else 0

    def _lay_out(self) -> None:
        """Break the text into rows for the width there is."""
        width = self._wrap_width()
        self._laid_out_for = width
        layout, result = self._whole, list[TextRows]()

        def progress(is_done: bool) -> None:
            if is_done and layout is self._whole:
                offset = self._cursor_offset()
                self._shown, layout.rows = layout, result[0]
                self.lines_changed(cursor=layout.rows.row_at(offset))
                if self._wrap_width() != width:
                    # More line numbers than was thought leave less room.
                    self._lay_out()

        steps = layout.build(width, result)
        self.run_job("layout", steps, progress, inline=len(layout.text) <= INLINE_CHARS)

    def _colour(self, language: Language) -> None:
        """Find the colours."""
        colours = self._colours
        is_first = True

        def progress(is_done: bool) -> None:
            nonlocal is_first
            # Twice is enough: each repaints the window.
            if colours is self._colours and (is_first or is_done):
                is_first = False
                self.redraw()

        if language == "text":
            self.end_job("colours")
        else:
            self.run_job("colours", colours.build(), progress, inline=False)

    def _cursor_offset(self) -> int:
        """The first character of the row under the cursor."""
        starts = self._shown.rows.starts
        return starts[self.cursor] if self.cursor < len(starts) else 0

    def _set_side(self, side: int) -> None:
        """Leave out so many characters at the beginning of every line."""
        self._side = side
        self.redraw()

    def on_resize(self) -> None:
        """Break lines anew if the width is another."""
        if self._laid_out_for != self._wrap_width():
            self._lay_out()

    def watch_wrap(self) -> None:
        """Lay out anew, with the cursor on the same text."""
        self._side = 0
        self._lay_out()

    def step_left(self) -> bool:
        """Show what is to the left."""
        if not self._side:
            return False
        self._set_side(max(0, self._side - SIDE_STEP))
        return True

    def step_right(self) -> bool:
        """Show what is to the right, if any line in the window goes on there."""
        if self.wrap:
            return False
        top, rows = self.scroll_offset.y, self._shown.rows
        reach = self._side + self._text_width()
        visible = (rows.span(row) for row in range(top, min(top + self.page_height, len(rows))))
        if not any(end - start > reach for start, end in visible):
            return False
        self._set_side(self._side + SIDE_STEP)
        return True

    def action_wrap(self) -> None:
        """Wrap lines, or no longer."""
        self.wrap = not self.wrap
