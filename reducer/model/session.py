"""The session, its threads and their turns."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from reducer.model.agents import InteractionEdge
from reducer.model.conversation import Compaction, CompactionRequest, ConversationItem
from reducer.model.execution import ExecutionWindow
from reducer.model.runtime import CodeCell, InferenceCall, TerminalOperation, TerminalSession, ToolCall
from reducer.wire.events import RolloutStatus
from reducer.wire.payload_refs import PayloadRef


class RootOrigin(Struct, frozen=True, tag_field="type", tag="root"):
    """The thread was started by a person or a program."""


class UnknownOrigin(Struct, frozen=True, tag_field="type", tag="unknown"):
    """By whom the thread was started is lost, for a limit of the recorder cut its metadata."""


class SpawnedOrigin(Struct, frozen=True, tag_field="type", tag="spawned"):
    """The thread was started by an agent. Neither the parent nor the spawn edge need exist."""

    parent_thread_id: str
    spawn_edge_id: str
    task_name: str
    agent_role: str


class Thread(Struct):
    """One agent. `conversation_item_ids` are its listed items in order of creation."""

    thread_id: str
    agent_path: str
    nickname: str | None
    origin: RootOrigin | SpawnedOrigin | UnknownOrigin
    execution: ExecutionWindow
    default_model: str | None
    conversation_item_ids: list[str] = field(default_factory=list)


class Turn(Struct):
    """One turn of a thread. `input_item_ids` is always empty."""

    codex_turn_id: str
    thread_id: str
    execution: ExecutionWindow
    input_item_ids: list[str] = field(default_factory=list)


RecordingStatus = Literal["unclosed", "complete", "closed_with_partial_payloads"]


class RolloutTrace(Struct, kw_only=True):
    """The reduced graph of one bundle. The maps have the ids of their objects as keys.

    `recording_complete` and `recording_status` are UNSET, and then not in `state.json`, where the schema does
    not have them: schema 2 has the one, schema 3 the other.
    """

    schema_version: int
    trace_id: str
    rollout_id: str
    started_at_unix_ms: int
    ended_at_unix_ms: int | None = None
    status: RolloutStatus = "running"
    recording_complete: bool | UnsetType = False
    recording_status: RecordingStatus | UnsetType = UNSET
    root_thread_id: str
    threads: dict[str, Thread] = field(default_factory=dict)
    codex_turns: dict[str, Turn] = field(default_factory=dict)
    conversation_items: dict[str, ConversationItem] = field(default_factory=dict)
    inference_calls: dict[str, InferenceCall] = field(default_factory=dict)
    code_cells: dict[str, CodeCell] = field(default_factory=dict)
    tool_calls: dict[str, ToolCall] = field(default_factory=dict)
    terminal_sessions: dict[str, TerminalSession] = field(default_factory=dict)
    terminal_operations: dict[str, TerminalOperation] = field(default_factory=dict)
    compactions: dict[str, Compaction] = field(default_factory=dict)
    compaction_requests: dict[str, CompactionRequest] = field(default_factory=dict)
    interaction_edges: dict[str, InteractionEdge] = field(default_factory=dict)
    raw_payloads: dict[str, PayloadRef] = field(default_factory=dict)

    @property
    def is_recorded_whole(self) -> bool | None:
        """Whether the log says that the recording was completed; None where no event says that."""
        if self.recording_status is not UNSET:
            return self.recording_status != "unclosed"
        return None if self.recording_complete is UNSET else self.recording_complete
