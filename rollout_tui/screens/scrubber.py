"""Moving along the log: everything above shows the state as of the event under the mark."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.timer import Timer

from rollout_tui import keys
from rollout_tui.screens.modal import Modal
from rollout_tui.screens.speaking import Actions
from rollout_tui.views.scrubbing import EventLine
from rollout_tui.widgets.bars import Bar

SETTLED = 0.08
"""Seconds after the last move until the panes follow, so that what is passed by is not worked out."""


class Scrubber(Modal[int]):
    """A line along the events of the log. Its result is the event to stay at, or None to go back."""

    BINDINGS = [*keys.bindings(keys.Scope.SCRUBBER)]
    own_focus = keys.Focus.SCRUBBER
    DEFAULT_CSS = """
    Scrubber { background: transparent; }
    Scrubber > #scrubber { dock: bottom; width: 100%; height: auto; background: $background; }
    Scrubber > #scrubber:ansi { background: ansi_default; }
    """

    def __init__(self, line: EventLine, place: int, look: Callable[[int], None]) -> None:
        """Prepare to move.

        Args:
            line: the events, of which there is at least one.
            place: where to begin.
            look: shows everything as of a sequence number.
        """
        super().__init__()
        self._line = line
        self._place = line.clamp(place)
        self._look = look
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The line, and the keys."""
        with Vertical(id="scrubber"):
            yield Bar(id="line")
            yield Bar(id="footer")

    def said_bar(self) -> Bar:
        """The footer."""
        return self.query_one("#footer", Bar)

    def on_mount(self) -> None:
        """Show where it is."""
        self.show_keys()
        self._draw()

    def fit_into(self, size: Size) -> None:
        """Another length of the line fits, and other keys."""
        super().fit_into(size)
        self._draw()
        self.show_keys()

    def _draw(self) -> None:
        self.query_one("#line", Bar).show(self._line.spans(self._place, self.app.size.width))

    def _go_to(self, place: int) -> None:
        place = self._line.clamp(place)
        if place == self._place:
            return
        self._place = place
        self._draw()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._settle)

    def _settle(self) -> None:
        self._timer = None
        self._look(self._line.seq(self._place))

    def _part(self, percent: float) -> int:
        return max(1, round(len(self._line) * percent / 100))

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {
            **super().actions,
            "earlier": lambda: self._go_by(-1),
            "later": lambda: self._go_by(1),
            "much_earlier": lambda: self._go_by(-self._part(1)),
            "much_later": lambda: self._go_by(self._part(1)),
            "far_earlier": lambda: self._go_by(-self._part(10)),
            "far_later": lambda: self._go_by(self._part(10)),
            "first_event": lambda: self._go_to(0),
            "last_event": lambda: self._go_to(len(self._line)),
            "stay": self._stay,
        }

    def _go_by(self, events: int) -> None:
        self._go_to(self._place + events)

    def _stay(self) -> None:
        """Look around at this moment."""
        self.dismiss(self._line.seq(self._place))
