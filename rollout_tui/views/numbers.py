"""What a number after a command means: the third call of an agent, an item, a line of the log."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui.views.commands import GoToNumber
from rollout_tui.views.index import TraceIndex


def numbered(index: TraceIndex, thread_id: str, wanted: GoToNumber) -> ObjectRef | int | None:
    """The object that a number means, or a sequence number to go to; None where there is no such thing.

    Args:
        index: the graph.
        thread_id: the agent whose calls and turns are counted.
        wanted: what is counted, and which one.
    """
    number, contents = wanted.number, index.contents.get(thread_id)
    if wanted.what == "item":
        item_id = f"conversation_item:{number}"
        known = item_id in index.trace.conversation_items
        return ObjectRef("ConversationItem", item_id) if known else None
    if wanted.what == "call":
        calls = [] if contents is None else contents.calls
        known = 0 < number <= len(calls)
        return ObjectRef("InferenceCall", calls[number - 1].inference_call_id) if known else None
    if wanted.what == "turn":
        turns = [] if contents is None else contents.turns
        return ObjectRef("Turn", turns[number - 1].codex_turn_id) if 0 < number <= len(turns) else None
    seq = _seq(index, wanted)
    payload_id = f"raw_payload:{number}"
    if seq is None and wanted.what == "payload" and payload_id in index.trace.raw_payloads:
        return ObjectRef("Payload", payload_id)  # no event names it by itself: it is a part of others
    return seq


def _seq(index: TraceIndex, wanted: GoToNumber) -> int | None:
    """The sequence number of the event with this number, on this line, or with this payload."""
    events, number = index.reduction.provenance.events, wanted.number
    if wanted.what == "seq":
        found = (event.seq for event in events if event.seq == number)
    elif wanted.what == "line":
        found = (event.seq for event in events if event.line == number)
    else:
        payload_id = f"raw_payload:{number}"
        found = (event.seq for event in events for ref in event.payloads if ref.raw_payload_id == payload_id)
    return next(found, None)
