"""The records of a session in columns: each is made when it is asked for, for there are very many."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from reducer.provenance import EventRecord
from reducer.sessions.line_refs import LineRefs
from reducer.sessions.lines import Record
from reducer.sessions.words import Words

_NO_PAYLOAD = 0
"""Payloads count from 1."""


class EventTable(Sequence[EventRecord]):
    """Every record that was read, in that order. It only grows."""

    def __init__(self, lines: LineRefs) -> None:
        """Begin without a record.

        Args:
            lines: what payloads of records are.
        """
        self._lines = lines
        self._words = Words()
        self._seqs: dict[int, int] = {}
        """The sequence numbers of records that are not at the place of theirs, by place."""
        self._places: dict[int, int] = {}
        self._line = array("Q")
        self._offset = array("Q")
        self._at = array("q")
        self._kind = array("I")
        self._thread = array("I")
        self._turn = array("I")
        self._file = array("I")
        self._payload = array("I")
        self._notes: dict[int, str] = {}

    def add(
        self, record: Record, kind: str, thread_id: str | None, turn_id: str | None, note: str | None
    ) -> int:
        """Note a record; gives its place."""
        place, line = len(self._offset), record.line
        if record.seq != place + 1:
            self._seqs[place], self._places[record.seq] = record.seq, place
        self._line.append(line.number)
        self._at.append(record.at_unix_ms or 0)
        self._kind.append(self._words.number(kind))
        self._thread.append(self._words.number(thread_id))
        self._turn.append(self._words.number(turn_id))
        self._file.append(self._words.number(line.file))
        self._payload.append(self._lines.number_of(record.payload_id) or _NO_PAYLOAD)
        if note is not None:
            self._notes[place] = note
        self._offset.append(line.offset)  # last: now it is there
        return place

    def place_of(self, seq: int) -> int:
        """Where the record with a sequence number is; mostly the records have the order of these."""
        return self._places.get(seq, seq - 1)

    def __len__(self) -> int:
        return len(self._offset)

    def __iter__(self) -> Iterator[EventRecord]:
        return map(self._made, range(len(self)))

    @overload
    def __getitem__(self, place: int) -> EventRecord: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[EventRecord]: ...
    def __getitem__(self, place: int | slice) -> EventRecord | Sequence[EventRecord]:
        found = range(len(self))[place]
        return self._made(found) if isinstance(found, int) else _Some(self, found)

    def _made(self, place: int) -> EventRecord:
        word, payload = self._words.word, self._payload[place]
        return EventRecord(
            self._seqs.get(place, place + 1),
            self._line[place],
            self._offset[place],
            self._at[place],
            word(self._kind[place]) or "",
            word(self._thread[place]),
            word(self._turn[place]),
            () if payload == _NO_PAYLOAD else (self._lines.ref(payload),),
            self._notes.get(place),
            word(self._file[place]) or "",
        )


class _Some(Sequence[EventRecord]):
    """Some of the records."""

    def __init__(self, table: EventTable, places: range) -> None:
        self._table = table
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[EventRecord]:
        return map(self._table.__getitem__, self._places)

    @overload
    def __getitem__(self, place: int) -> EventRecord: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[EventRecord]: ...
    def __getitem__(self, place: int | slice) -> EventRecord | Sequence[EventRecord]:
        found = self._places[place]
        return self._table[found] if isinstance(found, int) else _Some(self._table, found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]
