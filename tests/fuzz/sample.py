"""A bundle in pieces that can be changed: the events of its log, the records of its payloads."""

from __future__ import annotations

import copy
import json
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from reducer.wire.payload_refs import shard_path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Json = Any
Record = tuple[int, str]
"""Where the bytes of a payload are: number of the shard and id; in schemas 1 and 2 shard 0 and the path."""

_HEADER = struct.Struct("<HQ")


@dataclass
class Layout:
    """How the records of a shard are written.

    Attributes:
        frames: into how many frames they are divided, between any two bytes.
        is_open: no end of the last frame.
        cut: bytes missing at the end of the file.
        before: bytes in front of everything.
        again: ids of records that are written twice.
        flipped: a bit of the file that is flipped, counted from its end.
    """

    frames: int = 1
    is_open: bool = False
    cut: int = 0
    before: bytes = b""
    again: list[str] = field(default_factory=list)
    flipped: int | None = None


@dataclass
class Sample:
    """A bundle of which everything may be changed.

    Attributes:
        manifest: contents of the manifest.
        events: lines of the log as objects; what is bytes is written as it is.
        records: bytes of all payloads.
        layouts: of shards that are not written in the usual way.
        renumbers: whether the events get numbers in their order when they are written.
        done: names of the changes that were made.
    """

    manifest: Json
    events: list[Json]
    records: dict[Record, bytes]
    layouts: dict[int, Layout] = field(default_factory=dict)
    renumbers: bool = True
    done: list[str] = field(default_factory=list)

    @property
    def schema(self) -> int:
        """The trace schema."""
        return int(self.manifest["schema_version"])

    def bodies(self) -> list[Json]:
        """The events that are still objects, and have a body that is one."""
        return [
            event
            for event in self.events
            if isinstance(event, dict) and isinstance(event.get("payload"), dict)
        ]

    def refs(self) -> Iterator[Json]:
        """All references to payloads, those in parts too."""
        for event in self.bodies():
            yield from _refs_in(event["payload"])

    def known_refs(self) -> dict[str, Json]:
        """One reference for each payload id."""
        return {ref["raw_payload_id"]: ref for ref in self.refs()}

    def replace_ref(self, payload_id: str, new: Json) -> None:
        """Write another reference wherever one to this payload stands."""
        for ref in [*self.refs()]:
            if ref.get("raw_payload_id") == payload_id and ref is not new:
                given = copy.deepcopy(new)
                ref.clear()
                ref.update(given)

    def place(self, ref: Json) -> Record | None:
        """Where the record of a payload should be."""
        if self.schema < 3:
            path = ref.get("path")
            return (0, path) if isinstance(path, str) else None
        number, name = ref.get("shard"), ref.get("raw_payload_id")
        return (number, name) if isinstance(number, int) and isinstance(name, str) else None

    def text(self, ref: Json, depth: int = 0) -> bytes:
        """The text of a payload, put together from parts; stand-ins for what is lost.

        Raises:
            ValueError: it cannot be put together.
        """
        place = self.place(ref)
        if place is None or place not in self.records or depth > 8:
            raise ValueError("no such payload")
        data = self.records[place]
        parts = ref.get("parts")
        if not parts:
            return data
        fragments = json.loads(data)
        if not isinstance(fragments, list) or len(fragments) != len(parts) + 1:
            raise ValueError("not these fragments")
        text = fragments[0].encode()
        for part, fragment in zip(parts, fragments[1:], strict=True):
            is_lost = (part.get("capture") or {}).get("status", "complete") != "complete"
            lost = compact({"$trace_unavailable": part["raw_payload_id"]})
            text += (lost if is_lost else self.text(part, depth + 1)) + fragment.encode()
        return text

    def fresh_id(self) -> str:
        """A payload id that nothing has."""
        known = {name for _, name in self.records} | set(self.known_refs())
        return next(name for number in range(900, 10**6) if (name := f"raw_payload:{number}") not in known)

    def add_payload(self, value: Json, kind: str, shard: int | None = None) -> Json:
        """Add a payload; gives the reference to it."""
        name = self.fresh_id()
        data = value if isinstance(value, bytes) else compact(value)
        ref: Json = {"raw_payload_id": name, "kind": {"type": kind}}
        if self.schema < 3:
            ref["path"] = f"payloads/{name.rpartition(':')[2]}.json"
            self.records[0, ref["path"]] = data
            return ref
        number = shard or max((number for number, _ in self.records), default=1)
        self.records[number, name] = data
        return {**ref, "shard": number}

    def write(self, path: Path) -> None:
        """Write the bundle into a new directory."""
        (path / "payloads").mkdir(parents=True)
        (path / "manifest.json").write_bytes(compact(self.manifest))
        (path / "trace.jsonl").write_bytes(b"".join(line + b"\n" for line in self._lines()))
        shards: dict[int, list[tuple[str, bytes]]] = {}
        for (number, name), data in self.records.items():
            if self.schema >= 3:
                shards.setdefault(number, []).append((name, data))
            elif re.fullmatch(r"payloads/[\w.-]+", name):
                (path / name).write_bytes(data)
        for number, records in shards.items():
            if number < 10**9:
                (path / shard_path(number)).write_bytes(_shard(records, self.layouts.get(number, Layout())))

    def _lines(self) -> Iterator[bytes]:
        for number, event in enumerate(self.events, 1):
            if isinstance(event, bytes):
                numbered = re.sub(rb'"seq":\d+', b'"seq":%d' % number, event, count=1)
                yield numbered if self.renumbers else event
                continue
            if self.renumbers and isinstance(event.get("seq"), int):
                event["seq"] = number
            yield compact(event)


def compact(value: Json) -> bytes:
    """JSON as codex writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _refs_in(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        if isinstance(value.get("raw_payload_id"), str):
            yield value
        for one in value.values():
            yield from _refs_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _refs_in(one)


def _shard(records: list[tuple[str, bytes]], layout: Layout) -> bytes:
    by_name = dict(records)
    again = [(name, by_name[name]) for name in layout.again if name in by_name]
    data = b"".join(
        _HEADER.pack(len(name.encode()), len(one)) + name.encode() + one for name, one in [*records, *again]
    )
    count = max(layout.frames, 1)
    borders = [len(data) * number // count for number in range(count + 1)]
    pieces = [data[start:end] for start, end in pairwise(borders)]
    frames = b"".join(
        _frame(piece, is_open=layout.is_open and number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    )
    data = bytearray(layout.before + frames[: len(frames) - layout.cut])
    if layout.flipped is not None and data:
        data[-1 - layout.flipped // 8 % len(data)] ^= 1 << layout.flipped % 8
    return bytes(data)


def _frame(data: bytes, *, is_open: bool) -> bytes:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1})
    blocks = compressor.compress(data, compressor.FLUSH_BLOCK)
    return blocks if is_open else blocks + compressor.flush(compressor.FLUSH_FRAME)


@cache
def load(path: Path) -> Sample | None:
    """Read a bundle; None if its manifest is not sound enough to be changed."""
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        int(manifest["schema_version"])
        lines = (path / "trace.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Sample(manifest, [_event(line) for line in lines], _records(path))


def _event(line: bytes) -> Json:
    try:
        event = json.loads(line)
    except ValueError:
        return line
    sound = isinstance(event, dict) and isinstance(event.get("payload"), dict) and compact(event) == line
    return event if sound else line


def _records(path: Path) -> dict[Record, bytes]:
    found: dict[Record, bytes] = {}
    for file in sorted((path / "payloads").glob("*")):
        if file.is_symlink() or not file.is_file():
            continue
        if file.suffix == ".json":
            found[0, f"payloads/{file.name}"] = file.read_bytes()
        elif re.fullmatch(r"\d{6,}\.zst", file.name):
            found.update(_records_of_shard(int(file.stem), file.read_bytes()))
    return found


def _records_of_shard(number: int, data: bytes) -> dict[Record, bytes]:
    decoded = b""
    try:
        while data:
            decompressor = zstd.ZstdDecompressor()
            decoded += decompressor.decompress(data)
            data = decompressor.unused_data
    except zstd.ZstdError:
        pass
    found: dict[Record, bytes] = {}
    while len(decoded) >= _HEADER.size:
        name_size, size = _HEADER.unpack_from(decoded)
        end = _HEADER.size + name_size + size
        if end > len(decoded):
            break
        name = decoded[_HEADER.size : _HEADER.size + name_size].decode(errors="replace")
        found[number, name] = decoded[end - size : end]
        decoded = decoded[end:]
    return found
