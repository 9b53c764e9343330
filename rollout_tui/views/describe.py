"""Every type of object in plain words, for the detail pane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reducer import ObjectRef
from reducer.events import CellRequester, GenericSummary, Mcp, OtherTool
from reducer.model import (
    AgentMessage,
    CellProducer,
    CodeCellRequester,
    CodePart,
    CompactionProducer,
    ConversationItem,
    EncodedPart,
    ExecCommandRequest,
    ExecutionWindow,
    InferenceProducer,
    ItemAnchor,
    JsonPart,
    PayloadRefPart,
    Producer,
    SpawnedOrigin,
    SummaryPart,
    TerminalOperation,
    TextPart,
    ThreadAnchor,
    ToolCall,
    ToolCallAnchor,
)
from reducer.model.agents import Anchor
from rollout_tui.views.detail import Detail, TextSection, add_trail, titled
from rollout_tui.views.evidence import find_item, item_json, pretty
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.item_words import call_name, item_label, item_words, part_label, tool_name
from rollout_tui.views.tool_words import command_line, operation_words, tool_label, tool_words, visible_keys
from rollout_tui.views.words import clock, count, duration, moment, one_line, plural, size, window_ms


def describe(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """What the detail pane shows of an object; None for one that the graph does not know."""
    make = _DESCRIBERS.get(ref.type)
    detail = None if make is None else make(index, ref)
    if detail is not None:
        add_trail(detail, index.reduction.provenance.of(ref.type, ref.id))
    return detail


def _window(detail: Detail, index: TraceIndex, window: ExecutionWindow) -> None:
    state = window.status
    over = state == "running" and index.is_over
    detail.add(
        "state", "running when the recording ended" if over else state, style="warn" if over else "text"
    )
    detail.add("started", f"{clock(window.started_at_unix_ms)}  seq {window.started_seq}")
    if window.ended_at_unix_ms is not None:
        took = duration(window_ms(window))
        detail.add("ended", f"{clock(window.ended_at_unix_ms)}  seq {window.ended_seq}  after {took}")


def _thread_fact(detail: Detail, index: TraceIndex, thread_id: str, turn_id: str | None = None) -> None:
    detail.add("agent", index.thread_path(thread_id), ObjectRef("Thread", thread_id))
    turn = index.trace.codex_turns.get(turn_id or "")
    if turn is not None:
        number = index.contents[turn.thread_id].turns.index(turn) + 1
        detail.add("turn", f"{number}  {turn_id}", ObjectRef("Turn", turn.codex_turn_id))


def _item_fact(detail: Detail, index: TraceIndex, name: str, item_id: str) -> None:
    item = index.trace.conversation_items.get(item_id)
    if item is not None:
        words = f"{item_label(item)}  {item_words(index, item)}"
        detail.add(name, words, ObjectRef("ConversationItem", item_id))


def _tool_fact(detail: Detail, index: TraceIndex, name: str, tool_call_id: str) -> None:
    call = index.trace.tool_calls.get(tool_call_id)
    if call is not None:
        words = f"{tool_label(index, call)}  {tool_words(index, call)}"
        detail.add(name, words, ObjectRef("ToolCall", tool_call_id))


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
            detail.add("spawn edge", origin.spawn_edge_id, ObjectRef("InteractionEdge", origin.spawn_edge_id))
    _window(detail, index, thread.execution)
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
    detail = titled(ref, f"turn {contents.turns.index(turn) + 1} of {index.thread_path(turn.thread_id)}")
    _thread_fact(detail, index, turn.thread_id)
    _window(detail, index, turn.execution)
    detail.add("calls", len(calls))
    if usages:
        read, cached = sum(one.input_tokens for one in usages), sum(one.cached_input_tokens for one in usages)
        detail.add("tokens in", f"{count(read)}, of them {count(cached)} cached")
        detail.add("tokens out", count(sum(one.output_tokens for one in usages)))
    detail.add("turn id", turn.codex_turn_id)
    return detail


def _inference_call(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    call = index.trace.inference_calls.get(ref.id)
    if call is None:
        return None
    place, total = index.place_of_call(call) + 1, len(index.contents[call.thread_id].calls)
    detail = titled(ref, f"call {place} of {total}, {index.thread_path(call.thread_id)}")
    _thread_fact(detail, index, call.thread_id, call.codex_turn_id)
    _window(detail, index, call.execution)
    for event in index.reduction.provenance.of(ref.type, ref.id):
        if event.kind in ("inference_failed", "inference_cancelled"):
            detail.add("because", event.note, style="bad")
    detail.add("model", f"{call.model}  ({call.provider_name})")
    if call.usage is not None:
        usage = call.usage
        detail.add("tokens in", f"{usage.input_tokens}, of them {usage.cached_input_tokens} cached")
        detail.add("tokens out", f"{usage.output_tokens}, of them {usage.reasoning_output_tokens} reasoning")
        detail.add("cache written", usage.cache_write_input_tokens or None)
    else:
        detail.add("tokens", "not told")
    detail.add("received", plural(len(call.request_item_ids), "item"))
    for item_id in call.response_item_ids:
        _item_fact(detail, index, "answered", item_id)
    for tool_call_id in call.tool_call_ids_started_by_response:
        _tool_fact(detail, index, "started", tool_call_id)
    detail.add("response id", call.response_id)
    detail.add("upstream id", call.upstream_request_id)
    detail.add("call id", call.inference_call_id)
    for item in index.items(call.response_item_ids):
        heading = f"{item_label(item)} {call_name(index, item)}".strip()
        detail.texts += [
            replace(section, heading=heading) for section in _item_sections(index, item, title="answer")
        ]
    detail.add_payload(index, "request", call.raw_request_payload_id)
    detail.add_payload(index, "response", call.raw_response_payload_id)
    return detail


def _tool_call(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    call = index.trace.tool_calls.get(ref.id)
    if call is None:
        return None
    detail = titled(ref, f"{tool_label(index, call)}  {one_line(tool_words(index, call), 120)}")
    _thread_fact(detail, index, call.thread_id, call.started_by_codex_turn_id)
    detail.add("tool", _kind_words(index, call))
    _window(detail, index, call.execution)
    if isinstance(call.requester, CodeCellRequester | CellRequester):
        cell = index.cell_around(call)
        if cell is not None:
            detail.add("asked for by", f"JavaScript of {cell.code_cell_id}", index.entry_of_cell(cell))
    else:
        detail.add("asked for by", "the model")
    cell = index.cell_of_call(call)
    if cell is not None:
        detail.add("cell", cell.code_cell_id, ObjectRef("CodeCell", cell.code_cell_id))
    waited = index.cell_of_wait(call.tool_call_id)
    if waited is not None:
        detail.add("waits for", waited.code_cell_id, index.entry_of_cell(waited))
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is not None:
        _operation_facts(detail, index, operation)
    for item_id in call.model_visible_call_item_ids:
        _item_fact(detail, index, "model asked", item_id)
    for item_id in call.model_visible_output_item_ids:
        _item_fact(detail, index, "model saw", item_id)
    for edge in index.edges_from(ToolCallAnchor(call.tool_call_id)):
        detail.add("edge", _edge_words(index, edge.edge_id), ObjectRef("InteractionEdge", edge.edge_id))
    detail.add("mcp call id", call.mcp_call_id)
    detail.add("call id", call.model_visible_call_id)
    detail.add("tool call id", call.tool_call_id)
    _tool_texts(detail, index, call, operation)
    detail.add_payload(index, "invocation", call.raw_invocation_payload_id)
    for payload_id in call.raw_runtime_payload_ids:
        detail.add_payload(index, "runtime", payload_id)
    detail.add_payload(index, "result", call.raw_result_payload_id)
    return detail


def _kind_words(index: TraceIndex, call: ToolCall) -> str:
    if isinstance(call.kind, Mcp):
        return f"{call.kind.tool} of MCP server {call.kind.server}"
    name = call.kind.name if isinstance(call.kind, OtherTool) else call.kind.name_of_type
    label = call.summary.label if isinstance(call.summary, GenericSummary) else name
    return name if label == name else f"{name}  ({label})"


def _operation_facts(detail: Detail, index: TraceIndex, operation: TerminalOperation) -> None:
    request = operation.request
    if isinstance(request, ExecCommandRequest):
        detail.add("directory", request.cwd)
    result = operation.result
    if result is not None and result.exit_code is not None:
        detail.add("exit code", result.exit_code, style="bad" if result.exit_code else "good")
    session = index.trace.terminal_sessions.get(operation.terminal_id or "")
    if session is not None:
        ref = ObjectRef("TerminalSession", session.terminal_id)
        operations = plural(len(session.operation_ids), "operation")
        detail.add("terminal", f"{session.terminal_id}  ({operations})", ref)


def _tool_texts(
    detail: Detail, index: TraceIndex, call: ToolCall, operation: TerminalOperation | None
) -> None:
    cell = index.cell_of_call(call)
    invocation = index.trace.raw_payloads.get(call.raw_invocation_payload_id or "")
    result = index.trace.raw_payloads.get(call.raw_result_payload_id or "")
    if cell is not None:
        detail.texts.append(TextSection("JavaScript", "javascript", cell.source_js))
    elif operation is not None:
        detail.texts += _operation_sections(operation)
    elif invocation is not None:
        detail.texts.append(TextSection("arguments", "json", payload=invocation, extract=_arguments))
    outputs = index.items(call.model_visible_output_item_ids)
    for item in outputs:
        detail.texts += _item_sections(index, item, title="what the model saw")
    if result is not None and not outputs:
        detail.texts.append(TextSection("result", "json", payload=result, extract=pretty))


def _operation_sections(operation: TerminalOperation) -> list[TextSection]:
    request, result = operation.request, operation.result
    if isinstance(request, ExecCommandRequest):
        sections = [TextSection("command", "bash", command_line(request))]
    else:
        sections = [
            TextSection("written to the terminal", "text", visible_keys(request.stdin) or "(nothing)")
        ]
    if result is not None:
        sections.append(TextSection("what the process printed", "text", result.stdout))
        if result.stderr:
            sections.append(TextSection("error", "text", result.stderr))
    return sections


def _arguments(payload: object) -> str | None:
    body = payload.get("payload") if isinstance(payload, dict) else None
    return pretty(item_json(body)) if isinstance(body, dict) else None


def _code_cell(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    cell = index.trace.code_cells.get(ref.id)
    if cell is None:
        return None
    detail = titled(ref, f"code cell {cell.runtime_cell_id} of {index.thread_path(cell.thread_id)}")
    _thread_fact(detail, index, cell.thread_id, cell.codex_turn_id)
    _window(detail, index, cell.execution)
    detail.add("runtime says", cell.runtime_status)
    if cell.initial_response_at_unix_ms is not None:
        status = cell.initial_response_status or "its end"
        detail.add("first response", f"{clock(cell.initial_response_at_unix_ms)}  {status}")
    if cell.yielded_at_unix_ms is not None:
        detail.add("last yielded", f"{clock(cell.yielded_at_unix_ms)}  seq {cell.yielded_seq}")
    _item_fact(detail, index, "source", cell.source_item_id)
    for tool_call_id in cell.nested_tool_call_ids:
        _tool_fact(detail, index, "ran", tool_call_id)
    for tool_call_id in cell.wait_tool_call_ids:
        _tool_fact(detail, index, "waited for by", tool_call_id)
    for item_id in cell.output_item_ids:
        _item_fact(detail, index, "model saw", item_id)
    detail.add("cell id", cell.code_cell_id)
    detail.texts.append(TextSection("JavaScript", "javascript", cell.source_js))
    for item in index.items(cell.output_item_ids):
        detail.texts += _item_sections(index, item, title="what the model saw")
    detail.add_payload(index, "first response", cell.raw_initial_response_payload_id)
    detail.add_payload(index, "result", cell.raw_result_payload_id)
    return detail


def _terminal_session(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    session = index.trace.terminal_sessions.get(ref.id)
    if session is None:
        return None
    detail = titled(ref, f"terminal of {index.thread_path(session.thread_id)}")
    _thread_fact(detail, index, session.thread_id)
    for operation_id in session.operation_ids:
        operation = index.trace.terminal_operations[operation_id]
        link = ObjectRef("ToolCall", operation.tool_call_id)
        detail.add(operation.kind, operation_words(operation), link)
        detail.texts += _operation_sections(operation)
    detail.add("terminal id", session.terminal_id)
    return detail


def _edge(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    edge = index.trace.interaction_edges.get(ref.id)
    if edge is None:
        return None
    detail = titled(ref, f"{edge.kind.replace('_', ' ')}  {_edge_words(index, ref.id)}")
    for name, anchor in (("from", edge.source), ("to", edge.target)):
        _anchor_fact(detail, index, name, anchor)
    if not isinstance(edge.target, ItemAnchor) and edge.kind != "close_agent":
        detail.add("delivered", "no call of the receiving agent ever saw it", style="warn")
    detail.add("started", moment(edge.started_at_unix_ms))
    if edge.ended_at_unix_ms is not None:
        detail.add("ended", moment(edge.ended_at_unix_ms))
    detail.add("edge id", edge.edge_id)
    item = index.target_item(edge)
    if item is not None:
        detail.texts += _item_sections(index, item, title="message")
    for payload_id in edge.carried_raw_payload_ids:
        detail.add_payload(index, "carried", payload_id)
    return detail


def _edge_words(index: TraceIndex, edge_id: str) -> str:
    edge = index.trace.interaction_edges[edge_id]
    ends = [index.thread_of_anchor(anchor) for anchor in (edge.source, edge.target)]
    return " to ".join("?" if end is None else index.thread_path(end) for end in ends)


def _anchor_fact(detail: Detail, index: TraceIndex, name: str, anchor: Anchor) -> None:
    if isinstance(anchor, ItemAnchor):
        _item_fact(detail, index, name, anchor.item_id)
    elif isinstance(anchor, ToolCallAnchor):
        _tool_fact(detail, index, name, anchor.tool_call_id)
    elif isinstance(anchor, ThreadAnchor) and anchor.thread_id in index.trace.threads:
        path = index.thread_path(anchor.thread_id)
        detail.add(name, f"agent {path} as a whole", ObjectRef("Thread", anchor.thread_id))


def _compaction(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    compaction = index.trace.compactions.get(ref.id)
    if compaction is None:
        return None
    before, after = compaction.input_item_ids, compaction.replacement_item_ids
    detail = titled(ref, f"compaction  {len(before)} to {plural(len(after), 'item')}")
    _thread_fact(detail, index, compaction.thread_id, compaction.codex_turn_id)
    detail.add("installed", clock(compaction.installed_at_unix_ms))
    for request_id in compaction.request_ids:
        detail.add("request", request_id, ObjectRef("CompactionRequest", request_id))
    detail.add("before", plural(len(before), "item"))
    for item_id in after:
        _item_fact(detail, index, "after", item_id)
    detail.add("compaction id", compaction.compaction_id)
    for item in index.items(after):
        detail.texts += _item_sections(index, item)
    for event in index.reduction.provenance.of(ref.type, ref.id)[:1]:
        for payload in event.payloads:
            detail.add_payload(index, "checkpoint", payload.raw_payload_id)
    return detail


def _compaction_request(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    request = index.trace.compaction_requests.get(ref.id)
    if request is None:
        return None
    detail = titled(ref, f"compaction request to {request.model}")
    _thread_fact(detail, index, request.thread_id, request.codex_turn_id)
    _window(detail, index, request.execution)
    for event in index.reduction.provenance.of(ref.type, ref.id):
        if event.kind == "compaction_request_failed":
            detail.add("because", event.note, style="bad")
    detail.add("model", f"{request.model}  ({request.provider_name})")
    if request.compaction_id in index.trace.compactions:
        detail.add("compaction", request.compaction_id, ObjectRef("Compaction", request.compaction_id))
    else:
        detail.add("compaction", "never installed", style="warn")
    detail.add("request id", request.compaction_request_id)
    detail.add_payload(index, "request", request.raw_request_payload_id)
    detail.add_payload(index, "response", request.raw_response_payload_id)
    return detail


def _item(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    item = index.trace.conversation_items.get(ref.id)
    if item is None:
        return None
    detail = titled(ref, f"{item_label(item)}  {one_line(item_words(index, item), 120)}")
    detail.add("role", item.role)
    detail.add("kind", item.kind)
    detail.add("channel", item.channel)
    _agent_message(detail, item.agent_message)
    _thread_fact(detail, index, item.thread_id, item.codex_turn_id)
    detail.add("first seen", clock(item.first_seen_at_unix_ms))
    if item.accepted_seq is not None:
        detail.add("accepted", f"{clock(item.accepted_at_unix_ms or 0)}  seq {item.accepted_seq}")
    for producer in item.produced_by:
        _producer_fact(detail, index, producer)
    call = index.tool_of_item(item)
    if call is not None:
        _tool_fact(detail, index, "tool call", call.tool_call_id)
    for part in item.body.parts:
        if isinstance(part, EncodedPart):
            detail.add("encrypted", f"{size(len(part.value))}; only the provider can read it")
        elif isinstance(part, PayloadRefPart):
            detail.add("holds", f"{part_label(part)}, in {part.raw_payload_id}")
    detail.add("call id", item.call_id)
    detail.add("responses id", item.responses_item_id)
    detail.add("item id", item.item_id)
    detail.texts = _item_sections(index, item)
    for event in index.reduction.provenance.of(ref.type, ref.id)[:1]:
        for payload in event.payloads:
            name = payload.kind.type.replace("_", " ")
            detail.add_payload(index, name, payload.raw_payload_id, item)
    return detail


def _agent_message(detail: Detail, message: AgentMessage | None) -> None:
    if message is not None:
        detail.add("author", message.author)
        detail.add("recipient", message.recipient)


def _producer_fact(detail: Detail, index: TraceIndex, producer: Producer) -> None:
    if isinstance(producer, InferenceProducer):
        call = index.trace.inference_calls.get(producer.inference_call_id)
        words = "?" if call is None else f"call {index.place_of_call(call) + 1}"
        detail.add("made by", words, ObjectRef("InferenceCall", producer.inference_call_id))
    elif isinstance(producer, CellProducer):
        detail.add("made by", producer.code_cell_id, ObjectRef("CodeCell", producer.code_cell_id))
    elif isinstance(producer, CompactionProducer):
        detail.add("made by", "a compaction", ObjectRef("Compaction", producer.compaction_id))
    else:
        _tool_fact(detail, index, "made by", producer.tool_call_id)


def _item_sections(index: TraceIndex, item: ConversationItem, title: str = "") -> list[TextSection]:
    """The texts of an item; JSON is read from its payload, since the graph keeps only its beginning."""
    name = title or item_label(item)
    call = index.tool_of_item(item)
    if not title and call is not None:
        name = f"{name} {tool_name(index, call)}"
    sections = []
    for part in item.body.parts:
        if isinstance(part, TextPart):
            language = "diff" if part.text.startswith("*** Begin Patch") else "text"
            sections.append(TextSection(name, "diff" if language == "diff" else "text", part.text))
        elif isinstance(part, SummaryPart):
            sections.append(TextSection(name, "text", part.text))
        elif isinstance(part, CodePart):
            sections.append(TextSection(name, "javascript", part.source))
        elif isinstance(part, EncodedPart):
            sections.append(TextSection(name, "text", f"(encrypted, {size(len(part.value))})"))
        elif isinstance(part, JsonPart):
            payload = index.trace.raw_payloads.get(part.raw_payload_id)
            sections.append(_json_section(name, item, part, payload is None, index))
        else:
            sections.append(TextSection(name, "text", f"({part_label(part)}, in {part.raw_payload_id})"))
    return sections


def _json_section(
    name: str, item: ConversationItem, part: JsonPart, lost: bool, index: TraceIndex
) -> TextSection:
    if lost:
        return TextSection(name, "json", part.summary)

    def extract(payload: object) -> str | None:
        found = find_item(payload, item)
        return None if found is None else pretty(item_json(found[1]))

    return TextSection(name, "json", part.summary, index.trace.raw_payloads[part.raw_payload_id], extract)


def _event(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    seq = int(ref.id)
    event = next((one for one in index.reduction.provenance.events if one.seq == seq), None)
    if event is None:
        return None
    detail = titled(ref, f"{event.note or event.kind}")
    detail.add("event", event.kind)
    detail.add("type", event.note)
    detail.add("at", f"{clock(event.at_unix_ms)}  seq {event.seq}, line {event.line}")
    note = index.protocol_notes.get(seq)
    if note is not None:
        detail.texts.append(TextSection("message", "text", note[1]))
    for payload in event.payloads:
        detail.add_payload(index, payload.kind.type.replace("_", " "), payload.raw_payload_id)
    detail.log_line = event.offset
    return detail


def _problem(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    problem = index.reduction.problems[int(ref.id)]
    detail = titled(ref, "problem")
    detail.add("where", problem.where())
    detail.add("reason", problem.reason, style="bad")
    detail.add("consequence", problem.consequence)
    detail.add("payload", problem.raw_payload_id)
    detail.texts.append(TextSection("problem", "text", f"{problem.reason}\n\n{problem.consequence}"))
    detail.add_payload(index, "payload", problem.raw_payload_id)
    return detail


_DESCRIBERS: dict[str, Callable[[TraceIndex, ObjectRef], Detail | None]] = {
    "Thread": _thread,
    "Turn": _turn,
    "InferenceCall": _inference_call,
    "ToolCall": _tool_call,
    "CodeCell": _code_cell,
    "TerminalSession": _terminal_session,
    "InteractionEdge": _edge,
    "Compaction": _compaction,
    "CompactionRequest": _compaction_request,
    "ConversationItem": _item,
    "Event": _event,
    "Problem": _problem,
}
