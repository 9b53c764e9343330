"""Raw events of trace schema 1, where they are not those of `events.py`."""

from __future__ import annotations

from reducer.wire.events import (
    AgentResultObserved,
    CodeCellEnded,
    CodeCellInitialResponse,
    CodeCellStarted,
    CodexTurnEnded,
    CodexTurnStarted,
    CompactionInstalled,
    CompactionRequestCompleted,
    CompactionRequestFailed,
    CompactionRequestStarted,
    Event,
    InferenceCancelled,
    InferenceCompleted,
    InferenceFailed,
    InferenceStarted,
    McpCorrelationAssigned,
    OtherEvent,
    PayloadRef,
    ProtocolEventObserved,
    RawEvent,
    RolloutEnded,
    RolloutStarted,
    StdinTargetResolved,
    ThreadEnded,
    ThreadStarted,
    ToolCallEnded,
    ToolCallRuntimeEnded,
    ToolCallStarted,
)


class RuntimeStartedV1(Event, frozen=True, tag="tool_call_runtime_started"):
    """The runtime began to carry a tool call out; what kind of call it is, its payload alone may tell."""

    tool_call_id: str
    runtime_payload: PayloadRef


AnyEventV1 = (
    RolloutStarted
    | RolloutEnded
    | ThreadStarted
    | ThreadEnded
    | CodexTurnStarted
    | CodexTurnEnded
    | InferenceStarted
    | InferenceCompleted
    | InferenceFailed
    | InferenceCancelled
    | ToolCallStarted
    | McpCorrelationAssigned
    | StdinTargetResolved
    | RuntimeStartedV1
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


class RawEventV1(RawEvent, frozen=True, kw_only=True):
    """One line of the log of a schema 1 bundle."""

    # The envelope is the same, and so is what handlers may ask of an event.
    payload: AnyEventV1  # type: ignore[assignment]
