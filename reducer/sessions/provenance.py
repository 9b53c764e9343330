"""Which records of which files the objects of a session's graph come from."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

from reducer.ids import Ids
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


class _Trails:
    """The objects of a type that records concern.

    Attributes:
        ids: of the objects.
        places: of each of them, by the number of its id, among the objects of all types; or `_NONE`.
    """

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.places = array("I")

    def place(self, object_id: str) -> int:
        """The place of an object; `_NONE` if there is none so far."""
        number = self.ids.number(object_id)
        return _NONE if number is None or number >= len(self.places) else self.places[number]


class SessionProvenance(Provenance):
    """Which records made and touched each object.

    What a record touches are *steps*, numbered through; those of one object lead from each to the next.
    """

    def __init__(self, lines: LineRefs, ids: Mapping[GraphType, Ids]) -> None:
        """Begin without a record.

        Args:
            lines: the lines that objects refer to.
            ids: of the objects of some types, which the graph knows by the same numbers.
        """
        super().__init__()
        self._events = EventTable(lines)
        self._trails_of: dict[RefType, _Trails] = {type_: _Trails(own) for type_, own in ids.items()}
        self._types = [*self._trails_of]
        self._type, self._number = array("B"), array("I")
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
        trails = self._trails_of.get(ref.type) or self._trails_of_new(ref.type)
        number, places, step = trails.ids.add(ref.id), trails.places, len(self._step_event)
        while len(places) <= number:
            places.append(_NONE)
        place = places[number]
        self._step_event.append(position)
        self._step_next.append(_NONE)
        if place == _NONE:
            place = places[number] = len(self._first)
            self._first.append(step)
            self._last.append(step)
            self._type.append(self._types.index(ref.type))
            self._number.append(number)
        else:
            self._step_next[self._last[place]] = step
            self._last[place] = step
        self._step_object.append(place)

    def _trails_of_new(self, type_: RefType) -> _Trails:
        trails = self._trails_of[type_] = _Trails(Ids())
        self._types.append(type_)
        return trails

    def of(self, type_: GraphType, object_id: str) -> list[EventRecord]:
        """The records that concern an object; the first one made it."""
        trails = self._trails_of.get(type_)
        place = _NONE if trails is None else trails.place(object_id)
        found, step = [], _NONE if place == _NONE else self._first[place]
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
        return [self._ref(place) for place in places]

    def _ref(self, place: int) -> ObjectRef:
        type_ = self._types[self._type[place]]
        return ObjectRef(type_, self._trails_of[type_].ids.id(self._number[place]))


def _kind(record: Record) -> str:
    """Kind of a record in words; of the end of something also what that is."""
    item = text(mapping(record.payload, "item"), "type")
    return record.name if item is None else f"{record.name} {item}"
