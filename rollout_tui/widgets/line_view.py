"""The base of every long view: it draws visible lines only and costs the same for any length."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from rollout_tui.keys import Scope, bindings
from rollout_tui.lines.spans import Span, fit, mark_matches, spans_text
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.texts.text_lines import plain_pattern
from rollout_tui.widgets.job_view import JobView
from rollout_tui.widgets.looks import CURSOR, CURSOR_BLURRED, CURSOR_MATCH, LOOKS

CACHED_LINES = 512
"""Finished lines kept: several screens, so that paging back and forth draws nothing anew."""

JUMP_MARGIN = 3
"""Lines of context kept above and below the target of a jump."""


class LineView(JobView, can_focus=True, inherit_bindings=False):
    """A scrolling view of lines with a cursor.

    A subclass gives `line_count` and `line_spans`, calls `lines_changed` when they change, and may override
    `cursor_moved`, `open_line`, `step_left` and `step_right`. Nothing here is ever animated.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.LINES)]
    DEFAULT_CSS = """
    LineView {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        &:ansi {
            scrollbar-background: ansi_default;
            scrollbar-background-hover: ansi_default;
            scrollbar-background-active: ansi_default;
            scrollbar-color: ansi_default;
            scrollbar-color-hover: ansi_default;
            scrollbar-color-active: ansi_default;
        }
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False, init=False)
    """The line the cursor is on, from 0; 0 when there are no lines."""

    class AtEdge(Message):
        """Left or right was pressed where there is nothing on that side, so an outer widget may use it."""

        def __init__(self, view: LineView, direction: int, times: int = 1) -> None:
            """`direction` is -1 for left and 1 for right; `times` is how often that was meant."""
            super().__init__()
            self.view = view
            self.direction = direction
            self.times = times

        @property
        def control(self) -> LineView:
            """The view that sent this."""
            return self.view

    def __init__(self, empty: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        """Create an empty view.

        Args:
            empty: The sentence shown while there are no lines.
            id: The id of the widget.
            classes: The CSS classes of the widget.
        """
        super().__init__(id=id, classes=classes)
        self._empty = safe_text(empty)
        self._strips: LRUCache[tuple[int, int], Strip] = LRUCache(CACHED_LINES)
        self._drawn: dict[int, Strip] = {}
        self._highlight: re.Pattern[str] | None = None

    # What a subclass provides.

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line_spans(self, index: int, width: int) -> Sequence[Span]:
        """The spans of a line.

        Args:
            index: Which line, in range.
            width: Cells there are; what is longer gets cut.
        """
        raise NotImplementedError

    def cursor_moved(self) -> None:
        """The cursor is on another line now."""

    def open_line(self) -> None:
        """Enter was pressed, or the line was clicked twice."""

    def step_left(self) -> bool:
        """Left was pressed. Returns whether there was anything to do."""
        return False

    def step_right(self) -> bool:
        """Right was pressed. Returns whether there was anything to do."""
        return False

    # For whoever owns the view.

    @property
    def empty(self) -> SafeText:
        """The sentence shown while there are no lines."""
        return self._empty

    @empty.setter
    def empty(self, sentence: str) -> None:
        self._empty = safe_text(sentence)
        if not self.line_count:
            self.refresh()

    def highlight(self, query: str | None) -> None:
        """Mark every occurrence of `query` in what is drawn; `None` to stop.

        The case of letters matters only if there are capitals among them.
        """
        self._highlight = plain_pattern(safe_text(query)) if query else None
        self.redraw()

    def jump(self, index: int, margin: int = JUMP_MARGIN) -> None:
        """Put the cursor on a line and show it with lines of context around it.

        Args:
            index: Which line; clamped to those there are.
            margin: Lines to keep above and below.
        """
        self.cursor = index
        self._show(self.cursor, margin)

    def lines_changed(self, cursor: int | None = None, screen_row: int | None = None) -> None:
        """Take notice of other lines.

        Args:
            cursor: Where the line under the cursor is now; by default in the same place.
            screen_row: The row of the window at which it is to stay; by default where it was.
        """
        if screen_row is None:
            screen_row = self.cursor - self.scroll_offset.y
        before = self.cursor
        self._strips.clear()
        self._update_extent()
        self.set_reactive(LineView.cursor, self.validate_cursor(before if cursor is None else cursor))
        self.scroll_to(y=self.cursor - screen_row)
        self._show(self.cursor)
        self._refresh_what_differs()

    def _refresh_what_differs(self) -> None:
        """Draw only the lines of the window that look other than they were last drawn: the wire is slow."""
        size, drawn = self.size, self._drawn
        differing = [y for y in range(size.height) if drawn.get(y) != self._window_strip(y)]
        if differing:
            self.refresh(*(Region(0, y, size.width, 1) for y in differing))

    def lines_appended(self, first: int) -> None:
        """Take notice of lines after those there were.

        Args:
            first: How many lines there were.
        """
        self._update_extent()
        bottom = self.scroll_offset.y + self.size.height
        if first < bottom:
            # An empty view showed its sentence over several lines.
            self.refresh() if first == 0 else self.refresh_lines(first, bottom - first)

    def redraw(self) -> None:
        """Draw every line anew."""
        self._strips.clear()
        self.refresh()

    @property
    def line_width(self) -> int:
        """Cells a line has."""
        return self.scrollable_content_region.width

    @property
    def page_height(self) -> int:
        """Lines the window shows."""
        return self.scrollable_content_region.height

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """Draw one line of the window.

        Args:
            y: The line, counted from the top of the window.
        """
        strip = self._drawn[y] = self._window_strip(y)
        return strip

    def _window_strip(self, y: int) -> Strip:
        """What line `y` of the window looks like now."""
        width = self.line_width
        index = y + self.scroll_offset.y
        total = self.line_count
        if index >= total:
            return self._strip([] if total else self._empty_line(y, width), width)
        if index == self.cursor:
            return self._cursor_strip(index, width)
        strip = self._strips.get((index, width))
        if strip is None:
            strip = self._strip(self._fitted(index, width), width)
            self._strips[index, width] = strip
        return strip

    def _fitted(self, index: int, width: int) -> list[Span]:
        """The spans of a line, cut to the width, matches marked."""
        spans = fit(self.line_spans(index, width), width)
        return mark_matches(spans, self._highlight) if self._highlight else spans

    def _strip(self, spans: Sequence[Span], width: int) -> Strip:
        """Spans drawn in their styles, filled up to `width`; neighbours that look the same become one."""
        segments = [Segment(text, LOOKS[style]) for text, style in spans if text]
        strip = Strip(Segment.simplify(segments)) if segments else Strip([])
        return strip.extend_cell_length(width, LOOKS["text"])

    def _cursor_strip(self, index: int, width: int) -> Strip:
        """The line under the cursor: in one style, since colours would hide that it is."""
        spans = self._fitted(index, width)
        if not self.has_focus:
            style = CURSOR_BLURRED
            return Strip([Segment(spans_text(spans), style)]).extend_cell_length(width, style)
        looks = {"match": CURSOR_MATCH}
        style = CURSOR
        segments = [Segment(text, looks.get(name, style)) for text, name in spans if text]
        strip = Strip(Segment.simplify(segments)) if segments else Strip([])
        return strip.extend_cell_length(width, style)

    def _empty_line(self, y: int, width: int) -> list[Span]:
        """Line `y` of the sentence shown when there are no lines."""
        lines = textwrap.wrap(self._empty, max(1, width - 1)) if self._empty else []
        return [Span(safe_text(lines[y]), "muted")] if y < len(lines) else []

    def notify_style_update(self) -> None:
        """Drop what was drawn in the styles of before."""
        super().notify_style_update()
        self._strips.clear()

    # Cursor and scrolling.

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(cursor, self.line_count - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Draw the two lines that changed, keep the cursor in the window, and tell."""
        self.refresh_line(before)
        self.refresh_line(now)
        self._show(now)
        self.cursor_moved()

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll at once: an animation repaints the window dozens of times over the wire."""
        options.update(animate=False, force=True)
        super().scroll_to(x, y, **options)

    def _show(self, index: int, margin: int = 0) -> None:
        """Scroll so that a line is in the window.

        A line just outside costs half a page of scrolling, not one line: each scroll repaints the window, so
        this repaints once in many key presses. A line further away lands at a third of the window.
        """
        height = self.page_height
        if height <= 0:
            return
        top = self.scroll_offset.y
        half = max(1, height // 2)
        margin = min(margin, (height - 1) // 2)
        if top + margin <= index < top + height - margin:
            return
        if top - half <= index < top:
            top -= half
        elif top + height <= index < top + height + half:
            top += half
        elif not top <= index < top + height:
            top = index - height // 3
        # What is in the window now may still lack its margin.
        top = max(min(top, index - margin), index + margin - height + 1)
        self.scroll_to(y=top)

    def _update_extent(self) -> None:
        """Tell the scrollbar how many lines there are."""
        self.virtual_size = Size(0, self.line_count)

    def on_resize(self) -> None:
        """Keep the cursor in the window, whose height is not known before the first layout."""
        self._show(self.cursor)

    def on_mount(self) -> None:
        """Start with what there is."""
        self._update_extent()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the line; a second click opens it."""
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1:
            return
        index = offset.y + self.scroll_offset.y
        if index < self.line_count:
            self.cursor = index
            if event.chain == 2:
                self.open_line()

    def _page_by(self, lines: int) -> None:
        """Move window and cursor together."""
        self.scroll_to(y=self.scroll_offset.y + lines)
        self.cursor += lines

    def action_cursor_down(self) -> None:
        """Down one line."""
        self.cursor += 1

    def action_cursor_up(self) -> None:
        """Up one line."""
        self.cursor -= 1

    def action_half_page_down(self) -> None:
        """Down half a window."""
        self._page_by(max(1, self.page_height // 2))

    def action_half_page_up(self) -> None:
        """Up half a window."""
        self._page_by(-max(1, self.page_height // 2))

    def action_page_down(self) -> None:
        """Down one window, less a line of overlap."""
        self._page_by(max(1, self.page_height - 1))

    def action_page_up(self) -> None:
        """Up one window, less a line of overlap."""
        self._page_by(-max(1, self.page_height - 1))

    def action_top(self) -> None:
        """To the first line."""
        self.cursor = 0

    def action_bottom(self) -> None:
        """To the last line."""
        self.cursor = self.line_count - 1

    def action_go_left(self) -> None:
        """What left means on this line; `AtEdge` if it means nothing."""
        self.go_sideways(-1)

    def action_go_right(self) -> None:
        """What right means on this line; `AtEdge` if it means nothing."""
        self.go_sideways(1)

    def go_sideways(self, direction: int, times: int = 1) -> None:
        """Left (-1) or right (1), so many times; `AtEdge` with the rest once that means nothing here."""
        for done in range(times):
            if not (self.step_left() if direction < 0 else self.step_right()):
                self.post_message(self.AtEdge(self, direction, times - done))
                return

    def action_open(self) -> None:
        """Open the line under the cursor."""
        if self.line_count:
            self.open_line()
