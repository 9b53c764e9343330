"""Jumps, the way back through them, marks, and edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reducer import ObjectRef
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.following.steps import NoStep, Way
from rollout_tui.language.refused import InputRefused
from rollout_tui.screens.actions.needs import Actions, AsksForKey, Opens, Shown
from rollout_tui.screens.step_menu import StepMenu
from rollout_tui.session import Session
from rollout_tui.views.landing import GONE, gone_words, landing_at
from rollout_tui.views.places import History, Marks, PaneName, Place


class Screen(AsksForKey, Opens, Protocol):
    """What this needs of the screen."""


class Panes(Shown, Protocol):
    """What this needs of the panes."""

    @property
    def thread_id(self) -> str:
        """The agent whose timeline is shown; empty while there is none."""

    def here(self) -> Place:
        """Where the reader is."""

    def give_keys(self, name: PaneName) -> None:
        """Give a pane the keys."""

    def show_detail(self, ref: ObjectRef | None) -> None:
        """Show an object in the detail."""


class Goes(Protocol):
    """Who puts the cursors on what the reader wants to see. What is not just there is given as a sentence."""

    def go_to(self, ref: ObjectRef) -> str:
        """Show an object."""

    def go_to_seq(self, seq: int) -> str:
        """Show what happened at a sequence number."""

    def go_to_payload(self, ref: PayloadRef) -> str:
        """Show a payload at what it is evidence of."""

    def go_to_prompt(self, ref: ObjectRef) -> str:
        """Go to a call, and show what codex prepared for it."""

    def return_to(self, place: Place) -> str:
        """Show a place."""


class Jumping:
    """Leads somewhere, says so if that is not just what was asked for, and remembers what was left.

    Attributes:
        history: the places that were left by a jump.
        marks: the places that the reader put a letter on.
        journeys: how often the reader has gone to an object or a place by now.
    """

    def __init__(
        self, screen: Screen, session: Session, panes: Panes, going: Goes, past_words: Callable[[], str]
    ) -> None:
        """Begin with nothing behind.

        Args:
            screen: where it is said, and asked.
            session: the bundle, whose edges are followed.
            panes: where the reader is.
            going: shows what is jumped to.
            past_words: of which moment the view is, behind a sentence about what is not in it.
        """
        self.history = History()
        self.marks = Marks()
        self.journeys = 0
        self._screen = screen
        self._session = session
        self._panes = panes
        self._going = going
        self._past_words = past_words

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {
            "go_back": lambda: self._travel(self.history.back(self.here()), "no place to go back to"),
            "go_forward": lambda: self._travel(
                self.history.forward(self.here()), "no place to go forward to"
            ),
            "set_mark": self._ask_for_mark,
            "go_to_mark": self._ask_for_mark_to_go_to,
            "follow": self._follow,
            "follow_source": self._follow_source,
        }

    def here(self) -> Place:
        """Where the reader is."""
        return self._panes.here()

    def leave(self) -> None:
        """Remember where the reader is."""
        self.history.leave(self.here())

    def tell(self, words: str) -> None:
        """Say where a jump has led, if there is anything to say."""
        if words:
            self._screen.say(f"{words}{self._past_words() if GONE in words else ''}")

    # Jumps

    def jump(self, ref: ObjectRef, at: ObjectRef | None = None) -> bool:
        """Show an object, and remember where the reader was; say so if it is not there, or not just there.

        Args:
            ref: the object.
            at: an entry of the timeline from which it can be seen in the context, if another than its own.

        Returns:
            Whether it is there.
        """
        self.journeys += 1
        timelines = self._panes.timelines
        if timelines is None or not timelines.index.has(ref):
            self.tell(gone_words(ref))
            return False
        self.leave()
        if at is not None:
            self._going.go_to(at)
        self.tell(self._going.go_to(ref))
        return True

    def jump_to_seq(self, seq: int) -> None:
        """Go to what happened at a sequence number, and remember where the reader was; or say why not."""
        panes, timelines = self._panes, self._panes.timelines
        if timelines is None:
            return
        landing = landing_at(timelines, seq, panes.thread_id)
        if landing.is_missing:
            self._screen.say(f"{landing.words}{self._past_words()}", bad=True)
            return
        self.leave()
        self.tell(self._going.go_to_seq(seq))
        entry = panes.entry
        if entry is not None:
            panes.show_detail(entry.ref)

    def jump_to_payload(self, ref: PayloadRef) -> None:
        """Show a payload at what it is evidence of, and remember where the reader was."""
        self.leave()
        self.tell(self._going.go_to_payload(ref))

    def jump_to_prompt(self, ref: ObjectRef) -> None:
        """Show what codex prepared for a call, and remember where the reader was."""
        self.leave()
        self.tell(self._going.go_to_prompt(ref))

    def arrive(self, ref: ObjectRef | None) -> None:
        """Jump to an object, with the keys in the pane where it can be followed on from."""
        panes = self._panes
        if ref is None or not self.jump(ref):
            return
        panes.give_keys("context" if ref.type == "ConversationItem" else "timeline")
        panes.show_detail(ref)

    # The way back, and marks

    def _travel(self, place: Place | None, otherwise: str) -> None:
        if place is None or self._panes.timelines is None:
            self._screen.say(otherwise)
            return
        self.journeys += 1
        self.tell(self._going.return_to(place))

    def _ask_for_mark(self) -> None:
        """Set a mark on this place, under the letter that is typed next."""
        if self._panes.timelines is not None:
            hint = "mark this place: a letter, esc none"
            self._screen.await_key(hint, self._set_mark, refusal="no mark was set")

    def _set_mark(self, letter: str) -> None:
        try:
            self._screen.say(self.marks.set(letter, self.here()))
        except InputRefused as error:
            self._screen.say(str(error), bad=True)

    def _ask_for_mark_to_go_to(self) -> None:
        """Go to the mark under the letter that is typed next, or to the last place."""
        known = "  ".join(f"{letter} seq {place.seq}" for letter, place in self.marks.all())
        hint = f"go to mark: {known or 'none is set'}  ' last place  esc nowhere"
        self._screen.await_key(hint, self._go_to_mark, refusal="stayed here")

    def _go_to_mark(self, letter: str) -> None:
        try:
            place = self.history.last(self.here()) if letter == "'" else self.marks.get(letter)
        except InputRefused as error:
            self._screen.say(str(error), bad=True)
            return
        if place is not None:
            self.leave()
        self._travel(place, "there is no last place yet")

    # Edges

    def _follow(self) -> None:
        """To where the object under the cursor leads."""
        follower, ref = self._session.follower, self._panes.subject
        if follower is not None and ref is not None:
            self.take(follower.forward(ref))

    def _follow_source(self) -> None:
        """To where the object under the cursor came from."""
        follower, ref = self._session.follower, self._panes.subject
        if follower is not None and ref is not None:
            self.take(follower.back(ref))

    def take(self, way: Way) -> None:
        """Go there; where there are several places ask, and where there is none say why."""
        if isinstance(way, NoStep):
            self._screen.say(f"{way.sentence}{self._past_words()}")
        elif len(way) == 1:
            self.arrive(way[0].target)
        else:
            self._screen.open_above(StepMenu(way), self.arrive)
