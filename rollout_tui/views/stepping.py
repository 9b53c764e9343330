"""From one entry of a timeline to the next of its kind, the next turn, the next call, the next failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollout_tui.views.index import TraceIndex
from rollout_tui.views.timeline import Entry
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
    return entry.ref.type


def is_failure(index: TraceIndex, entry: Entry) -> bool:
    """Whether an entry failed, was cancelled, never ended though the session did, or is an error."""
    trace, object_id = index.trace, entry.ref.id
    if entry.ref.type == "Problem":
        return True
    if entry.ref.type == "Event":
        return "warning" not in index.protocol_notes.get(int(object_id), ("",))[0]
    if entry.ref.type == "ToolCall":
        call = trace.tool_calls[object_id]
        cell = index.cell_of_call(call)
        operation = trace.terminal_operations.get(call.terminal_operation_id or "")
        exit_code = None if operation is None or operation.result is None else operation.result.exit_code
        return bool(exit_code) or _went_wrong(index, (call if cell is None else cell).execution.status)
    for objects in (trace.codex_turns, trace.inference_calls, trace.code_cells, trace.compaction_requests):
        found = objects.get(object_id)
        if found is not None:
            return _went_wrong(index, found.execution.status)
    return False


def _went_wrong(index: TraceIndex, status: str) -> bool:
    return status in _FAILED or (status == "running" and index.is_over)


def next_entry(
    nodes: Sequence[TreeNode[Entry]], start: Entry, direction: int, wanted: Callable[[Entry], bool]
) -> Entry | None:
    """The nearest wanted entry after (`direction` 1) or before (-1) the one at `start`.

    Args:
        nodes: a timeline.
        start: where to look from; where the timeline does not have it, its sequence number counts.
        direction: 1 or -1.
        wanted: says which entries count.
    """
    entries = [node.value for node in nodes]
    try:
        place = entries.index(start)
    except ValueError:
        before = sum(entry.seq <= start.seq for entry in entries)
        place = before - 1 if direction > 0 else before
    places = range(place + 1, len(entries)) if direction > 0 else range(place - 1, -1, -1)
    return next((entries[one] for one in places if wanted(entries[one])), None)
