"""Sentences in the last line of a screen, and a single key that is asked for there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual import events

from rollout_tui import keys
from rollout_tui.lines.spans import Span, span
from rollout_tui.widgets.bars import Bar


class _Awaited(NamedTuple):
    """What the next key will decide."""

    answer: Callable[[str], None]
    refusal: str


class Speech:
    """Says a sentence until the next key, and may take that key for itself.

    At other times the line shows the keys that hold; while something is said or asked, it does not. A long
    sentence makes the line several.

    Attributes:
        is_saying: whether something is said.
    """

    def __init__(self, line: Callable[[], Bar], key_spans: Callable[[], list[Span]]) -> None:
        """Say nothing yet.

        Args:
            line: gives the line for sentences.
            key_spans: gives what the line shows while nothing is said.
        """
        self.is_saying = False
        self._line = line
        self._key_spans = key_spans
        self._awaited: _Awaited | None = None

    def show_keys(self) -> None:
        """Show the keys, unless something is said."""
        if not self.is_saying:
            self._line().show(self._key_spans())

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """Say something until the next key."""
        self.is_saying = True
        self._line().show([span(f" {sentence}", "bad" if bad else "strong")], is_sentence=True)

    def say_nothing(self) -> None:
        """Show the keys again."""
        if self.is_saying:
            self.is_saying = False
            self.show_keys()

    def await_key(self, hint: str, answer: Callable[[str], None], refusal: str) -> None:
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

    def take(self, event: events.Key) -> None:
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
