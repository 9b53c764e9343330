"""A part of the exec stepper."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from rollout_tui.panes.pane import TitleLine
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.line_view import LineView


class Part(Vertical):
    """A part of the stepper: a title line, and a view under it that takes the focus."""

    def __init__(self, number: int, name: str, view: LineView, *above: Bar) -> None:
        super().__init__(id=name)
        self.title = TitleLine(number, name)
        self.view = view
        self._above = above

    def compose(self) -> ComposeResult:
        """The title, lines of facts, the view."""
        yield self.title
        yield from self._above
        yield self.view

    def on_descendant_focus(self) -> None:
        """Show that the keys go here."""
        self.title.mark_focused(True)

    def on_descendant_blur(self) -> None:
        """Show that the keys go elsewhere."""
        self.title.mark_focused(False)
