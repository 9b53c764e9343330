"""A screen that says sentences in its last line, and asks there for a single key."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from textual import events

from rollout_tui import keys
from rollout_tui.screens.leaving_screen import LeavingScreen
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.spans import Span, span

T = TypeVar("T")


class _Awaited(NamedTuple):
    """What the next key will decide."""

    answer: Callable[[str], None]
    refusal: str


class SpeakingScreen(LeavingScreen[T]):
    """Says a sentence until the next key, and may take that key for itself.

    A subclass has a line for it: `said_bar`. It shows its keys there by `show_keys`, at other times, too;
    while something is said or asked, that does nothing. A long sentence makes the line several.
    """

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name, id, classes)
        self._says = False
        self._awaited: _Awaited | None = None

    def said_bar(self) -> Bar:
        """The line for sentences; by default one at the foot of the screen, which appears when needed."""
        found = self.query("#said-below").results(Bar)
        bar = next(found, None)
        if bar is None:
            bar = Bar(id="said-below")
            self.mount(bar)
        return bar

    def focus_name(self) -> keys.Pane:
        """Which keys hold now."""
        raise NotImplementedError

    def key_spans(self) -> list[Span]:
        """What the line shows while nothing is said: the keys that matter most, as many as fit."""
        footer = keys.footer_text(self.focus_name(), max(1, self.app.size.width - 2))
        return [span(" "), Span(footer, "muted")]

    def show_keys(self) -> None:
        """Show the keys, unless something is said."""
        if not self._says:
            self.said_bar().show(self.key_spans())

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """Say something until the next key."""
        self._says = True
        self.said_bar().show([span(f" {sentence}", "bad" if bad else "strong")], is_sentence=True)

    def say_nothing(self) -> None:
        """Show the keys again."""
        if self._says:
            self._says = False
            self.said_bar().show(self.key_spans())

    def await_key(
        self, hint: str, answer: Callable[[str], None], *, refusal: str = "nothing was done"
    ) -> None:
        """Take the next key, whatever it means at other times.

        Args:
            hint: which keys there are; said until then.
            answer: called with the character of the key.
            refusal: said when the reader went back instead, or the key has no character.
        """
        self._awaited = _Awaited(answer, refusal)
        self.say(hint)

    @property
    def is_awaiting_key(self) -> bool:
        """Whether the next key is taken."""
        return self._awaited is not None

    async def on_key(self, event: events.Key) -> None:
        """Take the key that was asked for; any other ends what is said, and goes its way."""
        awaited, self._awaited = self._awaited, None
        self.say_nothing()
        if awaited is None:
            return
        event.stop()
        event.prevent_default()
        if event.key in keys.AWAITED_BACK or event.character is None or not event.character.isprintable():
            self.say(awaited.refusal)
        else:
            awaited.answer(event.character)
