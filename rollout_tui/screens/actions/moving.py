"""Moving among the panes, and along the timeline by kinds of entries."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from reducer import ObjectRef
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.timeline.stepping import Stepping, entry_kind
from rollout_tui.panes.cursor import Cursor
from rollout_tui.panes.timeline import TimelinePane
from rollout_tui.screens.actions.needs import Actions, Says, Shown
from rollout_tui.views.places import PANES, PaneName

_DIRECTIONS = {"next": 1, "previous": -1}
"""By the first word of the name of an action."""


class Panes(Shown, Protocol):
    """What this needs of the panes."""

    @property
    def cursor(self) -> Cursor:
        """Which pane has the keys."""

    @property
    def timeline(self) -> TimelinePane:
        """Shows one agent, or all."""

    def go_to_pane(self, name: PaneName) -> None:
        """Give a pane the keys; in the timeline they go to its entry, which is shown again."""

    def give_keys(self, name: PaneName) -> None:
        """Give a pane the keys."""

    def zoom(self) -> None:
        """Give the whole screen to the active pane, or all panes their places again."""

    def point_at_thread(self, thread_id: str) -> None:
        """Put the cursor of the agents on one of them."""


class Goes(Protocol):
    """Who puts the cursor on an object."""

    def go_to(self, ref: ObjectRef) -> str:
        """Show an object; what is not just there is given as a sentence."""


class Remembers(Protocol):
    """Who remembers where the reader was, and says where they are."""

    def leave(self) -> None:
        """Remember where the reader is."""

    def tell(self, words: str) -> None:
        """Say where a jump has led, if there is anything to say."""


class Moving:
    """Moves the cursor, and the keys."""

    def __init__(self, screen: Says, panes: Panes, going: Goes, jumping: Remembers) -> None:
        self._screen = screen
        self._panes = panes
        self._going = going
        self._jumping = jumping

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        actions: Actions = {f"pane_{name}": partial(self._panes.go_to_pane, name) for name in PANES}
        actions |= {"zoom": self._panes.zoom, "all_agents": self._turn_all_agents}
        for word, direction in _DIRECTIONS.items():
            actions |= {
                f"{word}_pane": partial(self._turn_pane, direction),
                f"{word}_same": partial(self._step_same, direction),
                f"{word}_turn": partial(self._step_kind, direction, "Turn", "turn"),
                f"{word}_call": partial(self._step_kind, direction, "InferenceCall", "call"),
                f"{word}_failure": partial(self._step_failure, direction),
            }
        return actions

    def _turn_pane(self, direction: int) -> None:
        """Give the keys to the next pane, or the one before."""
        self._panes.give_keys(self._panes.cursor.next_pane(direction))

    def _turn_all_agents(self) -> None:
        """Show all agents interleaved, or the one under the cursor."""
        timelines, timeline = self._panes.timelines, self._panes.timeline
        entry, thread_id = timeline.entry, timeline.thread_id
        if timelines is None or thread_id is None:
            return
        if timeline.shows_all and entry is not None:
            thread_id = entry.thread_id
        timeline.show(timelines, thread_id, shows_all=not timeline.shows_all)
        if entry is not None:
            timeline.go_to(entry.ref)
        self._panes.point_at_thread(thread_id)

    def _step(
        self,
        direction: int,
        next_one: Callable[[Stepping, Entry], Entry | None],
        what: str,
        *,
        any_agent: bool = False,
    ) -> None:
        """Put the cursor on the nearest wanted entry, or say that there is none."""
        timelines, entry = self._panes.timelines, self._panes.entry
        if timelines is None or entry is None:
            return
        everywhere = any_agent or self._panes.timeline.shows_all
        found = next_one(timelines.stepping(None if everywhere else entry.thread_id), entry)
        if found is None:
            self._screen.say(f"no {what} {'after' if direction > 0 else 'before'} this")
            return
        if any_agent:
            self._jumping.leave()
        self._jumping.tell(self._going.go_to(found.ref))

    def _step_kind(self, direction: int, kind: str, what: str) -> None:
        self._step(direction, lambda steps, entry: steps.next_of_kind(entry, direction, kind), what)

    def _step_same(self, direction: int) -> None:
        timelines, entry = self._panes.timelines, self._panes.entry
        if timelines is not None and entry is not None:
            kind = entry_kind(timelines.index, entry)
            self._step_kind(direction, kind, kind)

    def _step_failure(self, direction: int) -> None:
        self._step(
            direction, lambda steps, entry: steps.next_failure(entry, direction), "failure", any_agent=True
        )
