"""What of a session this program does not know: kinds of records and fields of other codex versions."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from reducer.sessions.fields import mapping, text
from reducer.sessions.known_shapes import (
    EVENTS,
    ITEM_FIELDS,
    ITEMS,
    LINE_FIELDS,
    PAYLOAD_FIELDS,
    THREAD_ITEMS,
)
from reducer.sessions.lines import Record


class Unknown(Struct):
    """Something that is not known.

    Attributes:
        what: its sort (`record type`, `event`, `item`, `thread item` or `field`) and its name.
        count: how often it was seen.
        file: where it was seen first.
        line: the line there, from 1.
    """

    what: str
    count: int
    file: str
    line: int


class Drift:
    """Counts what is not known; nothing of it is lost, and nothing is made of it.

    Attributes:
        unknown: what was seen, in order of the first sight.
        versions: how many files say that they were begun by which codex.
    """

    def __init__(self) -> None:
        self.unknown: dict[str, Unknown] = {}
        self.versions: dict[str, int] = {}

    def note(self, record: Record) -> None:
        """Look at one record."""
        known = PAYLOAD_FIELDS.get(record.type)
        if known is None:
            self._count("record type", record.type, record)
            return
        self._fields(record, "", record.document.value, LINE_FIELDS)
        kind = record.kind or ""
        if record.type == "event_msg":
            known = EVENTS.get(kind)
            self._fields_of(record, "event", kind, known)
            if kind == "item_completed":
                item = text(mapping(record.payload, "item"), "type") or ""
                if item not in THREAD_ITEMS:
                    self._count("thread item", item, record)
        elif record.type == "response_item":
            self._fields_of(record, "item", kind, ITEM_FIELDS if kind in ITEMS else None)
        else:
            self._fields(record, f"{record.type}.", record.payload, known)
        if record.type == "session_meta":
            version = text(record.payload, "cli_version") or ""
            self.versions[version] = self.versions.get(version, 0) + 1

    def _fields_of(self, record: Record, what: str, kind: str, known: frozenset[str] | None) -> None:
        if known is None:
            self._count(what, kind, record)
        else:
            self._fields(record, f"{kind}.", record.payload, known)

    def _fields(self, record: Record, place: str, value: Iterable[str], known: frozenset[str]) -> None:
        for name in value:
            if name not in known:
                self._count("field", place + name, record)

    def _count(self, what: str, name: str, record: Record) -> None:
        key = f"{what} {name}"
        seen = self.unknown.get(key)
        if seen is None:
            self.unknown[key] = Unknown(key, 1, record.line.file, record.line.number)
        else:
            seen.count += 1
