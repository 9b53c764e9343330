"""What codex notes when a tool or another agent is done: how it went, and which tool it was called by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reducer.model import ToolCall
from reducer.sessions.cells import NESTED, nested_kind
from reducer.sessions.fields import mapping, text
from reducer.sessions.lines import Record
from reducer.sessions.shared import Shared, ThreadParts

_DONE = frozenset(
    {
        "CommandExecution",
        "FileChange",
        "McpToolCall",
        "DynamicToolCall",
        "ImageView",
        "CollabAgentToolCall",
        "SubAgentActivity",
    }
)
"""Notes that something is done which a tool was called for."""


class Notes:
    """Reads these notes for one thread."""

    def __init__(self, shared: Shared, parts: ThreadParts, thread_id: str) -> None:
        self._shared = shared
        self._parts = parts
        self._thread_id = thread_id

    def read(self, record: Record, payload: dict[str, Any]) -> None:
        """Read one of the events in `KINDS`."""
        self.KINDS[record.kind or ""](self, record, payload)

    def _sub_agent_activity(self, record: Record, payload: dict[str, Any]) -> None:
        self._acted(record, text(payload, "event_id"), payload)

    def _acted(self, record: Record, call_id: str | None, payload: dict[str, Any]) -> None:
        other = text(payload, "agent_thread_id")
        if call_id is None or other is None:
            return
        if text(payload, "kind") == "completed":
            self._shared.agents.completed(record, self._thread_id, call_id, other)
            return
        tool = self._parts.tools.of_call(call_id)
        if tool is not None:
            self._shared.agents.acted(record, self._thread_id, tool, text(payload, "kind"), other)

    def _patch_applied(self, record: Record, payload: dict[str, Any]) -> None:
        status = "completed" if payload.get("success") is True else "failed"
        item = {"type": "FileChange", "id": payload.get("call_id"), "status": status}
        self._item_completed(record, {"item": item, "turn_id": payload.get("turn_id")})

    def _item_completed(self, record: Record, payload: dict[str, Any]) -> None:
        item = mapping(payload, "item")
        call_id = text(item, "id")
        if call_id is None:
            return
        type_ = text(item, "type")
        tool = self._parts.tools.of_call(call_id)
        if tool is None and call_id.startswith(NESTED):
            tool = self._nested(record, payload, item, call_id)
        if tool is not None and type_ in _DONE:
            self._parts.tools.done(record, tool, call_id, payload)
        if type_ == "SubAgentActivity":
            self._acted(record, call_id, item)
        elif type_ == "CollabAgentToolCall" and tool is not None:
            self._shared.agents.collaborated(record, self._thread_id, tool, item)

    def _nested(
        self, record: Record, payload: dict[str, Any], item: dict[str, Any], call_id: str
    ) -> ToolCall | None:
        cell = self._parts.cells.caller(record, payload)
        kind = nested_kind(item, "" if cell is None else cell.source_js)
        if kind is None or call_id in self._shared.graph.trace.tool_calls:
            return None
        turn_id = text(payload, "turn_id") or (None if cell is None else cell.codex_turn_id)
        label = getattr(kind, "name", None) or kind.name_of_type
        tool = self._parts.tools.nested(record, call_id, kind, label, turn_id)
        if cell is not None:
            self._parts.cells.nest(tool, cell)
        return tool

    KINDS: dict[str, Callable[[Notes, Record, dict[str, Any]], None]] = {
        "item_completed": _item_completed,
        "sub_agent_activity": _sub_agent_activity,
        "patch_apply_end": _patch_applied,
    }
    """Reads each kind of event."""
