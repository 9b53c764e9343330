"""What opens above another screen, and keeps its keys."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.screen import ModalScreen

from rollout_tui import glyphs, keys
from rollout_tui.screens.speaking import SpeakingScreen

T = TypeVar("T")


class Modal(ModalScreen[T | None], SpeakingScreen[T | None]):
    """Closes with one key; its result is None when it was only closed."""

    # A modal screen keeps keys from the app, so those that hold everywhere are bound here again.
    BINDINGS = [*keys.bindings(keys.Scope.EVERYWHERE)]

    own_focus: ClassVar[keys.Focus] = keys.Focus.DIALOG
    """Whose keys hold here."""

    def __init__(self) -> None:
        super().__init__(classes="dialog -ascii" if glyphs.active().ascii_only else "dialog")

    def focus_name(self) -> keys.Focus:
        """Whose keys hold here."""
        return self.own_focus

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
