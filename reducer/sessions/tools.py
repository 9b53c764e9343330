"""Tool calls: what the items of calls and outputs tell, and what codex noted when a tool was done."""

from __future__ import annotations

import re
from typing import Any

import orjson
from msgspec import Struct

from reducer.model import CodeCellRequester, InferenceCall, ToolCall, ToolProducer
from reducer.model.conversation import ConversationItem
from reducer.sessions.fields import array, mapping, number, text
from reducer.sessions.graph import SessionGraph
from reducer.sessions.lines import Record
from reducer.sessions.terminals import Terminals
from reducer.wire.events import (
    AgentSummary,
    AnyToolKind,
    ApplyPatch,
    AssignAgentTask,
    CloseAgent,
    ExecCommand,
    ExecutionStatus,
    GenericSummary,
    ImageGeneration,
    Mcp,
    ModelRequester,
    OtherTool,
    SendMessage,
    SpawnAgent,
    ToolSummary,
    WaitAgent,
    WaitAgentSummary,
    Web,
    WriteStdin,
)

_KINDS: dict[str, AnyToolKind] = {
    **dict.fromkeys(("exec_command", "local_shell", "shell", "shell_command"), ExecCommand()),
    "write_stdin": WriteStdin(),
    "apply_patch": ApplyPatch(),
    **dict.fromkeys(("web_search", "web_search_preview"), Web()),
    **dict.fromkeys(("image_generation", "image_query"), ImageGeneration()),
    "spawn_agent": SpawnAgent(),
    "send_message": SendMessage(),
    **dict.fromkeys(("followup_task", "assign_task"), AssignAgentTask()),
    "wait_agent": WaitAgent(),
    **dict.fromkeys(("close_agent", "interrupt_agent"), CloseAgent()),
}
_NAMES_OF_TYPES = {
    "local_shell_call": "local_shell",
    "web_search_call": "web_search",
    "image_generation_call": "image_generation",
    "tool_search_call": "tool_search",
}
_MCP = "mcp__"
_PREVIEW = 160
"""Characters of arguments that a summary has."""

_ABORTED = re.compile(r"aborted by user(?: after [\d.]+ ?s)?\s*\Z")
_FAILED = re.compile(
    r"unsupported call: |failed to parse function arguments|write_stdin failed:|exec_command failed"
    r"|apply_patch verification failed|Script failed|live agent path|Command blocked by "
    r"|[\w.]+ is unavailable in \w+ mode"
)
"""How outputs begin of calls that codex could not carry out."""

_TOLD: dict[str, ExecutionStatus] = {"failed": "failed", "declined": "failed", "completed": "completed"}
"""What the end of a tool says of the call. That a command gave another code than 0 is no failure of it."""

STATUS_READ = "status (read from the output's text)"


class Asked(Struct, frozen=True):
    """What a call asks for.

    Attributes:
        call_id: of the call.
        name: of the tool.
        namespace: of the tool; None where there is none.
        arguments: as they were sent.
        value: the arguments as JSON; an empty object if they are none.
    """

    call_id: str
    name: str
    namespace: str | None
    arguments: str
    value: dict[str, Any]


def asked_by(payload: dict[str, Any]) -> Asked | None:
    """What the item of a call asks for; None if it has no call id, for then nobody but the provider acts."""
    call_id, type_ = text(payload, "call_id"), text(payload, "type") or ""
    if call_id is None:
        return None
    name = _NAMES_OF_TYPES.get(type_) or text(payload, "name") or type_
    arguments = text(payload, "arguments") or text(payload, "input") or ""
    value = mapping(payload, "action") if type_ == "local_shell_call" else _parsed(arguments)
    return Asked(call_id, name, text(payload, "namespace"), arguments, value)


def _parsed(arguments: str) -> dict[str, Any]:
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def kind_of(name: str, namespace: str | None) -> AnyToolKind:
    """What sort of tool has a name."""
    if namespace is not None and namespace.startswith(_MCP):
        return Mcp(namespace.removeprefix(_MCP), name)
    return _KINDS.get(name) or OtherTool(name)


class Tools:
    """The tool calls of one thread."""

    def __init__(self, graph: SessionGraph, thread_id: str, terminals: Terminals) -> None:
        self._graph = graph
        self._thread_id = thread_id
        self._terminals = terminals
        self._renamed: dict[str, str] = {}
        """The ids of tool calls whose call ids were taken."""
        self._told: dict[str, ExecutionStatus] = {}

    def of_call(self, call_id: str) -> ToolCall | None:
        """The tool call of this thread that has a call id."""
        tool: ToolCall | None = self._graph.trace.tool_calls.get(self._renamed.get(call_id, call_id))
        return tool if tool is not None and tool.thread_id == self._thread_id else None

    def called(
        self,
        record: Record,
        asked: Asked,
        item: ConversationItem,
        turn_id: str | None,
        inference: InferenceCall | None,
    ) -> ToolCall:
        """A model called a tool."""
        kind = kind_of(asked.name, asked.namespace)
        tool = self._make(record, asked.call_id, kind, _summary(kind, asked), turn_id)
        tool.model_visible_call_id = asked.call_id
        tool.model_visible_call_item_ids.append(item.item_id)
        tool.raw_invocation_payload_id = self._graph.payload(record, "tool_invocation")
        if inference is not None:
            inference.tool_call_ids_started_by_response.append(tool.tool_call_id)
        if isinstance(kind, (ExecCommand, WriteStdin)):
            self._terminals.asked(record, tool, asked.value)
        return tool

    def nested(
        self, record: Record, call_id: str, kind: AnyToolKind, label: str, turn_id: str | None
    ) -> ToolCall:
        """A program of a code cell called a tool, which is done now."""
        tool = self._make(record, call_id, kind, GenericSummary(label), turn_id)
        tool.code_mode_runtime_tool_id = call_id
        return tool

    def _make(
        self, record: Record, call_id: str, kind: AnyToolKind, summary: ToolSummary, turn_id: str | None
    ) -> ToolCall:
        calls = self._graph.trace.tool_calls
        tool_id = call_id
        if call_id in calls:
            tool_id = self._renamed[call_id] = f"{self._thread_id}:{call_id}:{record.seq}"
        made = ToolCall(
            tool_call_id=tool_id,
            mcp_call_id=None,
            model_visible_call_id=None,
            code_mode_runtime_tool_id=None,
            thread_id=self._thread_id,
            started_by_codex_turn_id=turn_id,
            execution=self._graph.opened(record),
            requester=ModelRequester(),
            kind=kind,
            model_visible_call_item_ids=[],
            model_visible_output_item_ids=[],
            terminal_operation_id=None,
            summary=summary,
            raw_invocation_payload_id=None,
            raw_result_payload_id=None,
            raw_runtime_payload_ids=[],
        )
        calls[tool_id] = made
        self._graph.touch("ToolCall", tool_id)
        return made

    def answered(self, record: Record, call_id: str, item: ConversationItem, said: str) -> ToolCall | None:
        """A tool gave something back; a cell may do so more than once.

        Returns:
            The tool call; None if this thread has none with that call id.
        """
        tool = self.of_call(call_id)
        if tool is None:
            return None
        item.produced_by.append(ToolProducer(tool.tool_call_id))
        tool.model_visible_output_item_ids.append(item.item_id)
        self._graph.touch("ToolCall", tool.tool_call_id)
        if tool.raw_result_payload_id is not None:
            return tool
        tool.raw_result_payload_id = self._graph.payload(record, "tool_result")
        told = self._told.pop(call_id, None)
        status = _status_in(said) or told or "completed"
        if told is None:
            self._graph.certainty.note(tool.tool_call_id, rebuilt=(STATUS_READ,))
        tool.execution = self._graph.closed(tool.execution, record, status)
        if isinstance(tool.summary, GenericSummary):
            tool.summary = GenericSummary(tool.summary.label, tool.summary.input_preview, _preview(said))
        self._terminals.answered(record, tool, item, said)
        return tool

    def done(self, record: Record, tool: ToolCall, call_id: str, event: dict[str, Any]) -> None:
        """Codex noted that a tool is done.

        Args:
            record: of the note.
            tool: the tool call.
            call_id: of it.
            event: what was noted.
        """
        item = mapping(event, "item")
        tool.raw_runtime_payload_ids.append(self._graph.payload(record, "tool_runtime_event"))
        self._graph.touch("ToolCall", tool.tool_call_id)
        type_ = text(item, "type")
        if type_ == "McpToolCall":
            server, name = text(item, "server"), text(item, "tool")
            if server is not None and name is not None:
                tool.kind = Mcp(server, name)
        if type_ == "CommandExecution":
            self._terminals.ended(record, tool, event)
        status = None if type_ == "CommandExecution" else _TOLD.get(text(item, "status") or "")
        if isinstance(tool.requester, CodeCellRequester):
            self._end_nested(record, tool, event, status)
        elif status is not None and tool.raw_result_payload_id is None:
            self._told[call_id] = status

    def _end_nested(
        self, record: Record, tool: ToolCall, event: dict[str, Any], status: ExecutionStatus | None
    ) -> None:
        was_killed = number(mapping(event, "item"), "exit_code") == -1
        started, ended = number(event, "started_at_ms"), number(event, "completed_at_ms")
        if isinstance(tool.summary, GenericSummary):
            kind, item = tool.kind, mapping(event, "item")
            label = f"{_MCP}{kind.server}.{kind.tool}" if isinstance(kind, Mcp) else tool.summary.label
            tool.summary = GenericSummary(label, _arguments_in(item), _result_in(item))
        window = self._graph.opened(record, started)
        status = "aborted" if was_killed else status or "completed"
        tool.execution = self._graph.closed(window, record, status, ended)
        if was_killed:
            self._graph.certainty.note(tool.tool_call_id, rebuilt=("status",))


def _status_in(said: str) -> ExecutionStatus | None:
    if _ABORTED.search(said[-80:]):
        return "aborted"
    return "failed" if _FAILED.match(said) else None


def _arguments_in(item: dict[str, Any]) -> str | None:
    """The beginning of the arguments of a nested call; only those of MCP and dynamic tools are noted."""
    return _preview(orjson.dumps(item["arguments"]).decode()) if item.get("arguments") is not None else None


def _result_in(item: dict[str, Any]) -> str | None:
    """The beginning of the texts that a nested call gave back; None where none is noted."""
    given = array(mapping(item, "result"), "content") or array(item, "content_items")
    texts = [text(one, "text") for one in given if isinstance(one, dict)]
    said = "\n".join(filter(None, texts)) or text(item, "stdout")
    return _preview(said) if said else None


def _preview(said: str) -> str:
    return said if len(said) <= _PREVIEW else said[:_PREVIEW] + "..."


def _summary(kind: AnyToolKind, asked: Asked) -> ToolSummary:
    value = asked.value
    if isinstance(kind, (SpawnAgent, SendMessage, AssignAgentTask, CloseAgent)):
        target = text(value, "target") or ""
        return AgentSummary(
            target_agent_path=target,
            task_name=text(value, "task_name"),
            message_preview=_preview(text(value, "message") or ""),
        )
    if isinstance(kind, WaitAgent):
        timeout = number(value, "timeout_ms")
        return WaitAgentSummary(None, timeout if timeout is None or timeout >= 0 else None)
    label = asked.name if asked.namespace is None else f"{asked.namespace}.{asked.name}"
    return GenericSummary(label, _preview(asked.arguments))
