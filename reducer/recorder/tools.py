"""Recording tool calls: dispatch, what the runtime did, and the result."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.recorder.scope import TurnScope
from reducer.schemas.v1 import (
    McpCorrelationAssigned,
    StdinTargetResolved,
    ToolCallEnded,
    ToolCallRuntimeEnded,
    ToolCallStarted,
)
from reducer.schemas.v2 import ToolCallRuntimeStarted
from reducer.schemas.v3 import CodeCellWaitTargetResolved
from reducer.wire.events import (
    AnyToolKind,
    ApplyPatch,
    AssignAgentTask,
    CloseAgent,
    ExecCommand,
    ExecutionStatus,
    GenericSummary,
    ImageGeneration,
    ModelRequester,
    OtherTool,
    RawRequester,
    SendMessage,
    SpawnAgent,
    ToolSummary,
    WaitAgent,
    Web,
    WriteStdin,
)

PREVIEW_CHARACTERS = 160

_KINDS: dict[str, AnyToolKind] = {
    "exec_command": ExecCommand(),
    "local_shell": ExecCommand(),
    "shell": ExecCommand(),
    "shell_command": ExecCommand(),
    "write_stdin": WriteStdin(),
    "apply_patch": ApplyPatch(),
    "web_search": Web(),
    "web_search_preview": Web(),
    "image_generation": ImageGeneration(),
    "image_query": ImageGeneration(),
    "spawn_agent": SpawnAgent(),
    "send_message": SendMessage(),
    "followup_task": AssignAgentTask(),
    "assign_task": AssignAgentTask(),
    "wait_agent": WaitAgent(),
    "close_agent": CloseAgent(),
    "interrupt_agent": CloseAgent(),
}


def tool_kind(tool_name: str) -> AnyToolKind:
    """The kind under which a tool is dispatched; MCP tools are `other` until their runtime starts."""
    return _KINDS.get(tool_name) or OtherTool(tool_name)


def preview(text: str) -> str:
    """The first 160 characters, with `...` after them if there are more."""
    return text if len(text) <= PREVIEW_CHARACTERS else text[:PREVIEW_CHARACTERS] + "..."


class ToolInvocation(Struct, frozen=True):
    """What a tool was asked; contents of a `tool_invocation` payload.

    Attributes:
        tool_name: bare name of the tool.
        tool_namespace: such as `collaboration` or `mcp__server`.
        payload: the arguments, in one of the forms that the constructors below make.
    """

    tool_name: str
    tool_namespace: str | None
    payload: dict[str, Any]

    @classmethod
    def function(cls, tool_name: str, arguments: str, *, namespace: str | None = None) -> ToolInvocation:
        """A function tool; `arguments` is JSON text."""
        return cls(tool_name, namespace, {"type": "function", "arguments": arguments})

    @classmethod
    def custom(cls, tool_name: str, text: str) -> ToolInvocation:
        """A freeform tool such as `apply_patch` or `exec`, whose whole input is one text."""
        return cls(tool_name, None, {"type": "custom", "input": text})

    @classmethod
    def tool_search(cls, arguments: dict[str, Any]) -> ToolInvocation:
        """The search among deferred tools; `arguments` has a `query`."""
        return cls("tool_search", None, {"type": "tool_search", "arguments": arguments})

    def summary(self) -> GenericSummary:
        """How codex describes a call at dispatch: `name` or `namespace.name`, and a preview of the input."""
        name = self.tool_name
        label = name if self.tool_namespace is None else f"{self.tool_namespace}.{name}"
        arguments = self.payload.get("arguments", self.payload.get("input"))
        if isinstance(arguments, dict):
            arguments = arguments.get("query")
        return GenericSummary(label, preview(arguments) if isinstance(arguments, str) else None)


def direct_response(response_item: object) -> dict[str, object]:
    """Result of a call that the model made: the output item that goes back to it."""
    return {"type": "direct_response", "response_item": response_item}


def code_mode_response(value: object) -> dict[str, object]:
    """Result of a call that a code cell made: the value that its JavaScript gets."""
    return {"type": "code_mode_response", "value": value}


def error_response(error: str) -> dict[str, object]:
    """Result of a call that could not be carried out."""
    return {"type": "error", "error": error}


class ToolCallTrace:
    """One tool call, from dispatch to result.

    Attributes:
        tool_call_id: the model's call id, or `exec-<uuid>` for a call made by a code cell.
    """

    def __init__(
        self,
        scope: TurnScope,
        tool_call_id: str,
        invocation: ToolInvocation,
        *,
        requester: RawRequester | None = None,
        runtime_tool_id: str | None = None,
        summary: ToolSummary | None = None,
    ) -> None:
        self.tool_call_id = tool_call_id
        self.kind = tool_kind(invocation.tool_name)
        requester = requester or ModelRequester()
        by_model = isinstance(requester, ModelRequester)
        self._scope = scope.after(
            ToolCallStarted(
                tool_call_id=tool_call_id,
                model_visible_call_id=tool_call_id if by_model else None,
                code_mode_runtime_tool_id=runtime_tool_id,
                requester=requester,
                kind=self.kind,
                summary=summary or invocation.summary(),
                invocation_payload=scope.payload("tool_invocation", invocation),
            )
        )

    def start_runtime(self, event: object, *, kind: AnyToolKind | None = None) -> None:
        """The runtime began to carry the call out.

        Args:
            event: the runtime's own begin event, such as `command`, `cwd` and `process_id` of a command.
            kind: what the call turned out to be, such as `Mcp(server, tool)`; else as at dispatch.
        """
        payload = self._scope.payload("tool_runtime_event", event)
        if payload is not None:
            self._scope.record(ToolCallRuntimeStarted(self.tool_call_id, kind or self.kind, payload))

    def end_runtime(self, event: object, *, status: ExecutionStatus = "completed") -> None:
        """The runtime finished the call, which can be long after the result; `event` is its own end event."""
        payload = self._scope.payload("tool_runtime_event", event)
        if payload is not None:
            self._scope.record(ToolCallRuntimeEnded(self.tool_call_id, status, payload))

    def assign_mcp_call(self) -> str:
        """Tie the call to the id under which the MCP server will know it.

        Returns:
            That id, made by the recorder; the host sends it to the server.
        """
        mcp_call_id = self._scope.ids.new_uuid()
        self._scope.sink.append(McpCorrelationAssigned(self.tool_call_id, mcp_call_id))
        return mcp_call_id

    def resolve_stdin(self, exec_call: ToolCallTrace) -> None:
        """This `write_stdin` call writes to the terminal that `exec_call` opened."""
        if exec_call.recorded:
            self._scope.record(StdinTargetResolved(self.tool_call_id, exec_call.tool_call_id))

    def resolve_wait(self, runtime_cell_id: str) -> None:
        """This `wait` call waits for the cell; schemas before 3 tell that by the arguments of the call."""
        self._scope.record(CodeCellWaitTargetResolved(self.tool_call_id, runtime_cell_id))

    def end(self, result: object | None, *, status: ExecutionStatus = "completed") -> None:
        """The call returned to whoever asked for it.

        Args:
            result: see `direct_response`, `code_mode_response` and `error_response`; None when there is none.
            status: how it ended.
        """
        payload = None if result is None else self._scope.payload("tool_result", result)
        self._scope.record(ToolCallEnded(self.tool_call_id, status, payload))

    @property
    def recorded(self) -> bool:
        """Whether a reader of the bundle knows this call."""
        return self._scope.recording
