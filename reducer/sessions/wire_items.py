"""The items of a session's graph as they went over the wire, read again from the lines they came from."""

from __future__ import annotations

from typing import Any

import orjson

from reducer.errors import BundleError, NotApplicable
from reducer.model import ConversationItem, EncodedPart, SummaryPart, TextPart
from reducer.rules.normalize import ENCRYPTED, PASSTHROUGH_KEY
from reducer.sessions.far_texts import near_item
from reducer.sessions.fields import array, mapping
from reducer.sessions.items import ItemForm, content_key, normal_of
from reducer.sessions.session_reader import SessionReduction


class WireItems:
    """Reads items. Those that codex only adds when it sends a list, and letters, are made from the graph."""

    def __init__(self, session: SessionReduction) -> None:
        self._session = session
        self._read: dict[str, dict[str, Any]] = {}
        self._lite = ItemForm()
        self._lite.is_lite = True

    def of(self, item: ConversationItem) -> dict[str, Any]:
        """An item as an object of the Responses API."""
        known = self._read.get(item.item_id)
        if known is None:
            known = self._recorded(item) or _made(item)
            self._read[item.item_id] = known
        return known

    def _recorded(self, item: ConversationItem) -> dict[str, Any] | None:
        if item.accepted_seq is None:
            return None
        event = self._session.provenance.events[item.accepted_seq - 1]
        try:
            value = orjson.loads(self._session.recording.read_line(event.offset, event.file))
        except (BundleError, orjson.JSONDecodeError):
            return None
        payload = mapping(value, "payload")
        near = near_item(item)
        wanted = content_key(near, near.body.parts)
        for one in [payload, *array(payload, "replacement_history")]:
            if isinstance(one, dict):
                plain = {key: part for key, part in one.items() if key != PASSTHROUGH_KEY}
                for sent in (ItemForm().sent(plain), self._lite.sent(plain)):
                    if _key(sent) == wanted:
                        return dict(sent)
        return None


def _key(value: dict[str, Any]) -> object:
    try:
        normal = normal_of(value)
    except NotApplicable:
        return None
    return content_key(normal, normal.parts)


def _made(item: ConversationItem) -> dict[str, Any]:
    """An item of the same content, as far as it is text."""
    texts = [part.text for part in item.body.parts if isinstance(part, (TextPart, SummaryPart))]
    sealed = [part.value for part in item.body.parts if isinstance(part, EncodedPart)]
    named = {} if item.responses_item_id is None else {"id": item.responses_item_id}
    if item.agent_message is not None:
        mail = item.agent_message
        content = [
            *({"type": "input_text", "text": text} for text in texts),
            *({"type": ENCRYPTED, ENCRYPTED: value} for value in sealed),
        ]
        routed = {"author": mail.author, "recipient": mail.recipient}
        return {"type": "agent_message", **named, **routed, "content": content}
    if item.role == "tool":
        return {"type": item.kind, **named, "call_id": item.call_id, "output": "".join(texts)}
    type_ = "output_text" if item.role == "assistant" else "input_text"
    content = [{"type": type_, "text": text} for text in texts]
    return {"type": "message", **named, "role": item.role, "content": content}
