"""Entries of timelines: what happened in each agent, in order; one entry is what the cursor stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from sys import intern
from typing import Literal, NamedTuple

from reducer import EventRecord, ObjectRef
from reducer.model import CompactionProducer, ConversationItem
from reducer.model.objects import RefType
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.lookups import RESULT_EVENT

EntryType = Literal[
    "InteractionEdge",
    "ConversationItem",
    "Turn",
    "Rewrite",
    "InferenceCall",
    "ToolCall",
    "CodeCell",
    "CompactionRequest",
    "Compaction",
    "Event",
    "Problem",
]
"""What an entry stands for, in the order of entries with one sequence number: what a request was the first to
show shares the number of its call, and stands before it."""

SHOWN_PROTOCOL_EVENTS = frozenset({"error", "warning", "turn_aborted", "thread_rolled_back", "stream_error"})
"""Protocol events that matter to a reader; all others repeat what the graph says."""

_TURNS_AT_HAND = 256
"""Turns whose entries share what they say of them: those that go on at one time are fewer."""


class Entry(NamedTuple):
    """One entry of the timeline: an object of the graph, and where it stands in the log.

    `ref` names the object. Three types are not of the graph: `Event` by sequence number (a protocol event, or
    an agent's report of its result), `Problem` by the id of a problem, and `Rewrite` by the id
    of the inference call whose request was rewritten. An edge stands in the thread it leads to; a
    `ConversationItem` is a message of another agent that no edge of the graph accounts for.
    """

    seq: int
    ref: ObjectRef
    thread_id: str
    turn_id: str | None
    parent: ObjectRef | None = None


def entry_of(index: TraceIndex, ref: ObjectRef) -> Entry | None:
    """The entry of an object of a type `WITH_ENTRIES`; None for a cell that a tool call stands for."""
    return _MAKERS[ref.type](index, ref.id)


def _turn(index: TraceIndex, turn_id: str) -> Entry:
    turn = index.trace.codex_turns[turn_id]
    return Entry(turn.execution.started_seq, ObjectRef("Turn", turn_id), turn.thread_id, None)


def _call(index: TraceIndex, call_id: str) -> Entry:
    call = index.trace.inference_calls[call_id]
    ref = ObjectRef("InferenceCall", call_id)
    return _in_turn(call.execution.started_seq, ref, call.thread_id, call.codex_turn_id)


def rewrite_entry(index: TraceIndex, call_id: str) -> Entry:
    """The entry of a rewritten history: right before that of the call that was asked so."""
    return _call(index, call_id)._replace(ref=ObjectRef("Rewrite", call_id))


def _tool_call(index: TraceIndex, call_id: str) -> Entry:
    call = index.trace.tool_calls[call_id]
    ref = ObjectRef("ToolCall", call_id)
    entry = _in_turn(call.execution.started_seq, ref, call.thread_id, call.started_by_codex_turn_id)
    cell = index.cell_around(call)
    return entry if cell is None else entry._replace(parent=index.entry_of_cell(cell))


def _cell(index: TraceIndex, cell_id: str) -> Entry | None:
    """Only a cell that no tool call started stands for itself."""
    cell, ref = index.trace.code_cells[cell_id], ObjectRef("CodeCell", cell_id)
    if index.entry_of_cell(cell) != ref:
        return None
    return _in_turn(cell.execution.started_seq, ref, cell.thread_id, cell.codex_turn_id)


def _request(index: TraceIndex, request_id: str) -> Entry:
    request = index.trace.compaction_requests[request_id]
    ref = ObjectRef("CompactionRequest", request_id)
    return _in_turn(request.execution.started_seq, ref, request.thread_id, request.codex_turn_id)


def _compaction(index: TraceIndex, compaction_id: str) -> Entry:
    compaction, ref = index.trace.compactions[compaction_id], ObjectRef("Compaction", compaction_id)
    return _in_turn(index.first_seq(ref) or 0, ref, compaction.thread_id, compaction.codex_turn_id)


_MAKERS: dict[RefType, Callable[[TraceIndex, str], Entry | None]] = {
    "Turn": _turn,
    "InferenceCall": _call,
    "ToolCall": _tool_call,
    "CodeCell": _cell,
    "CompactionRequest": _request,
    "Compaction": _compaction,
}

WITH_ENTRIES: frozenset[RefType] = frozenset(_MAKERS)
"""Types of objects that stand in the timeline of their own accord."""


def incoming_entries(index: TraceIndex, thread_id: str) -> Iterator[Entry]:
    """Tasks, messages and results that reached a thread, and its closing."""
    for edge in index.edges_into(thread_id):
        item = index.target_item(edge)
        ref = ObjectRef("InteractionEdge", edge.edge_id)
        seq = index.first_seq(ref if item is None else ObjectRef("ConversationItem", item.item_id))
        if seq is None:
            # A task that no item delivered leads to the thread itself; it stands where the thread begins.
            seq = index.trace.threads[thread_id].execution.started_seq
        turn_id = None if item is None else item.codex_turn_id
        yield _in_turn(seq, ref, thread_id, turn_id)


def message_entry(index: TraceIndex, item: ConversationItem) -> Entry | None:
    """The entry of a message between agents of which no edge tells, as when it was sent before a resume.

    None for any other item.
    """
    thread = index.trace.threads.get(item.thread_id)
    message, ref = item.agent_message, ObjectRef("ConversationItem", item.item_id)
    if message is None or thread is None or message.recipient != thread.agent_path:
        return None
    seq = index.first_seq(ref)
    if seq is None or item.item_id in index.edge_to or _was_put_back(item):
        return None
    return _in_turn(seq, ref, item.thread_id, item.codex_turn_id)


def is_shown(event: EventRecord) -> bool:
    """Whether an event has an entry of its own: some protocol events, and reported results."""
    protocol = event.kind == "protocol_event_observed" and event.note in SHOWN_PROTOCOL_EVENTS
    return protocol or event.kind == RESULT_EVENT


def event_entry(index: TraceIndex, event: EventRecord) -> Entry:
    """The entry of an event, in the agent that the log names.

    A protocol event may name a turn instead. Where neither is known, it stands in the root.
    """
    turn_id = event.codex_turn_id or index.protocol_turns.get(event.seq)
    turn = index.trace.codex_turns.get(turn_id or "")
    thread_id = _known(index, event.thread_id or (None if turn is None else turn.thread_id))
    return _in_turn(event.seq, ObjectRef("Event", str(event.seq)), thread_id, turn_id)


def problem_entry(index: TraceIndex, place: int) -> Entry | None:
    """The entry of a problem, by its place in the list; None if it is not that of an event."""
    problem = index.reduction.problems[place]
    if problem.seq is None:
        return None
    return Entry(problem.seq, index.problem_ref(place), _known(index, problem.thread_id), turn_id=None)


def _known(index: TraceIndex, thread_id: str | None) -> str:
    """A thread that has a timeline: the one named, or the root, or else the first."""
    trace = index.trace
    named = (thread_id, trace.root_thread_id)
    found = next((one for one in named if one is not None and one in trace.threads), None)
    if found is None and index.threads:
        return index.threads[0].thread_id
    return found or trace.root_thread_id


def _in_turn(seq: int, ref: ObjectRef, thread_id: str, turn_id: str | None) -> Entry:
    if turn_id is None:
        return Entry(seq, ref, intern(thread_id), None)
    turn = _turn_ref(turn_id)
    return Entry(seq, ref, intern(thread_id), turn.id, turn)


@lru_cache(maxsize=_TURNS_AT_HAND)
def _turn_ref(turn_id: str) -> ObjectRef:
    """The turn that entries stand under: one for all of them, for there are very many."""
    return ObjectRef("Turn", turn_id)


def _was_put_back(item: ConversationItem) -> bool:
    return any(isinstance(producer, CompactionProducer) for producer in item.produced_by)
