"""Copies a bundle, file by file, with everything in it replaced that the allow-list does not name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from reducer import Bundle, BundleError, LogLine, UnreadablePayload
from reducer.recorder.shard_writer import packed_shard
from reducer.schemas import Schema
from reducer.storage.assembly import fragments_of
from reducer.storage.bundle import LOG, MANIFEST
from reducer.wire.json_text import is_valid
from reducer.wire.log import is_blank
from reducer.wire.payload_refs import ShardRef, shard_path
from rollout_tui.redaction.collect import Named, Step, lines_within
from rollout_tui.redaction.redactor import Redactor
from rollout_tui.redaction.walk import is_only_structure

DAMAGED = b"redacted: this was no JSON"
"""What stands for a line or a payload that is no JSON: no JSON either."""
CUT = b"redacted: a limit of the recorder cut this"
"""What stands for the beginning of a payload that was cut, filled up to its length."""

_PAYLOAD = frozenset({"payload"})


class BundleCopy:
    """The redacted copy of one bundle."""

    def __init__(self, bundle: Bundle, schema: Schema, named: Named, redactor: Redactor, step: Step) -> None:
        """Nothing is written yet.

        Args:
            bundle: what is copied.
            schema: its schema.
            named: what its log names; nothing else of it is copied.
            redactor: made for the ids of that log.
            step: called with the bytes that were done.
        """
        self._bundle = bundle
        self._events = schema.events
        self._named = named
        self._redactor = redactor
        self._step = step

    def write_to(self, directory: Path, size: int) -> None:
        """Write the copy.

        Args:
            directory: of the copy; it exists and is empty.
            size: bytes of the log that are copied; it may grow.

        Raises:
            BundleError: the manifest or the log cannot be read.
            OSError: the copy cannot be written.
        """
        (directory / MANIFEST).write_bytes(self._manifest())
        with open(directory / LOG, "wb") as log:
            log.writelines(map(self._line, lines_within(self._bundle, size)))
        self._copy_files(directory)
        self._copy_shards(directory)

    def _manifest(self) -> bytes:
        data = self._bundle.read_manifest()
        if not is_valid(data):
            raise BundleError(f"{self._bundle.path}: its manifest is not valid JSON throughout")
        return self._redactor.walk("manifest").redacted(data.decode()).encode()

    # The log

    def _line(self, line: LogLine) -> bytes:
        self._step(line.size)
        return self._event(line.data) + (b"\n" if line.ended else b"")

    def _event(self, data: bytes) -> bytes:
        if is_blank(data):
            return b""
        if not is_valid(data):
            self._redactor.count("log", "", "damaged line")
            return DAMAGED
        kind = _kind_of_event(data)
        is_known = kind in self._events
        walk = self._redactor.walk(
            f"event {kind}" if is_known else "event of a kind that is not known",
            unknown=frozenset() if is_known else _PAYLOAD,
        )
        return walk.redacted(data.decode()).encode()

    # Payloads

    def _copy_files(self, directory: Path) -> None:
        files = self._bundle.payloads.files
        for path, ref in self._named.files.items():
            try:
                data = b"".join(map(bytes, files.pieces_at(path)))
            except UnreadablePayload:
                continue  # and so it is missing in the copy
            target = directory / self._redactor.names.path(path)
            if target.exists():
                continue  # the manifest or the log, which an event may call a payload
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self._payload(data, ref.kind.type))
            self._step(len(data))

    def _copy_shards(self, directory: Path) -> None:
        for number, refs in sorted(self._named.records.items()):
            try:
                shard = self._bundle.payloads.shards.usable_shard(number)
            except UnreadablePayload:
                continue
            if shard.fault is not None:
                self._redactor.tally.note(f"shard {number} was damaged; what could be read of it is copied")
            elif not shard.is_finished:
                self._redactor.tally.note(f"shard {number} was not finished; its copy is")
            target = directory / shard_path(number)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(packed_shard(self._records(shard.records.items(), refs)))

    def _records(
        self, records: Iterable[tuple[str, bytes]], refs: dict[str, ShardRef]
    ) -> Iterator[tuple[str, bytes]]:
        for record_id, data in list(records):
            ref = refs.get(record_id)
            if ref is not None:
                yield self._redactor.ids.mapped(record_id), self._record(data, ref)
            self._step(len(data))

    def _record(self, data: bytes, ref: ShardRef) -> bytes:
        if ref.is_lost:
            self._redactor.count(ref.kind.type, "", "whole payload")
            return CUT[: len(data)].ljust(len(data), b".")
        if not ref.parts:
            return self._payload(data, ref.kind.type)
        try:
            fragments = fragments_of(data, len(ref.parts))
        except UnreadablePayload:
            return self._damaged(ref.kind.type)
        return orjson.dumps(self._fragments(fragments, ref.kind.type))

    def _payload(self, data: bytes, kind: str) -> bytes:
        if not is_valid(data):
            return self._damaged(kind)
        return self._redactor.walk(kind).redacted(data.decode()).encode()

    def _fragments(self, fragments: list[str], kind: str) -> list[str]:
        """The texts between the parts of a payload; those that do not part between values as a whole."""
        if all(map(is_only_structure, fragments)) and is_valid("null".join(fragments).encode()):
            walk = self._redactor.walk(kind)
            return [walk.redacted(one) for one in fragments]
        self._redactor.count(kind, "", "whole payload")
        return ["[", *[","] * (len(fragments) - 2), "]"]

    def _damaged(self, kind: str) -> bytes:
        self._redactor.count(kind, "", "whole payload")
        return DAMAGED


def _kind_of_event(data: bytes) -> str:
    try:
        event: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ""  # nests too deep
    payload = event.get("payload") if isinstance(event, dict) else None
    kind = payload.get("type") if isinstance(payload, dict) else None
    return kind if isinstance(kind, str) else ""
