"""A screen that fits itself into the terminal, also while something is open above it."""

from __future__ import annotations

from typing import Any, TypeVar

from textual import events
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from rollout_tui.screens.sizes import BROAD, FRAMED, SMALLEST, TALL, WHERE_LINES, has_room

T = TypeVar("T")

TOO_SMALL = f"This needs a terminal of at least {SMALLEST.width}x{SMALLEST.height}."


class TooSmall(Static):
    """The sentence that stands instead of everything where there is no room."""

    DEFAULT_CSS = "TooSmall { display: none; width: 100%; height: 100%; }"

    def __init__(self) -> None:
        super().__init__(TOO_SMALL, markup=False)


class SizedScreen(Screen[T]):
    """Has classes that say for what there is room. A subclass does more in `fit_into`."""

    def on_mount(self) -> None:
        """Have the sentence ready for where there is no room."""
        self.mount(TooSmall())

    def on_resize(self, event: events.Resize) -> None:
        """Fit this screen, and those below it, into the terminal."""
        self.fit_into(event.size)
        fit_below(self.app, event.size)

    def fit_into(self, size: Size) -> None:
        """Leave out what has no room in a terminal of `size`."""
        self.set_class(not has_room(size, SMALLEST), "-too-small")
        self.set_class(not has_room(size, FRAMED), "-unframed")
        self.set_class(size.width < BROAD, "-thin")
        self.set_class(size.height < TALL, "-flat")
        self.set_class(size.height < WHERE_LINES, "-low")


def fit_below(app: App[Any], size: Size) -> None:
    """Fit what is below the uppermost screen into a terminal of `size`: Textual tells only that one of it."""
    for screen in app.screen_stack[:-1]:
        if isinstance(screen, SizedScreen) and screen.is_mounted:
            screen.fit_into(size)
