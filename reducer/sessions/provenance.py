"""Which records of which files the objects of a session's graph come from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from reducer.changes import ObjectRef
from reducer.provenance import EventRecord, Provenance
from reducer.sessions.fields import mapping, text
from reducer.sessions.lines import Record
from reducer.wire.payload_refs import PayloadRef


class SessionEvent(EventRecord, frozen=True):
    """One record, without its body.

    Attributes:
        file: that it stands in; `line` and `offset` are those of this file.
    """

    file: str = ""


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
    ) -> SessionEvent:
        """Note a record that was read, its line as far as objects refer to it, and these objects."""
        position = len(self.events)
        line, payload = record.line, record.payload
        event = SessionEvent(
            record.seq,
            line.number,
            line.offset,
            record.at_unix_ms or 0,
            self._shared(record.name) or "",
            thread_id,
            self._shared(text(payload, "turn_id")),
            payloads,
            self._shared(text(mapping(payload, "item"), "type")),
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

    def of(self, type_: str, object_id: str) -> list[EventRecord]:
        """The records that concern an object; the first one made it."""
        return [self.events[position] for position in self._trail(ObjectRef(type_, object_id))]

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
