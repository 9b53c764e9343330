"""From one entry of a timeline to the next of its kind, the next turn, the next call, the next failure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reducer import ObjectRef
from reducer.model import CodeCell, CompactionRequest, InferenceCall, Turn
from rollout_tui.views.entries import Entry
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.lookups import RESULT_EVENT
from rollout_tui.views.tool_words import tool_label
from rollout_tui.views.trees import Tree

_FAILED = frozenset({"failed", "cancelled", "aborted"})


def entry_kind(index: TraceIndex, entry: Entry) -> str:
    """The kind of an entry as its row shows it: `call`, `turn`, `exec`, `command`, and so on."""
    if entry.ref.type == "ToolCall":
        return tool_label(index, index.trace.tool_calls[entry.ref.id])
    if entry.ref.type == "CodeCell":
        return "exec"
    if entry.ref.type == "InteractionEdge":
        return f"incoming {index.trace.interaction_edges[entry.ref.id].kind}"
    if entry.ref.type == "ConversationItem":
        return "incoming message"
    if entry.ref.type == "Event" and _reports(index, entry):
        return "outgoing result"
    return _KIND_WORDS.get(entry.ref.type, entry.ref.type)


_KIND_WORDS = {"Rewrite": "rewritten history"}


def _reports(index: TraceIndex, entry: Entry) -> bool:
    """Whether an event hands the result of an agent to its parent."""
    event = index.event_at(int(entry.ref.id))
    return event is not None and event.kind == RESULT_EVENT


def is_failure(index: TraceIndex, entry: Entry) -> bool:
    """Whether an entry failed, was cancelled, never ended though the session did, or is an error."""
    trace, object_id = index.trace, entry.ref.id
    if entry.ref.type == "Problem":
        return True
    if entry.ref.type == "Event":
        event = index.event_at(int(object_id))
        return event is not None and event.kind != RESULT_EVENT and "warning" not in (event.note or "")
    if entry.ref.type == "ToolCall":
        call = trace.tool_calls[object_id]
        cell = index.cell_of_call(call)
        operation = trace.terminal_operations.get(call.terminal_operation_id or "")
        exit_code = None if operation is None or operation.result is None else operation.result.exit_code
        # A call may be aborted though the script that it ran came to its end.
        aborted = call.execution.status == "aborted"
        return bool(exit_code) or aborted or _went_wrong(index, (cell or call).execution.status)
    windows: dict[str, Mapping[str, Turn | InferenceCall | CodeCell | CompactionRequest]] = {
        "Turn": trace.codex_turns,
        "InferenceCall": trace.inference_calls,
        "CodeCell": trace.code_cells,
        "CompactionRequest": trace.compaction_requests,
    }
    found = windows.get(entry.ref.type, {}).get(object_id)
    return found is not None and _went_wrong(index, found.execution.status)


def _went_wrong(index: TraceIndex, status: str) -> bool:
    return status in _FAILED or (status == "running" and index.is_over)


class Stepping:
    """From entry to entry of one timeline.

    A step to the next entry of a kind costs what lies between, one to the next failure how many there are.
    """

    def __init__(self, index: TraceIndex, tree: Tree[Entry], failed: Collection[ObjectRef]) -> None:
        """Take a timeline.

        Args:
            index: the graph.
            tree: the timeline.
            failed: what went wrong, in this timeline or in others.
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
