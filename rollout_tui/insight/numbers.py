"""What a number after a command means: the third call of an agent, an item, a line of the log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex

if TYPE_CHECKING:
    from rollout_tui.language.commands import GoToNumber


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
    if wanted.what == "payload":
        payload_id = f"raw_payload:{number}"
        return ObjectRef("Payload", payload_id) if payload_id in index.trace.raw_payloads else None
    return _seq(index, thread_id, wanted)


def seq_from_line(index: TraceIndex, line: int) -> int:
    """The sequence number of what stands in a line of the log, or of the file that was named, or after it.

    One that no event has yet, if the log does not go so far.
    """
    named = _plain(index.reduction.recording.path.name)
    events = index.reduction.provenance.events
    found = (
        event.seq
        for event in events
        if event.line >= line and (not event.file or _plain(os.path.basename(event.file)) == named)
    )
    return next(found, index.last_seq + 1)


def _plain(file: str) -> str:
    """The name of a file that codex may compress, or unpack again."""
    return file.removesuffix(".zst")


def _seq(index: TraceIndex, thread_id: str, wanted: GoToNumber) -> int | None:
    """The sequence number of the event with this number, or on this line; of many files that of the agent."""
    events, number = index.reduction.provenance.events, wanted.number
    if wanted.what == "seq":
        found = (event.seq for event in events if event.seq == number)
    else:
        lines = (event for event in events if event.line == number)
        found = (one.seq for one in lines if not one.file or one.thread_id == thread_id)
    seq = next(found, None)
    return seq if seq is not None and index.has_happened(seq) else None
