"""The conversation items of a replay: making them, finding them, and which of them count as listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from reducer.changes import GraphWork
from reducer.model import (
    CALL_KINDS,
    OUTPUT_KINDS,
    Body,
    ConversationItem,
    ItemKind,
    Producer,
)
from reducer.rules.normalize import NormalItem
from reducer.wire.events import RawEvent


class Receipt(Struct, frozen=True):
    """When an item was accepted into a thread's history: unix ms and sequence number."""

    at_unix_ms: int
    seq: int


def item_number(item_id: str) -> int:
    """The number in `conversation_item:N`; items are numbered in order of creation."""
    return int(item_id.rpartition(":")[2])


class ItemStore:
    """Conversation items with the indexes that the rules look them up by.

    Lists of item ids in the indexes are in order of creation, those by call id in the order of the schema.
    """

    def __init__(self, work: GraphWork) -> None:
        self._work = work
        self._call_order: Callable[[str], Any] = str if work.schema.finds_items_by_text else item_number
        self._by_call: dict[tuple[str, str, ItemKind], list[str]] = {}
        self._by_responses_id: dict[tuple[str, str], list[str]] = {}
        self._receipts: dict[tuple[str, str], Receipt] = {}
        self._provisional: dict[tuple[str, str], str] = {}
        self._listed: set[str] = set()

    def __getitem__(self, item_id: str) -> ConversationItem:
        """The item with this id."""
        return self._work.trace.conversation_items[item_id]

    def with_call(self, thread_id: str, call_id: str, kinds: Iterable[ItemKind]) -> list[str]:
        """The items of a thread with this call id and one of these kinds."""
        found = [item_id for kind in kinds for item_id in self._by_call.get((thread_id, call_id, kind), ())]
        return sorted(found, key=self._call_order)

    def with_call_id(self, thread_id: str, call_id: str) -> list[str]:
        """The calls and outputs of a thread with this call id."""
        return self.with_call(thread_id, call_id, (*CALL_KINDS, *OUTPUT_KINDS))

    def first_call(self, thread_id: str, call_id: str, kind: ItemKind) -> str | None:
        """The first item of a thread with this call id and kind."""
        return next(iter(self._by_call.get((thread_id, call_id, kind), ())), None)

    def with_responses_id(self, thread_id: str, responses_item_id: str) -> Sequence[str]:
        """The items of a thread that carry this Responses id."""
        return self._by_responses_id.get((thread_id, responses_item_id), ())

    def create(
        self,
        thread_id: str,
        turn_id: str | None,
        first_seen_at_unix_ms: int,
        normal: NormalItem,
        producers: Sequence[Producer],
    ) -> ConversationItem:
        """Make a new item; it takes the receipt that waits for its Responses id, if there is one."""
        work = self._work
        items = work.trace.conversation_items
        item = ConversationItem(
            item_id=f"conversation_item:{len(items) + 1}",
            thread_id=thread_id,
            codex_turn_id=turn_id,
            first_seen_at_unix_ms=first_seen_at_unix_ms,
            role=normal.role,
            channel=normal.channel,
            kind=normal.kind,
            agent_message=normal.agent_message,
            body=Body(normal.parts),
            call_id=normal.call_id,
            produced_by=list(producers),
        )
        work.changes.create(items, item.item_id, item)
        if normal.call_id is not None:
            call_key = (thread_id, normal.call_id, normal.kind)
            same_call = work.changes.entry(self._by_call, call_key, list)
            work.changes.insert_sorted(same_call, item.item_id, self._call_order)
        if normal.responses_item_id is not None:
            self.adopt_responses_id(item, normal.responses_item_id)
        return item

    def adopt_responses_id(self, item: ConversationItem, responses_item_id: str) -> None:
        """Give an item its Responses id, and with it the receipt for that id."""
        self._work.changes.change(item).responses_item_id = responses_item_id
        key = (item.thread_id, responses_item_id)
        same_id = self._work.changes.entry(self._by_responses_id, key, list)
        self._work.changes.insert_sorted(same_id, item.item_id, item_number)
        receipt = self._receipts.get(key)
        if receipt is not None:
            self._apply_receipt(item, receipt)

    def accept(self, thread_id: str, responses_item_id: str, raw: RawEvent) -> None:
        """Store the receipt for a Responses id; only the first one for an id counts."""
        key = (thread_id, responses_item_id)
        if key not in self._receipts:
            self._work.changes.put(self._receipts, key, Receipt(raw.wall_time_unix_ms, raw.seq))

    def apply_receipt(self, thread_id: str, responses_item_id: str) -> None:
        """Write the stored receipt into every item that carries this Responses id, and list these items."""
        receipt = self._receipts[thread_id, responses_item_id]
        for item_id in self.with_responses_id(thread_id, responses_item_id):
            self._apply_receipt(self[item_id], receipt)

    def _apply_receipt(self, item: ConversationItem, receipt: Receipt) -> None:
        if item.accepted_seq != receipt.seq:
            self._work.changes.change(item)
            item.accepted_at_unix_ms, item.accepted_seq = receipt.at_unix_ms, receipt.seq
        self.list_items((item.item_id,))

    def set_provisional(self, item: ConversationItem, responses_item_id: str) -> None:
        """Remember that only a receipt vouches for this item so far."""
        self._work.changes.put(self._provisional, (item.thread_id, responses_item_id), item.item_id)

    def take_provisional(self, thread_id: str, normal: NormalItem) -> ConversationItem | None:
        """The item that a receipt announced for this agent message, now with the body of the message itself.

        Author, recipient, times and turn stay those of the receipt.
        """
        if normal.agent_message is None or normal.responses_item_id is None:
            return None
        key = (thread_id, normal.responses_item_id)
        item_id = self._provisional.get(key)
        if item_id is None:
            return None
        self._work.changes.drop(self._provisional, key)
        item = self._work.changes.change(self[item_id])
        item.body = Body(normal.parts)
        return item

    def list_items(self, item_ids: Iterable[str]) -> None:
        """Count items as listed: `conversation_item_ids` of their thread holds them in order of creation."""
        changes, threads = self._work.changes, self._work.trace.threads
        for item_id in item_ids:
            if item_id not in self._listed:
                changes.add(self._listed, item_id)
                changes.insert_sorted(
                    threads[self[item_id].thread_id].conversation_item_ids, item_id, item_number
                )
