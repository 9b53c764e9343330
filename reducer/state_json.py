"""The reduced graph as the bytes of `state.json`, equal to what the reference writes."""

from __future__ import annotations

import msgspec
from msgspec import structs

from reducer.model import RolloutTrace

_MAPS = (
    "threads",
    "codex_turns",
    "conversation_items",
    "inference_calls",
    "code_cells",
    "tool_calls",
    "terminal_sessions",
    "terminal_operations",
    "compactions",
    "compaction_requests",
    "interaction_edges",
    "raw_payloads",
)


def state_json(trace: RolloutTrace) -> bytes:
    """Pretty-printed JSON: two spaces of indent, maps in byte order of their keys, no final newline."""
    ordered = structs.replace(trace, **{name: dict(sorted(getattr(trace, name).items())) for name in _MAPS})
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2)
