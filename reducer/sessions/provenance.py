"""Which records of which files the objects of a session's graph come from."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from reducer.model.objects import GraphType, ObjectRef, RefType
from reducer.provenance import EventRecord, Provenance
from reducer.sessions.event_table import EventTable
from reducer.sessions.fields import mapping, text
from reducer.sessions.line_refs import LineRefs
from reducer.sessions.lines import LineRef, Record
from reducer.wire.payload_refs import PayloadRef, ShardedKind

_KINDS = {
    "response_item": ShardedKind("model_item"),
    "compacted": ShardedKind("compaction_checkpoint"),
    "session_meta": ShardedKind("session_metadata"),
}
_OTHER = ShardedKind("protocol_event")
"""What the line of a record is as a payload."""

SHOWN_AGAIN = frozenset(
    f"event_msg {name}"
    for name in (
        "user_message",
        "agent_message",
        "agent_reasoning",
        "item_completed UserMessage",
        "item_completed AgentMessage",
        "item_completed Reasoning",
    )
)
"""Records that repeat an item for whoever shows the session."""


_NONE = 2**32 - 1
"""Stands for no step in the trail of an object."""


class SessionProvenance(Provenance):
    """Which records made and touched each object.

    What a record touches are *steps*, numbered through; those of one object lead from each to the next.
    """

    def __init__(self, lines: LineRefs) -> None:
        """Begin without a record.

        Args:
            lines: the lines that objects refer to.
        """
        super().__init__()
        self._events = EventTable(lines)
        self._places: dict[RefType, dict[str, int]] = {}
        self._types: list[RefType] = []
        self._ids: list[str] = []
        self._first, self._last = array("I"), array("I")
        self._step_event, self._step_object, self._step_next = array("I"), array("I"), array("I")

    @property
    def events(self) -> EventTable:
        """Every record, in the order in which they were read."""
        return self._events

    def add(self, record: Record, thread_id: str | None, touched: Iterable[ObjectRef]) -> None:
        """Note a record that was read, and the objects that it concerns."""
        payload = record.payload
        note = text(mapping(payload, "error"), "message") or text(payload, "reason")
        position = self._events.add(record, _kind(record), thread_id, text(payload, "turn_id"), note)
        for ref in touched:
            self._step(ref, position)

    def _step(self, ref: ObjectRef, position: int) -> None:
        places, step = self._places.setdefault(ref.type, {}), len(self._step_event)
        self._step_event.append(position)
        self._step_next.append(_NONE)
        place = places.get(ref.id)
        if place is None:
            place = len(self._first)
            self._first.append(step)
            self._last.append(step)
            self._step_object.append(place)
            self._types.append(ref.type)
            self._ids.append(ref.id)
            places[ref.id] = place
        else:
            self._step_object.append(place)
            self._step_next[self._last[place]] = step
            self._last[place] = step

    def of(self, type_: GraphType, object_id: str) -> list[EventRecord]:
        """The records that concern an object; the first one made it."""
        place = self._places.get(type_, {}).get(object_id)
        found, step = [], _NONE if place is None else self._first[place]
        while step != _NONE:
            found.append(self._events[self._step_event[step]])
            step = self._step_next[step]
        return found

    def evidence_of(self, event: EventRecord) -> tuple[PayloadRef, ...]:
        """The line of a record, unless it only shows once more what an item says."""
        if event.kind in SHOWN_AGAIN:
            return ()
        kind = _KINDS.get(event.kind.partition(" ")[0], _OTHER)
        named = f"{event.file}:{event.line}"
        return event.payloads or (LineRef(named, kind, None, event.file, event.line, event.offset),)

    def objects_of(self, event: EventRecord) -> list[ObjectRef]:
        """The objects that a record concerns, the eldest first."""
        position = self._events.place_of(event.seq)
        first, end = bisect_left(self._step_event, position), bisect_right(self._step_event, position)
        places = sorted(self._step_object[first:end])  # in the order in which they were made
        return [ObjectRef(self._types[place], self._ids[place]) for place in places]


def _kind(record: Record) -> str:
    """Kind of a record in words; of the end of something also what that is."""
    item = text(mapping(record.payload, "item"), "type")
    return record.name if item is None else f"{record.name} {item}"
