"""To which object of the graph a payload, or a part of one, belongs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from reducer import EventRecord, ObjectRef
from reducer.model import ConversationItem
from reducer.schemas import SCHEMAS
from rollout_tui.insight.evidence import find_item
from rollout_tui.insight.index import TraceIndex
from rollout_tui.texts.json_value import JsonValues

ITEM_LISTS = ("input", "output_items", "input_history", "replacement_history")
"""Members of payloads that hold conversation items, one element each."""

_NO_ITEMS = frozenset(one for schema in SCHEMAS.values() for one in schema.dropped_types)
"""Types of elements that are no items in some schema, and refused or no items in the others."""

_IDENTITY = frozenset({"id", "call_id", "type"})


class Owner(NamedTuple):
    """An object, and the thread it belongs to; None where the log does not say."""

    ref: ObjectRef
    thread_id: str | None


class Owners:
    """Says for each payload of a bundle what it is evidence of, and for each item in it which one it is."""

    def __init__(self, index: TraceIndex) -> None:
        """Go through the graph once."""
        self._index = index
        self._of_payload: dict[str, Owner] = {}
        self._lists: dict[str, dict[str, Sequence[str]]] = {}
        self._with_id: dict[tuple[str, str], list[ConversationItem]] = defaultdict(list)
        self._counted: tuple[JsonValues, int, dict[int, int]] | None = None
        for owner, payload_ids in self._evidence():
            for payload_id in payload_ids:
                if payload_id is not None:
                    self._of_payload.setdefault(payload_id, owner)
        self._note_lists()
        self._of_event = dict(self._records()) if index.reduction.rebuilt_from is not None else {}
        for item in index.trace.conversation_items.values():
            for one in {item.responses_item_id, item.call_id} - {None}:
                self._with_id[item.thread_id, str(one)].append(item)

    def _evidence(self) -> Iterator[tuple[Owner, Iterable[str | None]]]:
        """Each object with its payloads; where several share one, the first is its owner."""
        trace = self._index.trace
        for call in trace.inference_calls.values():
            owner = Owner(ObjectRef("InferenceCall", call.inference_call_id), call.thread_id)
            yield owner, (call.raw_request_payload_id, call.raw_response_payload_id)
        for tool in trace.tool_calls.values():
            owner = Owner(ObjectRef("ToolCall", tool.tool_call_id), tool.thread_id)
            yield owner, (tool.raw_invocation_payload_id, tool.raw_result_payload_id)
            yield owner, tool.raw_runtime_payload_ids
        for cell in trace.code_cells.values():
            owner = Owner(ObjectRef("CodeCell", cell.code_cell_id), cell.thread_id)
            yield owner, (cell.raw_initial_response_payload_id, cell.raw_result_payload_id)
        for request in trace.compaction_requests.values():
            owner = Owner(ObjectRef("CompactionRequest", request.compaction_request_id), request.thread_id)
            yield owner, (request.raw_request_payload_id, request.raw_response_payload_id)
        for compaction in trace.compactions.values():
            owner = Owner(ObjectRef("Compaction", compaction.compaction_id), compaction.thread_id)
            yield owner, self._carried(owner.ref, "compaction_installed")
        for thread_id in trace.threads:
            owner = Owner(ObjectRef("Thread", thread_id), thread_id)
            yield owner, self._carried(owner.ref, "thread_started")
        for item in trace.conversation_items.values():
            owner = Owner(ObjectRef("ConversationItem", item.item_id), item.thread_id)
            yield owner, self._carried(owner.ref, "history_item_accepted")
        for edge in trace.interaction_edges.values():
            owner = Owner(
                ObjectRef("InteractionEdge", edge.edge_id), self._index.thread_of_anchor(edge.target)
            )
            yield owner, edge.carried_raw_payload_ids

    def _records(self) -> Iterator[tuple[int, Owner]]:
        """Of a session, the objects that are a record each, by the number of that: items and compactions."""
        trace = self._index.trace
        for compaction in trace.compactions.values():
            ref = ObjectRef("Compaction", compaction.compaction_id)
            seq = self._index.first_seq(ref)
            if seq is not None:
                yield seq, Owner(ref, compaction.thread_id)
        for item in trace.conversation_items.values():
            ref = ObjectRef("ConversationItem", item.item_id)
            if item.accepted_seq is not None and item.accepted_seq == self._index.first_seq(ref):
                yield item.accepted_seq, Owner(ref, item.thread_id)

    def _carried(self, ref: ObjectRef, kind: str) -> list[str]:
        """The payloads of the events of one kind that concern an object."""
        events = self._index.events_of(ref)
        return [one.raw_payload_id for event in events if event.kind == kind for one in event.payloads]

    def _note_lists(self) -> None:
        """Note which items the elements of each list in a payload became, in order."""
        trace = self._index.trace
        for call in trace.inference_calls.values():
            self._lists[call.raw_request_payload_id] = {"input": call.request_item_ids}
            if call.raw_response_payload_id is not None:
                self._lists[call.raw_response_payload_id] = {"output_items": call.response_item_ids}
        for compaction in trace.compactions.values():
            ref = ObjectRef("Compaction", compaction.compaction_id)
            for payload_id in self._carried(ref, "compaction_installed"):
                self._lists[payload_id] = {
                    "input_history": compaction.input_item_ids,
                    "replacement_history": compaction.replacement_item_ids,
                }

    def of_payload(self, event: EventRecord, payload_id: str) -> Owner:
        """What a payload is evidence of; the event itself where the graph knows no object for it."""
        owner = self._of_event.get(event.seq) or self._of_payload.get(payload_id)
        return Owner(ObjectRef("Event", str(event.seq)), event.thread_id) if owner is None else owner

    def item_at(
        self, payload_id: str, thread_id: str | None, values: JsonValues, member: int, element: int
    ) -> ConversationItem | None:
        """The item that an element of a list in a payload became.

        Args:
            payload_id: the payload.
            thread_id: the thread whose history the list is of.
            values: the payload's values.
            member: the list, a member of the top object.
            element: the element.
        """
        identity = _identity(values, element)
        items = self._index.trace.conversation_items
        item_ids = self._lists.get(payload_id, {}).get(values.key(member) or "", ())
        place = self._place(values, member, element, len(item_ids))
        if place is not None and _may_be(identity, items[item_ids[place]]):
            return items[item_ids[place]]
        return self._with_identity(thread_id, identity)

    def item_like(self, thread_id: str | None, values: JsonValues, element: int) -> ConversationItem | None:
        """The item of a thread that has the ids of a JSON object, if there is one."""
        return self._with_identity(thread_id, _identity(values, element))

    def _with_identity(self, thread_id: str | None, identity: dict[str, Any]) -> ConversationItem | None:
        for one in (identity.get("id"), identity.get("call_id")):
            for item in self._with_id.get((thread_id or "", one or ""), ()):
                if find_item({"input": [identity]}, item) is not None:
                    return item
        return None

    def _place(self, values: JsonValues, member: int, element: int, items: int) -> int | None:
        """Which of the items that a list stands for an element is.

        A request that follows another one by its response id lists only the last items of its context.
        """
        if self._counted is None or self._counted[0] is not values or self._counted[1] != member:
            elements = _items_in_list(values, member)
            self._counted = values, member, {one: place for place, one in enumerate(elements)}
        places = self._counted[2]
        place = places.get(element)
        return None if place is None or len(places) > items else items - len(places) + place


def element_around(values: JsonValues, node: int) -> tuple[int, int] | None:
    """The list of items that a value is in, and the element of it; None for a value in none."""
    member, element = node, 0
    while values.index.parents[member] != 0:
        member, element = values.index.parents[member], member
    if not element or values.key(member) not in ITEM_LISTS or values.is_object(member):
        return None
    return member, element


def _identity(values: JsonValues, element: int) -> dict[str, Any]:
    """What tells an element apart: its id, its call id and its type."""
    if not values.index.is_container(element) or not values.is_object(element):
        return {}
    return {
        key: values.text(child)
        for child in values.children(element)
        if (key := values.key(child)) in _IDENTITY and values.is_string(child)
    }


def _items_in_list(values: JsonValues, member: int) -> list[int]:
    """The elements of a list that are items; those of some types are none."""
    elements, text = list(values.children(member)), values.value_bytes(member)
    if any(b'"%b"' % one.encode() in text for one in _NO_ITEMS):
        elements = [one for one in elements if _identity(values, one).get("type") not in _NO_ITEMS]
    return elements


def _may_be(identity: dict[str, Any], item: ConversationItem) -> bool:
    """Whether nothing says that an element is another item."""
    if item.responses_item_id is not None and "id" in identity:
        return bool(identity["id"] == item.responses_item_id)
    if item.call_id is not None and "call_id" in identity:
        return bool(identity["call_id"] == item.call_id)
    return True
