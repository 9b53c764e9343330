"""How information moved between agents."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

EdgeKind = Literal["spawn_agent", "assign_agent_task", "send_message", "agent_result", "close_agent"]


class ItemAnchor(Struct, frozen=True, tag_field="type", tag="conversation_item"):
    """An end of an edge at a conversation item."""

    item_id: str


class ToolCallAnchor(Struct, frozen=True, tag_field="type", tag="tool_call"):
    """An end of an edge at a tool call."""

    tool_call_id: str


class ThreadAnchor(Struct, frozen=True, tag_field="type", tag="thread"):
    """An end of an edge at a thread as a whole."""

    thread_id: str


Anchor = ItemAnchor | ToolCallAnchor | ThreadAnchor


class InteractionEdge(Struct):
    """Something that went from one agent to another."""

    edge_id: str
    kind: EdgeKind
    source: Anchor
    target: Anchor
    started_at_unix_ms: int
    ended_at_unix_ms: int | None
    carried_item_ids: list[str]
    carried_raw_payload_ids: list[str]
