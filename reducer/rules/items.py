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


Place = tuple[int, ...]
"""Where an item stands among those of its thread: places compare as the items follow each other."""

_BEFORE = -(2**62)
"""So far before an item that nothing ever stands, and behind it all that was moved before the item."""


def is_receivable(item: NormalItem | ConversationItem) -> bool:
    """Whether a receipt may bring such an item along: a message between agents, or the output of a tool."""
    return item.agent_message is not None or item.kind in OUTPUT_KINDS


class ItemStore:
    """Conversation items with the indexes that the rules look them up by.

    Each thread keeps its items in an order: that of their creation, but for new items that were moved before
    an accepted output. Lists of item ids in the indexes are in this order, those by call id in that of the
    schema.
    """

    def __init__(self, work: GraphWork) -> None:
        self._work = work
        self._call_order: Callable[[str], Any] = str if work.schema.finds_items_by_text else self.place
        self._moved: dict[str, Place] = {}
        self._moved_before: dict[str, int] = {}
        self._by_call: dict[tuple[str, str, ItemKind], list[str]] = {}
        self._by_responses_id: dict[tuple[str, str], list[str]] = {}
        self._receipts: dict[tuple[str, str], Receipt] = {}
        self._provisional: dict[tuple[str, str], str] = {}
        self._listed: set[str] = set()

    def __getitem__(self, item_id: str) -> ConversationItem:
        """The item with this id."""
        return self._work.trace.conversation_items[item_id]

    def place(self, item_id: str) -> Place:
        """Where an item stands among those of its thread."""
        # Items are numbered in order of creation: `conversation_item:N`.
        return self._moved.get(item_id) or (int(item_id.rpartition(":")[2]), 0)

    def move_before(self, item_ids: Sequence[str], item_id: str) -> None:
        """Let items stand directly before another one of their thread, in their order."""
        changes = self._work.changes
        *anchor, _ = self.place(item_id)
        before = self._moved_before.get(item_id, 0)
        changes.put(self._moved_before, item_id, before + len(item_ids))
        for number, moved in enumerate(item_ids, before):
            lists = self._lists_with(self[moved])
            for items, _ in lists:
                changes.remove(items, moved)
            changes.put(self._moved, moved, (*anchor, _BEFORE + number, 0))
            for items, order in lists:
                changes.insert_sorted(items, moved, order)

    def _lists_with(self, item: ConversationItem) -> list[tuple[list[str], Callable[[str], Any]]]:
        """The lists in which an item is kept in order, with that order."""
        found: list[tuple[list[str], Callable[[str], Any]]] = []
        if item.call_id is not None:
            found.append((self._by_call[item.thread_id, item.call_id, item.kind], self._call_order))
        if item.responses_item_id is not None:
            found.append((self._by_responses_id[item.thread_id, item.responses_item_id], self.place))
        if item.item_id in self._listed:
            listed = self._work.trace.threads[item.thread_id].conversation_item_ids
            found.append((listed, self.place))
        return found

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
        self._work.changes.insert_sorted(same_id, item.item_id, self.place)
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
        """The item that a receipt brought along for this one, now with the body of this one.

        All else stays as the receipt had it.
        """
        wanted = is_receivable(normal) if self._work.schema.accepts_outputs else normal.agent_message
        if not wanted or normal.responses_item_id is None:
            return None
        item_id = self._provisional.get((thread_id, normal.responses_item_id))
        if item_id is None:
            return None
        self._confirm(self[item_id], normal.responses_item_id, normal)
        return self[item_id]

    def confirm(self, item: ConversationItem, normal: NormalItem) -> bool:
        """Note that an item was found in a list, in this form; an accepted one takes its body.

        Returns:
            Whether only a receipt vouched for it so far.
        """
        responses_item_id = normal.responses_item_id
        if responses_item_id is None or not self._work.schema.accepts_outputs:
            return False
        if self._provisional.get((item.thread_id, responses_item_id)) != item.item_id:
            return False
        self._confirm(item, responses_item_id, normal)
        return True

    def _confirm(self, item: ConversationItem, responses_item_id: str, normal: NormalItem) -> None:
        self._work.changes.drop(self._provisional, (item.thread_id, responses_item_id))
        self._work.changes.change(item).body = Body(normal.parts)

    def list_items(self, item_ids: Iterable[str]) -> None:
        """Count items as listed: `conversation_item_ids` of their thread holds them in its order."""
        changes, threads = self._work.changes, self._work.trace.threads
        for item_id in item_ids:
            if item_id not in self._listed:
                changes.add(self._listed, item_id)
                changes.insert_sorted(
                    threads[self[item_id].thread_id].conversation_item_ids, item_id, self.place
                )
