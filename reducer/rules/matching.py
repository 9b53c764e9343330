"""When a payload item and a conversation item are the same content, and finding such items in a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Hashable, Iterator, Sequence
from heapq import merge

from reducer.model import (
    ConversationItem,
    EncodedPart,
    JsonPart,
    Part,
    PayloadRefPart,
)
from reducer.rules.normalize import NormalItem


def matches(normal: NormalItem, item: ConversationItem) -> bool:
    """Whether a payload item has the content of a conversation item; Responses ids are not looked at."""
    return _signature(normal) == _signature(item) and _same_body(normal, item)


def usable(normal: NormalItem, item: ConversationItem) -> bool:
    """Whether a payload item may be mapped to a conversation item: same content, no contradicting ids."""
    ours, theirs = normal.responses_item_id, item.responses_item_id
    return (ours is None or theirs is None or ours == theirs) and matches(normal, item)


def same_parts(left: Sequence[Part], right: Sequence[Part]) -> bool:
    """Whether two bodies have equal parts in the same order."""
    return len(left) == len(right) and all(map(_same_part, left, right))


def _same_part(left: Part, right: Part) -> bool:
    if isinstance(left, JsonPart) and isinstance(right, JsonPart):
        return left.summary == right.summary
    if isinstance(left, PayloadRefPart) and isinstance(right, PayloadRefPart):
        if left.content_sha256 is not None and right.content_sha256 is not None:
            return left.label == right.label and left.content_sha256 == right.content_sha256
        return left.label == right.label and left.raw_payload_id == right.raw_payload_id
    return left == right


def _same_body(normal: NormalItem, item: ConversationItem) -> bool:
    if same_parts(normal.parts, item.body.parts):
        return True
    if normal.kind != "reasoning":
        return False
    sealed = _first_sealed(normal.parts)
    return sealed is not None and sealed == _first_sealed(item.body.parts)


def _signature(item: NormalItem | ConversationItem) -> tuple[Hashable, ...]:
    return (item.kind, item.role, item.channel, item.call_id, item.agent_message)


def _first_sealed(parts: Sequence[Part]) -> EncodedPart | None:
    return next((part for part in parts if isinstance(part, EncodedPart)), None)


def _keys(item: NormalItem | ConversationItem, parts: Sequence[Part]) -> Iterator[Hashable]:
    """Keys of which two matching items share at least one."""
    signature = _signature(item)
    sealed = _first_sealed(parts) if item.kind == "reasoning" else None
    if sealed is not None:
        yield (signature, sealed)
        return
    yield (signature, *map(_key_by_content, parts))
    if any(isinstance(part, PayloadRefPart) and part.content_sha256 is not None for part in parts):
        # A reference without a hash may equal one with a hash, if they are of the same payload.
        yield (signature, *map(_key_by_place, parts))


def _key_by_content(part: Part) -> Hashable:
    if isinstance(part, PayloadRefPart) and part.content_sha256 is not None:
        return (part.label, part.content_sha256, None)
    return _key_by_place(part)


def _key_by_place(part: Part) -> Hashable:
    if isinstance(part, JsonPart):
        return part.summary
    if isinstance(part, PayloadRefPart):
        return (part.label, part.raw_payload_id)
    return part


class Picked:
    """The conversation items that the items of one list have been mapped to."""

    def __init__(self, known: Container[str] = ()) -> None:
        """Begin with items that are known; they are looked up, not copied: there may be thousands."""
        self._known = known
        self._new: set[str] = set()

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._new or item_id in self._known

    def add(self, item_id: str) -> None:
        """Note that an item was picked."""
        self._new.add(item_id)


class Candidates:
    """A list of conversation items in which payload items look for the first one they can be mapped to.

    The index is built when it is first needed: most lists are matched position by position and never ask.
    It has one queue of positions per content and Responses id, and one per content alone.
    """

    def __init__(self, item_ids: Sequence[str], get: Callable[[str], ConversationItem]) -> None:
        self._item_ids = item_ids
        self._get = get
        self._positions: dict[Hashable, deque[int]] | None = None

    def first(self, normal: NormalItem, picked: Container[str]) -> ConversationItem | None:
        """The first item that is usable and not yet picked. What is picked stays so for later calls."""
        if not self._item_ids:
            return None
        index = self._index()
        ids = (_ANY,) if normal.responses_item_id is None else (normal.responses_item_id, None)
        keys = [(content, one) for content in _keys(normal, normal.parts) for one in ids]
        queues = [index[key] for key in keys if key in index]
        for queue in queues:
            while queue and self._item_ids[queue[0]] in picked:
                queue.popleft()
        for position in merge(*queues):
            item = self._get(self._item_ids[position])
            if item.item_id not in picked and usable(normal, item):
                return item
        return None

    def _index(self) -> dict[Hashable, deque[int]]:
        if self._positions is None:
            self._positions = {}
            for position, item_id in enumerate(self._item_ids):
                item = self._get(item_id)
                for content in _keys(item, item.body.parts):
                    for one in (item.responses_item_id, _ANY):
                        self._positions.setdefault((content, one), deque()).append(position)
        return self._positions


_ANY = object()
"""In the place of a Responses id: whatever it is, if there is one."""
