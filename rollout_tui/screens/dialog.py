"""What opens above the inspector, and closes with one key."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen
from textual.widgets import Static

from rollout_tui import glyphs, keys
from rollout_tui.screens.searching import SearchingScreen
from rollout_tui.widgets.spans import Span, span

T = TypeVar("T")

SMALLEST = (80, 24)
"""Columns and rows below which nothing useful fits."""

TOO_SMALL = f"This needs a terminal of at least {SMALLEST[0]}x{SMALLEST[1]}."


class TooSmall(Static):
    """The sentence that stands instead of everything where there is no room."""

    DEFAULT_CSS = "TooSmall { display: none; padding: 1; width: 100%; height: 100%; }"

    def __init__(self) -> None:
        super().__init__(TOO_SMALL, markup=False)


class Dialog(ModalScreen[T | None], SearchingScreen[T | None]):
    """A screen above the inspector; its result is None when it was only closed."""

    # A modal screen keeps keys from the app, so those that leave are bound here again.
    BINDINGS = [*keys.bindings(keys.Context.EVERYWHERE)]

    pane: ClassVar[keys.Pane] = keys.Pane.DIALOG
    """Whose keys hold here."""

    def __init__(self) -> None:
        super().__init__(classes="dialog -ascii" if glyphs.active().ascii_only else "dialog")
        self._has_left = False
        self._leaves_with: tuple[T | None] | None = None

    def on_mount(self) -> None:
        """Have the sentence ready that stands instead of everything where there is no room."""
        self.mount(TooSmall())

    def on_resize(self, event: events.Resize) -> None:
        """Show nothing but that sentence where there is no room."""
        self.set_class(is_too_small(event.size.width, event.size.height), "-too-small")

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close, once. What another screen covers closes when that has gone: only what is on top can."""
        if self._has_left:
            return AwaitComplete()
        if not self.is_active:
            self._leaves_with = (result,)
            return AwaitComplete()
        self._has_left = True
        return super().dismiss(result)

    def on_screen_resume(self) -> None:
        """Close, if that was wanted while another screen was above."""
        if self._leaves_with is not None:
            self.dismiss(*self._leaves_with)

    def key_spans(self) -> list[Span]:
        """The keys that hold here, as many as fit."""
        footer = keys.footer_text(self.pane, max(1, self.app.size.width - 2))
        return [span(" "), Span(footer, "muted")]

    def action_back(self) -> None:
        """End a search, or close."""
        if not self.end_search():
            self.dismiss(None)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_help(self) -> None:
        """Show what the keys do here."""
        from rollout_tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.pane))

    async def action_quit(self) -> None:
        """Quit the program."""
        await self.app.action_quit()

    def action_suspend_process(self) -> None:
        """Into the background."""
        self.app.action_suspend_process()


def is_too_small(width: int, height: int) -> bool:
    """Whether nothing useful fits into so many columns and rows."""
    return width < SMALLEST[0] or height < SMALLEST[1]
