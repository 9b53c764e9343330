"""Every type of object in plain words, for the detail pane."""

from __future__ import annotations

from collections.abc import Callable

from reducer import ObjectRef
from reducer.model import ItemAnchor, SpawnedOrigin, ThreadAnchor, ToolCallAnchor, UnknownOrigin
from reducer.model.agents import Anchor
from reducer.model.objects import RefType
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.turn_time import turn_time
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import lost_words
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.problems.line import LinePlace
from rollout_tui.texts.short_forms import clock, count, duration, moment
from rollout_tui.views.detail.certain import add_certainty
from rollout_tui.views.detail.conversation import (
    describe_compaction,
    describe_compaction_request,
    describe_inference_call,
    describe_item,
    describe_rewrite,
)
from rollout_tui.views.detail.facts import Detail, add_trail, titled
from rollout_tui.views.detail.object_facts import (
    add_item,
    add_thread,
    add_tool,
    add_window,
    edge_words,
    item_sections,
)
from rollout_tui.views.detail.problems import describe_problem
from rollout_tui.views.detail.stored import describe_payload
from rollout_tui.views.detail.work import (
    describe_code_cell,
    describe_terminal_operation,
    describe_terminal_session,
    describe_tool_call,
)


def describe(index: TraceIndex, ref: ObjectRef, links: AgentLinks | None = None) -> Detail | None:
    """What the detail pane shows of an object; None for one that the graph does not know.

    Args:
        index: the graph.
        ref: the object.
        links: what went between its agents; without it nothing is said about that.
    """
    make = _DESCRIBERS.get(ref.type)
    detail = None if make is None else make(index, ref)
    if detail is not None:
        if links is not None:
            from rollout_tui.views.detail.delivered import add_delivery

            add_delivery(detail, links)
        if ref.type != "Payload":
            _add_lost_payloads(detail)
            add_certainty(detail, index)
        add_trail(detail, index.events_of(ref))
    return detail


def _add_lost_payloads(detail: Detail) -> None:
    """Say which of its payloads a limit of the recorder cut or left out, in the whole or in parts."""
    for evidence in detail.payloads:
        words = lost_words(evidence.ref)
        if words is not None:
            link = ObjectRef("Payload", evidence.ref.raw_payload_id)
            detail.add("cut", f"{evidence.name}, {words}", link, "warn")


def _thread(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    thread = index.trace.threads.get(ref.id)
    if thread is None:
        return None
    contents = index.contents[ref.id]
    detail = titled(ref, f"agent {thread.agent_path}")
    detail.add("agent path", thread.agent_path)
    detail.add("nickname", thread.nickname)
    if isinstance(thread.origin, SpawnedOrigin):
        origin = thread.origin
        detail.add("spawned by", index.thread_path(origin.parent_thread_id), _known_thread(index, origin))
        detail.add("task", origin.task_name)
        detail.add("role", origin.agent_role)
        if origin.spawn_edge_id in index.trace.interaction_edges:
            words = f"spawn agent  {edge_words(index, origin.spawn_edge_id)}"
            detail.add("spawn edge", words, ObjectRef("InteractionEdge", origin.spawn_edge_id))
    elif isinstance(thread.origin, UnknownOrigin):
        detail.add("spawned by", "unknown: a limit of the recorder cut what would say it", style="warn")
    add_window(detail, index, thread.execution)
    detail.add("in turns", duration(turn_time(contents)) or None)
    detail.add("model", thread.default_model)
    detail.add("turns", len(contents.turns))
    detail.add("calls", len(contents.calls))
    detail.add("tool calls", len(contents.tool_calls))
    detail.add("items", len(thread.conversation_item_ids))
    detail.add("thread id", thread.thread_id)
    for event in index.reduction.provenance.of("Thread", ref.id)[:1]:
        for payload in event.payloads:
            detail.add_payload(index, "session metadata", payload.raw_payload_id)
    return detail


def _known_thread(index: TraceIndex, origin: SpawnedOrigin) -> ObjectRef | None:
    parent = origin.parent_thread_id
    return ObjectRef("Thread", parent) if parent in index.trace.threads else None


def _turn(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    turn = index.trace.codex_turns.get(ref.id)
    if turn is None:
        return None
    contents = index.contents[turn.thread_id]
    calls = [call for call in contents.calls if call.codex_turn_id == ref.id]
    usages = [call.usage for call in calls if call.usage is not None]
    detail = titled(ref, f"turn {index.turn_number(ref.id)} of {index.thread_path(turn.thread_id)}")
    add_thread(detail, index, turn.thread_id)
    _add_start(detail, index, ref.id)
    add_window(detail, index, turn.execution)
    detail.add("calls", len(calls))
    if usages:
        read, cached = sum(one.input_tokens for one in usages), sum(one.cached_input_tokens for one in usages)
        detail.add("tokens in", f"{count(read)}, of them {count(cached)} cached")
        detail.add("tokens out", count(sum(one.output_tokens for one in usages)))
    detail.add("turn id", turn.codex_turn_id)
    return detail


def _add_start(detail: Detail, index: TraceIndex, turn_id: str) -> None:
    """Say who started a turn, where the log tells it."""
    start = index.turn_starts.get(turn_id)
    if start is None:
        return
    if start.parent_turn_id is None:
        detail.add("started by", start.trigger)
        return
    parent = index.trace.codex_turns.get(start.parent_turn_id)
    if parent is None:
        words = f"turn {start.parent_turn_id} of {start.agent_path or 'an agent'}, not in this bundle"
        detail.add("started by", words)
    else:
        number, path = index.turn_number(parent.codex_turn_id), index.thread_path(parent.thread_id)
        detail.add("started by", f"turn {number} of {path}", ObjectRef("Turn", parent.codex_turn_id))
    detail.add("set off by", start.trigger)


def _edge(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    edge = index.trace.interaction_edges.get(ref.id)
    if edge is None:
        return None
    detail = titled(ref, f"{edge.kind.replace('_', ' ')}  {edge_words(index, ref.id)}")
    for name, anchor in (("from", edge.source), ("to", edge.target)):
        _anchor_fact(detail, index, name, anchor)
    if not isinstance(edge.target, ItemAnchor) and edge.kind != "close_agent":
        detail.add("delivered", "by no item", style="warn")
    detail.add("started", moment(edge.started_at_unix_ms))
    if edge.ended_at_unix_ms is not None:
        detail.add("ended", moment(edge.ended_at_unix_ms))
    detail.add("edge id", edge.edge_id)
    item = index.target_item(edge)
    if item is not None:
        detail.texts += item_sections(index, item, title="message")
    for payload_id in edge.carried_raw_payload_ids:
        detail.add_payload(index, "carried", payload_id)
    return detail


def _anchor_fact(detail: Detail, index: TraceIndex, name: str, anchor: Anchor) -> None:
    if isinstance(anchor, ItemAnchor):
        add_item(detail, index, name, anchor.item_id)
    elif isinstance(anchor, ToolCallAnchor):
        add_tool(detail, index, name, anchor.tool_call_id)
    elif isinstance(anchor, ThreadAnchor) and anchor.thread_id in index.trace.threads:
        path = index.thread_path(anchor.thread_id)
        detail.add(name, f"agent {path} as a whole", ObjectRef("Thread", anchor.thread_id))


def _event(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    seq = int(ref.id)
    event = index.event_at(seq)
    if event is None:
        return None
    title = event.kind if event.kind not in _TYPED_BY_NOTE else event.note or event.kind
    detail = titled(ref, title)
    detail.add("event", event.kind)
    detail.add("type", event.note)
    detail.add("at", f"{clock(event.at_unix_ms)}  seq {event.seq}, line {event.line}")
    note = index.protocol_notes.get(seq)
    if note is not None:
        detail.texts.append(TextSection("message", "text", note[1]))
    for payload in event.payloads:
        detail.add_payload(index, payload.kind.type.replace("_", " "), payload.raw_payload_id)
    detail.log_line = LinePlace(event.offset, event.file)
    return detail


_TYPED_BY_NOTE = frozenset({"protocol_event_observed"})
"""Events whose note is their type; of others it is a reason."""


_DESCRIBERS: dict[RefType, Callable[[TraceIndex, ObjectRef], Detail | None]] = {
    "Thread": _thread,
    "Turn": _turn,
    "InferenceCall": describe_inference_call,
    "ToolCall": describe_tool_call,
    "CodeCell": describe_code_cell,
    "TerminalOperation": describe_terminal_operation,
    "TerminalSession": describe_terminal_session,
    "InteractionEdge": _edge,
    "Compaction": describe_compaction,
    "CompactionRequest": describe_compaction_request,
    "Rewrite": describe_rewrite,
    "ConversationItem": describe_item,
    "Event": _event,
    "Problem": describe_problem,
    "Payload": describe_payload,
}
