"""Trace schema 2, of codex 0.165 to 0.170, which 0.169.0 reduces: what differs from schema 1."""

from __future__ import annotations

from typing import Generic

from msgspec.structs import replace

from reducer.model import CALL_KINDS
from reducer.schemas.schema import Ref, events_of
from reducer.schemas.v1 import SCHEMA_1
from reducer.wire.events import Event
from reducer.wire.tool_kinds import AnyToolKind


class RecordingCompleted(Event, frozen=True, tag="recording_completed"):
    """The recorder was shut down in an orderly way; always the last event."""


class ThreadResumed(Event, frozen=True, tag="thread_resumed"):
    """A child thread that ended earlier in this recording runs again."""

    thread_id: str


class HistoryItemAccepted(Event, Generic[Ref], frozen=True, omit_defaults=True, tag="history_item_accepted"):
    """The item with this Responses id entered the history of the envelope's thread."""

    item_id: str
    agent_message_payload: Ref | None = None

    @property
    def announced_payload(self) -> Ref | None:
        """The item itself, where the receipt brings it along."""
        return self.agent_message_payload


class ToolCallRuntimeStarted(Event, Generic[Ref], frozen=True, tag="tool_call_runtime_started"):
    """The runtime began to carry a tool call out; its `kind` replaces the one told at dispatch."""

    tool_call_id: str
    kind: AnyToolKind
    runtime_payload: Ref


SCHEMA_2 = replace(
    SCHEMA_1,
    version=2,
    events={**SCHEMA_1.events, **events_of(__name__)},
    refuses_manifest=(
        "trace schema {} cannot establish accepted history; use its matching reducer or record a new bundle"
    ),
    refuses_event="unsupported trace event schema {} at line {}",
    checks_unused_payloads=True,
    tells_recording="completion",
    identifies_items=True,
    identifies_content=True,
    empty_content_label=None,
    once_per_call=CALL_KINDS,
    finds_items_by_text=False,
    position_repeats=False,
    responses_continue=False,
    wants_sound_writes=False,
    mcp_reports_agents=False,
    tells_started_cells=True,
)
