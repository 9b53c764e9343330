"""Which records of which files the objects of a session's graph come from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from reducer.model.objects import GraphType, ObjectRef
from reducer.provenance import EventRecord, Provenance
from reducer.sessions.fields import mapping, text
from reducer.sessions.lines import LineRef, Record
from reducer.wire.payload_refs import PayloadRef, ShardedKind

_KINDS = {
    "response_item": ShardedKind("model_item"),
    "compacted": ShardedKind("compaction_checkpoint"),
    "session_meta": ShardedKind("session_metadata"),
}
_OTHER = ShardedKind("protocol_event")
"""What the line of a record is as a payload."""

_SHOWN_AGAIN = frozenset(
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


class SessionProvenance(Provenance):
    """Which records made and touched each object.

    Attributes:
        events: every record, in the order in which they were read.
    """

    def __init__(self) -> None:
        super().__init__()
        self._positions: dict[ObjectRef, int | list[int]] = {}
        """Of the records that concern an object; most objects have one."""
        self._words: dict[str, str] = {}

    def add(
        self,
        record: Record,
        thread_id: str | None,
        payloads: tuple[PayloadRef, ...],
        touched: Iterable[ObjectRef],
    ) -> EventRecord:
        """Note a record that was read, its line as far as objects refer to it, and these objects."""
        position = len(self.events)
        line, payload = record.line, record.payload
        event = EventRecord(
            record.seq,
            line.number,
            line.offset,
            record.at_unix_ms or 0,
            self._shared(_kind(record)) or "",
            thread_id,
            self._shared(text(payload, "turn_id")),
            payloads,
            text(mapping(payload, "error"), "message") or text(payload, "reason"),
            line.file,
        )
        self.events.append(event)
        for ref in touched:
            known = self._positions.get(ref)
            if known is None:
                self._positions[ref] = position
            elif isinstance(known, int):
                self._positions[ref] = [known, position]
            else:
                known.append(position)
        return event

    def _shared(self, word: str | None) -> str | None:
        """The same text for all that is equal: each of these stands in very many records."""
        return None if word is None else self._words.setdefault(word, word)

    def _trail(self, ref: ObjectRef) -> list[int]:
        known = self._positions.get(ref, [])
        return [known] if isinstance(known, int) else known

    def of(self, type_: GraphType, object_id: str) -> list[EventRecord]:
        """The records that concern an object; the first one made it."""
        return [self.events[position] for position in self._trail(ObjectRef(type_, object_id))]

    def evidence_of(self, event: EventRecord) -> tuple[PayloadRef, ...]:
        """The line of a record, unless it only shows once more what an item says."""
        if event.kind in _SHOWN_AGAIN:
            return ()
        kind = _KINDS.get(event.kind.partition(" ")[0], _OTHER)
        named = f"{event.file}:{event.line}"
        return event.payloads or (LineRef(named, kind, None, event.file, event.line, event.offset),)

    def objects_of(self, event: EventRecord) -> list[ObjectRef]:
        """The objects that a record concerns, the eldest first; this looks through all that are older."""
        position = event.seq - 1
        found = []
        for ref in [*self._positions]:  # another thread may be at it
            trail = self._trail(ref)
            if trail[0] > position:
                break  # trails are in the order in which they began
            place = bisect_left(trail, position)
            if place < len(trail) and trail[place] == position:
                found.append(ref)
        return found


def _kind(record: Record) -> str:
    """Kind of a record in words; of the end of something also what that is."""
    item = text(mapping(record.payload, "item"), "type")
    return record.name if item is None else f"{record.name} {item}"
