"""From one entry of a timeline to the next of its kind, the next turn, the next call, the next failure."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from reducer.model import CodeCell, CompactionRequest, InferenceCall, Turn
from rollout_tui.views.entries import RESULT_EVENT, Entry
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.tool_words import tool_label
from rollout_tui.views.tree_rows import TreeNode

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
        return bool(exit_code) or _went_wrong(index, (call if cell is None else cell).execution.status)
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
    """Where in one timeline the entries of each kind stand, and the failures; made once for it.

    A step then costs the same in a timeline of ten entries and in one of a hundred thousand.
    """

    def __init__(self, index: TraceIndex, nodes: Sequence[TreeNode[Entry]]) -> None:
        """Look at every entry of a timeline."""
        self._entries = [node.value for node in nodes]
        self._place_of = {entry.ref: place for place, entry in enumerate(self._entries)}
        self._seqs = sorted(entry.seq for entry in self._entries)
        self._failures = array("Q")
        self._of_kind: dict[str, array[int]] = {}
        for place, entry in enumerate(self._entries):
            self._of_kind.setdefault(entry_kind(index, entry), array("Q")).append(place)
            if is_failure(index, entry):
                self._failures.append(place)

    def next_of_kind(self, start: Entry, direction: int, kind: str) -> Entry | None:
        """The nearest entry of a kind after (`direction` 1) or before (-1) the one at `start`.

        Args:
            start: where to look from; where the timeline does not have it, its sequence number counts.
            direction: 1 or -1.
            kind: as `entry_kind` names it.
        """
        return self._next(start, direction, self._of_kind.get(kind, ()))

    def next_failure(self, start: Entry, direction: int) -> Entry | None:
        """The nearest failure after or before the entry at `start`; the arguments are as for kinds."""
        return self._next(start, direction, self._failures)

    def _next(self, start: Entry, direction: int, places: Sequence[int]) -> Entry | None:
        here = self._place_of.get(start.ref)
        if here is None:
            before = bisect_right(self._seqs, start.seq)
            here = before - 1 if direction > 0 else before
        at = bisect_right(places, here) if direction > 0 else bisect_left(places, here) - 1
        return self._entries[places[at]] if 0 <= at < len(places) else None
