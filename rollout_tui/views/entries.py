"""Entries of timelines: what happened in each agent, in order; one entry is what the cursor stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from reducer import ObjectRef
from reducer.model import CodeCellRequester, CompactionProducer, ConversationItem, ToolCall
from rollout_tui.views.compaction.rewrites import Rewrite, rewrites_of
from rollout_tui.views.contexts.visibility import Sightings
from rollout_tui.views.edges.agent_links import AgentLinks
from rollout_tui.views.index import TraceIndex

EntryType = Literal[
    "Turn",
    "InferenceCall",
    "ToolCall",
    "CodeCell",
    "InteractionEdge",
    "ConversationItem",
    "CompactionRequest",
    "Compaction",
    "Rewrite",
    "Event",
    "Problem",
]

SHOWN_PROTOCOL_EVENTS = frozenset({"error", "warning", "turn_aborted", "thread_rolled_back", "stream_error"})
"""Protocol events that matter to a reader; all others repeat what the graph says."""

RESULT_EVENT = "agent_result_observed"
"""The event by which an agent hands its result to its parent: the near end of that edge."""


class Entry(NamedTuple):
    """One entry of the timeline: an object of the graph, and where it stands in the log.

    `ref` names the object. Three types are not of the graph: `Event` by sequence number (a protocol event, or
    an agent's report of its result), `Problem` by its place in the list of problems, and `Rewrite` by the id
    of the inference call whose request was rewritten. An edge stands in the thread it leads to; a
    `ConversationItem` is a message of another agent that no edge of the graph accounts for.
    """

    seq: int
    ref: ObjectRef
    thread_id: str
    turn_id: str | None
    parent: ObjectRef | None = None


class Entries:
    """The entries of every agent of a graph.

    Attributes:
        index: the graph.
        links: what went between its agents.
        rewrites: the requests that rewrote a history, by the id of the call that was asked so.
        by_thread: the entries of each agent in order of the log, by thread id.
    """

    def __init__(self, index: TraceIndex, links: AgentLinks | None = None) -> None:
        """Find the entries.

        Args:
            index: the graph.
            links: what went between its agents, if that is known already.
        """
        self.index = index
        self.links = AgentLinks(Sightings(index)) if links is None else links
        self.rewrites: dict[str, Rewrite] = {}
        for thread in index.threads:
            found = rewrites_of(index, thread.thread_id)
            self.rewrites.update((one.after.inference_call_id, one) for one in found)
        by_thread: dict[str, list[Entry]] = {
            thread.thread_id: list(self._entries_of(thread.thread_id)) for thread in index.threads
        }
        for entry in self._session_entries():
            if entry.thread_id in by_thread:
                by_thread[entry.thread_id].append(entry)
        self.by_thread = {thread_id: sorted(entries, key=seq_of) for thread_id, entries in by_thread.items()}

    def _entries_of(self, thread_id: str) -> Iterator[Entry]:
        index = self.index
        contents = index.contents[thread_id]
        # What a request was the first to show shares the number of its call, and stands before it.
        yield from _incoming(index, thread_id)
        yield from self._incoming_without_edge(thread_id)
        for turn in contents.turns:
            yield Entry(turn.execution.started_seq, ObjectRef("Turn", turn.codex_turn_id), thread_id, None)
        for call in contents.calls:
            seq, call_id = call.execution.started_seq, call.inference_call_id
            if call_id in self.rewrites:
                yield _in_turn(seq, ObjectRef("Rewrite", call_id), thread_id, call.codex_turn_id)
            yield _in_turn(seq, ObjectRef("InferenceCall", call_id), thread_id, call.codex_turn_id)
        started_by_call = {call.started_code_cell_id for call in contents.tool_calls}
        for tool_call in contents.tool_calls:
            yield _tool_entry(index, tool_call)
        for cell in contents.cells:
            if cell.code_cell_id not in started_by_call:
                ref = ObjectRef("CodeCell", cell.code_cell_id)
                yield _in_turn(cell.execution.started_seq, ref, thread_id, cell.codex_turn_id)
        yield from _compactions(index, thread_id)

    def _incoming_without_edge(self, thread_id: str) -> Iterator[Entry]:
        """Messages of agents whose edge is not in the bundle, as when it was sent in an earlier process."""
        thread = self.index.trace.threads[thread_id]
        for item in self.index.items(thread.conversation_item_ids):
            message, ref = item.agent_message, ObjectRef("ConversationItem", item.item_id)
            if message is None or message.recipient != thread.agent_path:
                continue
            seq = self.index.first_seq(ref)
            if seq is not None and item.item_id not in self.links.edge_to and not _was_put_back(item):
                yield _in_turn(seq, ref, thread_id, item.codex_turn_id)

    def _session_entries(self) -> Iterator[Entry]:
        """Protocol events, reported results and problems, in the agent that the log names.

        A protocol event may name a turn instead. Where neither is known, they stand in the root.
        """
        for event in self.index.reduction.provenance.events:
            shown = event.kind == "protocol_event_observed" and event.note in SHOWN_PROTOCOL_EVENTS
            if shown or event.kind == RESULT_EVENT:
                turn_id = event.codex_turn_id or self.index.protocol_turns.get(event.seq)
                turn = self.index.trace.codex_turns.get(turn_id or "")
                thread_id = self._known(event.thread_id or (None if turn is None else turn.thread_id))
                yield _in_turn(event.seq, ObjectRef("Event", str(event.seq)), thread_id, turn_id)
        for place, problem in enumerate(self.index.reduction.problems):
            if problem.seq is not None:
                thread_id = self._known(problem.thread_id)
                yield Entry(problem.seq, ObjectRef("Problem", str(place)), thread_id, None)

    def _known(self, thread_id: str | None) -> str:
        """A thread that has a timeline: the one named, or the root, or else the first."""
        trace = self.index.trace
        named = (thread_id, trace.root_thread_id)
        found = next((one for one in named if one is not None and one in trace.threads), None)
        if found is None and self.index.threads:
            return self.index.threads[0].thread_id
        return found or trace.root_thread_id


def seq_of(entry: Entry) -> int:
    """Where an entry stands in the log."""
    return entry.seq


def _in_turn(seq: int, ref: ObjectRef, thread_id: str, turn_id: str | None) -> Entry:
    return Entry(seq, ref, thread_id, turn_id, None if turn_id is None else ObjectRef("Turn", turn_id))


def _was_put_back(item: ConversationItem) -> bool:
    return any(isinstance(producer, CompactionProducer) for producer in item.produced_by)


def _tool_entry(index: TraceIndex, call: ToolCall) -> Entry:
    entry = _in_turn(
        call.execution.started_seq,
        ObjectRef("ToolCall", call.tool_call_id),
        call.thread_id,
        call.started_by_codex_turn_id,
    )
    if isinstance(call.requester, CodeCellRequester):
        cell = index.cell_around(call)
        if cell is not None:
            return entry._replace(parent=index.entry_of_cell(cell))
    return entry


def _incoming(index: TraceIndex, thread_id: str) -> Iterator[Entry]:
    """Tasks, messages and results that reached the thread, and its closing."""
    for edge in index.edges_into(thread_id):
        item = index.target_item(edge)
        made = ("InteractionEdge", edge.edge_id) if item is None else ("ConversationItem", item.item_id)
        seq = index.first_seq(ObjectRef(*made))
        if seq is None:
            # A task that no item delivered leads to the thread itself; it stands where the thread begins.
            seq = index.trace.threads[thread_id].execution.started_seq
        turn_id = None if item is None else item.codex_turn_id
        yield _in_turn(seq, ObjectRef("InteractionEdge", edge.edge_id), thread_id, turn_id)


def _compactions(index: TraceIndex, thread_id: str) -> Iterator[Entry]:
    for request in index.requests_of(thread_id):
        ref = ObjectRef("CompactionRequest", request.compaction_request_id)
        yield _in_turn(request.execution.started_seq, ref, thread_id, request.codex_turn_id)
    for compaction in index.compactions_of(thread_id):
        ref = ObjectRef("Compaction", compaction.compaction_id)
        yield _in_turn(index.first_seq(ref) or 0, ref, thread_id, compaction.codex_turn_id)
