"""From the items of a payload to the form in which items are compared and kept."""

from __future__ import annotations

import hashlib
from typing import Any

from msgspec import Struct

from reducer.errors import Inconsistent
from reducer.model import (
    CALL_KINDS,
    OUTPUT_KINDS,
    AgentMessage,
    Channel,
    CodePart,
    EncodedPart,
    ItemKind,
    JsonPart,
    Part,
    PayloadRefPart,
    Role,
    SummaryPart,
    TextPart,
)
from reducer.schemas import Schema
from reducer.wire.json_text import JsonDocument, Numeral, compact_exact, sorted_compact
from reducer.wire.parser_words import fault_of_message_content
from reducer.wire.typed_json import convert, dig, refuse_wide_integers

SUMMARY_LIMIT = 240
"""Bytes of compact JSON that a `json` part keeps."""

PASSTHROUGH_KEY = "internal_chat_message_metadata_passthrough"
ENCRYPTED = "encrypted_content"

_ROLES: frozenset[Role] = frozenset({"system", "developer", "user", "assistant", "tool"})
_CHANNELS: dict[str, Channel] = {
    "commentary": "commentary",
    "final_answer": "final",
    "partial_answer": "final",
    "summary": "summary",
}
"""The channel of a message, by its phase."""

_TEXT_TYPES = frozenset({"input_text", "output_text", "text"})
_REASONING_TYPES: dict[str, frozenset[str]] = {
    "content": frozenset({"reasoning_text", "text"}),
    "summary": frozenset({"summary_text"}),
}
_CALL_TYPES = frozenset({"tool_search_call", "web_search_call", "image_generation_call", "local_shell_call"})
_OUTPUT_TYPES = frozenset({"tool_search_output", "mcp_tool_call_output"})
_COMPACTION_TYPES = frozenset({"compaction", "compaction_summary", "context_compaction"})


class NormalItem(Struct, frozen=True):
    """An item of a payload, reduced to what tells it apart."""

    role: Role
    channel: Channel | None
    kind: ItemKind
    parts: list[Part]
    call_id: str | None = None
    agent_message: AgentMessage | None = None
    responses_item_id: str | None = None


class _TextContent(Struct, tag_field="type", tag="input_text"):
    text: str


class _EncryptedContent(Struct, tag_field="type", tag="encrypted_content"):
    encrypted_content: str


class _Routing(Struct):
    author: str
    recipient: str


class _Passthrough(Struct, kw_only=True, omit_defaults=True):
    turn_id: str | None = None
    create_time: Any = None
    content_item_kinds: Any = None
    content_token_count: Any = None
    content_item_metadata: Any = None


class _AgentMessageItem(_Routing, kw_only=True, tag_field="type", tag="agent_message"):
    content: list[_TextContent | _EncryptedContent]
    id: str | None = None
    internal_chat_message_metadata_passthrough: _Passthrough | None = None


def normalize_list(document: JsonDocument, payload_id: str, key: str, schema: Schema) -> list[NormalItem]:
    """All items of the array at a key of a payload.

    Items of types that the schema drops are left out, and so are those that are lost as a whole.

    Args:
        document: the payload, whose top is an object with an array at `key`.
        payload_id: `raw_payload:N`.
        key: `input`, `output_items`, `input_history` or `replacement_history`.
        schema: the schema of the bundle.

    Raises:
        Inconsistent: an item is not of a known form.
    """
    items = []
    for position, value in enumerate(document.value[key]):
        if document.hole(value) is not None:
            continue
        reader = _ItemReader(document, payload_id, schema, (key, position), value)
        if reader.type not in schema.dropped_types:
            items.append(reader.item())
    return items


def normalize_document(document: JsonDocument, payload_id: str, schema: Schema) -> NormalItem:
    """A payload that is one item as a whole.

    Raises:
        Inconsistent: it is not of a known form.
    """
    return normalize_at(document, payload_id, (), document.value, schema)


def normalize_at(
    document: JsonDocument, payload_id: str, path: tuple[str | int, ...], value: Any, schema: Schema
) -> NormalItem:
    """The item that stands at a path of a payload.

    Raises:
        Inconsistent: it is not of a known form.
    """
    return _ItemReader(document, payload_id, schema, path, value).item()


class _ItemReader:
    """Reads one item; knows where it stands, to spell numbers as the payload does."""

    def __init__(
        self,
        document: JsonDocument,
        payload_id: str,
        schema: Schema,
        path: tuple[str | int, ...],
        value: Any,
    ) -> None:
        self.document = document
        self.payload_id = payload_id
        self.schema = schema
        self.path = path
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        type_ = self.value.get("type")
        if not isinstance(type_, str):
            raise Inconsistent(
                f"a model item in payload {payload_id} has no string type",
                f"model item in payload {payload_id} did not contain a string type",
            )
        self.type = type_

    def item(self) -> NormalItem:
        """The item in the form of its type."""
        type_ = self.type
        if type_ == "message":
            item = self._message()
        elif type_ == "reasoning":
            item = self._item("assistant", "analysis", "reasoning", self._reasoning())
        elif type_ == "function_call":
            item = self._call("function_call", self._arguments())
        elif type_ == "custom_tool_call":
            item = self._call("custom_tool_call", self._custom_input())
        elif type_ == "function_call_output":
            item = self._output("function_call_output", self._tool_output())
        elif type_ == "custom_tool_call_output":
            item = self._output("custom_tool_call_output", self._tool_output())
        elif type_ in _CALL_TYPES:
            item = self._call("function_call", self._whole())
        elif type_ in _OUTPUT_TYPES:
            item = self._output("function_call_output", [self._whole()])
        elif type_ in _COMPACTION_TYPES:
            item = self._item("assistant", "summary", "message", [self._sealed()])
        elif type_ == "agent_message":
            item = self._agent_message()
        else:
            raise Inconsistent(
                f"payload {self.payload_id} has an item of unsupported type {type_}",
                f"unsupported model item type {type_} in payload {self.payload_id}",
            )
        return item

    def _item(self, role: Role, channel: Channel | None, kind: ItemKind, parts: list[Part]) -> NormalItem:
        call_id = self.value.get("call_id")
        has_call_id = kind in CALL_KINDS or kind in OUTPUT_KINDS
        return NormalItem(
            role,
            channel,
            kind,
            parts,
            call_id=call_id if has_call_id and isinstance(call_id, str) else None,
            responses_item_id=self._responses_item_id(),
        )

    def _responses_item_id(self) -> str | None:
        item_id = self.value.get("id")
        return item_id if self.schema.identifies_items and isinstance(item_id, str) else None

    def _call(self, kind: ItemKind, part: Part) -> NormalItem:
        return self._item("assistant", "commentary", kind, [part])

    def _output(self, kind: ItemKind, parts: list[Part]) -> NormalItem:
        return self._item("tool", "commentary", kind, parts)

    def _message(self) -> NormalItem:
        role = self.value.get("role")
        if not isinstance(role, str):
            raise Inconsistent(
                f"a message item in payload {self.payload_id} has no string role",
                f"message item in payload {self.payload_id} did not contain a string role",
            )
        if role not in _ROLES:
            raise Inconsistent(
                f"payload {self.payload_id} has a message of unsupported role {role}",
                f"unsupported message role {role} in payload {self.payload_id}",
            )
        phase = self.value.get("phase")
        channel = _CHANNELS.get(phase) if isinstance(phase, str) else None
        parts = self._content_parts("content", self.value.get("content"))
        return self._item(role, channel, "message", parts)

    def _content_parts(self, key: str, content: Any) -> list[Part]:
        """Message content: text elements become text, every other element a reference."""
        if not isinstance(content, list):
            return [PayloadRefPart("content", self.payload_id)]
        parts: list[Part] = []
        for position, element in enumerate(content):
            fields = element if isinstance(element, dict) else {}
            type_ = fields.get("type")
            if isinstance(type_, str) and type_ in _TEXT_TYPES:
                text = self._text_part(fields.get("text"))
                parts += [] if text is None else [text]
                continue
            label = type_ if isinstance(type_, str) else "content"
            payload_id = self.document.hole(fields.get("image_url")) or self.payload_id
            parts.append(PayloadRefPart(label, payload_id, self._sha256(element, key, position)))
        if not parts and self.schema.empty_content_label is not None:
            return [PayloadRefPart(self.schema.empty_content_label, self.payload_id)]
        return parts

    def _text_part(self, text: Any) -> Part | None:
        """A text, or where it was; None for what is neither."""
        if isinstance(text, str):
            return TextPart(text)
        hole = self.document.hole(text)
        return None if hole is None else PayloadRefPart("text", hole)

    def _sha256(self, element: Any, key: str, position: int) -> str | None:
        if not self.schema.identifies_content:
            return None
        exact = self.document.exact(element, (*self.path, key, position))
        return hashlib.sha256(sorted_compact(exact).encode()).hexdigest()

    def _reasoning(self) -> list[Part]:
        parts: list[Part] = []
        content = self.value.get("content")
        if content is not None:
            parts += self._reasoning_texts("content", content, TextPart)
        if "summary" in self.value:
            parts += self._reasoning_texts("summary", self.value["summary"], SummaryPart)
        sealed = self.value.get(ENCRYPTED)
        if isinstance(sealed, str):
            parts.append(EncodedPart(ENCRYPTED, sealed))
        elif sealed is not None:
            raise self._bad_reasoning("non-string encrypted_content", "had non-string encrypted_content")
        if not parts:
            raise self._bad_reasoning(
                "neither content nor summary nor encrypted_content",
                "contained no content, summary, or encrypted_content",
            )
        return parts

    def _reasoning_texts(self, key: str, entries: Any, part: type[TextPart | SummaryPart]) -> list[Part]:
        if not isinstance(entries, list):
            raise self._bad_reasoning(f"non-array {key}", f"had non-array {key}")
        texts: list[Part] = []
        for entry in entries:
            fields = entry if isinstance(entry, dict) else {}
            type_, text = fields.get("type"), fields.get("text")
            if not isinstance(type_, str):
                raise self._bad_reasoning(
                    f"a {key} entry without string type", f"had {key} entry without string type"
                )
            if type_ not in _REASONING_TYPES[key]:
                raise self._bad_reasoning(
                    f"unsupported {key} type {type_}", f"had unsupported {key} type {type_}"
                )
            hole = self.document.hole(text)
            if hole is not None:
                texts.append(PayloadRefPart(key, hole))
            elif isinstance(text, str):
                texts.append(part(text))
            else:
                raise self._bad_reasoning(
                    f"a {key} entry without string text", f"had {key} entry without string text"
                )
        return texts

    def _bad_reasoning(self, what: str, reference_says: str) -> Inconsistent:
        where = f"reasoning item in payload {self.payload_id}"
        return Inconsistent(f"a {where} has {what}", f"{where} {reference_says}")

    def _arguments(self) -> Part:
        if "arguments" not in self.value:
            return PayloadRefPart("payload", self.payload_id)
        arguments = self.value["arguments"]
        if not isinstance(arguments, str):
            return self._json_part(arguments, "arguments")
        try:
            document = JsonDocument(arguments.encode())
        except ValueError:
            return TextPart(arguments)
        return JsonPart(summarize(document.compact(document.value, ())), self.payload_id)

    def _tool_output(self) -> list[Part]:
        if "output" not in self.value:
            return [PayloadRefPart("tool_output", self.payload_id)]
        output = self.value["output"]
        if isinstance(output, str):
            return [TextPart(output)]
        if isinstance(output, list):
            return self._content_parts("output", output)
        return [self._json_part(output, "output")]

    def _custom_input(self) -> Part:
        text = self.value.get("input")
        if not isinstance(text, str):
            return self._whole()
        if self.value.get("name") == "exec":
            return CodePart("javascript", text)
        return TextPart(text)

    def _json_part(self, value: Any, key: str) -> Part:
        return JsonPart(summarize(self.document.compact(value, (*self.path, key))), self.payload_id)

    def _whole(self) -> Part:
        """The item itself as JSON. A key that is taken out leaves its place to the last key."""
        if PASSTHROUGH_KEY not in self.value:
            return JsonPart(summarize(self.document.compact(self.value, self.path)), self.payload_id)
        exact = self.document.exact(self.value, self.path)
        keys = list(exact)
        position = keys.index(PASSTHROUGH_KEY)
        last = keys.pop()
        if last != PASSTHROUGH_KEY:
            keys[position] = last
        return JsonPart(summarize(compact_exact({key: exact[key] for key in keys})), self.payload_id)

    def _sealed(self) -> Part:
        value = self.value.get(ENCRYPTED)
        if not isinstance(value, str):
            raise Inconsistent(
                f"a compaction item in payload {self.payload_id} has no {ENCRYPTED} text",
                f"compaction item in payload {self.payload_id} did not contain string {ENCRYPTED}",
            )
        return EncodedPart(ENCRYPTED, value)

    def _agent_message(self) -> NormalItem:
        routing, parts = self._routed_message() if self.schema.routes_first else self._declared_message()
        if not parts:
            raise Inconsistent(
                f"an agent_message item in payload {self.payload_id} has no content",
                f"agent_message item in payload {self.payload_id} contained no content",
            )
        return NormalItem(
            "assistant",
            "analysis",
            "message",
            parts,
            agent_message=AgentMessage(routing.author, routing.recipient),
            responses_item_id=self._responses_item_id(),
        )

    def _declared_message(self) -> tuple[_Routing, list[Part]]:
        """Routing and content of an agent message, all of which must be of their declared types.

        What it passes through is taken out of items in lists before anybody looks.
        """
        item = f"agent_message item in payload {self.payload_id}"
        what, said = f"an {item}", f"failed to parse {item}"
        value, exact = self.value, self.document.exact(self.value, self.path)
        if self.path:
            value, exact = (
                {key: inner for key, inner in one.items() if key != PASSTHROUGH_KEY} for one in (value, exact)
            )
        message = convert(value, _AgentMessageItem, what, said)
        if not _is_time(message):
            raise Inconsistent(f"{what} has a create_time that is no number", said)
        refuse_wide_integers(exact, what, said)
        return message, [_sealed_or_not(entry) for entry in message.content]

    def _routed_message(self) -> tuple[_Routing, list[Part]]:
        """Routing and content of an agent message, looked at one after the other; texts may be lost."""
        where = f"in payload {self.payload_id}"
        what = f"an agent_message item {where}"
        routing = convert(self.value, _Routing, what, f"failed to parse agent_message routing {where}")
        content = self.value.get("content")
        if not isinstance(content, list):
            raise Inconsistent(f"{what} has no array content", "expected agent_message content array")
        parts: list[Part] = []
        for position, entry in enumerate(content):
            # Where the text is lost, nothing else is looked at, the type neither.
            hole = self.document.hole(dig(entry, "text"))
            if hole is not None:
                parts.append(PayloadRefPart("text", hole))
                continue
            declared: Any = _TextContent | _EncryptedContent
            exact = self.document.exact(entry, (*self.path, "content", position))
            try:
                parts.append(_sealed_or_not(convert(entry, declared, what)))
                refuse_wide_integers(exact, what)
            except Inconsistent as error:
                raise Inconsistent(str(error), fault_of_message_content(exact)) from None
        return routing, parts


def _sealed_or_not(entry: _TextContent | _EncryptedContent) -> Part:
    if isinstance(entry, _TextContent):
        return TextPart(entry.text)
    return EncodedPart(ENCRYPTED, entry.encrypted_content)


def _is_time(message: _AgentMessageItem) -> bool:
    """Whether the time that a message passes through is a number or missing."""
    passed = message.internal_chat_message_metadata_passthrough
    time = None if passed is None else passed.create_time
    return time is None or (isinstance(time, (int, float, Numeral)) and not isinstance(time, bool))


def summarize(compact: str) -> str:
    """A compact JSON text, cut between characters to at most `SUMMARY_LIMIT` bytes and `...`."""
    if len(compact) <= SUMMARY_LIMIT // 4:
        return compact
    data = compact.encode()
    if len(data) <= SUMMARY_LIMIT:
        return compact
    return data[:SUMMARY_LIMIT].decode(errors="ignore") + "..."
