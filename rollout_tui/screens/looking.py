"""What a screen needs to ask who saw something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reducer import ObjectRef
from rollout_tui.insight.contexts.seen import Wanted


class Asker(Protocol):
    """The screen on which it is asked: it says that one has to wait, and is covered by what is found."""

    @property
    def is_active(self) -> bool:
        """Whether nothing is open above it."""

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """Say something until the next key."""

    def say_nothing(self) -> None:
        """Show the keys again instead of what is said."""


class LooksFor(Protocol):
    """Finds out who saw something, and shows it above the screen on which that was asked."""

    def __call__(
        self, wanted: Wanted, asker: Asker | None = None, then: Callable[[ObjectRef], None] | None = None
    ) -> None:
        """Begin to look.

        Args:
            wanted: what to look for.
            asker: the screen on which it was asked; by default the main screen.
            then: is called with what the reader opens in the answer; by default it is jumped to.
        """
