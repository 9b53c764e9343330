"""The command palette."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.command import CommandList, CommandPalette, SearchIcon
from textual.widgets import Input

from rollout_tui import glyphs
from rollout_tui.screens.sized_screen import fit_below

PALETTE_ID = "--command-palette"
"""By this Textual knows that it is open."""

_PAGES = ("pagedown", "pageup")


class Palette(CommandPalette, inherit_bindings=False):
    """Textual's palette, but its cursor does not blink, and a list without a height takes no key for a page.

    Such a page would end the program.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(one for one in CommandPalette.BINDINGS if isinstance(one, Binding) and one.key not in _PAGES),
        *(Binding(key, f"turn_{key}", show=False) for key in _PAGES),
    ]

    def __init__(self) -> None:
        super().__init__(id=PALETTE_ID, placeholder="a command")
        self.set_class(glyphs.active().ascii_only, "-ascii")

    def on_mount(self) -> None:
        """Send nothing while nothing changes."""
        self.query_one(Input).cursor_blink = False
        self.query_one(SearchIcon).icon = ">"

    def on_resize(self, event: events.Resize) -> None:
        """Fit what is below into the terminal as well."""
        fit_below(self.app, event.size)

    def action_turn_pagedown(self) -> None:
        """Down one page of commands."""
        self._turn("page_down")

    def action_turn_pageup(self) -> None:
        """Up one page of commands."""
        self._turn("page_up")

    def _turn(self, way: str) -> None:
        commands = self.query_one(CommandList)
        if commands.size.height:
            turn: Any = getattr(commands, f"action_{way}")
            turn()
