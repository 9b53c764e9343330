"""What Codex did: inference calls, tool calls, code cells, terminals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from reducer.model.execution import ExecutionWindow
from reducer.wire.events import (
    AnyToolKind,
    CellStatus,
    ModelRequester,
    ToolSummary,
)


class Usage(Struct, frozen=True):
    """Token counts of an inference call, as the provider told them."""

    input_tokens: int
    cached_input_tokens: int
    cache_write_input_tokens: int
    output_tokens: int
    reasoning_output_tokens: int


class InferenceCall(Struct, weakref=True):
    """One request to a model and its answer. Before schema 3, no prepared prompt is recorded."""

    inference_call_id: str
    thread_id: str
    codex_turn_id: str
    execution: ExecutionWindow
    model: str
    provider_name: str
    response_id: str | None
    upstream_request_id: str | None
    request_item_ids: Sequence[str]
    response_item_ids: list[str]
    tool_call_ids_started_by_response: list[str]
    usage: Usage | None
    raw_request_payload_id: str
    prepared_prompt_payload_id: str | UnsetType = UNSET
    raw_response_payload_id: str | None = None


class CodeCell(Struct, kw_only=True):
    """One run of JavaScript that the model sent with the `exec` tool."""

    code_cell_id: str
    model_visible_call_id: str
    thread_id: str
    codex_turn_id: str
    source_item_id: str
    output_item_ids: list[str] = field(default_factory=list)
    runtime_cell_id: str
    execution: ExecutionWindow
    runtime_status: CellStatus = "starting"
    initial_response_at_unix_ms: int | None = None
    initial_response_seq: int | None = None
    initial_response_status: CellStatus | None = None
    raw_initial_response_payload_id: str | None = None
    raw_result_payload_id: str | None = None
    yielded_at_unix_ms: int | None = None
    yielded_seq: int | None = None
    source_js: str
    nested_tool_call_ids: list[str] = field(default_factory=list)
    wait_tool_call_ids: list[str] = field(default_factory=list)


class CodeCellRequester(Struct, frozen=True, tag_field="type", tag="code_cell"):
    """JavaScript of this code cell asked for the tool call."""

    code_cell_id: str


class ToolCall(Struct, kw_only=True, omit_defaults=True, weakref=True):
    """One tool call. Fields with a default are left out of `state.json` when unset."""

    tool_call_id: str
    mcp_call_id: str | None
    model_visible_call_id: str | None
    code_mode_runtime_tool_id: str | None
    started_code_cell_id: str | None = None
    resolved_wait_runtime_cell_id: str | None = None
    thread_id: str
    started_by_codex_turn_id: str | None
    execution: ExecutionWindow
    requester: ModelRequester | CodeCellRequester
    kind: AnyToolKind
    model_visible_call_item_ids: list[str]
    model_visible_output_item_ids: list[str]
    terminal_operation_id: str | None
    summary: ToolSummary
    raw_invocation_payload_id: str | None
    raw_result_payload_id: str | None
    raw_runtime_payload_ids: list[str]


class ExecCommandRequest(Struct, frozen=True, tag_field="type", tag="exec_command"):
    """The command a terminal was opened with."""

    command: list[str]
    display_command: str
    cwd: str
    yield_time_ms: int | None = None
    max_output_tokens: int | None = None


class WriteStdinRequest(Struct, frozen=True, tag_field="type", tag="write_stdin"):
    """What was written to a terminal."""

    stdin: str
    yield_time_ms: int | None = None
    max_output_tokens: int | None = None


class TerminalResult(Struct, frozen=True):
    """What a terminal operation gave back."""

    exit_code: int | None
    stdout: str
    stderr: str
    formatted_output: str | None = None
    original_token_count: int | None = None
    chunk_id: str | None = None


class TerminalObservation(Struct, frozen=True):
    """The items through which the model saw a terminal operation."""

    call_item_ids: list[str]
    output_item_ids: list[str]
    source: Literal["direct_tool_call", "code_cell_output"] = "direct_tool_call"


class TerminalOperation(Struct, kw_only=True, weakref=True):
    """One command started in, or one write to, a terminal session."""

    operation_id: str
    terminal_id: str | None = None
    tool_call_id: str
    kind: Literal["exec_command", "write_stdin"]
    execution: ExecutionWindow
    request: ExecCommandRequest | WriteStdinRequest
    result: TerminalResult | None = None
    model_observations: list[TerminalObservation] = field(default_factory=list)
    raw_payload_ids: list[str] = field(default_factory=list)


class TerminalSession(Struct, weakref=True):
    """A terminal and its operations in order. The format has no end for it."""

    terminal_id: str
    thread_id: str
    created_by_operation_id: str
    operation_ids: list[str]
    execution: ExecutionWindow
