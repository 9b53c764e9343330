"""What a raw request holds beside the items: instructions, tools, and the blobs that items refer to. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from reducer.wire.json_text import sorted_compact
from rollout_tui.insight.certainty import MARK
from rollout_tui.insight.contexts.item_sizes import CHARACTERS_PER_TOKEN
from rollout_tui.insight.items.blobs import blob_of
from rollout_tui.texts.short_forms import count, plural

_TEXT_TYPES = frozenset({"input_text", "output_text", "text"})


class RequestParts(NamedTuple):
    """Sizes of what a request holds beside the text of its items.

    Attributes:
        instructions: characters of the instructions; None where the request has none.
        tools: how many tools are defined; None where the request does not say.
        tool_characters: characters of their definitions as compact JSON.
        missing: why nothing is known of instructions and tools; empty where a request tells of them.
        blobs: what the content elements that are no text hold, by the SHA-256 that the graph knows them by.
    """

    instructions: int | None = None
    tools: int | None = None
    tool_characters: int = 0
    missing: str = ""
    blobs: dict[str, str] = {}

    def words(self, part: str) -> str:
        """The size of `instructions` or `tools` in words; the number of tokens is an estimate."""
        if part == "tools":
            if self.tools is None:
                return self.missing or "not in this request"
            return f"{plural(self.tools, 'tool')}, {_sized(self.tool_characters)}"
        if not self.instructions:
            return self.missing or "none in this request"
        return f"{MARK}{_sized(self.instructions)}" if self.missing else _sized(self.instructions)


def _sized(characters: int) -> str:
    return f"{count(characters)} chars, est. {count(-(-characters // CHARACTERS_PER_TOKEN))} tok"


def request_parts(request: Any) -> RequestParts:
    """Measure a request.

    Args:
        request: the parsed request payload; what is no request has no parts.
    """
    if not isinstance(request, dict):
        return RequestParts()
    instructions, tools = request.get("instructions"), request.get("tools")
    tools = tools if isinstance(tools, list) else None
    return RequestParts(
        len(instructions) if isinstance(instructions, str) else None,
        None if tools is None else len(tools),
        0 if tools is None else len(orjson.dumps(tools)),
        blobs=dict(_blobs(request)),
    )


def _blobs(request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    items = request.get("input")
    for item in items if isinstance(items, list) else ():
        for element in content_elements(item):
            words = blob_words(element)
            if words is not None:
                yield content_sha256(element), words


def content_elements(item: Any) -> Iterator[dict[str, Any]]:
    """The elements of an item's content or output that are no text."""
    if not isinstance(item, dict):
        return
    for key in ("content", "output"):
        elements = item.get(key)
        for element in elements if isinstance(elements, list) else ():
            if isinstance(element, dict) and element.get("type") not in _TEXT_TYPES:
                yield element


def content_sha256(element: dict[str, Any]) -> str:
    """What the graph knows a content element by: the hash of its compact JSON with sorted keys."""
    return hashlib.sha256(sorted_compact(element).encode()).hexdigest()


def blob_words(element: dict[str, Any]) -> str | None:
    """What the first blob in a content element is; None where it holds none."""
    for value in element.values():
        inner = value.values() if isinstance(value, dict) else (value,)
        for one in inner:
            blob = blob_of(one) if isinstance(one, str) else None
            if blob is not None:
                return blob.words
    return None
