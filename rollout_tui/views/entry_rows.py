"""Rows of the timeline: what an entry says of itself in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import EdgeKind, ExecutionWindow
from reducer.model.objects import RefType
from rollout_tui import glyphs
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.sent_texts import sent_with
from rollout_tui.insight.certainty import MARK, is_start_rebuilt, is_state_rebuilt, is_there_rebuilt, marked
from rollout_tui.insight.compaction.rewrites import Rewrite
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import rebuilt_words
from rollout_tui.insight.items.titles import agent_words
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.tools.words import cell_words, tool_label, tool_words
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, StyleName, span, spans_width
from rollout_tui.texts.short_forms import Status, count, duration, one_line, plural, window_ms
from rollout_tui.views.arrivals import edge_arrival, item_arrival, result_arrival, sent_arrival
from rollout_tui.views.failure_spans import cause_span, verdict_span
from rollout_tui.views.status import status_span
from rollout_tui.views.tree_rows import TreeNode

ENTRY_MAIN = 26
"""Cells of an entry that come before its duration and tokens: number, kind, the beginning of its words."""

COLUMNS = f"{'took':>6} {'tok':>5}"
"""What stands above the columns at the right: how long it took, tokens in and out."""


class Entries(Struct, frozen=True, weakref=True):
    """What rows and facts of entries are told from.

    Attributes:
        index: the graph.
        links: what went between its agents.
        rewrites: the requests that rewrote a history, by the id of the call that was asked so.
    """

    index: TraceIndex
    links: AgentLinks
    rewrites: Mapping[str, Rewrite]


class _Words(NamedTuple):
    """What a row says.

    Attributes:
        kind: the word for its kind.
        style: how that is shown.
        spans: what it is about.
        tail: the columns at the right, behind the state.
        status: its state, of what has one.
        arrival: whether what it sent or brought was seen.
    """

    kind: str
    style: StyleName
    spans: tuple[Span, ...] = ()
    tail: tuple[Span, ...] = ()
    status: Status | None = None
    arrival: Span | None = None


class EntryRows:
    """Makes the row of an entry."""

    def __init__(self, entries: Entries, *, with_thread: bool) -> None:
        """Remember what rows are made from.

        Args:
            entries: those of the graph.
            with_thread: whether a row says which agent it belongs to.
        """
        self._index = entries.index
        self._links = entries.links
        self._rewrites = entries.rewrites
        self._with_thread = with_thread

    def row(self, node: TreeNode[Entry]) -> Row:
        """The row of an entry: sequence number, kind, one line, and at the right state, duration, tokens.

        Of what failed the state is its verdict, and the line ends with the cause. What a session has not
        recorded, but tells by a rule, has the mark of that before it.
        """
        entry = node.value
        words = _MAKERS[entry.ref.type](self, entry.ref.id)
        thread: tuple[Span, ...] = ()
        if self._with_thread:
            leaf = self._index.thread_path(entry.thread_id).rsplit("/", 1)[-1] or "/"
            thread = (span(f"{leaf[:10]:<10} ", "link"),)
        kind = span(f"{words.kind:<8}", words.style)
        failure = failure_of(self._index, entry.ref)
        # The words of an event are its cause; and nothing arrives that was sent in vain.
        cause = () if failure is None or entry.ref.type == "Event" else (cause_span(failure),)
        arrival = () if failure is not None or words.arrival is None else (words.arrival,)
        verdict = verdict_span(failure) if failure is not None else _state_span(words.status)
        if verdict is not None and is_state_rebuilt(self._index, entry.ref):
            verdict = span(f"{MARK}{verdict.text}", verdict.style)
        doubt = (span(f"{MARK} ", "warn"),) if is_there_rebuilt(self._index, entry.ref) else ()
        return Row(
            key=entry.ref,
            spans=(span(f"{entry.seq:>4} ", "muted"), *thread, kind, *doubt, *words.spans, *cause),
            tail=(*arrival, *(() if verdict is None else (verdict,)), *words.tail),
            depth=node.depth,
            fold=node.fold,
            verdict=verdict,
            min_main=ENTRY_MAIN + spans_width(thread),
        )

    def _turn(self, turn_id: str) -> _Words:
        turn = self._index.trace.codex_turns[turn_id]
        number = self._index.turn_number(turn_id)
        return _Words(f"turn {number}", "strong", (), _took(turn.execution), turn.execution.status)

    def _call(self, call_id: str) -> _Words:
        call = self._index.trace.inference_calls[call_id]
        asked, answered = len(call.request_item_ids), len(call.response_item_ids)
        number = self._index.place_of_call(call) + 1
        words = f"{asked}{glyphs.active().becomes}{plural(answered, 'item')}"
        tokens = "" if call.usage is None else count(call.usage.input_tokens + call.usage.output_tokens)
        spans = (span(f"{number}  ", "strong"), span(words))
        took = self._took(ObjectRef("InferenceCall", call_id), call.execution, tokens)
        return _Words("call", "accent", spans, took, call.execution.status)

    def _tool(self, call_id: str) -> _Words:
        call = self._index.trace.tool_calls[call_id]
        label = tool_label(self._index, call)
        style: StyleName = "special" if label == "exec" else "link" if label in _AGENT_LABELS else "text"
        cell = self._index.cell_of_call(call)
        execution = (call if cell is None else cell).execution
        words = span(tool_words(self._index, call))
        arrival = sent_arrival(self._links, call)
        return _Words(label, style, (words,), _took(execution), execution.status, arrival)

    def _cell(self, cell_id: str) -> _Words:
        cell = self._index.trace.code_cells[cell_id]
        words = cell_words(self._index, cell)
        return _Words("exec", "special", (span(words),), _took(cell.execution), cell.execution.status)

    def _edge(self, edge_id: str) -> _Words:
        """The far end of an edge: from whom, what, and which call was the first to see it."""
        edge = self._index.trace.interaction_edges[edge_id]
        source = self._index.thread_of_anchor(edge.source)
        origin = "?" if source is None else self._index.thread_path(source)
        item = self._index.target_item(edge)
        arrival = edge_arrival(self._links, edge)
        sent = sent_with(self._index, edge) if item is None else None
        text = agent_words(self._index, item) if item is not None else rebuilt_words(sent) if sent else ""
        return _Words(_EDGE_LABELS[edge.kind], "link", _incoming(origin, text), arrival=arrival)

    def _item(self, item_id: str) -> _Words:
        """A message of another agent of which no edge is known."""
        item = self._index.trace.conversation_items[item_id]
        author = "?" if item.agent_message is None else item.agent_message.author
        words = _incoming(author, agent_words(self._index, item))
        return _Words("message", "link", words, arrival=item_arrival(self._links, item))

    def _request(self, request_id: str) -> _Words:
        request = self._index.trace.compaction_requests[request_id]
        by = f" by {request.model}" if request.model else ", by a model that is not recorded"
        words, execution = span(f"compaction{by}"), request.execution
        took = self._took(ObjectRef("CompactionRequest", request_id), execution)
        return _Words("request", "special", (words,), took, execution.status)

    def _took(self, ref: ObjectRef, execution: ExecutionWindow, tokens: str = "") -> tuple[Span, ...]:
        """How long a request took, from its start or what stands for that."""
        return _took(execution, tokens, is_start_rebuilt(self._index, ref))

    def _compaction(self, compaction_id: str) -> _Words:
        compaction = self._index.trace.compactions[compaction_id]
        before, after = len(compaction.input_item_ids), len(compaction.replacement_item_ids)
        words = f"{before} {glyphs.active().becomes} {plural(after, 'item')}"
        return _Words("compact", "special", (span(words, "strong"),))

    def _rewrite(self, call_id: str) -> _Words:
        """A history that was rewritten without an event: how many items the calls before and after saw."""
        found = self._rewrites[call_id]
        before, after = len(found.before.request_item_ids), len(found.after.request_item_ids)
        words = f"{before} {glyphs.active().becomes} {plural(after, 'item')}"
        return _Words(
            "rewrite",
            "special",
            (span(words, "strong"), span(f"  {found.kind}: history rewritten")),
            (span("inferred", "warn"),),
        )

    def _event(self, seq: str) -> _Words:
        event = self._index.event_at(int(seq))
        if event is not None and not self._index.is_schema_known:
            return _Words("event", "muted", (span(event.kind),))
        if self._index.is_report(int(seq)):
            return self._reported(int(seq))
        note, text = self._index.protocol_notes.get(int(seq), ("", ""))
        note = note or (event.note if event is not None else None) or "event"
        style: StyleName = "bad" if "error" in note else "warn"
        return _Words(note.split("_")[-1][:8], style, (span(one_line(text)),))

    def _reported(self, seq: int) -> _Words:
        """The near end of a result: to whom it went, what it says, and which call saw it there."""
        turn = self._links.turn_of_report(seq)
        if turn is None:
            return _Words("result", "link", (span("of a turn that is not in the graph"),))
        answer, edge = self._links.answer_of(turn), self._links.result_of(turn)
        said = answer or (None if edge is None else self._index.target_item(edge))
        parent = self._links.parent_of(turn.thread_id)
        to = "" if parent is None else self._index.thread_path(parent)
        words = (
            span(f"{glyphs.active().edge_out} {to}", "link"),
            span(f"  {'' if said is None else agent_words(self._index, said)}"),
        )
        arrival = result_arrival(self._links, turn)
        return _Words("result", "link", words, arrival=arrival)

    def _problem(self, problem_id: str) -> _Words:
        problem = self._index.problem(problem_id)
        return _Words("problem", "bad", (span("" if problem is None else problem.reason),))


_MAKERS: dict[RefType, Callable[[EntryRows, str], _Words]] = {
    "Turn": EntryRows._turn,
    "InferenceCall": EntryRows._call,
    "ToolCall": EntryRows._tool,
    "CodeCell": EntryRows._cell,
    "InteractionEdge": EntryRows._edge,
    "ConversationItem": EntryRows._item,
    "CompactionRequest": EntryRows._request,
    "Compaction": EntryRows._compaction,
    "Rewrite": EntryRows._rewrite,
    "Event": EntryRows._event,
    "Problem": EntryRows._problem,
}
"""What makes the words of an entry, by the type of what it stands for."""


def _state_span(status: Status | None) -> Span | None:
    return None if status is None else status_span(status)


def _took(execution: ExecutionWindow, tokens: str = "", rebuilt: bool = False) -> tuple[Span, ...]:
    """The columns behind a state: how long it took, and tokens."""
    took = marked(duration(window_ms(execution)), rebuilt)
    return (span(f"{took:>6}", "muted"), span(f"{tokens:>5}"))


def _incoming(origin: str, text: str) -> tuple[Span, ...]:
    return (span(f"{glyphs.active().edge_in} {origin}", "link"), span(f"  {one_line(text)}"))


_AGENT_LABELS = frozenset({"spawn", "task", "message", "close"})
_EDGE_LABELS: dict[EdgeKind, str] = {
    "spawn_agent": "task",
    "assign_agent_task": "task",
    "send_message": "message",
    "agent_result": "result",
    "close_agent": "closed",
}
