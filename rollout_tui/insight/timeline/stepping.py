"""From one entry of a timeline to the next of its kind, the next turn, the next call, the next failure."""

from __future__ import annotations

from collections.abc import Collection

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.timeline.trees import Tree
from rollout_tui.insight.tools.words import tool_label
from rollout_tui.insight.type_names import TYPE_NAMES


def entry_kind(index: TraceIndex, entry: Entry) -> str:
    """The kind of an entry: `Turn`, `InferenceCall`; of a tool the word of its row: `exec`, `command`."""
    if entry.ref.type == "ToolCall":
        return tool_label(index, index.trace.tool_calls[entry.ref.id])
    if entry.ref.type == "CodeCell":
        return "exec"
    if entry.ref.type == "InteractionEdge":
        return f"incoming {index.trace.interaction_edges[entry.ref.id].kind}"
    if entry.ref.type == "ConversationItem":
        return "incoming message"
    if entry.ref.type == "Event" and index.is_report(int(entry.ref.id)):
        return "outgoing result"
    return TYPE_NAMES["Rewrite"].word if entry.ref.type == "Rewrite" else entry.ref.type


class Stepping:
    """From entry to entry of one timeline.

    A step to the next entry of a kind costs what lies between, one to the next failure how many there are.
    """

    def __init__(self, index: TraceIndex, tree: Tree[Entry], failed: Collection[ObjectRef]) -> None:
        """Take a timeline.

        Args:
            index: the graph.
            tree: the timeline.
            failed: the failures, in this timeline or in others.
        """
        self._index = index
        self._tree = tree
        self._failed = failed

    def next_of_kind(self, start: Entry, direction: int, kind: str) -> Entry | None:
        """The nearest entry of a kind after (`direction` 1) or before (-1) the one at `start`.

        Args:
            start: where to look from; where the timeline does not have it, its sequence number counts.
            direction: 1 or -1.
            kind: as `entry_kind` names it.
        """
        after, before = self._around(start)
        places = range(after, len(self._tree)) if direction > 0 else range(before, -1, -1)
        entries = map(self._tree.values.__getitem__, places)
        return next((entry for entry in entries if entry_kind(self._index, entry) == kind), None)

    def next_failure(self, start: Entry, direction: int) -> Entry | None:
        """The nearest failure after or before the entry at `start`; the arguments are as for kinds."""
        after, before = self._around(start)
        places = [place for place in map(self._tree.find, self._failed) if place is not None]
        if direction > 0:
            found = min((place for place in places if place >= after), default=None)
        else:
            found = max((place for place in places if place <= before), default=None)
        return None if found is None else self._tree.values[found]

    def _around(self, start: Entry) -> tuple[int, int]:
        """The places after and before an entry."""
        place = self._tree.find(start.ref)
        if place is not None:
            return place + 1, place - 1
        before = sum(entry.seq <= start.seq for entry in self._tree.values)
        return before, before - 1
