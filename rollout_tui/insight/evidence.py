"""Finding in a raw payload what an object of the graph was made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from reducer.model import ConversationItem, PayloadRefPart
from reducer.wire.json_text import JsonDocument, JsonError, compact_exact
from rollout_tui.insight.contexts.request_parts import content_elements, content_sha256

_LISTS = ("input", "output_items", "input_history", "replacement_history")
_SEPARATE = {"function_call_output", "custom_tool_call_output", "tool_search_output", "mcp_tool_call_output"}


def find_item(payload: Any, item: ConversationItem) -> tuple[tuple[str | int, ...], dict[str, Any]] | None:
    """The element of a payload that an item was read from, and the path to it.

    It is told by its Responses id, or else by its call id and whether it is a call or an output.
    """
    for path, element in _elements(payload):
        if _is_item(element, item):
            return path, element
    return None


def _elements(payload: Any) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """What may be an item in a payload, and the path to it; a line of a session is one, or has a list."""
    if not isinstance(payload, dict):
        return
    record = payload.get("payload")
    places: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [((), payload)]
    if isinstance(record, dict):
        yield ("payload",), record
        places.append((("payload",), record))
    for path, holder in places:
        for name in _LISTS:
            elements = holder.get(name)
            for position, element in enumerate(elements if isinstance(elements, list) else ()):
                if isinstance(element, dict):
                    yield (*path, name, position), element


def _is_item(element: dict[str, Any], item: ConversationItem) -> bool:
    if item.responses_item_id is not None:
        return element.get("id") == item.responses_item_id
    if item.call_id is None or element.get("call_id") != item.call_id:
        return False
    return (element.get("type") in _SEPARATE) == item.kind.endswith("_output")


def find_content(payload: Any, item: ConversationItem, part: PayloadRefPart) -> dict[str, Any] | None:
    """The element of a payload that a part of an item was read from: told by its hash, or else by its type.

    An item without ids cannot be found by itself, but its content can.
    """
    found = find_item(payload, item)
    elements = [] if found is None else list(content_elements(found[1]))
    if not elements:
        elements = [element for _, entry in _elements(payload) for element in content_elements(entry)]
    if part.content_sha256 is not None:
        same = (one for one in elements if content_sha256(one) == part.content_sha256)
        return next(same, None)
    return next((one for one in elements if one.get("type") == part.label), None)


def item_json(element: dict[str, Any]) -> Any:
    """What an item says beyond its envelope: arguments, output or input, or the item as a whole."""
    for key in ("arguments", "output", "input"):
        if key in element:
            value = element[key]
            return unfolded(value) if isinstance(value, str) else value
    return element


def unfolded(text: str) -> Any:
    """A text that is itself a JSON object or array as that value; any other text as it is."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return JsonDocument(text.encode()).exact_value()
    except (JsonError, UnicodeEncodeError):
        return text


def pretty(value: Any) -> str:
    """A value as text for reading: a string as it is, anything else as indented JSON."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:
        return compact_exact(value)
