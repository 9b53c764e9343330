"""A screen that is left once, and only by itself."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete

from rollout_tui.screens.sized_screen import SizedScreen

T = TypeVar("T")


class LeavingScreen(SizedScreen[T]):
    """Its result is None when it was only closed."""

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name, id, classes)
        self._has_left = False
        self._leaves_with: tuple[T | None] | None = None

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

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
