"""The timeline: what happened, in order, grouped by turn; one entry is what the cursor stands on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from reducer import ObjectRef
from reducer.model import (
    CodeCellRequester,
    InteractionEdge,
    ToolCall,
)
from rollout_tui import glyphs
from rollout_tui.views.contexts.item_words import agent_text
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.tool_words import cell_words, tool_label, tool_words
from rollout_tui.views.tree_rows import TreeNode
from rollout_tui.views.words import Status, count, duration, one_line, plural, status_span, window_ms
from rollout_tui.widgets.rows import Row
from rollout_tui.widgets.spans import Span, StyleName, span

EntryType = Literal[
    "Turn",
    "InferenceCall",
    "ToolCall",
    "CodeCell",
    "InteractionEdge",
    "CompactionRequest",
    "Compaction",
    "Event",
    "Problem",
]

SHOWN_PROTOCOL_EVENTS = frozenset({"error", "warning", "turn_aborted", "thread_rolled_back", "stream_error"})
"""Protocol events that matter to a reader; all others repeat what the graph says."""


class Entry(NamedTuple):
    """One entry of the timeline: an object of the graph, and where it stands in the log.

    `ref` names the object. Two types are not of the graph: `Event` by sequence number (a protocol event),
    `Problem` by its place in the list of problems. An edge stands in the thread it leads to.
    """

    seq: int
    ref: ObjectRef
    thread_id: str
    turn_id: str | None
    parent: ObjectRef | None = None


def thread_entries(index: TraceIndex, thread_id: str) -> list[TreeNode[Entry]]:
    """The timeline of one agent as a tree: turns, what happened in them, and what a code cell ran."""
    entries = sorted(_entries_of(index, thread_id), key=lambda entry: entry.seq)
    if thread_id == index.trace.root_thread_id:
        entries = sorted([*entries, *_session_entries(index, thread_id)], key=lambda entry: entry.seq)
    return _as_tree(entries)


def all_entries(index: TraceIndex) -> list[TreeNode[Entry]]:
    """The timelines of all agents, interleaved by sequence number, without grouping."""
    entries = [entry for thread in index.threads for entry in _entries_of(index, thread.thread_id)]
    entries += _session_entries(index, index.trace.root_thread_id)
    return [TreeNode(entry, 0) for entry in sorted(entries, key=lambda entry: entry.seq)]


def _entries_of(index: TraceIndex, thread_id: str) -> Iterator[Entry]:
    contents = index.contents.get(thread_id)
    if contents is None:
        return
    for turn in contents.turns:
        yield Entry(turn.execution.started_seq, ObjectRef("Turn", turn.codex_turn_id), thread_id, None)
    for call in contents.calls:
        ref = ObjectRef("InferenceCall", call.inference_call_id)
        yield _in_turn(call.execution.started_seq, ref, thread_id, call.codex_turn_id)
    started_by_call = {call.started_code_cell_id for call in contents.tool_calls}
    for tool_call in contents.tool_calls:
        yield _tool_entry(index, tool_call)
    for cell in contents.cells:
        if cell.code_cell_id not in started_by_call:
            ref = ObjectRef("CodeCell", cell.code_cell_id)
            yield _in_turn(cell.execution.started_seq, ref, thread_id, cell.codex_turn_id)
    yield from _incoming(index, thread_id)
    yield from _compactions(index, thread_id)


def _in_turn(seq: int, ref: ObjectRef, thread_id: str, turn_id: str | None) -> Entry:
    return Entry(seq, ref, thread_id, turn_id, None if turn_id is None else ObjectRef("Turn", turn_id))


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
    for request in index.trace.compaction_requests.values():
        if request.thread_id == thread_id:
            ref = ObjectRef("CompactionRequest", request.compaction_request_id)
            yield _in_turn(request.execution.started_seq, ref, thread_id, request.codex_turn_id)
    for compaction in index.trace.compactions.values():
        if compaction.thread_id == thread_id:
            ref = ObjectRef("Compaction", compaction.compaction_id)
            yield _in_turn(index.first_seq(ref) or 0, ref, thread_id, compaction.codex_turn_id)


def _session_entries(index: TraceIndex, root_thread_id: str) -> Iterator[Entry]:
    """Protocol events and problems: the log does not say to which agent they belong."""
    for event in index.reduction.provenance.events:
        if event.kind == "protocol_event_observed" and event.note in SHOWN_PROTOCOL_EVENTS:
            yield Entry(event.seq, ObjectRef("Event", str(event.seq)), root_thread_id, None)
    for place, problem in enumerate(index.reduction.problems):
        if problem.seq is not None:
            yield Entry(problem.seq, ObjectRef("Problem", str(place)), root_thread_id, None)


def _as_tree(entries: Iterable[Entry]) -> list[TreeNode[Entry]]:
    """Entries in order of the log, each under its turn or cell, or else under the turn around it."""
    children: dict[ObjectRef | None, list[Entry]] = {None: []}
    known: set[ObjectRef] = set()
    open_turn: ObjectRef | None = None
    for entry in entries:
        parent = entry.parent
        if entry.ref.type == "Turn":
            open_turn = entry.ref
        elif parent is None or parent not in known:
            parent = open_turn
        children.setdefault(parent, []).append(entry)
        known.add(entry.ref)
    nodes: list[TreeNode[Entry]] = []
    stack = [(entry, 0) for entry in reversed(children[None])]
    while stack:
        entry, depth = stack.pop()
        below = children.pop(entry.ref, [])
        nodes.append(TreeNode(entry, depth, bool(below)))
        stack += [(child, depth + 1) for child in reversed(below)]
    return nodes


class Timelines:
    """The timelines of a graph, made once: fold states live in them.

    Attributes:
        index: the graph.
        all_agents: the entries of all agents, interleaved.
    """

    def __init__(self, index: TraceIndex) -> None:
        self.index = index
        self.all_agents = all_entries(index)
        self._of_thread = {
            thread.thread_id: thread_entries(index, thread.thread_id) for thread in index.threads
        }
        self._thread_of = {node.value.ref: node.value.thread_id for node in self.all_agents}

    def of_thread(self, thread_id: str) -> list[TreeNode[Entry]]:
        """The timeline of one agent; empty for one that the graph does not know."""
        return self._of_thread.get(thread_id, [])

    def thread_of(self, ref: ObjectRef) -> str | None:
        """The agent in whose timeline an object has an entry."""
        return self._thread_of.get(ref)


class EntryWords:
    """Makes the row of an entry."""

    def __init__(self, index: TraceIndex, *, with_thread: bool) -> None:
        """Remember what rows are made from.

        Args:
            index: the graph.
            with_thread: whether a row says which agent it belongs to.
        """
        self._index = index
        self._with_thread = with_thread

    def row(self, node: TreeNode[Entry]) -> Row:
        """The row of an entry: sequence number, kind, one line, and at the right state, duration, tokens."""
        entry = node.value
        kind, kind_style, words, tail = self._describe(entry)
        thread: tuple[Span, ...] = ()
        if self._with_thread:
            leaf = self._index.thread_path(entry.thread_id).rsplit("/", 1)[-1] or "/"
            thread = (span(f"{leaf[:10]:<10} ", "link"),)
        return Row(
            key=entry.ref,
            spans=(span(f"{entry.seq:>4} ", "muted"), *thread, span(f"{kind:<8}", kind_style), *words),
            tail=tail,
            depth=node.depth,
            fold=node.fold,
        )

    def _describe(self, entry: Entry) -> tuple[str, StyleName, tuple[Span, ...], tuple[Span, ...]]:
        trace, object_id = self._index.trace, entry.ref.id
        type_ = entry.ref.type
        if type_ == "Turn":
            return self._turn(object_id)
        if type_ == "InferenceCall":
            return self._call(object_id)
        if type_ == "ToolCall":
            return self._tool(trace.tool_calls[object_id])
        if type_ == "CodeCell":
            cell = trace.code_cells[object_id]
            words = cell_words(self._index, cell.nested_tool_call_ids, cell.source_js)
            return (
                "exec",
                "special",
                (span(words),),
                self._tail(cell.execution.status, window_ms(cell.execution)),
            )
        if type_ == "InteractionEdge":
            return self._edge(trace.interaction_edges[object_id])
        if type_ == "CompactionRequest":
            request = trace.compaction_requests[object_id]
            tail = self._tail(request.execution.status, window_ms(request.execution))
            return "request", "special", (span(f"compaction by {request.model}"),), tail
        if type_ == "Compaction":
            compaction = trace.compactions[object_id]
            before, after = len(compaction.input_item_ids), len(compaction.replacement_item_ids)
            words = f"{before} {glyphs.active().becomes} {plural(after, 'item')}"
            return "compact", "special", (span(words, "strong"),), ()
        if type_ == "Event":
            return self._event(int(object_id))
        problem = self._index.reduction.problems[int(object_id)]
        return "problem", "bad", (span(problem.reason),), ()

    def _turn(self, turn_id: str) -> tuple[str, StyleName, tuple[Span, ...], tuple[Span, ...]]:
        turn = self._index.trace.codex_turns[turn_id]
        number = self._index.contents[turn.thread_id].turns.index(turn) + 1
        tail = self._tail(turn.execution.status, window_ms(turn.execution))
        return f"turn {number}", "strong", (), tail

    def _call(self, call_id: str) -> tuple[str, StyleName, tuple[Span, ...], tuple[Span, ...]]:
        call = self._index.trace.inference_calls[call_id]
        asked, answered = len(call.request_item_ids), len(call.response_item_ids)
        number = self._index.place_of_call(call) + 1
        words = f"{asked}{glyphs.active().becomes}{plural(answered, 'item')}"
        tokens = "" if call.usage is None else count(call.usage.input_tokens)
        tail = self._tail(call.execution.status, window_ms(call.execution), tokens)
        return "call", "accent", (span(f"{number}  ", "strong"), span(words)), tail

    def _tool(self, call: ToolCall) -> tuple[str, StyleName, tuple[Span, ...], tuple[Span, ...]]:
        label = tool_label(self._index, call)
        style: StyleName = "special" if label == "exec" else "link" if label in _AGENT_LABELS else "text"
        execution = call.execution
        cell = self._index.cell_of_call(call)
        if cell is not None:
            execution = cell.execution
        exit_code = self._exit_code(call)
        words = [span(tool_words(self._index, call))]
        if exit_code:
            words.append(span(f"  exit {exit_code}", "bad"))
        return label, style, tuple(words), self._tail(execution.status, window_ms(execution))

    def _exit_code(self, call: ToolCall) -> int | None:
        operation = self._index.trace.terminal_operations.get(call.terminal_operation_id or "")
        return None if operation is None or operation.result is None else operation.result.exit_code

    def _edge(self, edge: InteractionEdge) -> tuple[str, StyleName, tuple[Span, ...], tuple[Span, ...]]:
        marks = glyphs.active()
        source = self._index.thread_of_anchor(edge.source)
        origin = "?" if source is None else self._index.thread_path(source)
        item = self._index.target_item(edge)
        if item is not None:
            text = agent_text(item)
        elif edge.kind == "close_agent":
            text = ""
        else:
            text = "never delivered to a call"
        words = (span(f"{marks.edge_in} {origin}", "link"), span(f"  {one_line(text)}"))
        return _EDGE_LABELS[edge.kind], "link", words, ()

    def _event(self, seq: int) -> tuple[str, StyleName, tuple[Span, ...], tuple[Span, ...]]:
        note, text = self._index.protocol_notes.get(seq, ("event", ""))
        style: StyleName = "bad" if "error" in note else "warn"
        return note.split("_")[-1][:8], style, (span(one_line(text)),), ()

    def _tail(self, status: Status, ms: int | None, tokens: str = "") -> tuple[Span, ...]:
        if status == "running" and self._index.is_over:
            return (Span(span(glyphs.active().unknown).text, "warn"), span("never ended", "warn"))
        return (status_span(status), span(f"{duration(ms):>6}", "muted"), span(f"{tokens:>5}"))


_AGENT_LABELS = frozenset({"spawn", "task", "message", "close"})
_EDGE_LABELS = {
    "spawn_agent": "task",
    "assign_agent_task": "task",
    "send_message": "message",
    "agent_result": "result",
    "close_agent": "closed",
}
