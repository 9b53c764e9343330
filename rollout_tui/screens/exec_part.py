"""The parts of the exec stepper: which of them are seen, and which has the keys."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from rollout_tui.panes.titled import Titled
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.line_view import LineView


class Part(Titled):
    """A part of the stepper: lines of facts, and a view that takes the keys."""

    def __init__(self, number: int, name: str, view: LineView, *above: Bar) -> None:
        super().__init__(number, name, id=name)
        self.view = view
        self._above = above

    def views(self) -> ComposeResult:
        """Lines of facts, the view."""
        yield from self._above
        yield self.view


class Parts(Container):
    """The parts side by side. Where there is no room for that one stands beside `always`, or alone.

    Attributes:
        parts: the parts, in the order of their numbers.
        companion: the part that stands beside `always`.
    """

    def __init__(self, parts: tuple[Part, ...], always: LineView) -> None:
        """Arrange some parts.

        Args:
            parts: the parts, in the order of their numbers.
            always: the view of the part that is seen wherever there is room for two.
        """
        super().__init__(id="parts")
        self.parts = parts
        self.companion = parts[0]
        self._always = always

    def compose(self) -> ComposeResult:
        """The parts."""
        yield from self.parts

    @property
    def number(self) -> int:
        """The part that has the keys, from 1."""
        by_default = next(number for number, part in enumerate(self.parts, 1) if part.view is self._always)
        return next((number for number, part in enumerate(self.parts, 1) if part.view.has_focus), by_default)

    def fit(self) -> None:
        """Show what is to be seen beside the part with the keys, and that one alone where room is short."""
        shown = self.parts[self.number - 1] if self.screen.has_class("-flat") else self.companion
        self._show(shown)

    def _show(self, shown: Part) -> None:
        for part in self.parts:
            part.set_class(part is shown, "-shown")

    def give_keys(self, number: int, companion: Part | None = None) -> None:
        """Give a part the keys.

        Args:
            number: its number from 1.
            companion: the part that stands beside `always` from now on; by default this one.
        """
        part = self.parts[number - 1]
        self.companion = companion or self.companion
        if part.view is not self._always:
            self.companion = part
        self._show(part if self.screen.has_class("-flat") else self.companion)
        part.view.focus()

    def turn(self, direction: int) -> None:
        """Give the next part the keys, or the one before."""
        self.give_keys((self.number - 1 + direction) % len(self.parts) + 1)
