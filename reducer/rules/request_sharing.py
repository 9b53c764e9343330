"""What a request has in common with the one before it: most of it, and none of that is read twice.

Every request of a thread repeats the whole conversation. As far as the bytes of its input are those of the
request before, and the live context still begins with the items that these were mapped to, mapping them again
could only find the same items. So they are skipped: only what follows is parsed, normalised and mapped. How
the JSON is spelled makes a request cheap or not; it never changes what comes of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

import msgspec
import orjson
from msgspec import Raw, Struct, field

from reducer.changes import GraphWork
from reducer.model import PayloadRefPart, RolloutTrace
from reducer.model.objects import ObjectRef
from reducer.rules.items import ItemStore
from reducer.rules.matching import usable
from reducer.rules.normalize import NormalItem
from reducer.storage.payloads import Payloads
from reducer.wire.json_text import JsonDocument
from reducer.wire.payload_refs import PayloadRef

_PLAIN = b'{"input":['
"""How a request begins that has nothing but its input."""

_SPACE = re.compile(rb"[ \t\n\r]*")
_AFTER_ELEMENT = re.compile(rb"[ \t\n\r]*([,\]])")
_KEY = re.compile(rb'[ \t\n\r]*("(?:[^"\\]|\\.)*")[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)


class KnownItems(Struct):
    """The items that the beginning of a request shows, known from the request before.

    Attributes:
        item_ids: what its first elements are mapped to, in order; no id stands in it twice.
        position_of: where in it an id stands.
        ends: where in the text of the request each of these elements ends, in bytes.
        settled: how much of the record of unsettled call ids they have been linked by.
    """

    item_ids: list[str] = field(default_factory=list)
    position_of: dict[str, int] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    settled: int = 0

    def cut(self, length: int) -> None:
        """Forget all but the first `length` items."""
        for item_id in self.item_ids[length:]:
            del self.position_of[item_id]
        del self.item_ids[length:], self.ends[length:]

    def add(self, item_id: str, end: int) -> bool:
        """Add an item; say whether that was possible, for none may be there twice."""
        if item_id in self.position_of:
            return False
        self.position_of[item_id] = len(self.item_ids)
        self.item_ids.append(item_id)
        self.ends.append(end)
        return True


class Request(Struct):
    """A request as far as it has to be read.

    Attributes:
        text: the payload, whole.
        document: the payload without the elements of its input that are known, and without what is known
            of the rest of it.
        known: the items of the elements left out of `document`.
        elements: where in `text` its input begins, and where the elements of `document` end there, if known.
    """

    text: bytearray
    document: JsonDocument
    known: KnownItems
    elements: tuple[int, list[int]] | None = None


class _Memory(Struct, frozen=True):
    """The last request of a thread.

    Attributes:
        text: the payload.
        input_at: where the elements of its input begin.
        tail: what follows the last of them.
        known: the items it showed.
    """

    text: bytearray
    input_at: int
    tail: bytes
    known: KnownItems


class Unsettled:
    """The call ids around which something changed, in order: items with one of them may have links to make.

    An item that is seen again makes the links to tool calls and code cells that were not possible before.
    What was linked stays linked, so only items whose call id stands here have to be looked at again.
    """

    def __init__(self, work: GraphWork) -> None:
        self._trace = work.trace
        self._call_ids: list[str] = []

    def __len__(self) -> int:
        return len(self._call_ids)

    def note(self, refs: Sequence[ObjectRef]) -> None:
        """Note the call ids of the objects that an event changed."""
        for ref in refs:
            self._call_ids.extend(_call_ids(self._trace, ref))

    def since(self, mark: int) -> set[str]:
        """The call ids noted after the first `mark`."""
        return set(self._call_ids[mark:])


def _call_ids(trace: RolloutTrace, ref: ObjectRef) -> list[str]:
    found: list[str | None] = []
    if ref.type == "ToolCall":
        found = [trace.tool_calls[ref.id].model_visible_call_id]
    elif ref.type == "TerminalOperation":
        found = [trace.tool_calls[trace.terminal_operations[ref.id].tool_call_id].model_visible_call_id]
    elif ref.type == "ConversationItem":
        found = [trace.conversation_items[ref.id].call_id]
    elif ref.type == "CodeCell":
        found = [ref.id.removeprefix("code_cell:")]
    elif ref.type == "InferenceCall":
        answered = trace.inference_calls[ref.id].response_item_ids
        found = [trace.conversation_items[item_id].call_id for item_id in answered]
    return [call_id for call_id in found if call_id is not None]


class RequestSharing:
    """Remembers the last request of every thread."""

    def __init__(self, work: GraphWork, payloads: Payloads, items: ItemStore, unsettled: Unsettled) -> None:
        self._changes = work.changes
        self._payloads = payloads
        self._items = items
        self._unsettled = unsettled
        self._memories: dict[str, _Memory] = {}

    def read(self, thread_id: str, ref: PayloadRef, base: Sequence[str]) -> Request:
        """The request of a payload, without what is known of it.

        What was remembered is handed out with the request, to grow with it. If the event fails, it is lost:
        the next request is read whole.

        Args:
            thread_id: whose request it is.
            ref: its payload.
            base: the item ids of the live context, which known items must agree with.

        Raises:
            UnreadablePayload: it cannot be opened, is not JSON, or nests too deep.
        """
        memory = self._memories.pop(thread_id, None)
        if memory is not None and not ref.is_partial:
            same = self._payloads.read_over(ref, memory.text)
            request = _abridged(memory, same, base)
            if request is not None:
                self._payloads.found_sound(ref)
                return request
        return self.read_whole(ref)

    def read_whole(self, ref: PayloadRef) -> Request:
        """The request of a payload, all of it.

        Raises:
            UnreadablePayload: as in `read`.
        """
        document = self._payloads.parse(ref)
        return Request(bytearray(document.data), document, KnownItems())

    def remember(
        self, thread_id: str, request: Request, normals: Sequence[NormalItem], item_ids: Sequence[str]
    ) -> None:
        """Remember a request that was mapped, as far as a repetition of it would find the same items.

        Args:
            thread_id: whose request it is.
            request: what `read` gave.
            normals: the items of its document.
            item_ids: the items of the graph that these were mapped to.
        """
        if request.document.holes:
            return  # what is lost in one payload may be said in plain words in the next
        found = request.elements or input_elements(request.document.data)
        known = request.known
        if found is None or len(found[1]) != len(normals):
            return
        input_at, ends = found
        tail = bytes(request.text[[input_at, *known.ends[-1:], *ends[-1:]][-1] :])
        for normal, item_id, end in zip(normals, item_ids, ends, strict=True):
            if not self._repeats(normal, item_id) or not known.add(item_id, end):
                break
        known.settled = len(self._unsettled)
        if known.ends:
            self._changes.put(self._memories, thread_id, _Memory(request.text, input_at, tail, known))

    def _repeats(self, normal: NormalItem, item_id: str) -> bool:
        """Whether the same payload item would be mapped to this item again."""
        if any(isinstance(part, PayloadRefPart) and part.content_sha256 is None for part in normal.parts):
            return False
        return usable(normal, self._items[item_id])

    def to_link_again(self, thread_id: str, known: KnownItems) -> list[str]:
        """The known items that may have links to make since they were last seen, in their order."""
        position_of = known.position_of
        if not position_of:
            return []
        item_ids = {
            item_id
            for call_id in self._unsettled.since(known.settled)
            for item_id in self._items.with_call_id(thread_id, call_id)
            if item_id in position_of
        }
        return sorted(item_ids, key=position_of.__getitem__)


def _abridged(memory: _Memory, same: int, base: Sequence[str]) -> Request | None:
    """A request without the elements that it shares with the remembered one; None where that is not safe.

    Args:
        memory: of the remembered request, but with the text of this one.
        same: how many bytes at the beginning of both are the same.
        base: the item ids of the live context.
    """
    known, text = memory.known, memory.text
    length = bisect_right(known.ends, same, hi=_agreeing(base, known.item_ids))
    if length == 0:
        return None
    after = _AFTER_ELEMENT.match(text, known.ends[length - 1])
    if after is None:
        return None
    more = after[1] == b","
    rest = after.end() if more else after.start(1)
    only_input = text.endswith(memory.tail, known.ends[length - 1])
    if only_input:  # What stands around the elements is the same, too.
        input_at, data = len(_PLAIN), _PLAIN + text[rest : -len(memory.tail)] + b"]}"
    else:
        input_at, data = memory.input_at, bytes(text[: memory.input_at]) + text[rest:]
    try:
        document = JsonDocument(data)
    except ValueError:
        return None
    found = input_elements(data)
    if found is None or found[0] != input_at or bool(found[1]) != more:
        return None
    if only_input and len(document.value) != 1:
        return None
    known.cut(length)
    further_on = rest - input_at
    return Request(text, document, known, (memory.input_at, [end + further_on for end in found[1]]))


def _agreeing(base: Sequence[str], item_ids: Sequence[str]) -> int:
    """How many items at the beginning of two lists are the same."""
    if base[: len(item_ids)] == item_ids:
        return len(item_ids)
    pairs = enumerate(zip(base, item_ids, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(base), len(item_ids)))


def input_elements(data: bytes) -> tuple[int, list[int]] | None:
    """Where the elements of the array `input` stand in a JSON object.

    Args:
        data: valid JSON, in UTF-8.

    Returns:
        The position after the opening bracket and the ends of the elements, in bytes; None where it is not
        plain: no object, no such array, or a key that is repeated.
    """
    try:
        members = msgspec.json.decode(data, type=dict[str, Raw])
        elements = msgspec.json.decode(members["input"], type=list[Raw])
    except (msgspec.DecodeError, KeyError, RecursionError):
        return None
    position, input_at = data.index(b"{") + 1, 0
    for name, value in members.items():
        key = _KEY.match(data, position)
        if key is None or orjson.loads(key[1]) != name or not data.startswith(bytes(value), key.end()):
            return None
        if name == "input":
            input_at = key.end() + 1
        position = key.end() + len(bytes(value))
        position = _SPACE.match(data, position).end() + 1  # type: ignore[union-attr]
    if data[position - 1 : position] != b"}":
        return None
    return input_at, _ends(data, input_at, elements)


def _ends(data: bytes, position: int, elements: list[Raw]) -> list[int]:
    ends = []
    for element in elements:
        position = _SPACE.match(data, position).end() + len(bytes(element))  # type: ignore[union-attr]
        ends.append(position)
        position = _SPACE.match(data, position).end() + 1  # type: ignore[union-attr]
    return ends
