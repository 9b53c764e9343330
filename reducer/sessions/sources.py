"""The lines of a session file, plain or compressed, as far as they are there; later only what was added."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from io import FileIO

from reducer.limits import MAX_LINE_BYTES
from reducer.sessions.lines import SessionLine
from reducer.storage.confinement import BundleFolder
from reducer.storage.files import in_words

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_STEP = 2**18
"""Bytes that are read together."""

_STEP_OF_LINE = 2**14
"""Bytes that are read together for the sake of one line."""

_PIECE = 2**20
"""Most decoded bytes that are given together; few bytes of a file can stand for very many."""

_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
"""No frame may look back further than 128 MiB."""

COMPRESSED = ".zst"

_Stamp = tuple[str, int, int, int]
"""Name, file number, bytes and time of change of a file."""


class SourceFault(Exception):  # noqa: N818 - a state of evidence rather than of this program
    """A file cannot be read, or not to its end."""


class LineSource:
    """The lines of one file.

    Attributes:
        file: its path relative to the folder that holds the sessions.
        number: lines that were given.
        offset: bytes of the plain text that were given.
        taken: bytes of the file that were read for them.
        torn: bytes after the last line feed, which wait for the rest of their line.
        fault: why reading stopped before the end of the file; None where it did not.
    """

    def __init__(self, folder: BundleFolder, file: str) -> None:
        self.file = file
        self.taken = 0
        self.number = 0
        self.offset = 0
        self.torn = 0
        self.fault: str | None = None
        self._folder = folder
        self._seen: _Stamp | None = None
        self._was_read = False

    def has_more(self) -> bool:
        """Whether the file has changed since it was read."""
        return not self._was_read or self._stamp() != self._seen

    def what_happened(self) -> str:
        """Why this is not the file any more that was read before, which is only ever appended to; else empty.

        A file that codex compressed, or unpacked again, is the same.
        """
        seen, now = self._seen, self._stamp()
        if not seen:
            return ""
        if not now:
            return "it is gone"
        if seen[0] != now[0]:
            return ""
        if seen[1] != now[1]:
            return "another file is in its place"
        return f"it was cut to {now[2]} bytes, {seen[2]} were there" if now[2] < seen[2] else ""

    def lines(self, *, is_whole: bool) -> Generator[SessionLine, None, None]:
        """The lines that were not given yet.

        What cannot be read becomes `fault`; all lines before it are given.

        Args:
            is_whole: whether a last line without line feed is given; else it waits until it has one.
        """
        self.torn = 0
        self.fault = None
        self._seen, self._was_read = self._stamp(), True
        try:
            for data, size, ended in self.split(self.offset):
                if not ended and not is_whole:
                    self.torn = size
                    return
                self.number += 1
                offset, self.offset = self.offset, self.offset + size
                yield SessionLine(self.file, self.number, offset, data, size, ended)
        except SourceFault as error:
            self.fault = str(error)

    def read_line(self, offset: int) -> bytes:
        """The line at a place of the plain text; empty if there is none.

        Raises:
            SourceFault: it cannot be read.
        """
        with closing(_split(self._pieces(offset, _STEP_OF_LINE))) as lines:
            data, _, _ = next(lines, (b"", 0, False))
        return data

    def split(self, offset: int) -> Generator[tuple[bytes, int, bool], None, None]:
        """Each line from a place of the plain text on: its bytes, its size, and whether a line feed ended it.

        Raises:
            SourceFault: the rest cannot be read.
        """
        return _split(self._pieces(offset))

    def _stamp(self) -> _Stamp | None:
        """What changes when the file does; None if there is none."""
        try:
            name = self._name()
            found = self._folder.stat(name)
        except OSError:
            return None
        return name, found.st_ino, found.st_size, found.st_mtime_ns

    def _name(self) -> str:
        """The file as it is called now: a compressed one that is written to again is plain from then on."""
        plain = self.file.removesuffix(COMPRESSED)
        return plain if _is_there(self._folder, plain) else plain + COMPRESSED

    def _pieces(self, offset: int, step: int = _STEP) -> Iterator[bytes]:
        """The plain text from an offset on."""
        try:
            name = self._name()
            # No link is followed: what it leads to is no session of this folder.
            descriptor, _ = self._folder.open_file(name, follow=False)
            with open(descriptor, "rb", buffering=0) as file:
                if name.endswith(COMPRESSED):
                    yield from _without(offset, _decoded(self._read(file, step)))
                    return
                file.seek(offset)
                yield from self._read(file, step)
        except OSError as error:
            raise SourceFault(f"it cannot be read: {in_words(error)}") from None

    def _read(self, file: FileIO, step: int) -> Iterator[bytes]:
        while piece := file.read(step):
            self.taken = file.tell()
            yield piece


def _is_there(folder: BundleFolder, file: str) -> bool:
    try:
        folder.stat(file)
    except OSError as error:
        return not isinstance(error, FileNotFoundError)
    return True


def read_head(folder: BundleFolder, file: str, size: int) -> bytes:
    """The first bytes of the plain text of a file; fewer, also none, if there are no more to be read."""
    try:
        descriptor, _ = folder.open_file(file, follow=False)
    except OSError:
        return b""
    with open(descriptor, "rb", buffering=0) as opened:
        try:
            if not file.endswith(COMPRESSED):
                return opened.read(size)
            decoded = _decoded(iter(lambda: opened.read(_STEP), b""))
            return next(decoded, b"")[:size]
        except (OSError, SourceFault):
            return b""


def _decoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decoder = None
    for piece in pieces:
        rest = piece
        while rest or (decoder is not None and not decoder.needs_input and not decoder.eof):
            decoder = decoder or zstd.ZstdDecompressor(options=_OPTIONS)
            try:
                given = decoder.decompress(rest, max_length=_PIECE)
            except zstd.ZstdError as error:
                raise SourceFault(f"the compressed data cannot be decoded: {error}") from None
            rest = b""
            if given:
                yield given
            if decoder.eof:
                rest, decoder = decoder.unused_data, None
    if decoder is not None:
        raise SourceFault("the compressed data ends in the middle")


def _without(count: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces without the first bytes of them."""
    for piece in pieces:
        if count < len(piece):
            yield piece[count:]
        count = max(0, count - len(piece))


def _split(pieces: Iterator[bytes]) -> Generator[tuple[bytes, int, bool], None, None]:
    """Each line, the bytes of it with its line feed, and whether it has one; what is too long is cut."""
    parts: list[bytes] = []
    size = 0
    for piece in _until_fault(pieces):
        if isinstance(piece, SourceFault):
            # What came before the fault is evidence, too, but the line is not whole.
            if size:
                yield b"".join(parts), size, False
            raise piece
        *whole, rest = piece.split(b"\n")
        for part in whole:
            if size < MAX_LINE_BYTES:
                parts.append(part)
            size += len(part) + 1
            yield b"".join(parts), size, True
            parts, size = [], 0
        if rest:
            if size < MAX_LINE_BYTES:
                parts.append(rest)
            size += len(rest)
    if size:
        yield b"".join(parts), size, False


def _until_fault(pieces: Iterator[bytes]) -> Iterator[bytes | SourceFault]:
    try:
        yield from pieces
    except SourceFault as error:
        yield error
