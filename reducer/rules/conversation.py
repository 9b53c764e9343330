"""Mapping the items of payloads to conversation items: which are the same ones, and which are new."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence

from msgspec import Struct, field

from reducer.changes import GraphWork, Handlers
from reducer.errors import Inconsistent
from reducer.model import (
    OUTPUT_KINDS,
    Body,
    ConversationItem,
    EncodedPart,
    Part,
    Producer,
    SummaryPart,
    TextPart,
)
from reducer.rules.items import ItemStore, is_receivable
from reducer.rules.matching import Candidates, Picked, matches, same_parts, usable
from reducer.rules.normalize import NormalItem, normalize_document
from reducer.schemas.v2 import HistoryItemAccepted
from reducer.schemas.v3 import HistoryItemAcceptedV3
from reducer.storage.payloads import Payloads
from reducer.wire.events import RawEvent
from reducer.wire.payload_refs import PayloadRef

SeenItem = Callable[[ConversationItem, NormalItem | ConversationItem, RawEvent], None]
"""Told of an item that was seen, and in what form: one of another kind may have taken an accepted item."""


class LiveContext(Struct):
    """The reducer's idea of one thread's live context.

    Attributes:
        snapshot: the item ids the model would see next; only ever replaced as a whole.
        latest_inference_id: the inference call that last set the snapshot.
        pending_replacement: what an installed compaction put in its place, until a full request follows.
    """

    snapshot: list[str] = field(default_factory=list)
    latest_inference_id: str | None = None
    pending_replacement: list[str] | None = None


class Sighting(Struct, frozen=True):
    """Where a list of items was seen: in a payload of this thread and turn, made by these producers."""

    thread_id: str
    turn_id: str | None
    raw: RawEvent
    producers: tuple[Producer, ...] = ()


class Conversation:
    """Maps lists of items in the modes that requests, responses and compaction histories need."""

    def __init__(
        self,
        work: GraphWork,
        payloads: Payloads,
        items: ItemStore,
        on_item_seen: Sequence[SeenItem],
        on_list_mapped: Callable[[], None],
        on_item_announced: SeenItem,
        on_items_moved: Callable[[Sequence[str], str], None],
        producers_of: Callable[[NormalItem], Sequence[Producer]],
    ) -> None:
        """Wire the conversation to those that link items to tools, cells and edges.

        Args:
            work: the graph under construction.
            payloads: the payloads of the bundle.
            items: the store of its items.
            on_item_seen: called in order for every item of every mapped list.
            on_list_mapped: called after each list.
            on_item_announced: called for an item that a receipt made before any list held it.
            on_items_moved: moves new items before an accepted one.
            producers_of: says what made an item that a receipt brings along, as far as that is known.
        """
        self._work = work
        self._payloads = payloads
        self._items = items
        self._on_item_seen = on_item_seen
        self._on_list_mapped = on_list_mapped
        self._on_item_announced = on_item_announced
        self._on_items_moved = on_items_moved
        self._producers_of = producers_of
        self._contexts: dict[str, LiveContext] = {}

    def handlers(self) -> Handlers:
        """What is done on the events that concern this."""
        return {
            HistoryItemAccepted: self.history_item_accepted,
            HistoryItemAcceptedV3: self.history_item_accepted,
        }

    def context(self, thread_id: str) -> LiveContext:
        """The live context of a thread; empty at first."""
        return self._work.changes.entry(self._contexts, thread_id, LiveContext)

    def history_item_accepted(self, raw: RawEvent, event: HistoryItemAccepted) -> None:
        """An item entered the history of the envelope's thread: stamp it; make the message it announces."""
        thread_id = raw.thread_id
        if thread_id is None:
            raise Inconsistent("the accepted history item has no thread", "history acceptance has no thread")
        if thread_id not in self._work.trace.threads:
            raise Inconsistent(
                f"thread {thread_id} is not known", f"trace event referenced unknown thread {thread_id}"
            )
        self._items.accept(thread_id, event.item_id, raw)
        payload = event.announced_payload
        brings_item = payload is not None and not self._payloads.is_lost(payload)
        if payload is not None and brings_item and not self._is_known(thread_id, event.item_id):
            self._announce(raw, thread_id, event.item_id, payload)
        self._items.apply_receipt(thread_id, event.item_id)

    def _is_known(self, thread_id: str, responses_item_id: str) -> bool:
        """Whether an item of the thread has this id; where outputs are accepted, one that can be."""
        item_ids = self._items.with_responses_id(thread_id, responses_item_id)
        if not self._work.schema.accepts_outputs:
            return bool(item_ids)
        return any(is_receivable(self._items[item_id]) for item_id in item_ids)

    def _announce(self, raw: RawEvent, thread_id: str, responses_item_id: str, payload: PayloadRef) -> None:
        """Make the item that a receipt brings along before any list holds it."""
        schema = self._work.schema
        normal = normalize_document(self._payloads.parse(payload), payload.raw_payload_id, schema)
        fits = is_receivable(normal) if schema.accepts_outputs else normal.agent_message is not None
        if not fits or normal.responses_item_id != responses_item_id:
            what, of = ("item payload", "") if schema.accepts_outputs else ("agent message", "receipt ")
            raise Inconsistent(
                f"the accepted {what} is not the one of receipt {responses_item_id}",
                f"accepted {what} does not match {of}{responses_item_id}",
            )
        producers = self._producers_of(normal)
        time = raw.wall_time_unix_ms
        item = self._items.create(thread_id, raw.codex_turn_id, time, normal, producers)
        self._items.set_provisional(item, responses_item_id)
        self._on_item_announced(item, item, raw)

    def map_full(
        self, normals: list[NormalItem], base: Sequence[str], seen: Sighting, known: Collection[str] = ()
    ) -> list[str]:
        """Map a request that carries the whole context: by position in `base`, else by first usable item.

        Args:
            normals: the items of the request, without those at its beginning that are known.
            base: the live context.
            seen: where the request was seen.
            known: the items at the beginning of the request, and of `base`, to be looked up.

        Returns:
            The items of `normals`.
        """
        picked = Picked(known)
        candidates = Candidates(base, self._items.__getitem__)
        left = len(base) - len(known)

        def pick(position: int, normal: NormalItem) -> ConversationItem | None:
            nonlocal left
            found = self._at(position + len(known), base, normal, picked)
            if found is None and left > 0:
                found = candidates.first(normal, picked)
            left -= found is not None and found.item_id not in picked
            return found

        return self._map(normals, seen, pick, picked)

    def _at(
        self, position: int, base: Sequence[str], normal: NormalItem, picked: Container[str]
    ) -> ConversationItem | None:
        """The item at a position, if it is there and may be used for this one."""
        if position >= len(base) or (base[position] in picked and not self._work.schema.position_repeats):
            return None
        item = self._items[base[position]]
        return item if usable(normal, item) else None

    def link_again(self, item_ids: Sequence[str], raw: RawEvent) -> None:
        """Let items that are seen again make the links that were not possible before."""
        for item_id in item_ids:
            item = self._items[item_id]
            for link in self._on_item_seen:
                link(item, item, raw)

    def map_new(self, normals: list[NormalItem], seen: Sighting) -> list[str]:
        """Map items that are all new, for what comes before them is not known."""
        return self._map(normals, seen, lambda _position, _normal: None, Picked())

    def map_append(self, normals: list[NormalItem], prefix_length: int, seen: Sighting) -> list[str]:
        """Map items that follow a known prefix: a position of the snapshot must match, beyond it all is new.

        Raises:
            Inconsistent: an item contradicts the snapshot at its position.
        """
        snapshot = self.context(seen.thread_id).snapshot

        def pick(position: int, normal: NormalItem) -> ConversationItem | None:
            index = prefix_length + position
            if index >= len(snapshot):
                return None
            item = self._items[snapshot[index]]
            if not usable(normal, item):
                raise Inconsistent(
                    f"item {index} of the context of thread {seen.thread_id} in turn {seen.turn_id} "
                    f"is not {item.item_id}, which stood there before",
                    f"model conversation mismatch while reducing turn {seen.turn_id} for thread "
                    f"{seen.thread_id} at item index {index}: existing item {item.item_id} does not match "
                    f"the current model payload item",
                )
            return item

        return self._map(normals, seen, pick, Picked())

    def map_response(self, normals: list[NormalItem], seen: Sighting) -> list[str]:
        """Map the items of a response: an item already known by one of the response's ids is reused.

        Items without ids, as of schema 1, are all new.
        """
        ids = {normal.responses_item_id for normal in normals if normal.responses_item_id is not None}
        known = {item_id for one in ids for item_id in self._items.with_responses_id(seen.thread_id, one)}
        return self._map_detached(normals, sorted(known, key=self._items.place), seen)

    def map_history(self, normals: list[NormalItem], base: Sequence[str], seen: Sighting) -> list[str]:
        """Map a history of a compaction checkpoint: the first usable item of `base`, else a new one."""
        return self._map_detached(normals, base, seen)

    def _map_detached(self, normals: list[NormalItem], base: Sequence[str], seen: Sighting) -> list[str]:
        candidates = Candidates(base, self._items.__getitem__)
        picked = Picked()
        return self._map(normals, seen, lambda _, normal: candidates.first(normal, picked), picked)

    def _map(
        self,
        normals: list[NormalItem],
        seen: Sighting,
        pick: Callable[[int, NormalItem], ConversationItem | None],
        picked: Picked,
    ) -> list[str]:
        item_ids = []
        new: list[str] = []
        for position, normal in enumerate(normals):
            self._check_call_id(seen.thread_id, normal)
            item = pick(position, normal)
            confirms = item is not None and self._items.confirm(item, normal)
            if item is None:
                item = self._items.take_provisional(seen.thread_id, normal)
                confirms = item is not None
            if item is None:
                item = self._make(normal, seen)
                new.append(item.item_id)
            elif confirms and new and self._moves(normal):
                self._on_items_moved(new, item.item_id)
                new = []
            picked.add(item.item_id)
            item_ids.append(item.item_id)
            self._see(item, normal, seen)
        self._on_list_mapped()
        return item_ids

    def _moves(self, normal: NormalItem) -> bool:
        """Whether new items move before the accepted one that this one confirms: it came after them."""
        return self._work.schema.accepts_outputs and normal.kind in OUTPUT_KINDS

    def _check_call_id(self, thread_id: str, normal: NormalItem) -> None:
        """A call id names one content per thread and kind, for the kinds of which the schema wants that."""
        if normal.call_id is None or normal.kind not in self._work.schema.once_per_call:
            return
        first = self._items.first_call(thread_id, normal.call_id, normal.kind)
        # All others were found to match the first one when they came.
        if first is not None and not matches(normal, self._items[first]):
            raise Inconsistent(
                f"call id {normal.call_id} was used before with different content",
                f"model-visible call id {normal.call_id} was reused with different content",
            )

    def _make(self, normal: NormalItem, seen: Sighting) -> ConversationItem:
        time = seen.raw.wall_time_unix_ms
        return self._items.create(seen.thread_id, seen.turn_id, time, normal, seen.producers)

    def _see(self, item: ConversationItem, normal: NormalItem, seen: Sighting) -> None:
        if item.responses_item_id is None and normal.responses_item_id is not None:
            self._items.adopt_responses_id(item, normal.responses_item_id)
        if item.kind == "reasoning":
            self._merge_reasoning(item, normal)
        for producer in seen.producers:
            self._work.changes.append_once(item.produced_by, producer, item)
        for link in self._on_item_seen:
            link(item, normal, seen.raw)

    def _merge_reasoning(self, item: ConversationItem, normal: NormalItem) -> None:
        """Complete a stored reasoning body with the readable parts that another copy of it has."""
        stored = item.body.parts
        if same_parts(stored, normal.parts) or (_has(stored, TextPart) and _has(stored, SummaryPart)):
            return
        merged = [
            *(_only(stored, TextPart) or _only(normal.parts, TextPart)),
            *(_only(stored, SummaryPart) or _only(normal.parts, SummaryPart)),
            *_only(stored, EncodedPart),
        ]
        self._work.changes.change(item).body = Body(merged)


def _only(parts: Sequence[Part], type_: type[Part]) -> list[Part]:
    return [part for part in parts if isinstance(part, type_)]


def _has(parts: Sequence[Part], type_: type[Part]) -> bool:
    return any(isinstance(part, type_) for part in parts)
