"""How sure the graph of a session is: what of an object was rebuilt from other records, what none has.

What was recorded by a trace bundle is exact, so none of this is said of one.
"""

from __future__ import annotations

from typing import Any, Literal

from reducer import ObjectRef
from reducer.certainty import START, Certainty
from reducer.model import ConversationItem, InferenceCall
from rollout_tui.insight.index import TraceIndex

MARK = "~"
"""Stands before what was rebuilt."""

NOT_RECORDED = "not recorded in a session file"
"""Stands in the place of what a session does not keep."""

Figure = Literal["active_ms", "waiting_ms", "idle_ms", "span_ms", "calls", "failures"]
"""What is counted of an agent, as `--json` names it."""

_SAME_BEGINNING = 200
"""Characters by which instructions are known again: codex may leave out lines of them when it sends them."""


def certainty_of(index: TraceIndex, ref: ObjectRef) -> Certainty:
    """What of an object is not exact."""
    return index.reduction.certainty.of(ref.id)


def is_rebuilt(index: TraceIndex, ref: ObjectRef, *fields: str) -> bool:
    """Whether one of some fields of an object was rebuilt, or the object as a whole."""
    known = certainty_of(index, ref)
    return known.inferred or any(field_of(words) in fields for words in known.rebuilt)


def field_of(words: str) -> str:
    """The field that is meant where `Certainty` says what is rebuilt or not recorded."""
    return words.partition(" (")[0]


def marked(text: str, rebuilt: bool) -> str:
    """A text with the mark before it if it says something rebuilt."""
    return f"{MARK}{text}" if rebuilt and text else text


def is_item_rebuilt(index: TraceIndex, item: ConversationItem) -> bool:
    """Whether an item, or what it says, was not recorded, but is what codex adds when it sends a list."""
    return is_rebuilt(index, ObjectRef("ConversationItem", item.item_id), "item", "body")


def is_context_rebuilt(index: TraceIndex, call: InferenceCall) -> bool:
    """Whether the list of items that a call saw follows from the order of records alone."""
    ref = ObjectRef("InferenceCall", call.inference_call_id)
    return is_rebuilt(index, ref, "request_item_ids")


def is_state_rebuilt(index: TraceIndex, ref: ObjectRef) -> bool:
    """Whether how something ended was read from texts; a tool call ends as its cell or command did."""
    if is_rebuilt(index, ref, "status", "runtime_status"):
        return True
    call = index.trace.tool_calls.get(ref.id) if ref.type == "ToolCall" else None
    if call is None:
        return False
    cell = ObjectRef("CodeCell", call.started_code_cell_id or "")
    command = ObjectRef("TerminalOperation", call.terminal_operation_id or "")
    return is_rebuilt(index, cell, "runtime_status") or is_rebuilt(index, command, "result.exit_code")


def is_start_rebuilt(index: TraceIndex, ref: ObjectRef) -> bool:
    """Whether it is not recorded when something began: what was recorded last before it stands for that."""
    return START in certainty_of(index, ref).rebuilt


def is_there_rebuilt(index: TraceIndex, ref: ObjectRef) -> bool:
    """Whether that something is there, where it belongs, or what it saw follows from other records."""
    return is_rebuilt(index, ref, "request_item_ids", "requester", "edge", "item", "body")


def rebuilt_figures(index: TraceIndex, thread_id: str) -> frozenset[Figure]:
    """Which figures of an agent are rebuilt, or are counted from what is; none of a bundle.

    How long it worked and waited rests on when its calls began; how long it was there, on its end, which no
    session has; how many calls it made and how much failed, on how these were told.
    """
    if index.reduction.rebuilt_from is None or thread_id not in index.contents:
        return frozenset()
    found: set[Figure] = set()
    contents = index.contents[thread_id]
    calls = [ObjectRef("InferenceCall", one.inference_call_id) for one in contents.calls]
    tools = [ObjectRef("ToolCall", one.tool_call_id) for one in contents.tool_calls]
    if any(is_start_rebuilt(index, one) for one in (*calls, *tools)):
        found |= {"active_ms", "waiting_ms"}
    if is_rebuilt(index, ObjectRef("Thread", thread_id), "execution"):
        found |= {"idle_ms", "span_ms"}
    if any(is_rebuilt(index, one, "request_item_ids") for one in calls):
        found.add("calls")  # by the order of records alone, or because something else would have no cause
    if any(is_state_rebuilt(index, one) for one in tools) or any(
        certainty_of(index, one).inferred for one in calls
    ):
        found.add("failures")
    return frozenset(found)


def is_stretch_rebuilt(index: TraceIndex, thread_id: str, ref: ObjectRef | None) -> bool:
    """Whether how long something took, or an agent did nothing (None), rests on what is rebuilt."""
    if ref is None:
        return is_rebuilt(index, ObjectRef("Thread", thread_id), "execution")
    if ref.type == "Turn":  # what of it is left between its calls
        call_ids = index.lookups.calls_of_turn.get(ref.id, ())
        return any(is_start_rebuilt(index, ObjectRef("InferenceCall", one)) for one in call_ids)
    return is_start_rebuilt(index, ref)


def figures_data(index: TraceIndex, thread_id: str, *wanted: Figure) -> dict[str, Any]:
    """For programs which figures of an agent are rebuilt, of all or of those that are told.

    Nothing of what was recorded as a bundle.
    """
    if index.reduction.rebuilt_from is None:
        return {}
    rebuilt = [one for one in sorted(rebuilt_figures(index, thread_id)) if not wanted or one in wanted]
    return {"certainty": "rebuilt" if rebuilt else "exact", "rebuilt": rebuilt}


def stretch_data(index: TraceIndex, thread_id: str, ref: ObjectRef | None) -> dict[str, Any]:
    """The same of how long one thing took."""
    if index.reduction.rebuilt_from is None:
        return {}
    return {"certainty": "rebuilt" if is_stretch_rebuilt(index, thread_id, ref) else "exact"}


def data_of(index: TraceIndex, ref: ObjectRef) -> dict[str, Any]:
    """The certainty of an object for programs; nothing of what was recorded as a bundle."""
    if index.reduction.rebuilt_from is None:
        return {}
    return certainty_of(index, ref).values()


def instructions_apart(index: TraceIndex, call: InferenceCall) -> str | None:
    """The instructions that a call was sent beside its items, as its session has them for the whole thread.

    None where they are not known, and where they are one of its items.
    """
    said = index.reduction.instructions.get(call.thread_id)
    if said is None:
        return None
    begins = said[:_SAME_BEGINNING]
    for item in index.items(call.request_item_ids):
        if item.role not in ("developer", "system"):
            continue
        if any(getattr(part, "text", "").startswith(begins) for part in item.body.parts):
            return None
    return said
