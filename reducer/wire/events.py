"""What lines of the log consist of in every schema; the events themselves are declared in `reducer.schemas`.

The types say exactly what the format allows, so `msgspec.convert` does the checking: a missing, null or
wrongly typed field, an unknown variant or an unknown enum value is refused; unknown keys are ignored.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from reducer.wire.payload_refs import U64
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
I64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

RolloutStatus = Literal["running", "completed", "failed", "aborted"]
ExecutionStatus = Literal["running", "completed", "failed", "cancelled", "aborted"]
CellStatus = Literal["starting", "running", "yielded", "completed", "failed", "terminated"]


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
    """The body of a raw event, told by its `type`; the schemas declare the variants."""

    @property
    def name_of_type(self) -> str:
        """The `type` as it is spelled in the trace, such as `inference_started`."""
        return str(self.__struct_config__.tag)


class RawEvent(Struct, frozen=True, kw_only=True):
    """One line of the log: the envelope around an event. Fields stand in the order codex writes them.

    Which events there are, the schema says: a line is decoded as a subclass that names them.
    """

    schema_version: U32
    seq: U64
    wall_time_unix_ms: I64
    rollout_id: str
    thread_id: str | None = None
    codex_turn_id: str | None = None
    payload: Event


class Manifest(Struct, frozen=True):
    """`manifest.json`. `raw_event_log` and `payloads_dir` are informational: the names are fixed."""

    schema_version: U32
    trace_id: str
    rollout_id: str
    root_thread_id: str
    started_at_unix_ms: I64
    raw_event_log: str
    payloads_dir: str
