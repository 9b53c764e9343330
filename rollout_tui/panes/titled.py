"""A title line, and views under it that take the focus."""

from __future__ import annotations

from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.strip import Strip
from textual.widget import Widget

from rollout_tui import glyphs
from rollout_tui.safe_text import SafeText, clip, safe_text
from rollout_tui.widgets.looks import BLURRED_TITLE, FOCUSED_TITLE

RULE_WIDTH = 2
"""Cells of the rule behind a title at least: it tells which part has the keys, also without colours."""


class TitleLine(Widget):
    """One line: number and name of a pane, then what it shows. While the pane has the focus it stands out.

    It does so by bold letters, another rule, and a colour: reverse is for the cursor alone.
    """

    DEFAULT_CSS = "TitleLine { height: 1; }"

    def __init__(self, number: int, name: str) -> None:
        super().__init__()
        self._number = number
        self._name = name
        self._text = safe_text("")
        self._columns = safe_text("")
        self._focused = False

    def show(self, text: SafeText, columns: SafeText | None = None) -> None:
        """Say what the pane shows.

        Args:
            text: that.
            columns: what the columns at the right edge are; by default as it was. Only said where there is
                room for twice as much.
        """
        named = self._columns if columns is None else columns
        if (text, named) != (self._text, self._columns):
            self._text, self._columns = text, named
            self.refresh()

    def mark_focused(self, focused: bool) -> None:
        """Say whether the pane has the focus."""
        if focused != self._focused:
            self._focused = focused
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line itself, filled up with a rule."""
        width = self.size.width
        words = f"{self._number} {self._name}"
        text = clip(safe_text(f"{words}  {self._text} " if self._text else f"{words} "), width - RULE_WIDTH)
        marks = glyphs.active()
        rule = marks.strong_rule if self._focused else marks.rule
        style = FOCUSED_TITLE if self._focused else BLURRED_TITLE
        strip = Strip([Segment(text, style)])
        fill = width - strip.cell_length
        columns = safe_text(f"{self._columns} ")
        if self._columns and fill > 2 * len(columns):
            return Strip([*strip, Segment(f"{rule * (fill - len(columns))}{columns}", style)])
        return strip if fill <= 0 else Strip([*strip, Segment(rule * fill, style)])


class Titled(Vertical):
    """A part of a screen: its title line tells whether one of the views under it has the keys.

    Attributes:
        title: the title line.
    """

    def __init__(self, number: int, name: str, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.title = TitleLine(number, name)

    def compose(self) -> ComposeResult:
        """The title, and under it the views of the subclass."""
        yield self.title
        yield from self.views()

    def views(self) -> ComposeResult:
        """The widgets under the title."""
        raise NotImplementedError

    def on_descendant_focus(self) -> None:
        """Show that the keys go here."""
        self.title.mark_focused(True)

    def on_descendant_blur(self) -> None:
        """Show that the keys go elsewhere."""
        self.title.mark_focused(False)
