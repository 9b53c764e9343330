"""Conversation items - what a model saw or said - and how compaction rewrote them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from reducer.model.execution import ExecutionWindow

Role = Literal["system", "developer", "user", "assistant", "tool"]
Channel = Literal["analysis", "commentary", "final", "summary"]
ItemKind = Literal[
    "message",
    "reasoning",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "compaction_marker",
]
CALL_KINDS: frozenset[ItemKind] = frozenset({"function_call", "custom_tool_call"})
OUTPUT_KINDS: frozenset[ItemKind] = frozenset({"function_call_output", "custom_tool_call_output"})


class TextPart(Struct, frozen=True, tag_field="type", tag="text"):
    """Readable text."""

    text: str


class SummaryPart(Struct, frozen=True, tag_field="type", tag="summary"):
    """The readable summary of a reasoning item."""

    text: str


class EncodedPart(Struct, frozen=True, tag_field="type", tag="encoded"):
    """Content that only the provider can read."""

    label: str
    value: str


class CodePart(Struct, frozen=True, tag_field="type", tag="code"):
    """Source text of a program."""

    language: str
    source: str


class JsonPart(Struct, frozen=True, tag_field="type", tag="json"):
    """The beginning of a JSON value; the whole stands in the payload."""

    summary: str
    raw_payload_id: str


class PayloadRefPart(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="payload_ref"):
    """Content that is not text, such as an image; it stands in the payload."""

    label: str
    raw_payload_id: str
    content_sha256: str | None = None


Part = TextPart | SummaryPart | EncodedPart | CodePart | JsonPart | PayloadRefPart


class Body(Struct, frozen=True):
    """The content of an item."""

    parts: list[Part]


class AgentMessage(Struct, frozen=True):
    """Between which agents (by agent path) an item travelled."""

    author: str
    recipient: str


class InferenceProducer(Struct, frozen=True, tag_field="type", tag="inference"):
    """The item came out of this inference call."""

    inference_call_id: str


class ToolProducer(Struct, frozen=True, tag_field="type", tag="tool"):
    """The item is an output of this tool call."""

    tool_call_id: str


class CellProducer(Struct, frozen=True, tag_field="type", tag="code_cell"):
    """The item is an output of this code cell."""

    code_cell_id: str


class CompactionProducer(Struct, frozen=True, tag_field="type", tag="compaction"):
    """The item was put into the history by this compaction."""

    compaction_id: str


Producer = InferenceProducer | ToolProducer | CellProducer | CompactionProducer


class ConversationItem(Struct, kw_only=True, omit_defaults=True, weakref=True):
    """One entry of a model's context. Fields with a default are left out of `state.json` when unset."""

    item_id: str
    responses_item_id: str | None = None
    accepted_at_unix_ms: int | None = None
    accepted_seq: int | None = None
    thread_id: str
    codex_turn_id: str | None
    first_seen_at_unix_ms: int
    role: Role
    channel: Channel | None
    kind: ItemKind
    agent_message: AgentMessage | None = None
    body: Body
    call_id: str | None
    produced_by: list[Producer]


class Compaction(Struct):
    """A compacted history that was installed in place of the old one."""

    compaction_id: str
    thread_id: str
    codex_turn_id: str
    installed_at_unix_ms: int
    marker_item_id: str
    request_ids: list[str]
    input_item_ids: list[str]
    replacement_item_ids: list[str]


class CompactionRequest(Struct):
    """A request to a model to compact a history."""

    compaction_request_id: str
    compaction_id: str
    thread_id: str
    codex_turn_id: str
    execution: ExecutionWindow
    model: str
    provider_name: str
    raw_request_payload_id: str
    raw_response_payload_id: str | None = None
