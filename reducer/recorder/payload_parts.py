"""How the text of a payload is divided into parts, so that what repeats is stored once.

Codex stores each item of a prepared prompt as a `model_item`, and each picture of an item or of a request as
a `content_value`. Where payloads may not be larger than a limit, the items of larger ones become
`model_item`s, too, and the long texts in them `content_value`s: these are what is cut, and what is around
them stays whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from reducer.recorder.encoding import compact_json
from reducer.wire.payload_refs import ShardedKindName

_ITEM_LISTS: dict[ShardedKindName, tuple[str, ...]] = {
    "inference_request": ("input",),
    "prepared_prompt": ("input",),
    "warmup_context": ("input",),
    "inference_response": ("output_items",),
    "compaction_checkpoint": ("input_history", "replacement_history"),
}
"""Keys of the lists of Responses items, by kind of payload."""
_WITH_PICTURES = ("inference_request", "warmup_context")
"""Kinds that are divided at pictures even if their items are not stored one by one."""
_ELEMENT_LISTS = ("content", "summary", "output")
"""Keys of an item under which there may be a list of texts and pictures."""
_Change = Callable[[object], object]
_PICTURE = b'"data:'
"""How a picture begins in JSON text."""
_MARK = b"\0"
"""Stands in the text for a part while a payload is divided; JSON text cannot have this byte in it."""


class DividedText(NamedTuple):
    """The JSON text of a payload: fragment 0, part 0, fragment 1, ..., part k-1, fragment k.

    Attributes:
        kind: what the payload is.
        fragments: the text between the parts; all of it, if there are none.
        parts: what stands between the fragments.
    """

    kind: ShardedKindName
    fragments: list[bytes]
    parts: list[DividedText]

    def record(self) -> bytes:
        """What its record holds: the text, or the JSON array of its fragments."""
        if not self.parts:
            return self.fragments[0]
        return msgspec.json.encode([fragment.decode() for fragment in self.fragments])

    def text(self) -> bytes:
        """The whole text."""
        return b"".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        for fragment, part in zip(self.fragments, self.parts, strict=False):
            yield fragment
            yield from part._pieces()
        yield self.fragments[-1]


def divide(kind: ShardedKindName, value: object, *, max_payload_bytes: int | None = None) -> DividedText:
    """The compact JSON text of a payload, divided as codex divides it.

    Args:
        kind: what the payload is.
        value: anything with a JSON form. Only dictionaries and lists are looked into. A `msgspec.Raw`
            directly under a top-level key is JSON that the host holds ready-made.
        max_payload_bytes: limit of the recording; None if it has none.

    Raises:
        TypeError: the value, or something in it, has no JSON form.
        ValueError: a `Raw` value is not JSON.
    """
    draft = _Draft(max_payload_bytes)
    value = _compacted(value)
    if isinstance(value, dict):
        value = {key: _compacted(member) for key, member in value.items()}
        lists = _ITEM_LISTS.get(kind, ())
        if kind == "prepared_prompt" or _wants_items(kind, value, lists, max_payload_bytes):
            changes = dict.fromkeys(lists, draft.items)
            value = _with_members(value, {**changes, "base_instructions": draft.element})
        elif kind in _WITH_PICTURES and _PICTURE in compact_json(value):
            value = _with_members(value, dict.fromkeys(lists, draft.contents_of_items))
    return draft.finished(kind, value)


def _wants_items(
    kind: ShardedKindName, value: dict[str, Any], lists: tuple[str, ...], limit: int | None
) -> bool:
    """Whether the items of a payload are stored one by one: where it is larger than the limit.

    A response of which no single item is larger is cut as it is, unlike what the model is shown.
    """
    if limit is None or not lists or len(compact_json(value)) <= limit:
        return False
    if kind != "inference_response":
        return True
    items = value.get("output_items")
    return isinstance(items, (list, tuple)) and any(len(compact_json(item)) > limit for item in items)


class _Draft:
    """A payload in which parts are replaced by marks, one after the other in the order of the text."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._parts: list[DividedText] = []

    def finished(self, kind: ShardedKindName, value: object) -> DividedText:
        """The text with what was replaced in it.

        Raises:
            ValueError: the value holds a ready-made text that is no JSON.
        """
        fragments = compact_json(value).split(_MARK)
        if len(fragments) != len(self._parts) + 1:
            raise ValueError("a text that is not JSON")
        return DividedText(kind, fragments, self._parts)

    def items(self, items: object) -> object:
        """A list of items with each of them replaced."""
        return [self._item(item) for item in items] if isinstance(items, (list, tuple)) else items

    def contents_of_items(self, items: object) -> object:
        """A list of items with the pictures and long texts in them replaced."""
        return [self._contents(item) for item in items] if isinstance(items, (list, tuple)) else items

    def element(self, element: object) -> object:
        """An element of an item, or anything like it, with its picture or long text replaced."""
        if not isinstance(element, dict):
            return element
        return {key: self._value(key, value) for key, value in element.items()}

    def _item(self, item: object) -> Raw:
        text = compact_json(item)
        # Most items have nothing to divide; looking for it would take most of the time.
        if _PICTURE not in text and _MARK not in text and (self._limit is None or len(text) <= self._limit):
            return self._part(DividedText("model_item", [text], []))
        draft = _Draft(self._limit)
        return self._part(draft.finished("model_item", draft._contents(item)))

    def _contents(self, item: object) -> object:
        if not isinstance(item, dict):
            return item
        return _with_members(item, dict.fromkeys(_ELEMENT_LISTS, self._elements))

    def _elements(self, elements: object) -> object:
        return [self.element(part) for part in elements] if isinstance(elements, (list, tuple)) else elements

    def _value(self, key: object, value: object) -> object:
        if not isinstance(value, str):
            return value
        if key == "image_url" and value.startswith("data:"):
            return self._part(DividedText("content_value", [compact_json(value)], []))
        if key == "text" and self._limit is not None:
            text = compact_json(value)
            if len(text) > self._limit:
                return self._part(DividedText("content_value", [text], []))
        return value

    def _part(self, part: DividedText) -> Raw:
        self._parts.append(part)
        return Raw(_MARK)


def _with_members(value: dict[str, Any], changes: dict[str, _Change]) -> dict[str, Any]:
    """A dictionary with the members under these keys changed, in its order."""
    return {key: changes[key](member) if key in changes else member for key, member in value.items()}


def _compacted(value: object) -> object:
    """Ready-made JSON without white space between its tokens; anything else as it is."""
    return Raw(msgspec.json.format(bytes(value).decode(), indent=-1)) if isinstance(value, Raw) else value
