"""What a screen does for the groups of actions that it has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from textual.screen import Screen

from rollout_tui import keys
from rollout_tui.screens.searchable import SearchableScreen
from rollout_tui.screens.speaking import SpeakingScreen
from rollout_tui.terminal_app import TerminalApp
from rollout_tui.widgets.line_view import LineView

T = TypeVar("T")


class Host:
    """Speaks, opens, and works for groups of actions, each of which knows only the part that it needs."""

    def __init__(self, screen: SearchableScreen[Any]) -> None:
        self._screen = screen

    @property
    def is_active(self) -> bool:
        """Whether nothing is open above the screen."""
        return self._screen.is_active

    @property
    def _speaker(self) -> SpeakingScreen[Any]:
        """Who says it: what covers the screen, if that has keys of it."""
        top = self._screen.app.screen
        return top if isinstance(top, SpeakingScreen) and top.speaks_for_below else self._screen

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """Say something until the next key."""
        self._speaker.speech.say(sentence, bad=bad)

    def await_key(
        self, hint: str, answer: Callable[[str], None], *, refusal: str = "nothing was done"
    ) -> None:
        """Take the next key: `answer` is called with its character, or `refusal` is said."""
        self._screen.speech.await_key(hint, answer, refusal)

    def say_nothing(self) -> None:
        """Show the keys again instead of what is said."""
        self._speaker.speech.say_nothing()

    def mark_found(self, view: LineView, query: str) -> None:
        """Mark in a view what was found elsewhere, so that the next hit in it can be gone to."""
        self._screen.search.mark_found(view, query)

    def run_key_action(self, name: str) -> None:
        """Do what the key of an action does, by its name in the table of keys."""
        action = next(one for one in keys.ACTIONS if one.name == name)
        self._screen.call_later(self._screen.run_action, action.action)

    def open_above(self, screen: Screen[T], then: Callable[[T | None], None]) -> None:
        """Open a screen; `then` is called with its result, None if it was only closed."""
        self._screen.app.push_screen(screen, then)

    def in_thread(self, work: Callable[[], None], group: str) -> None:
        """Do some work, instead of what still goes on in its group. If it dies, the screen is told."""
        self._screen.run_worker(work, group=group, thread=True, exclusive=True, exit_on_error=False)

    def from_thread(self, what: Callable[..., None], *arguments: Any) -> None:
        """Go on in the loop; for work in a thread."""
        self._screen.app.call_from_thread(what, *arguments)

    def send_to_terminal(self, characters: str) -> None:
        """Send control characters to the terminal, as they are."""
        app = self._screen.app
        if isinstance(app, TerminalApp):
            app.send_to_terminal(characters)

    def without_terminal(self) -> AbstractContextManager[None]:
        """Leave the terminal to another program for a while."""
        return self._screen.app.suspend()
