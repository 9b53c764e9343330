"""Shards as codex writes them: records of payloads in compressed files that can be read while they grow."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path

from reducer.recorder.append_only import AppendOnlyFile
from reducer.storage.shard import RECORD_HEADER
from reducer.wire.payload_refs import shard_path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SHARD_BYTES = 8 << 20
"""A shard ends before the record that would make it longer, decoded; a record longer than that is alone."""
FOOTER_BYTES = 7
"""Length of what ends a frame: an empty last block, and four bytes of checksum."""

_EMPTY_LAST_BLOCK = b"\x01\x00\x00"
_LONGEST_BLOCK = 128 << 10
_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.window_log: 23,
    zstd.CompressionParameter.content_size_flag: 0,
    zstd.CompressionParameter.checksum_flag: 1,
}


def packed_shard(records: Iterable[tuple[str, bytes]]) -> bytes:
    """A finished shard with these records, as the bytes of its file.

    Args:
        records: ids, at most 65535 bytes in UTF-8, each with its data.
    """
    frame = zstd.ZstdCompressor(options=_OPTIONS)
    blocks = [frame.compress(_record(*one), zstd.ZstdCompressor.FLUSH_BLOCK) for one in records]
    return b"".join((*blocks, frame.flush()))


def _record(raw_payload_id: str, data: bytes) -> bytes:
    name = raw_payload_id.encode()
    return RECORD_HEADER.pack(len(name), len(data)) + name + data


class ShardWriter:
    """Appends payloads to the shards of one bundle.

    A record is in the file, as blocks of its own, when `append` returns: a follower can read it, and nothing
    but the footer is missing when the process is killed. A shard is finished and closed before the next one
    is made. Not safe to use from several threads.

    After a write that failed the shard is finished after its last whole record. As long as even that is
    impossible, no other shard is begun, because a reader accepts only the last one without a footer.

    Attributes:
        size: bytes of all shards on disk; that of the open one counts with its footer.
    """

    def __init__(self, bundle: Path) -> None:
        """Nothing is made until the first record comes.

        Args:
            bundle: the bundle directory; its directory of payloads must exist by the first record.
        """
        self.size = 0
        self._bundle = bundle
        self._count = 0
        self._open: _Shard | None = None

    def append(self, raw_payload_id: str, kind: str, data: bytes, *, room: int | None = None) -> int | None:
        """Write a record.

        Args:
            raw_payload_id: id of the payload, at most 65535 bytes in UTF-8.
            kind: kind of the payload. Records of kind `content_value` stand in shards of their own.
            data: what the record holds.
            room: how many bytes the shards may grow by, footers included; None for any number.

        Returns:
            Number of the shard, or None when the record did not fit into `room` and was not written.

        Raises:
            OSError: the record could not be written, and nothing of it is there.
        """
        record = _record(raw_payload_id, data)
        is_content = kind == "content_value"
        if self._open is not None and not self._open.takes(is_content, len(record), room):
            self.seal()
        if self._open is None:
            return self._begin(is_content, record, room)
        self._write(self._open, self._open.compress(record), len(record))
        return self._count

    def seal(self) -> None:
        """Finish the open shard, if there is one; the next record begins another.

        Raises:
            OSError: its footer could not be written. It stays open, and may be sealed later.
        """
        if self._open is not None:
            self._open.finish()
            self._open = None

    def close(self) -> bool:
        """Finish the last shard; whether all shards are finished now."""
        try:
            self.seal()
        except OSError:
            return False
        return True

    def _begin(self, is_content: bool, record: bytes, room: int | None) -> int | None:
        frame = zstd.ZstdCompressor(options=_OPTIONS)
        blocks = frame.compress(record, zstd.ZstdCompressor.FLUSH_BLOCK)
        if room is not None and len(blocks) + FOOTER_BYTES > room:
            return None
        file = AppendOnlyFile(self._bundle / shard_path(self._count + 1))
        self._open = _Shard(file, frame, is_content)
        self._count += 1
        self.size += FOOTER_BYTES
        self._write(self._open, blocks, len(record))
        return self._count

    def _write(self, shard: _Shard, blocks: bytes, decoded: int) -> None:
        try:
            shard.write(blocks, decoded)
        except OSError:
            self._give_up(shard)
            raise
        self.size += len(blocks)

    def _give_up(self, shard: _Shard) -> None:
        """After a failed write nothing can follow in the shard. One without records is taken back."""
        if shard.decoded_size:
            with contextlib.suppress(OSError):
                self.seal()
            return
        self._open = None
        self.size -= FOOTER_BYTES
        if shard.file.remove():
            self._count -= 1


class _Shard:
    """The open shard.

    Attributes:
        file: the file.
        decoded_size: bytes of the records in it.
    """

    def __init__(self, file: AppendOnlyFile, frame: zstd.ZstdCompressor, holds_content: bool) -> None:
        self.file = file
        self.decoded_size = 0
        self._frame: zstd.ZstdCompressor | None = frame
        self._holds_content = holds_content

    def takes(self, is_content: bool, length: int, room: int | None) -> bool:
        """Whether a record of so many bytes goes into this shard.

        Compression cannot be taken back once a frame holds the record. So a record of which it is not certain
        that it fits gets a frame of its own, which is thrown away if it turns out too long.
        """
        return (
            self._frame is not None
            and self._holds_content == is_content
            and self.decoded_size + length <= SHARD_BYTES
            and (room is None or _longest(length) <= room)
        )

    def compress(self, record: bytes) -> bytes:
        """The next blocks of the frame; they must be written."""
        assert self._frame is not None
        return self._frame.compress(record, zstd.ZstdCompressor.FLUSH_BLOCK)

    def write(self, blocks: bytes, decoded: int) -> None:
        """Write blocks that hold a record of `decoded` bytes.

        Raises:
            OSError: that was not possible. The compressor is ahead of the file then, and is of no more use.
        """
        try:
            self.file.append(blocks)
        except OSError:
            self._frame = None
            raise
        self.decoded_size += decoded

    def finish(self) -> None:
        """Write the footer and close the file.

        Raises:
            OSError: that was not possible; it may be tried again.
        """
        footer = self._footer_of_file() if self._frame is None else self._frame.flush()
        self._frame = None
        self.file.append(footer)
        self.file.close()

    def _footer_of_file(self) -> bytes:
        """What ends the frame after the whole records in the file.

        The checksum is one of the decoded bytes, so every frame of them ends with the same.
        """
        decoded = zstd.ZstdDecompressor().decompress(self.file.read())
        return _EMPTY_LAST_BLOCK + zstd.compress(decoded, options=_OPTIONS)[-4:]


def _longest(length: int) -> int:
    """How long the blocks of so many bytes get at most: what cannot be compressed is stored as it is."""
    return length + 3 * (length // _LONGEST_BLOCK + 2)
