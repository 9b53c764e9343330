"""How the objects of which a session has very many become bytes, and objects again."""

from __future__ import annotations

from copy import copy
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, structs

from reducer.model import (
    Body,
    ConversationItem,
    EncodedPart,
    InferenceCall,
    Part,
    TerminalOperation,
    TerminalResult,
    TerminalSession,
    TextPart,
    ToolCall,
)
from reducer.sessions.far_texts import (
    FarEncodedPart,
    FarFile,
    FarTerminalResult,
    FarText,
    FarTextPart,
    FarTexts,
    JsonPath,
    far_in,
)
from reducer.sessions.seen_items import Added, SeenItems

S = TypeVar("S", bound=Struct)


def _number_of_file(value: object) -> int:
    if isinstance(value, FarFile):
        return value.number
    raise NotImplementedError(f"{type(value).__name__} cannot be packed")


_encode = msgspec.msgpack.Encoder(enc_hook=_number_of_file).encode


class WholePacking(Generic[S]):
    """Packs objects that have all that is theirs at hand."""

    def __init__(self, type_: type[S]) -> None:
        self._decode = msgspec.msgpack.Decoder(type_).decode

    def pack(self, target: S) -> bytes:
        """The bytes of an object."""
        return _encode(target)

    def unpack(self, data: bytes) -> S:
        """The object, as it was."""
        return self._decode(data)


class _Place(Struct, frozen=True, array_like=True):
    """A `FarText`, with a number for its file."""

    file: int
    offset: int
    path: JsonPath
    part: int
    is_lite: bool
    size: int
    digest: bytes

    def text_of(self, far: FarTexts) -> Any:
        """The text as it stands in the graph."""
        return FarText(far.files[self.file], *structs.astuple(self)[1:])


class ItemPacking:
    """Packs conversation items: beside each the places of its texts that stay in files."""

    def __init__(self, far: FarTexts) -> None:
        self._far = far
        self._decode = msgspec.msgpack.Decoder(tuple[dict[int, _Place], ConversationItem]).decode

    def pack(self, item: ConversationItem) -> bytes:
        """The bytes of an item."""
        places = {at: place for at, part in enumerate(item.body.parts) if (place := far_in(part)) is not None}
        if places:
            item = copy(item)
            item.body = Body([_without_text(part) for part in item.body.parts])
        return _encode((places, item))

    def unpack(self, data: bytes) -> ConversationItem:
        """The item, as it was."""
        places, item = self._decode(data)
        for at, place in places.items():
            part, said = item.body.parts[at], place.text_of(self._far)
            item.body.parts[at] = (
                FarEncodedPart(part.label, said) if isinstance(part, EncodedPart) else FarTextPart(said)
            )
        return item


def _without_text(part: Part) -> Part:
    if isinstance(part, FarTextPart):
        return TextPart("")
    return EncodedPart(part.label, "") if isinstance(part, FarEncodedPart) else part


class OperationPacking:
    """Packs terminal operations: beside each what it gave back, of which some may stay in files."""

    def __init__(self, far: FarTexts) -> None:
        self._far = far
        self._decode = msgspec.msgpack.Decoder(tuple[_Result | None, TerminalOperation]).decode

    def pack(self, operation: TerminalOperation) -> bytes:
        """The bytes of an operation."""
        result, operation = operation.result, copy(operation)
        operation.result = None
        return _encode((result, operation))

    def unpack(self, data: bytes) -> TerminalOperation:
        """The operation, as it was."""
        result, operation = self._decode(data)
        operation.result = None if result is None else self._result(result)
        return operation

    def _result(self, found: _Result) -> TerminalResult:
        return FarTerminalResult(
            found.exit_code,
            self._text(found.stdout),
            found.stderr,
            self._text(found.formatted_output),
            found.original_token_count,
            found.chunk_id,
        )

    def _text(self, value: str | _Place | None) -> Any:
        return value.text_of(self._far) if isinstance(value, _Place) else value


class _Result(Struct, frozen=True):
    """A `TerminalResult` with places where it has texts that stay in files."""

    exit_code: int | None
    stdout: str | _Place
    stderr: str
    formatted_output: str | _Place | None = None
    original_token_count: int | None = None
    chunk_id: str | None = None


class CallPacking:
    """Packs inference calls: beside each of which history its list is the beginning."""

    def __init__(self) -> None:
        self._histories: list[list[str]] = []
        self._numbers: dict[int, int] = {}
        self._decode = msgspec.msgpack.Decoder(tuple[int, int, Added, InferenceCall]).decode

    def pack(self, call: InferenceCall) -> bytes:
        """The bytes of a call."""
        seen = call.request_item_ids
        assert isinstance(seen, SeenItems), "the calls of a session are made with such lists"
        number = self._numbers.setdefault(id(seen.history), len(self._histories))
        if number == len(self._histories):
            self._histories.append(seen.history)
        call = copy(call)
        call.request_item_ids = ()
        return _encode((number, seen.taken, seen.added, call))

    def unpack(self, data: bytes) -> InferenceCall:
        """The call, as it was."""
        number, taken, added, call = self._decode(data)
        call.request_item_ids = SeenItems(self._histories[number], taken, added)
        return call


class Packings:
    """Packs the objects of one graph.

    Attributes:
        items: conversation items.
        calls: inference calls.
        tools: tool calls.
        sessions: terminal sessions.
        operations: terminal operations.
    """

    def __init__(self, far: FarTexts) -> None:
        self.items = ItemPacking(far)
        self.calls = CallPacking()
        self.tools = WholePacking(ToolCall)
        self.sessions = WholePacking(TerminalSession)
        self.operations = OperationPacking(far)
