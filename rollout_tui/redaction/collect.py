"""What the log of a bundle names: the payloads that are to be copied, and the ids whose order matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import takewhile
from typing import Any

import msgspec
import orjson
from msgspec import Struct, field

from reducer import Bundle, LogLine
from reducer.schemas import Schema
from reducer.wire.payload_refs import FileRef, PayloadRef, ShardRef
from reducer.wire.typed_json import converted
from rollout_tui.redaction.vocabulary import kind_of

Step = Callable[[int], None]
"""Called with the bytes that were done; what it raises ends the work."""


class Named(Struct):
    """What a log names.

    Attributes:
        ids: all ids of events.
        files: references to payload files, by path; the first one of each.
        records: references to records by number of the shard and by id, likewise.
    """

    ids: set[str] = field(default_factory=set)
    files: dict[str, FileRef] = field(default_factory=dict)
    records: dict[int, dict[str, ShardRef]] = field(default_factory=dict)


def named_by(bundle: Bundle, schema: Schema, size: int, step: Step) -> Named:
    """Read the log of a bundle for what it names; lines that are no JSON name nothing.

    Args:
        bundle: the bundle.
        schema: its schema.
        size: bytes of the log that are looked at; it may grow.
        step: called with the bytes of each line.

    Raises:
        BundleError: the log cannot be read.
    """
    found = Named()
    collector = _Collector(found, schema.ref)
    for line in lines_within(bundle, size):
        with suppress(orjson.JSONDecodeError):
            collector.look_at(orjson.loads(line.data))
        step(line.size)
    return found


def lines_within(bundle: Bundle, size: int) -> Iterator[LogLine]:
    """The lines of the log that began before it had so many bytes."""
    return takewhile(lambda line: line.offset < size, bundle.lines())


class _Collector:
    def __init__(self, found: Named, form: type[PayloadRef]) -> None:
        self._found = found
        self._form = form
        self._known: set[tuple[Any, Any, Any]] = set()

    def look_at(self, top: Any) -> None:
        """Look at a value and all that is in it, without recursion: evidence may nest deep."""
        waiting: list[tuple[str, Any]] = [("", top)]
        while waiting:
            name, value = waiting.pop()
            if isinstance(value, str):
                if kind_of(name) == "id":
                    self._found.ids.add(value)
            elif isinstance(value, list):
                waiting += [(name, one) for one in value]
            elif isinstance(value, dict) and not self._is_known(value):
                waiting += value.items()

    def _is_known(self, value: dict[str, Any]) -> bool:
        """Whether a value is a reference that was met before; one that was not is noted."""
        if "raw_payload_id" not in value:
            return False
        name = str(value["raw_payload_id"]), str(value.get("path")), str(value.get("shard"))
        if name in self._known:
            return True
        self._known.add(name)
        with suppress(msgspec.ValidationError):
            self._note(converted(value, self._form))
        return False

    def _note(self, ref: PayloadRef) -> None:
        if isinstance(ref, FileRef):
            self._found.files.setdefault(ref.path, ref)
        elif isinstance(ref, ShardRef):
            if ref.shard is not None:
                self._found.records.setdefault(ref.shard, {}).setdefault(ref.raw_payload_id, ref)
            for part in ref.parts:
                self._note(part)
