"""A number before a movement: so many times, or to that row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from textual import events
from textual.widget import Widget

from rollout_tui import keys
from rollout_tui.screens.speech import Speech
from rollout_tui.widgets.line_view import LineView

MOST_DIGITS = 7
"""Digits of a number that count; no list that is looked at has more rows."""

MOST_TIMES = 1000
"""Steps that are taken one by one, each of which may go to another agent."""

_SWITCHES = "1234"
"""Digits that go to a pane, a part or a state where there are such."""


class Counted(Protocol):
    """What is moved by counted keys."""

    @property
    def focused(self) -> Widget | None:
        """What has the keys."""

    def undo_of_switch(self) -> Callable[[], None] | None:
        """What leads back here once a digit has gone elsewhere; None where digits go nowhere."""

    def position(self) -> object:
        """Where the reader is, to see whether a step led on."""

    async def run_where_keys_go(self, action: str) -> None:
        """Run an action as its key would."""


class Counter:
    """Takes digits as a number for the movement after them.

    Where a digit from 1 to 4 goes somewhere by itself it does so at once. Only if 0 or a digit from 5 on
    comes next was it the beginning of a number, and what it did is undone; `0` first makes any digits one.
    """

    def __init__(self, speech: Speech, moved: Counted) -> None:
        self._speech = speech
        self._moved = moved
        self._digits = ""
        self._switched: tuple[str, Callable[[], None]] | None = None

    async def take(self, event: events.Key) -> None:
        """Take digits, and the movement that they count; any other key goes its way."""
        switched, self._switched = self._switched, None
        digits, self._digits = self._digits, ""
        if self._speech.is_awaiting_key:
            return
        if event.key.isdecimal() and event.key.isascii():
            undo = None if digits or event.key not in _SWITCHES else self._moved.undo_of_switch()
            if undo is not None:
                self._switched = event.key, undo
                return
            if switched is not None and not digits:
                digits, lead_back = switched
                lead_back()
            self._digits = (digits + event.key)[-MOST_DIGITS:]
            self._speech.say(self._digits)
        elif digits and event.key in keys.AWAITED_BACK:
            self._speech.say_nothing()
        elif digits and (action := keys.counted(event.character or event.key)) is not None:
            self._speech.say_nothing()
            await self._move(action, int(digits))
        else:
            return
        event.stop()
        event.prevent_default()

    async def _move(self, action: keys.Action, count: int) -> None:
        view = self._moved.focused
        if keys.COUNTED[action.name] is keys.Counts.ROW:
            if isinstance(view, LineView):
                view.jump(count - 1)
        elif action.name in ("cursor_down", "cursor_up") and isinstance(view, LineView):
            view.cursor += count if action.name == "cursor_down" else -count
        elif action.name in ("go_left", "go_right") and isinstance(view, LineView):
            view.go_sideways(-1 if action.name == "go_left" else 1, min(count, MOST_TIMES))
        else:
            for _ in range(min(count, MOST_TIMES)):
                before = self._moved.position()
                await self._moved.run_where_keys_go(action.action)
                if self._moved.position() == before:
                    break
