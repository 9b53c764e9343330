"""Raw events of a trace bundle as declared types: one line of `trace.jsonl` is one `RawEvent`.

The types say exactly what the format allows, so `msgspec.convert` does the checking: a missing, null or
wrongly typed field, an unknown variant or an unknown enum value is refused; unknown keys are ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from reducer.wire.tool_kinds import (
    AnyToolKind,
    ApplyPatch,
    AssignAgentTask,
    CloseAgent,
    ExecCommand,
    ImageGeneration,
    Mcp,
    OtherTool,
    SendMessage,
    SpawnAgent,
    ToolKind,
    WaitAgent,
    Web,
    WriteStdin,
)

# The kinds of tools are asked for here, with the events that tell them.
__all__ = [
    "AnyToolKind",
    "ApplyPatch",
    "AssignAgentTask",
    "CloseAgent",
    "ExecCommand",
    "ImageGeneration",
    "Mcp",
    "OtherTool",
    "SendMessage",
    "SpawnAgent",
    "ToolKind",
    "WaitAgent",
    "Web",
    "WriteStdin",
]

U32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
# msgspec cannot state the upper bound of 64 unsigned bits; the JSON readers give larger integers in forms
# that no integer field accepts.
U64 = Annotated[int, Meta(ge=0)]
I64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

RolloutStatus = Literal["running", "completed", "failed", "aborted"]
ExecutionStatus = Literal["running", "completed", "failed", "cancelled", "aborted"]
CellStatus = Literal["starting", "running", "yielded", "completed", "failed", "terminated"]
PayloadKindName = Literal[
    "inference_request",
    "inference_response",
    "compaction_request",
    "compaction_checkpoint",
    "compaction_response",
    "tool_invocation",
    "tool_result",
    "tool_runtime_event",
    "terminal_runtime_event",
    "protocol_event",
    "session_metadata",
    "agent_result",
]


class PayloadKind(Struct, frozen=True, omit_defaults=True):
    """Label of a payload file. The format tolerates a `value` key, but only when it is null."""

    type: PayloadKindName
    value: None = None


class PayloadRef(Struct, frozen=True):
    """Where heavy content lives: `path` is relative to the bundle directory."""

    raw_payload_id: str
    kind: PayloadKind
    path: str


class TerminalSummary(Struct, frozen=True, tag_field="type", tag="terminal"):
    """The call is described by its terminal operation."""

    operation_id: str


class AgentSummary(Struct, frozen=True, kw_only=True, tag_field="type", tag="agent"):
    """The call addresses an agent."""

    target_agent_path: str
    task_name: str | None = None
    message_preview: str


class WaitAgentSummary(Struct, frozen=True, tag_field="type", tag="wait_agent"):
    """The call waits for an agent, at most `timeout_ms` milliseconds."""

    target_agent_path: str | None = None
    timeout_ms: U64 | None = None


class GenericSummary(Struct, frozen=True, tag_field="type", tag="generic"):
    """The call is described by a label and the beginnings of its input and output."""

    label: str
    input_preview: str | None = None
    output_preview: str | None = None


ToolSummary = TerminalSummary | AgentSummary | WaitAgentSummary | GenericSummary


class ModelRequester(Struct, frozen=True, tag_field="type", tag="model"):
    """The model asked for the tool call itself."""


class CellRequester(Struct, frozen=True, tag_field="type", tag="code_cell"):
    """JavaScript of a code cell asked for the tool call; `runtime_cell_id` is unique per thread only."""

    runtime_cell_id: str


RawRequester = ModelRequester | CellRequester


class Event(Struct, frozen=True, tag_field="type"):
    """The body of a raw event, told by its `type`; see `AnyEvent` for the variants."""

    @property
    def name_of_type(self) -> str:
        """The `type` as it is spelled in the trace, such as `inference_started`."""
        return str(self.__struct_config__.tag)


class RecordingCompleted(Event, frozen=True, tag="recording_completed"):
    """The recorder was shut down in an orderly way; always the last event."""


class RolloutStarted(Event, frozen=True, tag="rollout_started"):
    """The session begins."""

    trace_id: str
    root_thread_id: str


class RolloutEnded(Event, frozen=True, tag="rollout_ended"):
    """The session ends."""

    status: RolloutStatus


class ThreadStarted(Event, frozen=True, tag="thread_started"):
    """An agent's thread begins."""

    thread_id: str
    agent_path: str
    metadata_payload: PayloadRef | None = None


class ThreadEnded(Event, frozen=True, tag="thread_ended"):
    """An agent's thread ends."""

    thread_id: str
    status: RolloutStatus


class ThreadResumed(Event, frozen=True, tag="thread_resumed"):
    """A child thread that ended earlier in this recording runs again."""

    thread_id: str


class CodexTurnStarted(Event, frozen=True, tag="codex_turn_started"):
    """A turn begins."""

    codex_turn_id: str
    thread_id: str


class CodexTurnEnded(Event, frozen=True, tag="codex_turn_ended"):
    """A turn ends."""

    codex_turn_id: str
    status: ExecutionStatus


class HistoryItemAccepted(Event, frozen=True, omit_defaults=True, tag="history_item_accepted"):
    """The item with this Responses id entered the history of the envelope's thread."""

    item_id: str
    agent_message_payload: PayloadRef | None = None


class InferenceStarted(Event, frozen=True, tag="inference_started"):
    """A request goes to the model."""

    inference_call_id: str
    thread_id: str
    codex_turn_id: str
    model: str
    provider_name: str
    request_payload: PayloadRef


class InferenceCompleted(Event, frozen=True, kw_only=True, tag="inference_completed"):
    """The model answered."""

    inference_call_id: str
    response_id: str | None = None
    upstream_request_id: str | None = None
    response_payload: PayloadRef


class InferenceFailed(Event, frozen=True, kw_only=True, tag="inference_failed"):
    """The request failed, perhaps after a part of the answer."""

    inference_call_id: str
    upstream_request_id: str | None = None
    error: str
    partial_response_payload: PayloadRef | None = None


class InferenceCancelled(Event, frozen=True, kw_only=True, tag="inference_cancelled"):
    """The request was cancelled, perhaps after a part of the answer."""

    inference_call_id: str
    upstream_request_id: str | None = None
    reason: str
    partial_response_payload: PayloadRef | None = None


class ToolCallStarted(Event, frozen=True, kw_only=True, tag="tool_call_started"):
    """A tool call was dispatched."""

    tool_call_id: str
    model_visible_call_id: str | None = None
    code_mode_runtime_tool_id: str | None = None
    requester: RawRequester
    kind: AnyToolKind
    summary: ToolSummary
    invocation_payload: PayloadRef | None = None


class McpCorrelationAssigned(Event, frozen=True, tag="mcp_tool_call_correlation_assigned"):
    """The id under which an MCP server knows a tool call."""

    tool_call_id: str
    mcp_call_id: str


class StdinTargetResolved(Event, frozen=True, tag="stdin_target_resolved"):
    """A `write_stdin` call writes to the terminal that the other call opened."""

    tool_call_id: str
    exec_tool_call_id: str


class ToolCallRuntimeStarted(Event, frozen=True, tag="tool_call_runtime_started"):
    """The runtime began to carry a tool call out; its `kind` replaces the one told at dispatch."""

    tool_call_id: str
    kind: AnyToolKind
    runtime_payload: PayloadRef


class ToolCallRuntimeEnded(Event, frozen=True, tag="tool_call_runtime_ended"):
    """The runtime finished a tool call."""

    tool_call_id: str
    status: ExecutionStatus
    runtime_payload: PayloadRef


class ToolCallEnded(Event, frozen=True, tag="tool_call_ended"):
    """A tool call returned to whoever asked for it."""

    tool_call_id: str
    status: ExecutionStatus
    result_payload: PayloadRef | None = None


class CodeCellStarted(Event, frozen=True, tag="code_cell_started"):
    """JavaScript of a code-mode `exec` call begins to run."""

    runtime_cell_id: str
    model_visible_call_id: str
    source_js: str


class CodeCellInitialResponse(Event, frozen=True, tag="code_cell_initial_response"):
    """A code cell answered its `exec` call for the first time."""

    runtime_cell_id: str
    status: CellStatus
    response_payload: PayloadRef | None = None


class CodeCellEnded(Event, frozen=True, tag="code_cell_ended"):
    """A code cell ended."""

    runtime_cell_id: str
    status: CellStatus
    response_payload: PayloadRef | None = None


class CompactionRequestStarted(Event, frozen=True, tag="compaction_request_started"):
    """The history goes to a model to be compacted."""

    compaction_id: str
    compaction_request_id: str
    thread_id: str
    codex_turn_id: str
    model: str
    provider_name: str
    request_payload: PayloadRef


class CompactionRequestCompleted(Event, frozen=True, tag="compaction_request_completed"):
    """The compaction request was answered."""

    compaction_id: str
    compaction_request_id: str
    response_payload: PayloadRef


class CompactionRequestFailed(Event, frozen=True, tag="compaction_request_failed"):
    """The compaction request failed."""

    compaction_id: str
    compaction_request_id: str
    error: str


class CompactionInstalled(Event, frozen=True, tag="compaction_installed"):
    """A compacted history replaces the old one."""

    compaction_id: str
    checkpoint_payload: PayloadRef


class AgentResultObserved(Event, frozen=True, tag="agent_result_observed"):
    """The result of a child agent was handed to its parent."""

    edge_id: str
    child_thread_id: str
    child_codex_turn_id: str
    parent_thread_id: str
    message: str
    carried_payload: PayloadRef | None = None


class ProtocolEventObserved(Event, frozen=True, tag="protocol_event_observed"):
    """An event of the Codex protocol, kept as evidence."""

    event_type: str
    event_payload: PayloadRef


class OtherEvent(Event, frozen=True, tag="other"):
    """Reserved; never written, and no reducer implements it."""

    kind: str
    summary: str
    payloads: list[PayloadRef]
    metadata: Any


AnyEvent = (
    RecordingCompleted
    | RolloutStarted
    | RolloutEnded
    | ThreadStarted
    | ThreadEnded
    | ThreadResumed
    | CodexTurnStarted
    | CodexTurnEnded
    | HistoryItemAccepted
    | InferenceStarted
    | InferenceCompleted
    | InferenceFailed
    | InferenceCancelled
    | ToolCallStarted
    | McpCorrelationAssigned
    | StdinTargetResolved
    | ToolCallRuntimeStarted
    | ToolCallRuntimeEnded
    | ToolCallEnded
    | CodeCellStarted
    | CodeCellInitialResponse
    | CodeCellEnded
    | CompactionRequestStarted
    | CompactionRequestCompleted
    | CompactionRequestFailed
    | CompactionInstalled
    | AgentResultObserved
    | ProtocolEventObserved
    | OtherEvent
)


class RawEvent(Struct, frozen=True, kw_only=True):
    """One line of the log: the envelope around an event. Fields stand in the order codex writes them."""

    schema_version: U32
    seq: U64
    wall_time_unix_ms: I64
    rollout_id: str
    thread_id: str | None = None
    codex_turn_id: str | None = None
    payload: AnyEvent


class Manifest(Struct, frozen=True):
    """`manifest.json`. `raw_event_log` and `payloads_dir` are informational: the names are fixed."""

    schema_version: U32
    trace_id: str
    rollout_id: str
    root_thread_id: str
    started_at_unix_ms: I64
    raw_event_log: str
    payloads_dir: str
