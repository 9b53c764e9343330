"""The session files of one run as a recording: where they are, their lines, and what is never written to."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

from reducer.errors import BundleError, UnreadablePayload
from reducer.sessions.files import FOLDERS, SessionFile, SessionFolder
from reducer.sessions.lines import LineRef
from reducer.sessions.sources import COMPRESSED, LineSource, SourceFault
from reducer.storage.bundle import LogLine
from reducer.wire.payload_refs import PayloadRef

_Split = Generator[tuple[bytes, int, bool], None, None]

_NEAR = 2**18
"""Bytes after the line that was read last in which another one is looked for by reading on."""

_MAX_WAYS = 8
"""Files that are held open for that."""


class SessionRecording:
    """The files of the run that a session file belongs to.

    Attributes:
        path: the file that was named.
        folder: that holds the files.
        files: paths of the files in the folder, the one that was named first.
        state_path: codex keeps no graph beside its sessions.
    """

    state_path: Path | None = None

    def __init__(self, file: Path) -> None:
        """Find the files; none of their records is read yet.

        Raises:
            NoSessionError: there is no such file.
        """
        self.folder, name = SessionFolder.holding(file)
        self.path = file
        self.found: list[SessionFile] = self.folder.run_of(name)
        self._ways: dict[str, tuple[int, _Split]] = {}
        self._lock = Lock()

    @property
    def files(self) -> list[str]:
        """Paths of the files in the folder, the one that was named first."""
        return [one.file for one in self.found]

    def find_more(self) -> list[SessionFile]:
        """The files of the run that have come since this was asked last."""
        known = set(self.files)
        new = [one for one in self.folder.run_of(self.found[0].file) if one.file not in known]
        self.found = [*self.found, *new]
        return new

    @property
    def log_paths(self) -> list[Path]:
        """The files that a process has open as long as it still records."""
        return [self.folder.path / file for file in self.files]

    def log_size(self) -> int:
        """Bytes of the files, as they are on disk."""
        return sum(_size(path) for path in self.log_paths)

    def is_evidence(self, path: Path) -> bool:
        """Whether a path leads to one of the files, or to where codex keeps such files."""
        target = path.absolute().parent.resolve() / path.name
        here = self.folder.path.resolve()
        kept = [here / name for name in FOLDERS]
        if target in kept or any(one in target.parents for one in kept):
            return True
        return any(_is_same(path, one) for one in self.log_paths)

    def read_payload(self, ref: PayloadRef) -> bytes:
        """The line that a payload is.

        Raises:
            UnreadablePayload: it cannot be read any more, or is none of a session.
        """
        if not isinstance(ref, LineRef):
            raise UnreadablePayload(f"{ref.raw_payload_id} is not in a session file")
        try:
            return self.read_line(ref.offset, ref.file)
        except BundleError as error:
            raise UnreadablePayload(str(error)) from None

    own_json = read_payload

    def read_line(self, offset: int, file: str = "") -> bytes:
        """The line that begins at an offset of the plain text of a file; the named one by default.

        Raises:
            BundleError: it cannot be read.
        """
        file = file or self.files[0]
        try:
            with self._lock:
                return self._line(file, offset)
        except SourceFault as error:
            raise BundleError(f"{file}: {error}") from None

    def _line(self, file: str, offset: int) -> bytes:
        """A line of a file: mostly one soon after the one before, and a packed file has no other way."""
        is_packed = file.endswith(COMPRESSED)
        at, lines = self._ways.pop(file, (0, None))
        is_kept = lines is not None
        if lines is None or at > offset or (offset - at > _NEAR and not is_packed):
            at = 0 if is_packed else offset
            lines = LineSource(self.folder.folder, file).split(at)
        for data, size, _ in lines:
            at += size
            if at > offset:
                self._ways[file] = at, lines
                if len(self._ways) > _MAX_WAYS:
                    del self._ways[next(iter(self._ways))]
                return data
        # What was at its end may have grown since.
        return self._line(file, offset) if is_kept else b""

    def lines(self, number: int = 1, offset: int = 0, file: str = "") -> Iterator[LogLine]:
        """The lines of a file from one on; see `Recording.lines`.

        Raises:
            BundleError: they cannot be read.
        """
        file = file or self.files[0]
        try:
            for data, size, ended in LineSource(self.folder.folder, file).split(offset):
                yield LogLine(number, offset, data, ended, size)
                number, offset = number + 1, offset + size
        except SourceFault as error:
            raise BundleError(f"{file}: {error}") from None


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(one.stat(), other.stat())
    return False
