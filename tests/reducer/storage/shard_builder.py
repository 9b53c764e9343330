"""Makes shards, byte by byte if need be, and references to what they hold."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from reducer.errors import UnreadablePayload
from reducer.storage.confinement import BundleFolder
from reducer.storage.shard_store import ShardStore
from reducer.wire.payload_refs import (
    COMPLETE,
    Capture,
    Omitted,
    ShardedKind,
    ShardRef,
    Truncated,
    shard_path,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HUGE = 2**64 - 1
KIND = ShardedKind("model_item")
CUT = Truncated(original_bytes=100, retained_bytes=3)
GONE = Omitted(original_bytes=90210)


def record(record_id: str | bytes, data: bytes, claims: int | None = None) -> bytes:
    """A record; `claims` is the length of data that its header has instead of the true one."""
    name = record_id if isinstance(record_id, bytes) else record_id.encode()
    return struct.pack("<HQ", len(name), len(data) if claims is None else claims) + name + data


def frame(
    *blocks: bytes, checksum: bool = True, content_size: bool = False, window_log: int = 23, end: bool = True
) -> bytes:
    """A frame with one flushed block for each argument; without `end`, nothing after the last of them."""
    options = {
        zstd.CompressionParameter.checksum_flag: int(checksum),
        zstd.CompressionParameter.content_size_flag: int(content_size),
        zstd.CompressionParameter.window_log: window_log,
    }
    compressor = zstd.ZstdCompressor(options=options)
    if content_size:
        return compressor.compress(b"".join(blocks), compressor.FLUSH_FRAME)
    data = b"".join(compressor.compress(block, compressor.FLUSH_BLOCK) for block in blocks)
    return data + compressor.flush(compressor.FLUSH_FRAME) if end else data


def ends_of_blocks(blocks: Sequence[bytes]) -> list[int]:
    """Where each block of such a frame ends, in bytes of the file."""
    return [len(frame(*blocks[: count + 1], end=False)) for count in range(len(blocks))]


def skippable(data: bytes = b"1234567") -> bytes:
    """A frame that holds nothing for a decoder."""
    return struct.pack("<II", 0x184D2A50, len(data)) + data


def with_dictionary(data: bytes) -> bytes:
    """A frame that wants a dictionary."""
    dictionary = zstd.train_dict([b"sample %d of a dictionary" % number for number in range(2000)], 1000)
    return zstd.compress(data, zstd_dict=dictionary)


def inflating(beginning: bytes, size: int) -> bytes:
    """A frame whose few bytes stand for this beginning and then `size` zero bytes, a multiple of 128 KiB."""
    window_of_8_mib, block = 13 << 3, 2**17
    raw = struct.pack("<I", len(beginning) << 3)[:3] + beginning
    zeros = struct.pack("<I", block << 3 | 1 << 1)[:3] + b"\0"
    return struct.pack("<IBB", 0xFD2FB528, 0, window_of_8_mib) + raw + zeros * (size // block)


def write_shard(bundle: Path, number: int, data: bytes) -> Path:
    """Put a shard into a bundle directory, in the place of what was there before; the file stays the same."""
    path = bundle / shard_path(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def ref(name: str, *parts: ShardRef, shard: int | None = 1, capture: Capture = COMPLETE) -> ShardRef:
    return ShardRef(name, KIND, shard, capture, parts)


def fragments(*texts: str) -> bytes:
    return json.dumps(texts).encode()


def whole(store: ShardStore, one: ShardRef) -> bytes:
    return b"".join(store.pieces(one))


def refusal(read: Callable[[ShardRef], object], one: ShardRef) -> UnreadablePayload:
    with pytest.raises(UnreadablePayload) as caught:
        read(one)
    return caught.value


def says(store: ShardStore, one: ShardRef) -> str | None:
    return refusal(store.pieces, one).reference_says


def with_records(bundle: Path, strict: bool = True, **records: bytes) -> ShardStore:
    write_shard(bundle, 1, frame(*(record(name, data) for name, data in records.items())))
    return ShardStore(BundleFolder(bundle), strict)


def many_shards(bundle: Path, count: int, size: int) -> None:
    for number in range(1, count + 1):
        write_shard(bundle, number, frame(record("a", b"x" * size), record("b", b"%d" % number)))
