"""What opens above the inspector, and closes with one key."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

from rollout_tui import keys

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """A screen above the inspector; its result is None when it was only closed."""

    # A modal screen keeps keys from the app, so those that leave are bound here again.
    BINDINGS = [
        binding
        for binding in keys.bindings(keys.Context.APP)
        if binding.id in ("back", "leave", "quit", "interrupt")
    ]

    def __init__(self) -> None:
        super().__init__(classes="dialog")

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)

    async def action_quit(self) -> None:
        """Quit the program."""
        await self.app.action_quit()
