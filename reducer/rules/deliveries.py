"""Messages between agents as they arrive: which conversation items bring one, which answer a turn."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from reducer.changes import GraphWork
from reducer.model import Body, ConversationItem, EncodedPart, TextPart
from reducer.rules.agent_events import read_written_message
from reducer.rules.items import ItemStore

Delivery = tuple[str, str, str]
"""What an edge and the item that delivers it share: receiving thread id, author's agent path, text."""


class _Reading(Struct, frozen=True):
    """A body that was looked at, and the delivery it makes, if any."""

    body: Body
    delivery: Delivery | None


class Deliveries:
    """Reads every assistant message once and finds the ones that edges ask for.

    A message is for its own thread: its recipient is the agent path of the thread that holds it.
    """

    def __init__(self, work: GraphWork, items: ItemStore) -> None:
        self._work = work
        self._items = items
        self._readings: dict[str, _Reading] = {}
        self._waiting: dict[Delivery, list[str]] = {}
        self._targets: set[str] = set()
        self._answers: dict[tuple[str, str], str] = {}

    def of(self, item: ConversationItem) -> Delivery | None:
        """What an assistant message delivers, unless it is the target of an edge already."""
        reading = self._readings.get(item.item_id)
        if reading is None or reading.body is not item.body:
            reading = self._read(item, reading)
        return None if item.item_id in self._targets else reading.delivery

    def oldest_item(self, delivery: Delivery) -> str | None:
        """The id of the first item that makes this delivery and is not the target of an edge."""
        return next(iter(self._waiting.get(delivery, ())), None)

    def make_target(self, item_id: str, delivery: Delivery) -> None:
        """Note that an edge leads to this item; an item is the target of one edge at most."""
        self._work.changes.add(self._targets, item_id)
        self._work.changes.remove(self._waiting[delivery], item_id)

    def move_before(self, item_ids: Sequence[str], before: str) -> None:
        """Move items before another one of their thread, also where they wait for an edge."""
        changes = self._work.changes
        waiting = [(item_id, self._list_with(item_id)) for item_id in item_ids]
        for item_id, items in waiting:
            if items is not None:
                changes.remove(items, item_id)
        self._items.move_before(item_ids, before)
        for item_id, items in waiting:
            if items is not None:
                changes.insert_sorted(items, item_id, self._items.place)

    def _list_with(self, item_id: str) -> list[str] | None:
        """The list in which an item waits for an edge, if it does."""
        reading = self._readings.get(item_id)
        if reading is None or reading.delivery is None or item_id in self._targets:
            return None
        return self._waiting[reading.delivery]

    def last_answer(self, thread_id: str, turn_id: str) -> str | None:
        """The last assistant message of a turn that is not itself a message between agents.

        The last is the one first seen at the greatest time; among equals the one with the greatest id as
        text, in which `conversation_item:9` is greater than `conversation_item:12`.
        """
        return self._answers.get((thread_id, turn_id))

    def _read(self, item: ConversationItem, earlier: _Reading | None) -> _Reading:
        changes, item_id = self._work.changes, item.item_id
        reading = _Reading(item.body, self._delivery(item))
        changes.put(self._readings, item_id, reading)
        self._note_answer(item)
        if item_id not in self._targets:
            if earlier is not None and earlier.delivery is not None:
                changes.remove(self._waiting[earlier.delivery], item_id)
            if reading.delivery is not None:
                waiting = changes.entry(self._waiting, reading.delivery, list)
                changes.insert_sorted(waiting, item_id, self._items.place)
        return reading

    def _delivery(self, item: ConversationItem) -> Delivery | None:
        author, recipient, text = self._address(item)
        thread = self._work.trace.threads.get(item.thread_id)
        if text is None or author is None or thread is None or recipient != thread.agent_path:
            return None
        return (item.thread_id, author, text)

    def _note_answer(self, item: ConversationItem) -> None:
        if item.agent_message is not None or item.codex_turn_id is None:
            return
        key = (item.thread_id, item.codex_turn_id)
        last = self._answers.get(key)
        if last is None or _order(item) > _order(self._work.trace.conversation_items[last]):
            self._work.changes.put(self._answers, key, item.item_id)

    def _address(self, item: ConversationItem) -> tuple[str | None, str | None, str | None]:
        """Author, recipient and text of a message between agents, or Nones."""
        parts = item.body.parts
        if item.agent_message is not None:
            return item.agent_message.author, item.agent_message.recipient, _text(item.body)
        if self._work.schema.reads_mail_in_json and len(parts) == 1 and isinstance(parts[0], TextPart):
            message = read_written_message(parts[0].text)
            if message is not None:
                text = message.content if message.encrypted_content is None else message.encrypted_content
                return message.author, message.recipient, text
        return None, None, None


def _order(item: ConversationItem) -> tuple[int, str]:
    return (item.first_seen_at_unix_ms, item.item_id)


def _text(body: Body) -> str | None:
    """The text of an agent message: its only part, or the encrypted one after a readable one."""
    match body.parts:
        case [TextPart(text=text)]:
            return text
        case [EncodedPart(value=value)] | [TextPart(), EncodedPart(value=value)]:
            return value
        case _:
            return None
