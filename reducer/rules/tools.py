"""Tool calls: dispatch, what the runtime made of them, and the items through which the model saw them."""

from __future__ import annotations

from msgspec import Struct

from reducer.changes import GraphWork, Handlers
from reducer.errors import Inconsistent
from reducer.model import (
    CALL_KINDS,
    OUTPUT_KINDS,
    CodeCellRequester,
    ConversationItem,
    ExecutionWindow,
    Producer,
    TerminalOperation,
    ToolCall,
    ToolProducer,
)
from reducer.rules.agents import Agents
from reducer.rules.code_cells import CodeCells
from reducer.rules.inference import ResponseIndex
from reducer.rules.items import ItemStore
from reducer.rules.normalize import NormalItem
from reducer.rules.terminals import Terminals, is_terminal
from reducer.rules.threads import Referrer, Threads
from reducer.schemas.v1 import (
    McpCorrelationAssigned,
    RuntimeStartedV1,
    StdinTargetResolved,
    ToolCallEnded,
    ToolCallRuntimeEnded,
    ToolCallStarted,
)
from reducer.schemas.v2 import ToolCallRuntimeStarted
from reducer.schemas.v3 import CodeCellWaitTargetResolved
from reducer.storage.payloads import Payloads
from reducer.wire.events import (
    CellRequester,
    Mcp,
    ModelRequester,
    RawEvent,
    TerminalSummary,
    WriteStdin,
)
from reducer.wire.json_text import JsonDocument
from reducer.wire.payload_refs import PayloadRef
from reducer.wire.typed_json import convert, dig


class _McpInvocation(Struct):
    """What the runtime asks of an MCP server."""

    server: str
    tool: str


class Tools:
    """Applies the events of tool calls and links the calls to items, cells, terminals and edges."""

    def __init__(
        self,
        work: GraphWork,
        payloads: Payloads,
        threads: Threads,
        items: ItemStore,
        answers: ResponseIndex,
        cells: CodeCells,
        terminals: Terminals,
        agents: Agents,
    ) -> None:
        self._work = work
        self._payloads = payloads
        self._threads = threads
        self._items = items
        self._answers = answers
        self._cells = cells
        self._terminals = terminals
        self._agents = agents
        self._by_model_call: dict[str, str] = {}

    def handlers(self) -> Handlers:
        """What is done on the events that concern this."""
        return {
            ToolCallStarted: self.started,
            McpCorrelationAssigned: self.mcp_correlation_assigned,
            StdinTargetResolved: self.stdin_target_resolved,
            CodeCellWaitTargetResolved: self.wait_target_resolved,
            ToolCallRuntimeStarted: self.runtime_started,
            RuntimeStartedV1: self.runtime_started_v1,
            ToolCallRuntimeEnded: self.runtime_ended,
            ToolCallEnded: self.ended,
        }

    def started(self, raw: RawEvent, event: ToolCallStarted) -> None:
        """Make the tool call, with its terminal operation if it is a write."""
        thread_id, requester = self._check_start(raw, event)
        operation: TerminalOperation | None = None
        invocation = event.invocation_payload
        if invocation is not None and not self._payloads.is_lost(invocation):
            if isinstance(event.kind, WriteStdin):
                operation = self._terminals.begun_by_write(raw, event.tool_call_id, thread_id, invocation)
            if self._work.schema.reads_waits:
                self._link_wait(thread_id, event.tool_call_id, invocation)
        call_id = event.model_visible_call_id
        operation_id = None if operation is None else operation.operation_id
        call = ToolCall(
            tool_call_id=event.tool_call_id,
            mcp_call_id=None,
            model_visible_call_id=call_id,
            code_mode_runtime_tool_id=event.code_mode_runtime_tool_id,
            thread_id=thread_id,
            started_by_codex_turn_id=raw.codex_turn_id,
            execution=ExecutionWindow.opened_by(raw),
            requester=requester,
            kind=event.kind,
            model_visible_call_item_ids=[]
            if call_id is None
            else self._items.with_call(thread_id, call_id, CALL_KINDS),
            model_visible_output_item_ids=[],
            terminal_operation_id=operation_id,
            summary=event.summary if operation_id is None else TerminalSummary(operation_id),
            raw_invocation_payload_id=_payload_id(event.invocation_payload),
            raw_result_payload_id=None,
            raw_runtime_payload_ids=[],
        )
        changes = self._work.changes
        changes.create(self._work.trace.tool_calls, call.tool_call_id, call)
        self._cells.link_call(call)
        self._link_inference(call)
        if call_id is not None:
            changes.put(self._by_model_call, call_id, call.tool_call_id)
            for item_id in self._items.with_call(thread_id, call_id, OUTPUT_KINDS):
                self._link_output(call, self._items[item_id])
        self._terminals.sync_observation(call)

    def _check_start(
        self, raw: RawEvent, event: ToolCallStarted
    ) -> tuple[str, ModelRequester | CodeCellRequester]:
        """The thread and the requester of a call that starts."""
        call_id, model_call_id = event.tool_call_id, event.model_visible_call_id
        if call_id in self._work.trace.tool_calls:
            raise Inconsistent(
                f"tool call {call_id} was started before", f"duplicate tool call start for {call_id}"
            )
        if model_call_id is not None and model_call_id in self._by_model_call:
            raise Inconsistent(
                f"call id {model_call_id} already belongs to tool call {self._by_model_call[model_call_id]}",
                f"duplicate tool call for model-visible call id {model_call_id}",
            )
        what, says = f"tool call {call_id}", "tool call start"
        referrer = Referrer(what, says, "Codex turn", "thread or Codex turn context")
        thread_id = self._threads.thread_of_envelope(raw, referrer)
        self._threads.known_thread(thread_id, says)
        if raw.codex_turn_id is not None:
            self._threads.turn_of_thread(raw.codex_turn_id, thread_id, referrer)
        if isinstance(event.requester, CellRequester):
            runtime_id = event.requester.runtime_cell_id
            cell_id = self._cells.bound_cell(thread_id, runtime_id, what, "code-mode nested tool")
            return thread_id, CodeCellRequester(cell_id)
        return thread_id, event.requester

    def _link_wait(self, thread_id: str, tool_call_id: str, ref: PayloadRef) -> None:
        """A call of the tool `wait`, whatever its namespace, waits for the cell it names."""
        value = self._payloads.parse(ref).value
        if dig(value, "tool_name") != "wait":
            return
        what = f"the wait in payload {ref.raw_payload_id}"
        says = f"wait tool request payload {ref.raw_payload_id}"
        arguments = dig(value, "payload", "arguments")
        if not isinstance(arguments, str):
            raise Inconsistent(
                f"{what} has no function arguments", f"{says} did not contain function arguments"
            )
        try:
            cell_id = dig(JsonDocument(arguments.encode()).value, "cell_id")
        except ValueError as error:
            raise Inconsistent(
                f"{what} has arguments that cannot be read: {error}", f"{says} had invalid JSON arguments"
            ) from None
        if not isinstance(cell_id, str):
            raise Inconsistent(f"{what} names no cell_id", f"{says} did not contain cell_id")
        self._cells.wait(thread_id, cell_id, tool_call_id)

    def mcp_correlation_assigned(self, raw: RawEvent, event: McpCorrelationAssigned) -> None:
        """Note the id under which the MCP server knows the call."""
        says = f"MCP correlation referenced unknown tool call {event.tool_call_id}"
        call = self._known(event.tool_call_id, "an MCP correlation", says)
        if call.mcp_call_id is not None:
            raise Inconsistent(
                f"tool call {event.tool_call_id} already has an MCP correlation",
                f"duplicate MCP correlation for tool call {event.tool_call_id}",
            )
        self._work.changes.change(call).mcp_call_id = event.mcp_call_id

    def stdin_target_resolved(self, raw: RawEvent, event: StdinTargetResolved) -> None:
        """Move a write to the terminal that it turned out to write to."""
        what, says = "a stdin target", "stdin target referenced unknown"
        call = self._known(event.tool_call_id, what, f"{says} call {event.tool_call_id}")
        target = self._known(event.exec_tool_call_id, what, f"{says} exec {event.exec_tool_call_id}")
        self._terminals.stdin_target_resolved(call, target)

    def wait_target_resolved(self, raw: RawEvent, event: CodeCellWaitTargetResolved) -> None:
        """A `wait` turned out to wait for a cell of its thread."""
        thread_id, what = raw.thread_id, "the target of a wait"
        if thread_id is None:
            raise Inconsistent(f"{what} names no thread", "confirmed wait missing thread")
        if raw.codex_turn_id is None:
            raise Inconsistent(f"{what} names no turn", "confirmed wait missing turn")
        says = f"confirmed wait referenced unknown dispatch {event.tool_call_id}"
        call = self._known(event.tool_call_id, what, says)
        if (call.thread_id, call.started_by_codex_turn_id) != (thread_id, raw.codex_turn_id):
            raise Inconsistent(
                f"tool call {event.tool_call_id} is of another thread or turn than the target of its wait",
                "confirmed wait target has wrong dispatch context",
            )
        if call.resolved_wait_runtime_cell_id is not None:
            raise Inconsistent(
                f"the target of the wait {event.tool_call_id} was told before",
                f"duplicate confirmed wait target for {event.tool_call_id}",
            )
        self._work.changes.change(call).resolved_wait_runtime_cell_id = event.runtime_cell_id
        self._cells.wait(thread_id, event.runtime_cell_id, event.tool_call_id)

    def runtime_started(self, raw: RawEvent, event: ToolCallRuntimeStarted) -> None:
        """The runtime says what the call really is, and begins."""
        call = self._begun(event.tool_call_id)
        call.kind = event.kind
        self._begin(raw, call, event.runtime_payload)

    def runtime_started_v1(self, raw: RawEvent, event: RuntimeStartedV1) -> None:
        """The runtime begins. Only that of an MCP call says what the call really is, in its payload."""
        call = self._begun(event.tool_call_id)
        ref = event.runtime_payload
        value = self._payloads.parse(ref).value
        if isinstance(value, dict) and "invocation" in value:
            what = f"MCP runtime invocation in {ref.raw_payload_id}"
            invocation = convert(value["invocation"], _McpInvocation, what, f"parse {what}")
            call.kind = Mcp(invocation.server, invocation.tool)
        self._begin(raw, call, ref)

    def _begun(self, tool_call_id: str) -> ToolCall:
        """The call whose runtime starts; it will be changed."""
        says = f"tool runtime start referenced unknown call {tool_call_id}"
        return self._work.changes.change(self._known(tool_call_id, "the runtime start", says))

    def _begin(self, raw: RawEvent, call: ToolCall, ref: PayloadRef) -> None:
        """Let the runtime begin what the call is."""
        self._work.changes.append_once(call.raw_runtime_payload_ids, ref.raw_payload_id, call)
        self._cells.link_started(call)
        if is_terminal(call.kind):
            self._terminals.refuse_second(call)
        if self._payloads.is_lost(ref):
            return
        if is_terminal(call.kind):
            operation = self._terminals.begun_by_runtime(raw, ref, call)
            call.terminal_operation_id = operation.operation_id
            call.summary = TerminalSummary(operation.operation_id)
            self._terminals.sync_observation(call)
        self._agents.runtime_started(call, ref)

    def runtime_ended(self, raw: RawEvent, event: ToolCallRuntimeEnded) -> None:
        """The runtime finished; the window of the call itself stays open until the call ends."""
        says = f"tool runtime end referenced unknown call {event.tool_call_id}"
        call = self._known(event.tool_call_id, "the runtime end", says)
        ref = event.runtime_payload
        self._work.changes.append_once(call.raw_runtime_payload_ids, ref.raw_payload_id, call)
        self._terminals.end(raw, call, event.status, ref)
        if not self._payloads.is_lost(ref):
            self._agents.runtime_ended(raw, call, ref)

    def ended(self, raw: RawEvent, event: ToolCallEnded) -> None:
        """The call returned. Without runtime events, its result is also that of its terminal operation."""
        says = f"tool call end referenced unknown call {event.tool_call_id}"
        call = self._known(event.tool_call_id, "the end", says)
        self._work.changes.change(call)
        call.execution = call.execution.ended_by(raw, event.status)
        call.raw_result_payload_id = _payload_id(event.result_payload)
        if not call.raw_runtime_payload_ids:
            self._terminals.end(raw, call, event.status, event.result_payload)
        if event.result_payload is not None:
            self._agents.result_returned(call, event.result_payload)

    def _known(self, tool_call_id: str, what: str, reference_says: str) -> ToolCall:
        call = self._work.trace.tool_calls.get(tool_call_id)
        if call is None:
            raise Inconsistent(
                f"{what} refers to tool call {tool_call_id}, which was never started", reference_says
            )
        return call

    def producers_of(self, normal: NormalItem) -> list[Producer]:
        """The tool call that made an item, if it was dispatched with the item's call id."""
        tool_call_id = None if normal.call_id is None else self._by_model_call.get(normal.call_id)
        return [] if tool_call_id is None else [ToolProducer(tool_call_id)]

    def item_seen(
        self, item: ConversationItem, seen_as: NormalItem | ConversationItem, raw: RawEvent
    ) -> None:
        """Link a call or output item to the tool call with that call id, whatever the thread."""
        if seen_as.call_id is None:
            return
        tool_call_id = self._by_model_call.get(seen_as.call_id)
        if tool_call_id is None:
            return
        call = self._work.trace.tool_calls[tool_call_id]
        if seen_as.kind in CALL_KINDS:
            self._work.changes.append_once(call.model_visible_call_item_ids, item.item_id, call)
            self._link_inference(call)
        elif seen_as.kind in OUTPUT_KINDS:
            self._link_output(call, item)
        self._terminals.sync_observation(call)

    def _link_output(self, call: ToolCall, item: ConversationItem) -> None:
        self._work.changes.append_once(call.model_visible_output_item_ids, item.item_id, call)
        self._work.changes.append_once(item.produced_by, ToolProducer(call.tool_call_id), item)

    def _link_inference(self, call: ToolCall) -> None:
        """Note the call with every inference call whose stored response holds one of its call items."""
        for item_id in call.model_visible_call_item_ids:
            for inference_id in self._answers.calls_that_answered(item_id):
                inference = self._work.trace.inference_calls[inference_id]
                self._work.changes.append_once(
                    inference.tool_call_ids_started_by_response, call.tool_call_id, inference
                )


def _payload_id(ref: PayloadRef | None) -> str | None:
    return None if ref is None else ref.raw_payload_id
