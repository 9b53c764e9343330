"""What Codex did, in plain words: tool calls, code cells, terminals."""

from __future__ import annotations

from reducer import ObjectRef
from reducer.model import CodeCellRequester, ExecCommandRequest, TerminalOperation, ToolCall, ToolCallAnchor
from reducer.wire.events import CellRequester, GenericSummary, Mcp, OtherTool
from rollout_tui.insight.agents.waits import WaitEnd, wait_end
from rollout_tui.insight.evidence import item_json
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.tools.words import (
    cell_words,
    command_line,
    operation_words,
    tool_label,
    tool_words,
    visible_keys,
    wait_end_words,
)
from rollout_tui.lines.spans import StyleName
from rollout_tui.texts.short_forms import clock, one_line, plural
from rollout_tui.views.detail.facts import Detail, titled
from rollout_tui.views.detail.object_facts import (
    add_item,
    add_thread,
    add_tool,
    add_window,
    edge_words,
    item_sections,
)
from rollout_tui.views.detail.readable import readable


def describe_tool_call(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A tool call: what it did, for whom, and what the model saw of it."""
    call = index.trace.tool_calls.get(ref.id)
    if call is None:
        return None
    detail = titled(ref, f"{tool_label(index, call)}  {one_line(tool_words(index, call), 120)}")
    add_thread(detail, index, call.thread_id, call.started_by_codex_turn_id)
    detail.add("tool", _kind_words(index, call))
    add_window(detail, index, call.execution)
    _add_wait_end(detail, wait_end(index, call))
    if isinstance(call.requester, CodeCellRequester | CellRequester):
        cell = index.cell_around(call)
        if cell is not None:
            detail.add(
                "asked for by", f"the script exec  {cell_words(index, cell)}", index.entry_of_cell(cell)
            )
    else:
        detail.add("asked for by", "the model")
    cell = index.cell_of_call(call)
    if cell is not None:
        detail.add("cell", f"exec  {cell_words(index, cell)}", ObjectRef("CodeCell", cell.code_cell_id))
    waited = index.cell_of_wait(call.tool_call_id)
    if waited is not None:
        detail.add("waits for", f"exec  {cell_words(index, waited)}", index.entry_of_cell(waited))
    elif call.resolved_wait_runtime_cell_id is not None:
        words = f"runtime cell {call.resolved_wait_runtime_cell_id}, which is not in the graph"
        detail.add("waits for", words, style="warn")
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is not None:
        _operation_facts(detail, index, operation)
    for item_id in call.model_visible_call_item_ids:
        add_item(detail, index, "model asked", item_id)
    for item_id in call.model_visible_output_item_ids:
        add_item(detail, index, "model saw", item_id)
    for edge in index.edges_from(ToolCallAnchor(call.tool_call_id)):
        detail.add("edge", edge_words(index, edge.edge_id), ObjectRef("InteractionEdge", edge.edge_id))
    detail.add("mcp call id", call.mcp_call_id)
    detail.add("call id", call.model_visible_call_id)
    detail.add("tool call id", call.tool_call_id)
    _tool_texts(detail, index, call, operation)
    detail.add_payload(index, "invocation", call.raw_invocation_payload_id)
    for payload_id in call.raw_runtime_payload_ids:
        detail.add_payload(index, "runtime", payload_id)
    detail.add_payload(index, "result", call.raw_result_payload_id)
    return detail


def _add_wait_end(detail: Detail, end: WaitEnd | None) -> None:
    """Say what ended a wait for agents, and whether its result says so or the order of the log."""
    if end is None:
        return
    told = "" if end.is_told else "  (its result does not say: by what came first)"
    style: StyleName = "text" if end.sender else "warn"
    detail.add("result", f"{wait_end_words(end)}{told}", end.ref, style)


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
        opener = index.trace.terminal_operations.get(session.created_by_operation_id)
        words = session.terminal_id if opener is None else f"of {operation_words(opener)}"
        detail.add("terminal", f"{words}  ({operations})", ref)


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
        detail.texts += item_sections(index, item, title="what the model saw")
    if result is not None and not outputs:
        detail.texts.append(TextSection("result", "json", payload=result, extract=readable))


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
    return readable(item_json(body)) if isinstance(body, dict) else None


def describe_code_cell(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A code cell: what it ran, when it yielded, what the model saw of it."""
    cell = index.trace.code_cells.get(ref.id)
    if cell is None:
        return None
    detail = titled(
        ref, f"exec of {index.thread_path(cell.thread_id)}  {one_line(cell_words(index, cell), 120)}"
    )
    add_thread(detail, index, cell.thread_id, cell.codex_turn_id)
    add_window(detail, index, cell.execution)
    detail.add("runtime says", cell.runtime_status)
    if cell.initial_response_at_unix_ms is not None:
        status = cell.initial_response_status or "its end"
        detail.add("first response", f"{clock(cell.initial_response_at_unix_ms)}  {status}")
    if cell.yielded_at_unix_ms is not None:
        detail.add("last yielded", f"{clock(cell.yielded_at_unix_ms)}  seq {cell.yielded_seq}")
    add_item(detail, index, "source", cell.source_item_id)
    for call in index.calls_in_order(cell.nested_tool_call_ids):
        add_tool(detail, index, "ran", call.tool_call_id)
    for call in index.calls_in_order(cell.wait_tool_call_ids):
        add_tool(detail, index, "waited for by", call.tool_call_id)
    for item_id in cell.output_item_ids:
        add_item(detail, index, "model saw", item_id)
    detail.add("runtime id", cell.runtime_cell_id)
    detail.add("cell id", cell.code_cell_id)
    detail.texts.append(TextSection("JavaScript", "javascript", cell.source_js))
    for item in index.items(cell.output_item_ids):
        detail.texts += item_sections(index, item, title="what the model saw")
    detail.add_payload(index, "first response", cell.raw_initial_response_payload_id)
    detail.add_payload(index, "result", cell.raw_result_payload_id)
    return detail


def describe_terminal_operation(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """One command run in a terminal, or one write to it."""
    operation = index.trace.terminal_operations.get(ref.id)
    if operation is None:
        return None
    detail = titled(ref, f"terminal operation  {operation_words(operation)}")
    add_window(detail, index, operation.execution, ObjectRef("ToolCall", operation.tool_call_id))
    add_tool(detail, index, "run by", operation.tool_call_id)
    _operation_facts(detail, index, operation)
    for observation in operation.model_observations:
        for item_id in observation.output_item_ids:
            add_item(detail, index, "model saw", item_id)
    detail.add("operation id", operation.operation_id)
    detail.texts = _operation_sections(operation)
    for payload_id in operation.raw_payload_ids:
        detail.add_payload(index, "runtime", payload_id)
    return detail


def describe_terminal_session(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A terminal and its operations."""
    session = index.trace.terminal_sessions.get(ref.id)
    if session is None:
        return None
    detail = titled(ref, f"terminal of {index.thread_path(session.thread_id)}")
    add_thread(detail, index, session.thread_id)
    for operation_id in session.operation_ids:
        operation = index.trace.terminal_operations[operation_id]
        link = ObjectRef("ToolCall", operation.tool_call_id)
        detail.add(operation.kind, operation_words(operation), link)
        detail.texts += _operation_sections(operation)
    detail.add("terminal id", session.terminal_id)
    return detail
