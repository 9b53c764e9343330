"""One payload shard: zstd frames, and in them records of an id and data each.

Decoding is done by `backports.zstd`, which is `compression.zstd` of Python 3.14: unlike `zstandard`, its
decompressor goes on where it stopped when a file has grown, tells where a frame ends, and bounds what one
call gives; both are equally fast.
"""

from __future__ import annotations

import os
import struct
import sys
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice, pairwise

from msgspec import Struct

from reducer.limits import MAX_SHARD_BYTES, MAX_SHARD_FRAMES, MAX_SHARD_RECORDS, megabytes
from reducer.storage.files import in_words

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_STEP = 2**17
"""Bytes of a file that are read and decoded together."""

_PIECE = 2**18
"""Most decoded bytes that are given together; few bytes of a file can stand for very many."""

_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
"""No frame may look back further than 8 MiB."""

RECORD_HEADER = struct.Struct("<HQ")
"""Lengths of id and data in bytes; the id and the data follow."""

_SHARD_COST = 2**17
_RECORD_COST = 2**8
"""About what a shard, and a record of it, takes in memory besides the data, in bytes."""

_DAMAGES = {
    "Unknown frame descriptor": "no zstd frame",
    "Restored data doesn't match checksum": "the checksum of a frame does not fit its contents",
    "Frame requires too much memory for decoding": "a frame wants a window of more than 8 MiB",
    "Dictionary mismatch": "a frame wants a dictionary",
}
"""What the decoder says, and how it is said here; all else is damage of the compressed data."""


class ShardFault(Struct, frozen=True):
    """Why a shard is not sound.

    Attributes:
        reason: what is wrong, without the name of the shard.
        reference_says: as in `Problem`.
    """

    reason: str
    reference_says: str | None = None


class Shard:
    """What could be read of a shard so far. One thread at a time may let it grow.

    Attributes:
        number: of the shard.
        records: data by id, in the order of the shard; of several records with one id, the first.
        read: bytes of the file that were decoded.
        decoded: bytes that they gave.
    """

    def __init__(self, number: int, path: str) -> None:
        """A shard of which nothing was read yet.

        Args:
            number: of the shard.
            path: of its file, as the reference would name it.
        """
        self.number = number
        self.records: dict[str, bytes] = {}
        self.read = 0
        self.decoded = 0
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._frame: _Frame | None = None
        self._frames = 0
        self._rest = _Pieces()
        self._count = 0
        self._stopped: ShardFault | None = None
        self._bad_record: ShardFault | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the file ends, as far as it was read, at the end of a frame. An empty one does not."""
        return self._stopped is None and self._frame is None and self._frames > 0

    @property
    def fault(self) -> ShardFault | None:
        """The fault that the reference meets first: it decodes all before it looks at the records in order.

        What is missing at the end of an unfinished shard is no fault; it may still come.
        """
        fault = self._stopped or self._bad_record
        if fault is None and self._rest.size and self.is_finished:
            says = f"partial record in sealed shard {self.number}"
            return ShardFault("it is finished, but ends inside a record", says)
        return fault

    @property
    def cost(self) -> int:
        """About how much memory it takes, in bytes."""
        decoder = 0 if self._frame is None else self.decoded
        return _SHARD_COST + self.decoded + decoder + _RECORD_COST * len(self.records)

    def grow(self, descriptor: int) -> bool:
        """Read what was added to the file since the last time; at first, all of it.

        What cannot be read becomes the `fault`; then the shard does not grow any more, but all records
        before that place are there.

        Args:
            descriptor: of the file of the shard.

        Returns:
            Whether anything was read.
        """
        before = self.read
        try:
            end = self._measure(descriptor)
            while self._stopped is None and self.read < end:
                data = os.pread(descriptor, min(_STEP, end - self.read), self.read)
                if not data:
                    break
                self._decode(data, descriptor)
        except OSError as error:
            self.stop(in_words(error), f"decompress shard {self._path}")
        return self.read > before

    def stop(self, reason: str, reference_says: str | None = None) -> None:
        """Note why no more of it can be read. Only the first reason counts."""
        self._stopped = self._stopped or ShardFault(reason, reference_says)
        self._frame = None
        self._rest = _Pieces()

    def _measure(self, descriptor: int) -> int:
        """Size of the file in bytes; stops if it is not the one that was read before."""
        found = os.fstat(descriptor)
        identity = found.st_dev, found.st_ino
        if self._identity not in (None, identity):
            self.stop("another file took its place while the bundle was read")
        elif found.st_size < self.read:
            self.stop("it became shorter while the bundle was read")
        elif found.st_size > MAX_SHARD_BYTES:
            self.stop(f"larger than {megabytes(MAX_SHARD_BYTES)}, too large to be read")
        self._identity = identity
        return found.st_size

    def _decode(self, data: bytes, descriptor: int) -> None:
        while data and self._stopped is None:
            frame = self._frame = self._frame or self._begin_frame()
            try:
                self._take_all(frame.decode(data))
            except zstd.ZstdError:
                self._decode_until_damage(frame, len(data), descriptor)
                return
            rest = frame.rest()
            self.read += len(data) - len(rest)
            data = rest
            if frame.has_ended or self._stopped is not None:
                self._frame = None

    def _begin_frame(self) -> _Frame:
        self._frames += 1
        if self._frames > MAX_SHARD_FRAMES:
            self.stop(f"more than {MAX_SHARD_FRAMES:,} frames, too many to be read")
        return _Frame(self.read)

    def _decode_until_damage(self, broken: _Frame, size: int, descriptor: int) -> None:
        """Decode a frame once more, its last bytes one by one: a call that fails gives nothing at all.

        Args:
            broken: the frame, of which some was taken.
            size: of what it could not decode, in bytes of the file from `read` on.
            descriptor: of the file.
        """
        frame, end = _Frame(broken.start, skip=broken.given), self.read + size
        places = chain(range(broken.start, self.read, _STEP), range(self.read, end + 1))
        try:
            for place, after in pairwise(places):
                if self._stopped is None and not frame.has_ended:
                    self._take_all(frame.decode(os.pread(descriptor, after - place, place)))
        except zstd.ZstdError as error:
            self.stop(f"{_in_words(error)}, at byte {place}", f"decompress shard {self._path}")
        else:
            self.stop("it was changed while the bundle was read")

    def _take_all(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            if self.decoded + len(piece) > MAX_SHARD_BYTES:
                self.stop(f"holds more than {megabytes(MAX_SHARD_BYTES)}, too much to be read")
            if self._stopped is not None:
                return
            self.decoded += len(piece)
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        """Note the records that a decoded piece completes. What their headers say costs no memory."""
        rest = self._rest
        rest.add(piece)
        while rest.size >= RECORD_HEADER.size and self._stopped is None:
            id_size, data_size = RECORD_HEADER.unpack(rest.first(RECORD_HEADER.size))
            if rest.size < RECORD_HEADER.size + id_size + data_size:
                return
            rest.take(RECORD_HEADER.size)
            self._note(rest.take(id_size), rest.take(data_size))

    def _note(self, name: bytes, data: bytes) -> None:
        self._count += 1
        if self._count > MAX_SHARD_RECORDS:
            self.stop(f"more than {MAX_SHARD_RECORDS:,} records, too many to be read")
            return
        try:
            record_id = name.decode()
        except UnicodeDecodeError as error:
            bad = ShardFault("the id of a record is not UTF-8", said_of_text(error))
            self._bad_record = self._bad_record or bad
            return
        if record_id not in self.records:
            self.records[record_id] = data
        elif self._bad_record is None:
            says = f"duplicate payload {record_id} in shard {self.number}"
            self._bad_record = ShardFault(f"it holds {record_id} twice", says)


class _Pieces:
    """Bytes that come in pieces and are taken in others; each is copied once.

    Attributes:
        size: how many are there.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: deque[bytes] = deque()
        self._taken = 0  # of the first piece

    def add(self, piece: bytes) -> None:
        """Add bytes at the end."""
        if piece:
            self._pieces.append(piece)
            self.size += len(piece)

    def first(self, count: int) -> bytes:
        """The first bytes, which stay; there must be so many."""
        found = self._pieces[0][self._taken : self._taken + count] if count else b""
        for piece in islice(self._pieces, 1, None):
            if len(found) == count:
                break
            found += piece[: count - len(found)]
        return found

    def take(self, count: int) -> bytes:
        """Take the first bytes; there must be so many."""
        self.size -= count
        taken: list[bytes] = []
        while count:
            piece, start = self._pieces[0], self._taken
            end = min(start + count, len(piece))
            taken.append(piece[start:end] if end - start < len(piece) else piece)
            count -= end - start
            self._taken = end
            if end == len(piece):
                self._pieces.popleft()
                self._taken = 0
        return taken[0] if len(taken) == 1 else b"".join(taken)


class _Frame:
    """A frame that is being decoded.

    Attributes:
        start: where it begins in the file, in bytes.
        given: how many decoded bytes it gave.
    """

    def __init__(self, start: int, skip: int = 0) -> None:
        """At the beginning of a frame.

        Args:
            start: where it begins in the file.
            skip: decoded bytes at its beginning that are not given.
        """
        self.start = start
        self.given = 0
        self._skip = skip
        self._decoder = zstd.ZstdDecompressor(options=_OPTIONS)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What further bytes of the file stand for, in pieces. What ends inside a block is waited for."""
        while True:
            piece = self._decoder.decompress(data, _PIECE)
            data = b""
            skipped = min(self._skip, len(piece))
            self._skip -= skipped
            self.given += len(piece)
            yield piece[skipped:]
            if self._decoder.eof or self._decoder.needs_input:
                return

    @property
    def has_ended(self) -> bool:
        """Whether all of it was decoded."""
        return self._decoder.eof

    def rest(self) -> bytes:
        """Of the bytes that were decoded last, those behind the end of the frame."""
        return self._decoder.unused_data


def said_of_text(error: UnicodeDecodeError) -> str:
    """What the reference says of bytes that are not UTF-8, where it says no more than that."""
    if error.reason == "unexpected end of data":
        return f"incomplete utf-8 byte sequence from index {error.start}"
    return f"invalid utf-8 sequence of {error.end - error.start} bytes from index {error.start}"


def _in_words(error: zstd.ZstdError) -> str:
    said = str(error)
    return next((words for damage, words in _DAMAGES.items() if damage in said), "damaged")
