"""Reads shards with another zstd library than the recorder writes them with, and without any of its code."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import zstandard


def decoded(file: Path) -> tuple[bytes, bool]:
    """What the complete blocks of a shard contain, and whether its frame is finished."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()
    data = decompressor.decompress(file.read_bytes())
    assert decompressor.unused_data == b""
    return data, decompressor.eof


def records(file: Path) -> list[tuple[str, bytes]]:
    """Id and data of each record of a shard, in order."""
    data, _ = decoded(file)
    found = []
    at = 0
    while at < len(data):
        name_length, length = struct.unpack_from("<HQ", data, at)
        start = at + 10 + name_length
        assert start + length <= len(data), "incomplete record"
        found.append((data[at + 10 : start].decode(), data[start : start + length]))
        at = start + length
    return found


def shards(bundle: Path) -> list[Path]:
    """The shards of a bundle in order; their names must count from 1 without a gap."""
    files = sorted((bundle / "payloads").iterdir())
    assert [file.name for file in files] == [f"{number:06d}.zst" for number in range(1, len(files) + 1)]
    return files


def finished(bundle: Path) -> list[bool]:
    """Of each shard in order, whether it ends with a footer."""
    return [decoded(file)[1] for file in shards(bundle)]


def all_records(bundle: Path) -> dict[tuple[int, str], bytes]:
    """Data of every record of a bundle by shard and id."""
    return {
        (number, name): data
        for number, file in enumerate(shards(bundle), start=1)
        for name, data in records(file)
    }


def joined(records: dict[tuple[int, str], bytes], reference: dict[str, Any]) -> bytes:
    """The text of a payload that a reference leads to, put together from its parts."""
    data = records[reference["shard"], reference["raw_payload_id"]]
    if not reference.get("parts"):
        return data
    first, *rest = json.loads(data)
    texts = [joined(records, part) for part in reference["parts"]]
    return bytes(first, "utf-8") + b"".join(t + f.encode() for t, f in zip(texts, rest, strict=True))
