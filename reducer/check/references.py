"""The payload references of a log, each with the line that has it first."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reducer.limits import MAX_PART_DEPTH
from reducer.wire.payload_refs import ShardRef
from reducer.wire.typed_json import converted


class FileReference(Struct, frozen=True):
    """A reference to a payload file as a line has it: the payload's id and its path."""

    id: str
    path: str


class RecordReference(Struct, frozen=True):
    """A reference to a record of a shard, and the line that has it."""

    ref: ShardRef
    line: int


class References(Protocol):
    """Takes references as they stand in parsed lines, of refused events, too."""

    def note(self, value: dict[str, Any], line: int) -> None:
        """Note a reference.

        Args:
            value: an object that has a `raw_payload_id`; what is no sound reference is left out.
            line: its line.
        """

    @property
    def count(self) -> int:
        """How many payloads are referred to."""


class NoReferences:
    """Of a schema that is not known, nothing is known of references either."""

    count = 0

    def note(self, value: dict[str, Any], line: int) -> None:
        """Leave it out."""


class FileReferences:
    """References to payload files.

    Attributes:
        lines: every reference with the line that first has it.
    """

    def __init__(self) -> None:
        self.lines: dict[FileReference, int] = {}

    @property
    def count(self) -> int:
        """How many payloads are referred to."""
        return len({reference.id for reference in self.lines})

    def note(self, value: dict[str, Any], line: int) -> None:
        """Note a reference; see `References`."""
        payload_id, path = value["raw_payload_id"], value.get("path")
        if isinstance(payload_id, str) and isinstance(path, str):
            self.lines.setdefault(FileReference(payload_id, path), line)


class RecordReferences:
    """References to records of shards, and to all their parts.

    A prompt names all items of a conversation as its parts, so most references were there before: those are
    told by comparing what was parsed, and are not made into objects again.

    Attributes:
        first: the first reference with an id, by id.
        conflicts: other ones with the id of an earlier one, each as it was there first, in order.
    """

    def __init__(self) -> None:
        self.first: dict[str, RecordReference] = {}
        self.conflicts: dict[ShardRef, RecordReference] = {}
        self._parsed: dict[str, dict[str, Any]] = {}

    @property
    def count(self) -> int:
        """How many payloads are referred to."""
        return len(self.first)

    def note(self, value: dict[str, Any], line: int) -> None:
        """Note a reference and its parts; see `References`."""
        self._note(value, line, 0)

    def _note(self, value: Any, line: int, depth: int) -> ShardRef | None:
        """The reference; the same object for those that are equal."""
        if not isinstance(value, dict) or depth > MAX_PART_DEPTH:
            return None
        payload_id = value.get("raw_payload_id")
        known = self.first.get(payload_id) if isinstance(payload_id, str) else None
        if known is not None and self._parsed.get(known.ref.raw_payload_id) == value:
            return known.ref
        ref = self._read(value, line, depth)
        if ref is None:
            return None
        if known is None:
            self.first[ref.raw_payload_id] = RecordReference(ref, line)
            if not ref.parts:
                self._parsed[ref.raw_payload_id] = value
        elif known.ref == ref:
            return known.ref
        else:
            self.conflicts.setdefault(ref, RecordReference(ref, line))
        return ref

    def _read(self, value: dict[str, Any], line: int, depth: int) -> ShardRef | None:
        """A reference; None for what is none, or has a part that is none."""
        given = value.get("parts", [])
        if not isinstance(given, list):
            return None
        try:
            ref = converted({**value, "parts": ()}, ShardRef)
        except msgspec.ValidationError:
            return None
        parts = []
        for one in given:
            part = self._note(one, line, depth + 1)
            if part is None:
                return None
            parts.append(part)
        return replace(ref, parts=tuple(parts)) if parts else ref
