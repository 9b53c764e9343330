"""How the objects of which a session has very many become bytes, and objects again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Struct, structs

from reducer.model import (
    AgentMessage,
    Body,
    CodeCellRequester,
    CodePart,
    ConversationItem,
    EncodedPart,
    ExecCommandRequest,
    ExecutionWindow,
    InferenceCall,
    JsonPart,
    Part,
    PayloadRefPart,
    Producer,
    SummaryPart,
    TerminalObservation,
    TerminalOperation,
    TerminalResult,
    TerminalSession,
    TextPart,
    ToolCall,
    Usage,
    WriteStdinRequest,
)
from reducer.sessions.far_texts import (
    FarEncodedPart,
    FarFile,
    FarTerminalResult,
    FarText,
    FarTextPart,
    FarTexts,
    JsonPath,
)
from reducer.sessions.seen_items import Added, SeenItems
from reducer.sessions.words import Words
from reducer.wire.events import AnyToolKind, ModelRequester, ToolSummary

S = TypeVar("S", bound=Struct)


class _Column(Struct, frozen=True):
    """How the values of a field are packed.

    Attributes:
        type: what is decoded.
        packed: makes that of a value; None if values are packed as they are.
        made: makes the value of that.
    """

    type: Any
    packed: Callable[[Any], Any] | None = None
    made: Callable[[Any], Any] | None = None


class StructPacking(Generic[S]):
    """Packs the structs of a type field by field, without their names."""

    def __init__(self, type_: type[S], encoder: msgspec.msgpack.Encoder, columns: dict[str, _Column]) -> None:
        self._type = type_
        self._names = [field.name for field in structs.fields(type_)]
        found = [columns[name] for name in self._names]
        self._packed = [(at, one.packed) for at, one in enumerate(found) if one.packed is not None]
        self._made = [(at, one.made) for at, one in enumerate(found) if one.made is not None]
        self._encode = encoder.encode
        self._decode = msgspec.msgpack.Decoder(tuple[tuple(one.type for one in found)]).decode  # type: ignore[misc]

    def pack(self, target: S) -> bytes:
        """The bytes of an object."""
        values = [*structs.astuple(target)]
        for at, packed in self._packed:
            values[at] = packed(values[at])
        return self._encode(values)

    def unpack(self, data: bytes) -> S:
        """The object, as it was."""
        values = [*self._decode(data)]
        for at, made in self._made:
            values[at] = made(values[at])
        return self._type(**dict(zip(self._names, values, strict=True)))


class _FarPlace(Struct, frozen=True, array_like=True):
    """A `FarText`, with a number for its file."""

    file: int
    offset: int
    path: JsonPath
    part: int
    is_lite: bool
    size: int
    digest: bytes


class _Text(Struct, frozen=True, tag_field="type", tag="text"):
    text: str | _FarPlace


class _Encoded(Struct, frozen=True, tag_field="type", tag="encoded"):
    label: str
    value: str | _FarPlace


class _Body(Struct, frozen=True):
    parts: list[_Text | _Encoded | SummaryPart | CodePart | JsonPart | PayloadRefPart]


class _Result(Struct, frozen=True):
    exit_code: int | None
    stdout: str | _FarPlace
    stderr: str
    formatted_output: str | _FarPlace | None = None
    original_token_count: int | None = None
    chunk_id: str | None = None


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
        self._far = far
        self._words = Words()
        self._histories: list[list[str]] = []
        self._numbers: dict[int, int] = {}
        self._added: dict[Added, Added] = {}
        encoder = msgspec.msgpack.Encoder(enc_hook=_number_of_file)
        self.items = StructPacking(ConversationItem, encoder, self._item_columns())
        self.calls = StructPacking(InferenceCall, encoder, self._call_columns())
        self.tools = StructPacking(ToolCall, encoder, self._tool_columns())
        self.sessions = StructPacking(TerminalSession, encoder, self._session_columns())
        self.operations = StructPacking(TerminalOperation, encoder, self._operation_columns())

    def _item_columns(self) -> dict[str, _Column]:
        word = self._word()
        return {
            "item_id": _Column(str),
            "responses_item_id": _Column(str | None),
            "accepted_at_unix_ms": _Column(int | None),
            "accepted_seq": _Column(int | None),
            "thread_id": word,
            "codex_turn_id": word,
            "first_seen_at_unix_ms": _Column(int),
            "role": word,
            "channel": word,
            "kind": word,
            "agent_message": _Column(AgentMessage | None),
            "body": _Column(_Body, None, self._body),
            "call_id": _Column(str | None),
            "produced_by": _Column(list[Producer]),
        }

    def _call_columns(self) -> dict[str, _Column]:
        word = self._word()
        seen = _Column(tuple[int, int, Added], self._numbered, self._seen)
        return {
            "inference_call_id": _Column(str),
            "thread_id": word,
            "codex_turn_id": word,
            "execution": _Column(ExecutionWindow),
            "model": word,
            "provider_name": word,
            "response_id": _Column(str | None),
            "upstream_request_id": _Column(str | None),
            "request_item_ids": seen,
            "response_item_ids": _Column(list[str]),
            "tool_call_ids_started_by_response": _Column(list[str]),
            "usage": _Column(Usage | None),
            "raw_request_payload_id": _Column(str),
            "prepared_prompt_payload_id": _Column(None, lambda _: None, lambda _: UNSET),
            "raw_response_payload_id": _Column(str | None),
        }

    def _tool_columns(self) -> dict[str, _Column]:
        word = self._word()
        return {
            "tool_call_id": _Column(str),
            "mcp_call_id": _Column(str | None),
            "model_visible_call_id": _Column(str | None),
            "code_mode_runtime_tool_id": _Column(str | None),
            "started_code_cell_id": _Column(str | None),
            "resolved_wait_runtime_cell_id": _Column(str | None),
            "thread_id": word,
            "started_by_codex_turn_id": word,
            "execution": _Column(ExecutionWindow),
            "requester": _Column(ModelRequester | CodeCellRequester),
            "kind": _Column(AnyToolKind),
            "model_visible_call_item_ids": _Column(list[str]),
            "model_visible_output_item_ids": _Column(list[str]),
            "terminal_operation_id": _Column(str | None),
            "summary": _Column(ToolSummary),
            "raw_invocation_payload_id": _Column(str | None),
            "raw_result_payload_id": _Column(str | None),
            "raw_runtime_payload_ids": _Column(list[str]),
        }

    def _session_columns(self) -> dict[str, _Column]:
        return {
            "terminal_id": _Column(str),
            "thread_id": self._word(),
            "created_by_operation_id": _Column(str),
            "operation_ids": _Column(list[str]),
            "execution": _Column(ExecutionWindow),
        }

    def _operation_columns(self) -> dict[str, _Column]:
        return {
            "operation_id": _Column(str),
            "terminal_id": _Column(str | None),
            "tool_call_id": _Column(str),
            "kind": self._word(),
            "execution": _Column(ExecutionWindow),
            "request": _Column(ExecCommandRequest | WriteStdinRequest),
            "result": _Column(_Result | None, None, self._result),
            "model_observations": _Column(list[TerminalObservation]),
            "raw_payload_ids": _Column(list[str]),
        }

    def _word(self) -> _Column:
        return _Column(int, self._words.number, self._words.word)

    # Texts that stay in their files

    def _text(self, value: str | _FarPlace | None) -> Any:
        if not isinstance(value, _FarPlace):
            return value
        return FarText(self._far.files[value.file], *structs.astuple(value)[1:])

    def _body(self, body: _Body) -> Body:
        return Body([self._part(part) for part in body.parts])

    def _part(self, part: Any) -> Part:
        if isinstance(part, _Text):
            said = self._text(part.text)
            return TextPart(said) if isinstance(said, str) else FarTextPart(said)
        if isinstance(part, _Encoded):
            said = self._text(part.value)
            type_ = EncodedPart if isinstance(said, str) else FarEncodedPart
            return type_(part.label, said)
        made: Part = part
        return made

    def _result(self, found: _Result | None) -> TerminalResult | None:
        if found is None:
            return None
        return FarTerminalResult(
            found.exit_code,
            self._text(found.stdout),
            found.stderr,
            self._text(found.formatted_output),
            found.original_token_count,
            found.chunk_id,
        )

    # Lists of what calls saw

    def _numbered(self, seen: SeenItems) -> tuple[int, int, Added]:
        number = self._numbers.setdefault(id(seen.history), len(self._histories))
        if number == len(self._histories):
            self._histories.append(seen.history)
        return number, seen.taken, seen.added

    def _seen(self, value: tuple[int, int, Added]) -> SeenItems:
        number, taken, added = value
        return SeenItems(self._histories[number], taken, self._added.setdefault(added, added))


def _number_of_file(value: object) -> int:
    if isinstance(value, FarFile):
        return value.number
    raise NotImplementedError(f"{type(value).__name__} cannot be packed")
