"""Keys one after another: each goes where the one before it led, however fast they come.

A terminal hands over what was typed, pasted or held in one piece. Textual would send each key of it to what
has the focus when it is read, which is not yet what the key before it opens; and an action waits until its
key has gone through all the widgets above, while the keys after it are text already. So a key waits here
until what the one before it caused is over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from rich.console import RenderableType
from textual import events
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.widget import Widget
from textual.worker import Worker

from rollout_tui.keys import HELD_KEYS
from rollout_tui.terminal_app import TerminalApp

T = TypeVar("T")

OPENING = "opening"
"""The group of workers that are about to open a screen: what is typed meanwhile is meant for it."""

PATIENCE = 1.0
"""Seconds that a key waits at most; then it is served whatever goes on."""

LITTLE_PATIENCE = 0.05
"""Seconds that each key waits once one has waited in vain."""

LOOK_SECONDS = 0.001
"""Seconds between two looks at whether it is quiet."""

ROOT_SCREENS = 2
"""The screens below everything that opens: Textual's own, and the first of the app."""


class KeyOrderApp(TerminalApp[T]):
    """Serves what is typed in order, and keeps its first screen whatever is closed."""

    def __init__(self) -> None:
        # Told before the theme is: Textual decides at once how it leaves out colours for NO_COLOR.
        super().__init__(ansi_color=True)
        self._typed: deque[events.Key | events.Paste] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._before = ""
        self._closing_screens: list[AwaitComplete] = []
        self._is_overdue = False
        self._is_ending = False

    async def on_event(self, event: events.Event) -> None:
        """Let a key or a paste wait for its turn."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._typed.append(event)
            self._go_on()
        else:
            await super().on_event(event)

    def _go_on(self) -> None:
        if self._typed and self._serving is None and not self._is_ending:
            self._serving = asyncio.create_task(self._serve())
            self._serving.add_done_callback(self._has_served)

    def _has_served(self, task: asyncio.Task[None]) -> None:
        self._serving = None
        if not task.cancelled() and task.exception() is not None:
            self.call_later(task.result)  # raises it where Textual shows it

    async def _serve(self) -> None:
        """Serve all that waits, in a task of its own: the app is quiet only between its messages."""
        while self._typed and not self._is_ending:
            event = self._typed[0]
            key = event.key if isinstance(event, events.Key) else ""
            # A held key moves the cursor again before all panes have followed it.
            if key != self._before or key not in HELD_KEYS:
                await self._settle(is_text=isinstance(event, events.Paste) or event.is_printable)
            if self._typed and self._typed[0] is event and not self._is_ending:
                self._before = key
                self.call_later(super().on_event, self._typed.popleft())

    async def _settle(self, *, is_text: bool) -> None:
        """Wait until nothing is left of what was done before, but not forever.

        Args:
            is_text: whether what comes next is text, where there is a line to type on.
        """
        end = monotonic() + (LITTLE_PATIENCE if self._is_overdue else PATIENCE)
        was_quiet = False
        while not self._is_ending:
            if not self._is_quiet(is_text=is_text):
                was_quiet = False
                if monotonic() > end:
                    self._is_overdue = True
                    return
                await asyncio.sleep(LOOK_SECONDS)
            elif was_quiet:
                self._is_overdue = False
                return
            else:
                # The app may be in the middle of something that waits: look again when it is not.
                was_quiet, passed = True, asyncio.Event()
                if self.call_later(passed.set):
                    await passed.wait()

    def _is_quiet(self, *, is_text: bool) -> bool:
        """Whether no message waits, no screen opens or closes, and none is about to."""
        self._closing_screens = [one for one in self._closing_screens if not one.is_done]
        if self.message_queue_size or self._closing_screens:
            return False
        if any(_is_awaited(one, is_text=is_text) and not one.is_finished for one in self.workers):
            return False
        return all(
            node.is_mounted and not node.message_queue_size
            for screen in reversed(self.screen_stack)
            for node in screen.walk_children(Widget, with_self=True)
        )

    # Leaving

    def pop_screen(self) -> AwaitComplete:
        """Close what is on top, unless that is the first screen: there is nothing to go back to then."""
        if len(self.screen_stack) <= ROOT_SCREENS:
            return AwaitComplete()
        closing = super().pop_screen()
        self._closing_screens.append(closing)
        return closing

    def exit(
        self, result: T | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Leave; what is typed from now on is for nobody."""
        self._is_ending = True
        super().exit(result, return_code, message)

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Leave the terminal to another program for a while.

        What was typed behind the key that does this was meant for that program; it cannot get it, but
        nobody else should.
        """
        self._typed.clear()
        with super().suspend():
            yield

    def action_suspend_process(self) -> None:
        """Go into the background, as a shell's ctrl+z does; `fg` comes back to everything as it was."""
        self._typed.clear()
        super().action_suspend_process()


def _is_awaited(worker: Worker[Any], *, is_text: bool) -> bool:
    """Whether a worker opens a screen, or finds the commands of the palette that a key chooses among."""
    return worker.group == OPENING or (isinstance(worker.node, CommandPalette) and not is_text)
