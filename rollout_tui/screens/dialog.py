"""What opens above the inspector, and closes with one key."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.screen import ModalScreen

from rollout_tui import glyphs, keys

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """A screen above the inspector; its result is None when it was only closed."""

    # A modal screen keeps keys from the app, so those that leave are bound here again.
    BINDINGS = [*keys.bindings(keys.Context.EVERYWHERE)]

    pane: ClassVar[keys.Pane] = keys.Pane.DIALOG
    """Whose keys hold here."""

    def __init__(self) -> None:
        super().__init__(classes="dialog -ascii" if glyphs.active().ascii_only else "dialog")

    def action_back(self) -> None:
        """Close."""
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
