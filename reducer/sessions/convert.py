"""A session as a trace bundle: what reads bundles can read it then, and the reference reduces it.

The bundle has what the session has. Requests are those that the graph rebuilt: they have items, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from reducer.model import (
    CodeCell,
    CodeCellRequester,
    Compaction,
    ExecCommandRequest,
    InferenceCall,
    InteractionEdge,
    ItemAnchor,
    SpawnedOrigin,
    TextPart,
    Thread,
    ToolCall,
    ToolCallAnchor,
    Turn,
)
from reducer.model.objects import GraphType
from reducer.recorder import (
    CodeCellTrace,
    Ids,
    InferenceTrace,
    SessionMetadata,
    SessionTrace,
    ThreadTrace,
    TokenUsage,
    ToolCallTrace,
    ToolInvocation,
    TraceWriter,
    TurnTrace,
    direct_response,
)
from reducer.recorder.metadata import Subagent, SubagentSource, ThreadSpawn
from reducer.recorder.scope import Scope
from reducer.sessions.session_reader import SessionReduction
from reducer.sessions.tools import asked_by
from reducer.sessions.wire_items import WireItems
from reducer.wire.events import CloseAgent, ExecutionStatus, Mcp, ModelRequester, RolloutStatus

REBUILT_KEY = "rebuilt_from"
"""Key of the manifest that says that a bundle was not recorded."""

_ACTIVITIES = {
    "spawn_agent": "started",
    "send_message": "interacted",
    "assign_agent_task": "interacted",
    "close_agent": "interrupted",
}

_ENDS: dict[ExecutionStatus, RolloutStatus] = {
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "aborted",
    "aborted": "aborted",
}
"""By the status of a thread the one with which a recording ends it."""

Step = Callable[[], None]


def convert_session(session: SessionReduction, directory: Path) -> None:
    """Write a session as a bundle of schema 3, whose manifest says that it was rebuilt from a session.

    Args:
        session: the session.
        directory: of the bundle; it must not exist, its parents are made.

    Raises:
        OSError: the directory exists or cannot be written.
        ValueError: there is no thread in the session.
    """
    graph = session.trace
    if graph.root_thread_id not in graph.threads:
        raise ValueError("the session has no thread to begin a bundle with")
    _Conversion(session, directory).run()
    manifest = directory / "manifest.json"
    told = msgspec.json.decode(manifest.read_bytes())
    text = msgspec.json.format(msgspec.json.encode({**told, REBUILT_KEY: "session"}), indent=2)
    manifest.write_bytes(text)


class _Conversion:
    """Plays a graph to the recorder, in the order in which it came about."""

    def __init__(self, session: SessionReduction, directory: Path) -> None:
        graph = session.trace
        self._session = session
        self._graph = graph
        self._now = graph.started_at_unix_ms
        self._items = WireItems(session)
        self._steps: list[tuple[int, int, int, Step]] = []
        self._threads: dict[str, ThreadTrace] = {}
        self._turns: dict[str, TurnTrace] = {}
        self._calls: dict[str, InferenceTrace] = {}
        self._tools: dict[str, ToolCallTrace] = {}
        self._cells: dict[str, CodeCellTrace] = {}
        self._cell_ids: dict[str, set[str]] = {}
        self._processes = self._known_processes()
        self._waited_for = {
            tool_id: cell.code_cell_id
            for cell in graph.code_cells.values()
            for tool_id in cell.wait_tool_call_ids
        }
        self._edges = {
            edge.source.tool_call_id: edge
            for edge in graph.interaction_edges.values()
            if isinstance(edge.source, ToolCallAnchor)
        }
        writer = TraceWriter(
            directory,
            trace_id=graph.trace_id,
            root_thread_id=graph.root_thread_id,
            clock=lambda: self._now,
        )
        ids = Ids()
        root = graph.threads[graph.root_thread_id]
        self._scope = Scope(writer, ids)
        self._trace = SessionTrace(writer, graph.trace_id, _metadata(root), ids)
        self._threads[root.thread_id] = self._trace.root

    def run(self) -> None:
        """Write everything."""
        self._plan()
        events = self._session.provenance.events
        for seq, _, _, step in sorted(self._steps, key=lambda one: one[:3]):
            self._now = max(self._now, events[seq - 1].at_unix_ms)
            step()
        if self._graph.status != "running":
            self._trace.end(self._graph.status)
            self._trace.complete()
        self._scope.sink.close()

    def _plan(self) -> None:
        """Say which step comes at which record; of several at one, the rank decides."""
        graph = self._graph
        for thread in graph.threads.values():
            if thread.thread_id != graph.root_thread_id:
                self._at(thread.execution.started_seq, 0, self._start_thread, thread)
            self._at(thread.execution.ended_seq, 12, self._end_thread, thread)
        for turn in graph.codex_turns.values():
            self._at(turn.execution.started_seq, 1, self._start_turn, turn)
            self._at(turn.execution.ended_seq, 10, self._end_turn, turn)
        for compaction in graph.compactions.values():
            self._at(self._first("Compaction", compaction.compaction_id), 2, self._compact, compaction)
        for call in graph.inference_calls.values():
            self._at(call.execution.started_seq, 3, self._start_call, call)
            self._at(call.execution.ended_seq, 4, self._end_call, call)
        for tool in graph.tool_calls.values():
            self._at(tool.execution.started_seq, 6, self._start_tool, tool)
            self._at(tool.execution.ended_seq, 8, self._end_tool, tool)
            operation = graph.terminal_operations.get(tool.terminal_operation_id or "")
            if operation is not None:
                self._at(operation.execution.ended_seq, 7, self._end_command, tool)
        for cell in graph.code_cells.values():
            self._at(cell.execution.started_seq, 5, self._start_cell, cell)
            self._at(cell.initial_response_seq, 8, self._answer_for_cell, cell)
            self._at(cell.execution.ended_seq, 9, self._end_cell, cell)
        for edge in graph.interaction_edges.values():
            if edge.kind == "agent_result":
                self._at(self._first("InteractionEdge", edge.edge_id), 11, self._hand_over, edge)

    def _at(self, seq: int | None, rank: int, step: Callable[[Any], None], what: Any) -> None:
        if seq is not None:
            self._steps.append((seq, rank, len(self._steps), lambda: step(what)))

    def _first(self, type_: GraphType, object_id: str) -> int | None:
        events = self._session.provenance.of(type_, object_id)
        return events[0].seq if events else None

    def _start_thread(self, thread: Thread) -> None:
        self._threads[thread.thread_id] = ThreadTrace(self._scope, _metadata(thread))

    def _end_thread(self, thread: Thread) -> None:
        status = thread.execution.status
        self._threads[thread.thread_id].end(_ENDS[status])

    def _start_turn(self, turn: Turn) -> None:
        self._turns[turn.codex_turn_id] = self._threads[turn.thread_id].start_turn(turn.codex_turn_id)

    def _end_turn(self, turn: Turn) -> None:
        self._turns[turn.codex_turn_id].end(turn.execution.status)

    # Calls and compactions

    def _wire(self, item_ids: Iterable[str]) -> list[Any]:
        items = self._graph.conversation_items
        return [self._items.of(items[item_id]) for item_id in item_ids]

    def _start_call(self, call: InferenceCall) -> None:
        turn = self._turns.get(call.codex_turn_id)
        if turn is not None:
            self._calls[call.inference_call_id] = turn.start_inference(
                model=call.model,
                provider_name=call.provider_name,
                request={"model": call.model, "input": self._wire(call.request_item_ids)},
                inference_call_id=call.inference_call_id,
            )

    def _end_call(self, call: InferenceCall) -> None:
        trace = self._calls.get(call.inference_call_id)
        if trace is None:
            return
        items, why = self._wire(call.response_item_ids), "the session does not say why"
        if call.execution.status == "completed":
            trace.complete(items, response_id=call.response_id, token_usage=_tokens(call))
        elif call.execution.status == "failed":
            trace.fail(why, output_items=items)
        else:
            trace.cancel(why, output_items=items)

    def _compact(self, compaction: Compaction) -> None:
        turn = self._turns.get(compaction.codex_turn_id)
        if turn is not None:
            turn.start_compaction(compaction.compaction_id).install(
                self._wire(compaction.input_item_ids), self._wire(compaction.replacement_item_ids)
            )

    # Tools and cells

    def _start_tool(self, tool: ToolCall) -> None:
        asked = self._invocation(tool)
        turn = self._turns.get(tool.started_by_codex_turn_id or "")
        if isinstance(tool.requester, CodeCellRequester):
            cell = self._cells.get(tool.requester.code_cell_id)
            if cell is None:
                return
            trace = cell.start_tool_call(asked, tool_call_id=tool.tool_call_id)
        elif turn is not None and tool.model_visible_call_id == tool.tool_call_id:
            trace = turn.start_tool_call(tool.tool_call_id, asked)
        else:
            return
        self._tools[tool.tool_call_id] = trace
        if isinstance(tool.kind, Mcp):
            trace.start_runtime({"call_id": tool.tool_call_id}, kind=tool.kind)
        self._begin_command(tool, trace)
        if tool.resolved_wait_runtime_cell_id is not None:
            cell = self._cells.get(self._waited_for.get(tool.tool_call_id, ""))
            if cell is not None:
                trace.resolve_wait(cell.runtime_cell_id)

    def _invocation(self, tool: ToolCall) -> ToolInvocation:
        """What a tool was asked, as far as it is known."""
        items = tool.model_visible_call_item_ids
        value = self._wire(items[:1])[0] if items else {}
        if value.get("type") == "custom_tool_call":
            return ToolInvocation.custom(str(value.get("name")), str(value.get("input")))
        if value.get("type") == "function_call":
            arguments, namespace = str(value.get("arguments")), value.get("namespace")
            return ToolInvocation.function(str(value.get("name")), arguments, namespace=namespace)
        operation = self._graph.terminal_operations.get(tool.terminal_operation_id or "")
        name = getattr(tool.kind, "name", None) or getattr(tool.kind, "tool", None) or tool.kind.name_of_type
        if operation is not None and isinstance(operation.request, ExecCommandRequest):
            arguments = msgspec.json.encode({"cmd": operation.request.display_command}).decode()
            return ToolInvocation.function(name, arguments)
        return ToolInvocation.function(name, "{}")

    def _known_processes(self) -> dict[str, str]:
        """The process ids of terminals, as far as something was written to them."""
        found = {}
        for operation in self._graph.terminal_operations.values():
            tool = self._graph.tool_calls.get(operation.tool_call_id)
            if operation.kind == "write_stdin" and operation.terminal_id is not None and tool is not None:
                asked = [asked_by(value) for value in self._wire(tool.model_visible_call_item_ids[:1])]
                session = asked[0].value.get("session_id") if asked and asked[0] is not None else None
                if session is not None:
                    found[operation.terminal_id] = str(session)
        return found

    def _begin_command(self, tool: ToolCall, trace: ToolCallTrace) -> None:
        operation = self._graph.terminal_operations.get(tool.terminal_operation_id or "")
        if operation is not None and isinstance(operation.request, ExecCommandRequest):
            request = operation.request
            trace.start_runtime(
                {
                    "call_id": tool.tool_call_id,
                    "process_id": self._processes.get(operation.terminal_id or ""),
                    "turn_id": tool.started_by_codex_turn_id,
                    "command": request.command or [request.display_command],
                    "cwd": request.cwd,
                }
            )

    def _end_command(self, tool: ToolCall) -> None:
        trace = self._tools.get(tool.tool_call_id)
        operation = self._graph.terminal_operations[tool.terminal_operation_id or ""]
        result = operation.result
        if trace is None or result is None or operation.kind != "exec_command" or result.exit_code is None:
            return
        trace.end_runtime(
            {
                "call_id": tool.tool_call_id,
                "process_id": self._processes.get(operation.terminal_id or ""),
                "exit_code": result.exit_code,
                "aggregated_output": result.stdout,
            },
            status=operation.execution.status,
        )

    def _end_tool(self, tool: ToolCall) -> None:
        trace = self._tools.get(tool.tool_call_id)
        if trace is None:
            return
        self._tell_agent(tool, trace)
        outputs = self._wire(tool.model_visible_output_item_ids[:1])
        trace.end(direct_response(outputs[0]) if outputs else None, status=tool.execution.status)

    def _tell_agent(self, tool: ToolCall, trace: ToolCallTrace) -> None:
        """What a call did to another agent; only where what it said is known, too."""
        edge = self._edges.get(tool.tool_call_id)
        by_model = isinstance(tool.requester, ModelRequester)
        if edge is None or not by_model or tool.kind.name_of_type != edge.kind:
            return
        other = self._graph.threads.get(self._receiver(edge))
        message = self._invocation(tool).payload.get("arguments")
        speaks = isinstance(message, str) and '"message"' in message
        if other is not None and (speaks or isinstance(tool.kind, CloseAgent)):
            trace.end_runtime(
                {
                    "event_id": tool.tool_call_id,
                    "occurred_at_ms": self._now,
                    "agent_thread_id": other.thread_id,
                    "agent_path": other.agent_path,
                    "kind": _ACTIVITIES[edge.kind],
                }
            )

    def _receiver(self, edge: InteractionEdge) -> str:
        if isinstance(edge.target, ItemAnchor):
            return self._graph.conversation_items[edge.target.item_id].thread_id
        return getattr(edge.target, "thread_id", "")

    def _start_cell(self, cell: CodeCell) -> None:
        turn = self._turns.get(cell.codex_turn_id)
        if turn is None or cell.code_cell_id != f"code_cell:{cell.model_visible_call_id}":
            return  # a bundle has one cell of a call id
        used = self._cell_ids.setdefault(cell.thread_id, set())
        name = cell.runtime_cell_id
        if not name or name in used:
            name = f"rebuilt-{len(used) + 1}"
        used.add(name)
        self._cells[cell.code_cell_id] = turn.start_code_cell(
            name, model_visible_call_id=cell.model_visible_call_id, source_js=cell.source_js
        )

    def _answer_for_cell(self, cell: CodeCell) -> None:
        trace = self._cells.get(cell.code_cell_id)
        if trace is not None and cell.initial_response_status is not None:
            trace.respond(cell.initial_response_status, None)

    def _end_cell(self, cell: CodeCell) -> None:
        trace = self._cells.get(cell.code_cell_id)
        if trace is not None:
            trace.end(cell.runtime_status, None)

    def _hand_over(self, edge: InteractionEdge) -> None:
        *_, child_id, turn_id, parent_id = edge.edge_id.split(":")
        turn, child = self._turns.get(turn_id), self._graph.threads.get(child_id)
        if turn is None or child is None or not isinstance(edge.target, ItemAnchor):
            return
        parts = self._graph.conversation_items[edge.target.item_id].body.parts
        said = next((part.text for part in parts if isinstance(part, TextPart)), "")
        turn.hand_over_result(
            parent_id, child_agent_path=child.agent_path, message=said, status={"completed": said}
        )


def _metadata(thread: Thread) -> SessionMetadata:
    origin = thread.origin
    if not isinstance(origin, SpawnedOrigin):
        return SessionMetadata(
            thread_id=thread.thread_id, agent_path=thread.agent_path, model=thread.default_model
        )
    spawn = ThreadSpawn(
        parent_thread_id=origin.parent_thread_id,
        depth=max(1, thread.agent_path.count("/") - 1),
        agent_path=thread.agent_path,
        agent_nickname=thread.nickname,
        agent_role=origin.agent_role or None,
    )
    return SessionMetadata(
        thread_id=thread.thread_id,
        agent_path=thread.agent_path,
        task_name=origin.task_name,
        nickname=thread.nickname,
        agent_role=origin.agent_role or None,
        session_source=SubagentSource(Subagent(spawn)),
        model=thread.default_model,
    )


def _tokens(call: InferenceCall) -> TokenUsage | None:
    usage = call.usage
    if usage is None:
        return None
    return TokenUsage(
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        cache_write_input_tokens=usage.cache_write_input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_output_tokens=usage.reasoning_output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
    )
