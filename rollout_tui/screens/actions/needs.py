"""What groups of actions need of the screen that has them. A group names only what it uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from textual.screen import Screen

from reducer import ObjectRef
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.screens.looking import LooksFor
from rollout_tui.screens.speaking import Actions
from rollout_tui.views.timeline import Timelines

__all__ = ["Actions", "AsksForKey", "Jumps", "JumpsAnywhere", "LooksFor", "Opens", "Says", "Shown", "Works"]

T = TypeVar("T")


class Says(Protocol):
    """Who says sentences."""

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """Say something until the next key."""


class AsksForKey(Says, Protocol):
    """Who asks for a single key."""

    def await_key(
        self, hint: str, answer: Callable[[str], None], *, refusal: str = "nothing was done"
    ) -> None:
        """Take the next key: `answer` is called with its character, or `refusal` is said."""


class Opens(Says, Protocol):
    """Who opens a screen above."""

    def open_above(self, screen: Screen[T], then: Callable[[T | None], None]) -> None:
        """Open a screen; `then` is called with its result, None if it was only closed."""


class Works(Protocol):
    """Who does slow things in a thread."""

    def in_thread(self, work: Callable[[], None], group: str) -> None:
        """Do some work, instead of what still goes on in its group. If it dies, that is said."""

    def from_thread(self, what: Callable[..., None], *arguments: Any) -> None:
        """Go on in the loop, unless the work was given up meanwhile; for the work itself."""


class Shown(Protocol):
    """What shows a graph, with the cursor somewhere in it."""

    @property
    def timelines(self) -> Timelines | None:
        """The graph that is shown; None while it is not there."""

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor of the timeline."""

    @property
    def subject(self) -> ObjectRef | None:
        """The object that a key is about."""


class Jumps(Protocol):
    """Who leads to an object, and remembers where the reader was."""

    def jump(self, ref: ObjectRef, at: ObjectRef | None = None) -> bool:
        """Show an object, seen from an entry; say whether it is there. If not, the reader was told so."""

    def arrive(self, ref: ObjectRef | None) -> None:
        """Jump to an object, with the keys in the pane where it can be followed on from."""

    def tell(self, words: str) -> None:
        """Say where a jump has led, if there is anything to say."""


class JumpsAnywhere(Jumps, Protocol):
    """Who leads to events and payloads, too."""

    def jump_to_seq(self, seq: int) -> None:
        """Go to what happened at a sequence number, or say why not."""

    def jump_to_payload(self, ref: PayloadRef) -> None:
        """Show a payload at what it is evidence of."""

    def jump_to_prompt(self, ref: ObjectRef) -> None:
        """Show what codex prepared for a call, if that was recorded."""
