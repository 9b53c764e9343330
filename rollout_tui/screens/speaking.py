"""What every screen of the program can: it speaks, does what its keys are for, and is left once."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import events
from textual.actions import SkipAction
from textual.await_complete import AwaitComplete

from rollout_tui import keys
from rollout_tui.lines.spans import Span, span
from rollout_tui.screens.sized_screen import SizedScreen
from rollout_tui.screens.speech import Speech
from rollout_tui.widgets.bars import Bar

T = TypeVar("T")

Actions = dict[str, Callable[[], None]]
"""What somebody can do, by the names of the table of keys."""


class SpeakingScreen(SizedScreen[T]):
    """Says sentences in its last line. Its result is None when it was only closed.

    A subclass gives `actions`, takes the bindings of the contexts that they are of, and has a line for what
    is said: `said_bar`.

    Attributes:
        speech: what is said.
    """

    speaks_for_below: ClassVar[bool] = False
    """Whether it has keys of the screen that it covers, and says what that would say of them."""

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name, id, classes)
        self.speech = Speech(self.said_bar, self.key_spans)
        self._has_left = False
        self._leaves_with: tuple[T | None] | None = None

    # Keys

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {}

    def action_do(self, name: str) -> None:
        """Do what a key is for, by the name of the action."""
        action = self.actions.get(name)
        if action is None:
            raise SkipAction  # somebody else's
        action()

    def focus_name(self) -> keys.Focus:
        """Which keys hold now."""
        raise NotImplementedError

    async def on_key(self, event: events.Key) -> None:
        """Take the key that was asked for; any other ends what is said, and goes its way."""
        self.speech.take(event)

    # Speaking

    def said_bar(self) -> Bar:
        """The line for sentences; by default one at the foot of the screen, which appears when needed."""
        found = self.query("#said-below").results(Bar)
        bar = next(found, None)
        if bar is None:
            bar = Bar(id="said-below")
            self.mount(bar)
        return bar

    def key_spans(self) -> list[Span]:
        """What the line shows while nothing is said: the keys that matter most, as many as fit."""
        footer = keys.footer_text(self.focus_name(), max(1, self.app.size.width - 2))
        return [span(" "), Span(footer, "muted")]

    def show_keys(self) -> None:
        """Show the keys, unless something is said."""
        self.speech.show_keys()

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """Say something until the next key."""
        self.speech.say(sentence, bad=bad)

    def say_nothing(self) -> None:
        """Show the keys again instead of what is said."""
        self.speech.say_nothing()

    # Leaving

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
