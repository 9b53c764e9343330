"""A graph that grows, as views of it: each costs what is new since the one before, not what there is."""

from __future__ import annotations

from collections.abc import Sequence

from reducer import EventRecord, ObjectRef, Reduction
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.following.follower import Follower
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.lookups import Lookups, all_refs
from rollout_tui.insight.timeline.of_agents import TimelineEntries
from rollout_tui.insight.timeline.turn_starts import TurnStart
from rollout_tui.views.timeline import Timelines


class ViewMaker:
    """What the views of one bundle have in common.

    Attributes:
        protocol_notes: as in `TraceIndex`.
        protocol_turns: as in `TraceIndex`.
        turn_starts: as in `TraceIndex`.
    """

    def __init__(self) -> None:
        self._lookups, self._entries = Lookups(), TimelineEntries()
        self.protocol_notes: dict[int, tuple[str, str]] = {}
        self.protocol_turns: dict[int, str] = {}
        self.turn_starts: dict[str, TurnStart] = {}

    def view(
        self, reduction: Reduction, changed: Sequence[ObjectRef], events: Sequence[EventRecord]
    ) -> tuple[Timelines, Follower]:
        """A graph, ready to be shown.

        Args:
            reduction: the graph as it is now.
            changed: what was made or changed in it since the last view, in order.
            events: the events that were applied since.
        """
        if not self._lookups.grow(reduction, changed, events):
            self._lookups, self._entries = Lookups.of(reduction), TimelineEntries()
            changed, events = all_refs(reduction.trace), reduction.provenance.events
        index = TraceIndex(reduction, self._lookups)
        there = [ref for ref in changed if index.has(ref)]  # what came and went in between is not
        index.protocol_notes, index.protocol_turns = self.protocol_notes, self.protocol_turns
        index.turn_starts = self.turn_starts
        follower = Follower(Sightings(index))
        return Timelines(follower.links, self._entries.grow(follower.links, there, events)), follower
