"""Which entries the timelines have: what is asked anew when a graph has grown, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reducer import EventRecord, ObjectRef
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.compaction.rewrites import Rewrite, rewrite_at
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timeline.entries import (
    WITH_ENTRIES,
    Entry,
    entry_of,
    event_entry,
    incoming_entries,
    is_shown,
    message_entry,
    problem_entry,
    rewrite_entry,
)
from rollout_tui.insight.timeline.entry_trees import EntryTrees
from rollout_tui.insight.timeline.trees import Tree


class TimelineTrees(NamedTuple):
    """The timelines of a graph as it was at one time.

    Attributes:
        trees: the timelines by agent; that of None has all agents, interleaved, without turns.
        rewrites: the requests that rewrote a history, by the id of the call that was asked so.
        failed: the entries that failed, by what they stand for.
    """

    trees: Mapping[str | None, Tree[Entry]]
    rewrites: Mapping[str, Rewrite]
    failed: Mapping[ObjectRef, Entry]


class TimelineEntries:
    """The entries of a graph that grows."""

    def __init__(self) -> None:
        self._trees = EntryTrees()
        self._rewrites: dict[str, Rewrite] = {}
        self._failed: dict[ObjectRef, Entry] = {}
        self._wanted: dict[ObjectRef, Entry | None] = {}
        self._edges: set[ObjectRef] = set()
        self._messages: dict[str, None] = {}
        self._events: list[EventRecord] = []
        self._problems, self._agents = 0, 0
        self._cells: dict[str, ObjectRef] = {}
        self._started_by: dict[str, str] = {}
        self._was_over = False

    def grow(
        self, links: AgentLinks, changed: Iterable[ObjectRef], events: Iterable[EventRecord]
    ) -> TimelineTrees:
        """Take in what became of the graph.

        Args:
            links: the graph as it is now, with what went between its agents.
            changed: what was made or changed in it since the last time.
            events: the events that were applied since.
        """
        index = links.index
        for ref in changed:
            if ref.type in WITH_ENTRIES:
                self._want(index, ref)
            self._want_dependent(index, ref)
        self._want_edges(index)
        self._want_messages(links)
        self._want_events(index, events)
        self._want_problems(index)
        self._trees.settle(self._wanted)
        trees = self._trees.trees()
        self._judge(index, trees[None])
        self._wanted = {}
        return TimelineTrees(trees, dict(self._rewrites), dict(self._failed))

    def _want(self, index: TraceIndex, *refs: ObjectRef) -> None:
        self._wanted.update((ref, entry_of(index, ref)) for ref in refs if ref not in self._wanted)

    def _want_dependent(self, index: TraceIndex, ref: ObjectRef) -> None:
        """Ask anew for what may be another entry, or come to another end, because an object changed."""
        trace = index.trace
        if ref.type == "InferenceCall":
            call = trace.inference_calls[ref.id]
            self._want_rewrites(index, call.thread_id, index.place_of_call(call))
            if call.codex_turn_id in trace.codex_turns:
                self._want(index, ObjectRef("Turn", call.codex_turn_id))  # it may fail as its last call does
        elif ref.type == "Compaction":
            thread_id = trace.compactions[ref.id].thread_id
            before = index.call_at(thread_id, index.first_seq(ref) or 0)
            self._want_rewrites(index, thread_id, 0 if before is None else index.place_of_call(before))
        elif ref.type == "TerminalOperation":
            self._want_operation(index, ref.id)
        elif ref.type == "ToolCall":
            # A call that turns out to be something else has not started the cell that it seemed to start.
            for cell_id in {trace.tool_calls[ref.id].started_code_cell_id, self._started_by.get(ref.id)}:
                if cell_id is not None:
                    self._want_cell(index, cell_id)
        elif ref.type == "CodeCell":
            self._want_cell(index, ref.id)
        elif ref.type == "ConversationItem" and trace.conversation_items[ref.id].agent_message is not None:
            self._messages[ref.id] = None

    def _want_operation(self, index: TraceIndex, operation_id: str) -> None:
        """Ask for the call of an operation; of the one that began a terminal, for all that wrote to it.

        They may be the only ones to tell how its process ended.
        """
        operations = index.trace.terminal_operations
        session = index.trace.terminal_sessions.get(operations[operation_id].terminal_id or "")
        began = session is not None and session.created_by_operation_id == operation_id
        asked = session.operation_ids if session is not None and began else [operation_id]
        self._want(index, *(ObjectRef("ToolCall", operations[one].tool_call_id) for one in asked))

    def _want_rewrites(self, index: TraceIndex, thread_id: str, place: int) -> None:
        """Ask whether the call at a place of a thread rewrites the history, and the one after it."""
        for at, call in enumerate(index.contents[thread_id].calls[place : place + 2], place):
            call_id = call.inference_call_id
            rewrite = rewrite_at(index, thread_id, at)
            if rewrite is not None:
                self._rewrites[call_id] = rewrite
                self._wanted[ObjectRef("Rewrite", call_id)] = rewrite_entry(index, call_id)
            elif self._rewrites.pop(call_id, None) is not None:
                self._wanted[ObjectRef("Rewrite", call_id)] = None

    def _want_cell(self, index: TraceIndex, cell_id: str) -> None:
        """Ask for what stands for a cell, and for what the cell ran if that is to stand elsewhere now."""
        cell = index.trace.code_cells[cell_id]
        stands_for_it = index.entry_of_cell(cell)
        self._want(index, ObjectRef("CodeCell", cell_id), stands_for_it)
        if self._cells.get(cell_id) != stands_for_it:
            self._cells[cell_id] = stands_for_it
            self._started_by[stands_for_it.id] = cell_id
            self._want(index, *(ObjectRef("ToolCall", call_id) for call_id in cell.nested_tool_call_ids))

    def _want_edges(self, index: TraceIndex) -> None:
        """Edges are few; those of what is undelivered come and go."""
        threads = (thread.thread_id for thread in index.threads)
        found = {entry.ref: entry for one in threads for entry in incoming_entries(index, one)}
        self._wanted.update(dict.fromkeys(self._edges.difference(found)))
        self._wanted.update(found)
        self._edges = set(found)

    def _want_messages(self, links: AgentLinks) -> None:
        """A message between agents is an entry as long as no edge accounts for it."""
        items = links.index.trace.conversation_items
        for item_id in self._messages:
            self._wanted[ObjectRef("ConversationItem", item_id)] = message_entry(links.index, items[item_id])

    def _want_events(self, index: TraceIndex, events: Iterable[EventRecord]) -> None:
        """Shown events are few; in whose timeline they stand may become clear later.

        Of a schema that is not known all are shown, and what they mean will not become clear.
        """
        if index.is_schema_known:
            self._events += filter(is_shown, events)
            reports = index.lookups.reports.rebuilt.copy().values()
            happened = [one for one in reports if index.has_happened(one.seq)]
            events = [*reversed(self._events), *happened]
        for event in events:
            entry = event_entry(index, event)
            self._wanted[entry.ref] = entry

    def _want_problems(self, index: TraceIndex) -> None:
        """Ask for the new ones; for all of them once there are new agents, to whom they may belong."""
        if len(index.threads) != self._agents:
            self._agents, self._problems = len(index.threads), 0
        count = len(index.reduction.problems)
        for place in range(self._problems, count):
            self._wanted[index.problem_ref(place)] = problem_entry(index, place)
        self._problems = count

    def _judge(self, index: TraceIndex, everything: Tree[Entry]) -> None:
        """Say what failed. Once the session is over, what still runs has."""
        asked: Iterable[tuple[ObjectRef, Entry | None]] = self._wanted.items()
        if index.is_over != self._was_over:
            self._was_over, self._failed = index.is_over, {}
            asked = ((entry.ref, entry) for entry in everything.values)
        for ref, entry in asked:
            if entry is not None and failure_of(index, ref) is not None:
                self._failed[ref] = entry
            else:
                self._failed.pop(ref, None)
