"""Recorded items in the form in which a model got them, and what they are to a history."""

from __future__ import annotations

import hashlib
import re
import sys
from typing import Any

import orjson

from reducer.model import AgentMessage, EncodedPart, Part, TextPart
from reducer.rules.normalize import ENCRYPTED, PASSTHROUGH_KEY, NormalItem, normalize_at
from reducer.schemas import SCHEMAS
from reducer.sessions.fields import array, mapping, text
from reducer.sessions.history import Entry
from reducer.sessions.lines import Record
from reducer.wire.json_text import JsonDocument

_SCHEMA = SCHEMAS[3]
"""Items are those of the Responses API; the rules for them are those of the newest schema."""

_MODEL_MADE = frozenset(
    {
        "reasoning",
        "function_call",
        "custom_tool_call",
        "local_shell_call",
        "web_search_call",
        "image_generation_call",
        "tool_search_call",
    }
)
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_ANSWERED = frozenset({"function_call", "custom_tool_call", "local_shell_call"})
"""Calls to which codex adds an output before it sends them, where there is none."""

LONG = 256
"""Characters from which on a text is known by its digest, and need not be held."""

NOT_IN_LISTS = frozenset({"additional_tools", "configuration_update"})
"""Items that tell a model what it can do; they are not part of the conversation."""

_FRAGMENT = re.compile(
    r"\s*(?:<(?:environment_context|turn_aborted|user_shell_command|subagent_notification|user_instructions|"
    r"user_action|skill|hook_prompt|goal_context|memory_context|apps_instructions|plugins_instructions)\b"
    r"|# AGENTS\.md instructions\b)",
    re.IGNORECASE,
)
"""How messages of the role `user` begin that codex made up."""

_WRITTEN_ANEW = re.compile(r"\s*(?:<(?:environment_context|user_instructions)\b|# AGENTS\.md instructions\b)")
"""Those of them that codex puts in again after a rollback."""

_NOTE = re.compile(r"\s*<(?:user_shell_command|turn_aborted)>")
_BASE_KIND = "model.base_instructions"
_MAIL_KEYS = frozenset({"author", "recipient", "other_recipients", "content", "trigger_turn"})


def is_model_made(payload: dict[str, Any]) -> bool:
    """Whether an item is of a form that only models make: messages of agents that look alike are none."""
    kind = text(payload, "type")
    if kind == "message":
        return text(payload, "role") == "assistant" and mail_in(payload) is None
    return kind in _MODEL_MADE


def is_output(payload: dict[str, Any]) -> bool:
    """Whether an item is what a tool gave back."""
    return (text(payload, "type") or "").endswith("_output")


def turn_of(payload: dict[str, Any]) -> str | None:
    """The turn that an item says it belongs to; None where items do not say."""
    named = text(mapping(payload, PASSTHROUGH_KEY), "turn_id")
    return None if named is None else sys.intern(named)


def content_kinds(payload: dict[str, Any]) -> list[str]:
    """What codex says that the elements of an item are, such as `user.text`; none where it does not."""
    kinds = array(mapping(payload, PASSTHROUGH_KEY), "content_item_kinds")
    return [kind for kind in kinds if isinstance(kind, str)]


def texts_of(payload: dict[str, Any]) -> list[str]:
    """The texts in the content of a message."""
    found = [text(element, "text") for element in array(payload, "content")]
    return [one for one in found if one is not None]


def mail_in(payload: dict[str, Any]) -> dict[str, Any] | None:
    """The letter between agents that the text of an assistant message is, as older codex kept them."""
    texts = texts_of(payload)
    if len(texts) != 1 or not texts[0].startswith("{") or '"author"' not in texts[0]:
        return None
    try:
        value = orjson.loads(texts[0])
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and value.keys() >= _MAIL_KEYS else None


def entry_for(item_id: str, payload: dict[str, Any], record: Record, sequence: int | None) -> Entry:
    """What an item is to a history."""
    kind = text(payload, "type")
    role = text(payload, "role") if kind == "message" else None
    said = texts_of(payload) if role == "user" else []
    made_up = bool(said) and _FRAGMENT.match(said[0]) is not None
    return Entry(
        item_id,
        record.ordinal,
        sequence,
        text(payload, "call_id"),
        is_call=kind in _ANSWERED,
        is_output=kind in _OUTPUTS,
        is_user=role == "user" and not made_up,
        is_context=role == "developer" or (bool(said) and _WRITTEN_ANEW.match(said[0]) is not None),
        is_base=_BASE_KIND in content_kinds(payload),
    )


def is_note(payload: dict[str, Any]) -> bool:
    """Whether nobody answers an item: a command that the user ran, or word that a turn was interrupted."""
    return any(_NOTE.match(one) for one in texts_of(payload))


def output_text(payload: dict[str, Any]) -> str:
    """What an output says, as far as it is text."""
    output = payload.get("output")
    if isinstance(output, str):
        return output
    if isinstance(output, list):
        return "".join(text(part, "text") or "" for part in output)
    return ""


def first_text(payload: dict[str, Any]) -> str:
    """The first text of an output, in which codex says how it went."""
    output = payload.get("output")
    if isinstance(output, list):
        return text(output[0], "text") or "" if output else ""
    return output if isinstance(output, str) else ""


def normal_of(value: Any, payload_id: str = "") -> NormalItem:
    """An item that stands nowhere as it is.

    Raises:
        Inconsistent: it is not of a known form.
    """
    return normalize_at(JsonDocument(orjson.dumps(value)), payload_id, (), value, _SCHEMA)


class ItemForm:
    """Brings items into the form in which the model of a thread gets them.

    Attributes:
        is_lite: whether the model gets its tools as an item; then details of images are not sent.
    """

    def __init__(self) -> None:
        self.is_lite = False

    def normal(self, record: Record, payload_id: str, path: tuple[str | int, ...], value: Any) -> NormalItem:
        """An item that stands at a path of a record.

        Raises:
            Inconsistent: it is not of a known form.
        """
        sent = self.sent(value)
        if sent is value:
            return normalize_at(record.document, payload_id, path, value, _SCHEMA)
        return normal_of(sent, payload_id)

    def sent(self, value: Any) -> Any:
        """The item without what is only kept; the very same if that is nothing."""
        kind = text(value, "type")
        if kind in _OUTPUTS:
            output = value.get("output")
            shown = _shown_output(output) if isinstance(output, str) else None
            if shown is not None:
                return {**value, "output": shown}
        key = "content" if kind == "message" else "output" if kind in _OUTPUTS else None
        if not self.is_lite or key is None:
            return value
        elements = value.get(key)
        if not isinstance(elements, list) or not any(_has_detail(element) for element in elements):
            return value
        return {**value, key: [_without_detail(element) for element in elements]}


def _has_detail(element: Any) -> bool:
    return isinstance(element, dict) and element.get("type") == "input_image" and "detail" in element


def _without_detail(element: Any) -> Any:
    if not _has_detail(element):
        return element
    return {key: value for key, value in element.items() if key != "detail"}


def _shown_output(output: str) -> str | None:
    """What a model gets of an output that old codex kept together with its exit code; None of others."""
    if not output.startswith('{"output":'):
        return None
    try:
        value = orjson.loads(output)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or value.keys() != {"output", "metadata"}:
        return None
    metadata, said = value["metadata"], value["output"]
    if not isinstance(metadata, dict) or metadata.keys() != {"exit_code", "duration_seconds"}:
        return None
    code, seconds = metadata["exit_code"], metadata["duration_seconds"]
    if not isinstance(said, str) or not isinstance(code, int) or not isinstance(seconds, (int, float)):
        return None
    shown = int(seconds) if seconds == int(seconds) else seconds
    return f"Exit code: {code}\nWall time: {shown} seconds\nOutput:\n{said}"


def letter(payload: dict[str, Any], *, has_header: bool) -> NormalItem:
    """The item that codex made of a letter which it kept as a record of its own.

    Args:
        payload: of an `inter_agent_communication`.
        has_header: whether it was sent with a header.
    """
    author, recipient = text(payload, "author") or "", text(payload, "recipient") or ""
    said, sealed = text(payload, "content") or "", text(payload, ENCRYPTED)
    parts: list[Part] = []
    if has_header:
        kind = "NEW_TASK" if payload.get("trigger_turn") is True else "MESSAGE"
        header = f"Message Type: {kind}\nTask name: {recipient}\nSender: {author}\nPayload:\n"
        parts.append(TextPart(header + said))
    elif said or sealed is None:
        parts.append(TextPart(said))
    if sealed is not None:
        parts.append(EncodedPart(ENCRYPTED, sealed))
    return NormalItem(
        "assistant", "analysis", "message", parts, agent_message=AgentMessage(author, recipient)
    )


def content_key(item: NormalItem | Any, parts: list[Part]) -> tuple[object, ...]:
    """What two items have in common that are the same by content."""
    return (item.kind, item.role, item.call_id, *(_part_key(part) for part in parts))


def _part_key(part: Part) -> object:
    if isinstance(part, (TextPart, EncodedPart)):
        digest = getattr(part, "digest", None)
        if digest is None:
            said = part.text if isinstance(part, TextPart) else part.value
            digest = part if len(said) < LONG else digest_of(said)
        return digest
    named = getattr(part, "raw_payload_id", None)
    if named is None:
        return part
    told = getattr(part, "content_sha256", None) or getattr(part, "summary", None)
    return (type(part).__name__, told or named)


def digest_of(said: str) -> bytes:
    """What a long text is known by."""
    return hashlib.blake2b(said.encode(errors="surrogatepass"), digest_size=16).digest()
