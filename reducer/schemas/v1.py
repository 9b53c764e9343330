"""Trace schema 1, of codex 0.124 to 0.164, which 0.164.0 reduces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

from msgspec import UNSET, UnsetType

from reducer.model import CALL_KINDS, OUTPUT_KINDS
from reducer.schemas.schema import Ref, Schema, events_of
from reducer.wire.events import (
    CellStatus,
    Event,
    ExecutionStatus,
    RawRequester,
    RolloutStatus,
    ToolSummary,
)
from reducer.wire.payload_refs import FileRef
from reducer.wire.tool_kinds import AnyToolKind

ADDITIONAL_TOOLS = "additional_tools"
"""Type of the element of a request over a WebSocket that holds its tools, and is no item."""


class RolloutStarted(Event, frozen=True, tag="rollout_started"):
    """The session begins."""

    trace_id: str
    root_thread_id: str


class RolloutEnded(Event, frozen=True, tag="rollout_ended"):
    """The session ends."""

    status: RolloutStatus


class ThreadStarted(Event, Generic[Ref], frozen=True, tag="thread_started"):
    """An agent's thread begins."""

    thread_id: str
    agent_path: str
    metadata_payload: Ref | None = None


class ThreadEnded(Event, frozen=True, tag="thread_ended"):
    """An agent's thread ends."""

    thread_id: str
    status: RolloutStatus


class CodexTurnStarted(Event, frozen=True, tag="codex_turn_started"):
    """A turn begins."""

    codex_turn_id: str
    thread_id: str


class CodexTurnEnded(Event, frozen=True, tag="codex_turn_ended"):
    """A turn ends."""

    codex_turn_id: str
    status: ExecutionStatus


class InferenceStarted(Event, Generic[Ref], frozen=True, tag="inference_started"):
    """A request goes to the model."""

    inference_call_id: str
    thread_id: str
    codex_turn_id: str
    model: str
    provider_name: str
    request_payload: Ref

    @property
    def visible_payload(self) -> Ref:
        """The payload that says what the model saw."""
        return self.request_payload

    @property
    def prompt_payload_id(self) -> str | UnsetType:
        """Id of the payload from which the request was made, where the schema has one."""
        return UNSET

    @property
    def mislabels(self) -> bool:
        """Whether a payload is of another kind than it must be, where the schema looks at that."""
        return False

    @property
    def output_ids(self) -> Sequence[tuple[int, str]]:
        """Ids of tool outputs that the request lacks, each with its position in the input."""
        return ()


class InferenceCompleted(Event, Generic[Ref], frozen=True, kw_only=True, tag="inference_completed"):
    """The model answered."""

    inference_call_id: str
    response_id: str | None = None
    upstream_request_id: str | None = None
    response_payload: Ref


class InferenceFailed(Event, Generic[Ref], frozen=True, kw_only=True, tag="inference_failed"):
    """The request failed, perhaps after a part of the answer."""

    inference_call_id: str
    upstream_request_id: str | None = None
    error: str
    partial_response_payload: Ref | None = None


class InferenceCancelled(Event, Generic[Ref], frozen=True, kw_only=True, tag="inference_cancelled"):
    """The request was cancelled, perhaps after a part of the answer."""

    inference_call_id: str
    upstream_request_id: str | None = None
    reason: str
    partial_response_payload: Ref | None = None


class ToolCallStarted(Event, Generic[Ref], frozen=True, kw_only=True, tag="tool_call_started"):
    """A tool call was dispatched."""

    tool_call_id: str
    model_visible_call_id: str | None = None
    code_mode_runtime_tool_id: str | None = None
    requester: RawRequester
    kind: AnyToolKind
    summary: ToolSummary
    invocation_payload: Ref | None = None


class McpCorrelationAssigned(Event, frozen=True, tag="mcp_tool_call_correlation_assigned"):
    """The id under which an MCP server knows a tool call."""

    tool_call_id: str
    mcp_call_id: str


class StdinTargetResolved(Event, frozen=True, tag="stdin_target_resolved"):
    """A `write_stdin` call writes to the terminal that the other call opened."""

    tool_call_id: str
    exec_tool_call_id: str


class RuntimeStartedV1(Event, Generic[Ref], frozen=True, tag="tool_call_runtime_started"):
    """The runtime began to carry a tool call out; what kind of call it is, its payload alone may tell."""

    tool_call_id: str
    runtime_payload: Ref


class ToolCallRuntimeEnded(Event, Generic[Ref], frozen=True, tag="tool_call_runtime_ended"):
    """The runtime finished a tool call."""

    tool_call_id: str
    status: ExecutionStatus
    runtime_payload: Ref


class ToolCallEnded(Event, Generic[Ref], frozen=True, tag="tool_call_ended"):
    """A tool call returned to whoever asked for it."""

    tool_call_id: str
    status: ExecutionStatus
    result_payload: Ref | None = None


class CodeCellStarted(Event, frozen=True, tag="code_cell_started"):
    """JavaScript of a code-mode `exec` call begins to run."""

    runtime_cell_id: str
    model_visible_call_id: str
    source_js: str


class CodeCellInitialResponse(Event, Generic[Ref], frozen=True, tag="code_cell_initial_response"):
    """A code cell answered its `exec` call for the first time."""

    runtime_cell_id: str
    status: CellStatus
    response_payload: Ref | None = None


class CodeCellEnded(Event, Generic[Ref], frozen=True, tag="code_cell_ended"):
    """A code cell ended."""

    runtime_cell_id: str
    status: CellStatus
    response_payload: Ref | None = None


class CompactionRequestStarted(Event, Generic[Ref], frozen=True, tag="compaction_request_started"):
    """The history goes to a model to be compacted."""

    compaction_id: str
    compaction_request_id: str
    thread_id: str
    codex_turn_id: str
    model: str
    provider_name: str
    request_payload: Ref


class CompactionRequestCompleted(Event, Generic[Ref], frozen=True, tag="compaction_request_completed"):
    """The compaction request was answered."""

    compaction_id: str
    compaction_request_id: str
    response_payload: Ref


class CompactionRequestFailed(Event, frozen=True, tag="compaction_request_failed"):
    """The compaction request failed."""

    compaction_id: str
    compaction_request_id: str
    error: str


class CompactionInstalled(Event, Generic[Ref], frozen=True, tag="compaction_installed"):
    """A compacted history replaces the old one."""

    compaction_id: str
    checkpoint_payload: Ref


class AgentResultObserved(Event, Generic[Ref], frozen=True, tag="agent_result_observed"):
    """The result of a child agent was handed to its parent."""

    edge_id: str
    child_thread_id: str
    child_codex_turn_id: str
    parent_thread_id: str
    message: str
    carried_payload: Ref | None = None


class ProtocolEventObserved(Event, Generic[Ref], frozen=True, tag="protocol_event_observed"):
    """An event of the Codex protocol, kept as evidence."""

    event_type: str
    event_payload: Ref


class OtherEvent(Event, Generic[Ref], frozen=True, tag="other"):
    """Reserved; never written, and no reducer implements it."""

    kind: str
    summary: str
    payloads: list[Ref]
    metadata: Any


SCHEMA_1 = Schema(
    version=1,
    events=events_of(__name__),
    ref=FileRef,
    refuses_manifest=None,
    refuses_event=None,
    checks_unused_payloads=False,
    refuses_conflicting_refs=False,
    may_lose_payloads=False,
    tells_recording=None,
    routes_first=False,
    dropped_types=frozenset({ADDITIONAL_TOOLS}),
    identifies_items=False,
    identifies_content=False,
    accepts_outputs=False,
    empty_content_label="empty_content",
    once_per_call=CALL_KINDS | OUTPUT_KINDS,
    finds_items_by_text=True,
    position_repeats=True,
    responses_continue=True,
    wants_sound_writes=True,
    reads_waits=True,
    mcp_reports_agents=True,
    reads_mail_in_json=True,
    cells_name_their_thread=False,
    tells_started_cells=False,
)
