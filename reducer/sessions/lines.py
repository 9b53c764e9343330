"""Lines of session files, and the records in them, each with the place it stands at."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.errors import Malformed
from reducer.sessions.fields import number, text, unix_ms
from reducer.wire.json_text import JsonDocument, JsonError
from reducer.wire.log import is_blank
from reducer.wire.payload_refs import PayloadRef, ShardedKind


class SessionLine(Struct, frozen=True):
    """One line of a session file.

    Attributes:
        file: path of the file, relative to the folder that holds the sessions.
        number: of the line, from 1.
        offset: where it begins, in bytes of the plain text, also where the file is compressed.
        data: the line without its line feed; only the beginning, if it is longer than what is read of lines.
        size: bytes of the line with its line feed.
        ended: whether it has a line feed.
    """

    file: str
    number: int
    offset: int
    data: bytes
    size: int
    ended: bool


class LineRef(PayloadRef, frozen=True):
    """A line of a session file as a payload: what was taken from it stands there. It is in no shard."""

    kind: ShardedKind
    shard: None
    file: str
    line: int
    offset: int

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


class Record(Struct, kw_only=True):
    """A line that is a record.

    Attributes:
        line: where it stands.
        document: the line, parsed.
        type: kind of the record, such as `response_item`.
        payload: what it records.
        metadata: what codex noted beside it; empty where there is nothing.
        ordinal: number of the record in its thread; None in files that do not number them.
        at_unix_ms: when it was written; None if it does not say.
        seq: its place among all records of the run, from 1; 0 as long as it has none.
        payload_id: under which its line is in the graph, once something refers to it.
    """

    line: SessionLine
    document: JsonDocument
    type: str
    payload: dict[str, Any]
    metadata: dict[str, Any]
    ordinal: int | None
    at_unix_ms: int | None
    seq: int = 0
    payload_id: str | None = None

    @property
    def kind(self) -> str | None:
        """What the payload says it is: kind of an event, type of an item."""
        return text(self.payload, "type")

    @property
    def name(self) -> str:
        """Kind of the record in words, such as `event_msg task_started`."""
        return self.type if self.kind is None else f"{self.type} {self.kind}"


def read_record(line: SessionLine) -> Record | None:
    """The record that a line holds; None if the line is blank.

    Raises:
        Malformed: the line is no record.
    """
    if is_blank(line.data):
        return None
    try:
        document = JsonDocument(line.data)
    except JsonError as error:
        raise Malformed(f"it is not JSON ({error})") from None
    value = document.value
    if not isinstance(value, dict):
        raise Malformed("it is not an object")
    payload = value.get("payload")
    if not isinstance(payload, dict):
        raise Malformed("it has no payload that is an object")
    type_ = text(value, "type")
    if type_ is None:
        raise Malformed("it has no type")
    metadata = value.get("metadata")
    return Record(
        line=line,
        document=document,
        type=type_,
        payload=payload,
        metadata=metadata if isinstance(metadata, dict) else {},
        ordinal=number(value, "ordinal"),
        at_unix_ms=unix_ms(value.get("timestamp")),
    )
