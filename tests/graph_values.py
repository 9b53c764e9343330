"""Objects of graphs as values that can be compared between a bundle and a session, which share no ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from reducer.model import (
    CodePart,
    ConversationItem,
    EncodedPart,
    JsonPart,
    Part,
    PayloadRefPart,
    SummaryPart,
    TextPart,
    ToolCall,
)
from reducer.wire.events import Mcp, OtherTool

SHORT = 160
"""Bytes up to which a text stands for itself."""


def item_values(item: ConversationItem) -> list[Any]:
    """Kind, role, content and call id of an item."""
    return [item.kind, item.role, item_text(item), item.call_id]


def item_text(item: ConversationItem) -> str:
    """The content of an item: its text, or its parts as JSON."""
    parts = item.body.parts
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return short(parts[0].text)
    values = [list(_part(part)) for part in parts]
    return short(json.dumps(values, ensure_ascii=False, separators=(",", ":")))


def _part(part: Part) -> Iterator[object]:
    match part:
        case TextPart(text):
            yield from ("text", text)
        case SummaryPart(text):
            yield from ("summary", text)
        case EncodedPart(_, value):
            yield from ("encoded", value)
        case CodePart(_, source):
            yield from ("code", source)
        case JsonPart(summary, _):
            yield from ("json", summary)
        case PayloadRefPart(label, _, sha256):
            yield from ("ref", label, sha256)


def short(text: str) -> str:
    """A text, or if it is long what it is known by."""
    data = text.encode(errors="surrogatepass")
    return text if len(data) <= SHORT else f"sha256:{hashlib.sha256(data).hexdigest()[:32]}"


def kind_name(tool: ToolCall) -> str:
    """The kind of a tool call with what tells it apart."""
    if isinstance(tool.kind, OtherTool):
        return f"other:{tool.kind.name}"
    if isinstance(tool.kind, Mcp):
        return f"mcp:{tool.kind.server}/{tool.kind.tool}"
    return tool.kind.name_of_type
