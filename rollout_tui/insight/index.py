"""The graph seen from the questions that panes ask: who is whose child, what happened where, who saw what."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from reducer import EventRecord, ObjectRef, Problem, Reduction
from reducer.model import (
    CodeCell,
    CodeCellRequester,
    Compaction,
    CompactionRequest,
    ConversationItem,
    InferenceCall,
    InteractionEdge,
    ItemAnchor,
    SpawnedOrigin,
    Thread,
    ThreadAnchor,
    ToolCall,
    ToolCallAnchor,
    Turn,
)
from reducer.model.agents import Anchor
from reducer.model.objects import RefType, is_graph_type, objects_of
from reducer.schemas import SCHEMAS
from rollout_tui.insight.contexts.item_sizes import ItemSize, item_size
from rollout_tui.insight.lookups import RESULT_EVENT, Lookups, started_seq
from rollout_tui.insight.problems.line import ProblemLine
from rollout_tui.insight.thread_contents import ThreadContents
from rollout_tui.insight.timeline.turn_starts import TurnStart


class TraceIndex:
    """Look-ups over one reduced graph.

    Attributes:
        reduction: the graph with its problems and its provenance.
        lookups: the ids by which it is looked up; they may know more than this graph has.
        threads: all threads, a parent before its children, siblings in order of their start.
        depth: how deep each thread stands in the tree of spawns, by thread id.
        contents: what happened in each thread, by thread id.
        is_over: whether the log says that the session has ended; what still runs then never ended.
        is_schema_known: whether the bundle was read by the rules of a schema; if not, the graph is empty, and
            there are only the events as they are.
        tells_end: whether the schema has an event for the end of the recording, and for accepted items.
        problem_lines: lines of problems that were read for this graph, by the problem's id.
        protocol_notes: type and text of protocol events that were read, by sequence number.
        protocol_turns: the turn ids that they name, by sequence number; most name none.
        turn_starts: who started a turn, by its id, as far as that was told and read.
        edge_to: the edge that an item delivered, by the item's id.
        last_seq: sequence number of the last event of this graph; 0 for none.
    """

    def __init__(self, reduction: Reduction, lookups: Lookups | None = None) -> None:
        """Look at a graph.

        Args:
            reduction: the graph.
            lookups: what it is looked up by, grown as far as the graph; made anew by default.
        """
        self.reduction = reduction
        self.trace = reduction.trace
        self.is_over = bool(self.trace.is_recorded_whole) or self.trace.status != "running"
        if reduction.rebuilt_from is not None:
            # A session may always go on; it stands still where none of its agents is at work.
            windows = (thread.execution for thread in self.trace.threads.values())
            self.is_over = self.is_over and all(window.status != "running" for window in windows)
        self.is_schema_known = self.trace.schema_version in SCHEMAS
        self.tells_end = self.trace.is_recorded_whole is not None
        self.last_seq = self._events[-1].seq if self._events else 0
        self._sizes: dict[str, ItemSize] = {}
        self.protocol_notes: dict[int, tuple[str, str]] = {}
        self.problem_lines: dict[str, ProblemLine] = {}
        self.protocol_turns: dict[int, str] = {}
        self.turn_starts: dict[str, TurnStart] = {}
        self.lookups = Lookups.of(reduction) if lookups is None else lookups
        nothing = {thread_id: ThreadContents() for thread_id in self.trace.threads}
        self.contents = {**nothing, **self.lookups.contents_in(self.trace)}
        self.threads, self.depth = self._thread_tree()
        self._edges_from: dict[Anchor, list[InteractionEdge]] = defaultdict(list)
        self._edges_into: dict[str, list[InteractionEdge]] = defaultdict(list)
        self.edge_to: dict[str, InteractionEdge] = {}
        for edge in self.trace.interaction_edges.values():
            item = self.target_item(edge)
            if item is not None:
                self.edge_to[item.item_id] = edge
            self._edges_from[edge.source].append(edge)
            target = self.thread_of_anchor(edge.target)
            if target is not None:
                self._edges_into[target].append(edge)
        compactions = self.trace.compactions
        self._installs = {
            thread_id: [(seq, compactions[one]) for seq, one in installs if one in compactions]
            for thread_id, installs in [*self.lookups.installs.items()]
        }
        self._requests: dict[str, list[CompactionRequest]] = defaultdict(list)
        for request in self.trace.compaction_requests.values():
            self._requests[request.thread_id].append(request)

    @property
    def _events(self) -> Sequence[EventRecord]:
        return self.reduction.provenance.events

    def _thread_tree(self) -> tuple[list[Thread], dict[str, int]]:
        children: dict[str | None, list[Thread]] = defaultdict(list)
        for thread in sorted(self.trace.threads.values(), key=started_seq):
            children[self._parent_id(thread)].append(thread)
        ordered: list[Thread] = []
        depth: dict[str, int] = {}
        # A thread that names itself or a descendant as parent hangs under no root; it must not get lost.
        for root in [*children[None], *sorted(self.trace.threads.values(), key=started_seq)]:
            stack = [(root, 0)]
            while stack:
                thread, level = stack.pop()
                if thread.thread_id in depth:
                    continue
                depth[thread.thread_id] = level
                ordered.append(thread)
                stack += [(child, level + 1) for child in reversed(children[thread.thread_id])]
        return ordered, depth

    def _parent_id(self, thread: Thread) -> str | None:
        """The parent of a spawned thread, if it is in this bundle."""
        if not isinstance(thread.origin, SpawnedOrigin):
            return None
        parent = thread.origin.parent_thread_id
        return parent if parent in self.trace.threads and parent != thread.thread_id else None

    def thread_path(self, thread_id: str) -> str:
        """The agent path of a thread; its id where the bundle does not know it."""
        thread = self.trace.threads.get(thread_id)
        return thread_id if thread is None else thread.agent_path

    def thread_of_anchor(self, anchor: Anchor) -> str | None:
        """The thread in which an end of an edge lies."""
        if isinstance(anchor, ThreadAnchor):
            return anchor.thread_id
        if isinstance(anchor, ToolCallAnchor):
            call = self.trace.tool_calls.get(anchor.tool_call_id)
            return None if call is None else call.thread_id
        item = self.trace.conversation_items.get(anchor.item_id)
        return None if item is None else item.thread_id

    def edges_from(self, anchor: Anchor) -> list[InteractionEdge]:
        """The edges that start at this object."""
        return self._edges_from.get(anchor, [])

    def edges_into(self, thread_id: str) -> list[InteractionEdge]:
        """The edges that end in this thread or at one of its items."""
        return self._edges_into.get(thread_id, [])

    def compactions_of(self, thread_id: str) -> list[Compaction]:
        """The compactions that were installed in a thread."""
        return [compaction for _, compaction in self.installs_of(thread_id)]

    def installs_of(self, thread_id: str) -> list[tuple[int, Compaction]]:
        """The compactions that were installed in a thread, with the number of the event, in its order."""
        return self._installs.get(thread_id, [])

    def requests_of(self, thread_id: str) -> list[CompactionRequest]:
        """The requests to compact the history of a thread."""
        return self._requests.get(thread_id, [])

    def cell_of_wait(self, tool_call_id: str) -> CodeCell | None:
        """The cell that a `wait` call waits for."""
        return self.trace.code_cells.get(self.lookups.cell_of_wait.get(tool_call_id, ""))

    def cell_of_call(self, call: ToolCall) -> CodeCell | None:
        """The cell that an `exec` call started."""
        if call.started_code_cell_id is None:
            return None
        return self.trace.code_cells.get(call.started_code_cell_id)

    def tool_of_item(self, item: ConversationItem) -> ToolCall | None:
        """The tool call that a call or output item belongs to."""
        if item.call_id is None:
            return None
        return self.trace.tool_calls.get(self.lookups.tool_of_call_id.get(item.call_id, ""))

    def entry_of_cell(self, cell: CodeCell) -> ObjectRef:
        """What stands for a cell in the timeline: its `exec` call, or the cell itself without one."""
        call = self.trace.tool_calls.get(self.lookups.exec_of_cell.get(cell.code_cell_id, ""))
        if call is None or call.started_code_cell_id != cell.code_cell_id:
            return ObjectRef("CodeCell", cell.code_cell_id)
        return ObjectRef("ToolCall", call.tool_call_id)

    def cell_around(self, call: ToolCall) -> CodeCell | None:
        """The cell whose JavaScript asked for a nested tool call."""
        if not isinstance(call.requester, CodeCellRequester):
            return None
        return self.trace.code_cells.get(call.requester.code_cell_id)

    def place_of_call(self, call: InferenceCall) -> int:
        """Which call of its thread this is, from 0."""
        return self.lookups.place_of_call[call.inference_call_id]

    def turn_number(self, turn_id: str) -> int | None:
        """Which turn of its thread this is, from 1; None for one that the graph does not know."""
        return self.lookups.number_of_turn.get(turn_id)

    @cached_property
    def tokens(self) -> int:
        """Input and output tokens of all calls."""
        return sum(one.tokens for one in self.contents.values())

    @cached_property
    def _event_of_seq(self) -> dict[int, EventRecord]:
        """The events of a log whose numbers do not go up."""
        return {event.seq: event for event in reversed(self._events)}

    def has_happened(self, seq: int) -> bool:
        """Whether the graph goes as far as this sequence number."""
        return seq <= self.last_seq

    def event_at(self, seq: int) -> EventRecord | None:
        """The applied event with a sequence number; the first of several."""
        if not self.lookups.in_order:
            return self._event_of_seq.get(seq)
        place = bisect_left(self._events, seq, key=_seq)
        found = self._events[place] if place < len(self._events) else None
        return found if found is not None and found.seq == seq else None

    def has(self, ref: ObjectRef) -> bool:
        """Whether this graph has an object, or there is such an event, payload or problem."""
        if ref.type == "Event":
            seq = int(ref.id)
            return self.has_happened(seq) and self.event_at(seq) is not None
        return self.problem(ref.id) is not None if ref.type == "Problem" else ref.id in self._known(ref.type)

    def _known(self, type_: RefType) -> Collection[str]:
        if is_graph_type(type_):
            return objects_of(self.trace, type_)
        others: dict[RefType, Collection[str]] = {
            "Rewrite": self.trace.inference_calls,
            "Payload": self.trace.raw_payloads,
        }
        return others.get(type_, ())

    def events_of(self, ref: ObjectRef) -> list[EventRecord]:
        """The events that concern an object; the first one made it. Of what is no object there is none."""
        return self.reduction.provenance.of(ref.type, ref.id) if is_graph_type(ref.type) else []

    def problem_ref(self, place: int) -> ObjectRef:
        """What names a problem, by its place in the list of this graph."""
        return ObjectRef("Problem", self.lookups.problem_ids[place])

    def problem(self, problem_id: str) -> Problem | None:
        """The problem with an id; None where this graph does not have it."""
        place = self.lookups.place_of_problem.get(problem_id)
        problems = self.reduction.problems
        return problems[place] if place is not None and place < len(problems) else None

    def previous_call(self, call: InferenceCall) -> InferenceCall | None:
        """The call of the same thread before this one."""
        place = self.place_of_call(call)
        return self.contents[call.thread_id].calls[place - 1] if place else None

    def call_at(self, thread_id: str, seq: int) -> InferenceCall | None:
        """The last call of a thread that started at this sequence number or before."""
        calls = self.contents[thread_id].calls if thread_id in self.contents else []
        place = bisect_right(calls, seq, key=started_seq)
        return calls[place - 1] if place else None

    def is_report(self, seq: int) -> bool:
        """Whether an event is the one by which an agent handed on its result."""
        if seq in self.lookups.reports.rebuilt:
            return self.has_happened(seq)
        event = self.event_at(seq)
        return event is not None and event.kind == RESULT_EVENT

    def results_for(self, thread_id: str) -> list[tuple[int, Turn]]:
        """The turns whose results were reported to an agent, with the number of the event, in its order."""
        return self._results_for.get(thread_id, [])

    @cached_property
    def _results_for(self) -> dict[str, list[tuple[int, Turn]]]:
        found: dict[str, list[tuple[int, Turn]]] = defaultdict(list)
        for seq, turn_id in self.lookups.reports.turn_of_seq.copy().items():
            turn = self.trace.codex_turns.get(turn_id)
            thread = None if turn is None else self.trace.threads.get(turn.thread_id)
            if turn is None or thread is None or not self.has_happened(seq):
                continue
            if isinstance(thread.origin, SpawnedOrigin):
                found[thread.origin.parent_thread_id].append((seq, turn))
        return found

    def first_seq(self, ref: ObjectRef) -> int | None:
        """The sequence number of the event that made an object."""
        events = self.events_of(ref)
        return events[0].seq if events else None

    def items(self, item_ids: Iterable[str]) -> list[ConversationItem]:
        """The items with these ids."""
        return [self.trace.conversation_items[item_id] for item_id in item_ids]

    def calls_in_order(self, call_ids: Iterable[str]) -> list[ToolCall]:
        """Those of some tool calls that are there, in the order in which they began."""
        known = self.trace.tool_calls
        found = [known[call_id] for call_id in call_ids if call_id in known]
        return sorted(found, key=started_seq)

    def size_of(self, item_id: str) -> ItemSize:
        """How large an item is; counted once, since an item stands in the contexts of many calls."""
        known = self._sizes.get(item_id)
        if known is None:
            known = self._sizes[item_id] = item_size(self.trace.conversation_items[item_id])
        return known

    def target_item(self, edge: InteractionEdge) -> ConversationItem | None:
        """The item that delivered an edge."""
        if not isinstance(edge.target, ItemAnchor):
            return None
        return self.trace.conversation_items.get(edge.target.item_id)


def _seq(event: EventRecord) -> int:
    return event.seq
