"""A trace bundle on disk; the only module that opens files of one. Nothing outside the bundle is opened."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from msgspec import Struct

from reducer.errors import BundleError, Malformed, UnreadablePayload
from reducer.limits import MAX_LINE_BYTES, MAX_PAYLOAD_BYTES, megabytes
from reducer.wire.events import Manifest
from reducer.wire.typed_json import decode_strictly

MANIFEST = "manifest.json"
LOG = "trace.jsonl"
STATE = "state.json"
T = TypeVar("T")
Reader = Callable[[int, int], T]
"""Reads a file, given its descriptor and its size in bytes."""

_CHUNK = 2**20
_LEADS_OUT = "its path leads out of the bundle; it was not opened"
_NO_FILE = "No such file or directory (os error 2)"


class LogLine(Struct, frozen=True):
    """One physical line of the log.

    Attributes:
        number: from 1, blank lines counted.
        offset: where the line begins in the file, in bytes.
        data: its bytes without the line feed; of a line beyond the limit only the beginning.
        ended: whether a line feed ended it; a writer that was killed leaves the last line without.
        size: all its bytes in the file, the line feed too.
    """

    number: int
    offset: int
    data: bytes
    ended: bool
    size: int


class Bundle:
    """A bundle directory whose manifest was read.

    Attributes:
        path: the bundle directory.
        manifest: the contents of `manifest.json`.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._root = os.path.realpath(path)
        self._folders: dict[str, str] = {}

    @property
    def log_path(self) -> Path:
        """The event log; its name is fixed, whatever the manifest says."""
        return self.path / LOG

    @property
    def state_path(self) -> Path:
        """Where the reduced graph is written by default."""
        return self.path / STATE

    def log_size(self) -> int:
        """Size of the event log in bytes; 0 when there is none."""
        try:
            return self.log_path.stat().st_size
        except OSError:
            return 0

    def log_identity(self) -> tuple[int, int] | None:
        """What tells this log from another file that takes its place; None when there is none."""
        try:
            found = self.log_path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def lines(self, number: int = 1, offset: int = 0) -> Iterator[LogLine]:
        """The lines of the event log in order; of a line longer than `MAX_LINE_BYTES`, only the beginning.

        Args:
            number: the line to begin with.
            offset: where that line begins, in bytes.

        Raises:
            BundleError: the log is missing or unreadable.
        """
        try:
            with _open_log(self.path) as log:
                log.seek(offset)
                for here in itertools.count(number):
                    data = log.readline(MAX_LINE_BYTES + 1)
                    if not data:
                        return
                    more, ended = 0, data.endswith(b"\n")
                    if not ended and len(data) > MAX_LINE_BYTES:
                        more, ended = _skip_line(log)
                    size = len(data) + more
                    yield LogLine(here, offset, data.removesuffix(b"\n"), ended, size)
                    offset += size
        except OSError as error:
            said = f"open trace event log {self.log_path}"
            raise BundleError(f"{self.log_path}: {_reason(error)}", said) from None

    def read_line(self, offset: int) -> bytes:
        """The bytes of the log line that begins at this byte offset, without the line feed.

        Of a line longer than `MAX_LINE_BYTES`, only the beginning.

        Raises:
            BundleError: the log is missing or unreadable.
        """
        try:
            with _open_log(self.path) as log:
                log.seek(offset)
                return log.readline(MAX_LINE_BYTES + 1).removesuffix(b"\n")
        except OSError as error:
            raise BundleError(f"{self.log_path}: {_reason(error)}") from None

    def read_manifest(self) -> bytes:
        """The bytes of `manifest.json`.

        Raises:
            BundleError: it is missing or unreadable.
        """
        return _read_manifest(self.path)

    def payload_path(self, path: str) -> Path:
        """Where a payload reference leads.

        Raises:
            UnreadablePayload: out of the bundle - an absolute path, one with `..`, or a link that leaves it.
        """
        found = self._place(path)
        return Path(self._inside(found) if os.path.islink(found) else found)

    def _place(self, path: str) -> str:
        """Where the folders of a payload reference lead; the file itself may still be a link.

        Where a folder leads is looked up once: nearly all payloads are in one.
        """
        if not path or "\0" in path or path.startswith("/") or ".." in path.split("/"):
            raise UnreadablePayload(_LEADS_OUT)
        folder, _, name = path.rpartition("/")
        if name in ("", "."):
            return self._inside(os.path.join(self._root, path))
        if folder not in self._folders:
            leads_to = self._inside(os.path.join(self._root, folder, "."), may_be_root=True)
            self._folders[folder] = os.path.join(leads_to, "")
        return self._folders[folder] + name

    def _inside(self, path: str, *, may_be_root: bool = False) -> str:
        found = os.path.realpath(path)
        if found.startswith(os.path.join(self._root, "")) or (may_be_root and found == self._root):
            return found
        raise UnreadablePayload(_LEADS_OUT)

    def read_payload(self, path: str) -> bytes:
        """The bytes of a payload file.

        Raises:
            UnreadablePayload: out of the bundle, missing, not a regular file, too large, or not readable.
        """
        return self._read_payload(path, _read_all)

    def read_payload_over(self, path: str, before: bytearray, room: bytearray) -> int:
        """Put the bytes of a payload file in the place of others, with which they may have much in common.

        If it fails, nothing can be said of `before`.

        Args:
            path: of the payload.
            before: what is replaced.
            room: what the file is read through, piece by piece; what stands in it does not matter.

        Returns:
            How many bytes at the beginning of `before` have stayed.

        Raises:
            UnreadablePayload: as in `read_payload`.
        """
        return self._read_payload(path, partial(_read_over, before=before, room=room))

    def _read_payload(self, path: str, read: Reader[T]) -> T:
        found = self._place(path)
        try:
            mode = os.lstat(found).st_mode
            if stat.S_ISLNK(mode):
                found = self._inside(found)
                mode = os.stat(found).st_mode
            return _read_file(found, mode, read, os.O_NOFOLLOW)
        except OSError as error:
            raise UnreadablePayload(_reason(error)) from None


def open_bundle(path: Path) -> Bundle:
    """Open a bundle by its directory or by any file in it.

    Args:
        path: a bundle directory, or `manifest.json`, `trace.jsonl` or `state.json` in one.

    Raises:
        BundleError: nothing there, not a bundle, an unreadable or unusable manifest. A schema that is not
            known is no reason.
    """
    directory = _bundle_directory(path)
    file = directory / MANIFEST
    try:
        manifest = decode_strictly(_read_manifest(directory), Manifest)
    except Malformed as error:
        raise BundleError(f"{file}: not a manifest: {error}", f"read {file}") from None
    return Bundle(directory, manifest)


def _read_manifest(directory: Path) -> bytes:
    path = directory / MANIFEST
    try:
        _check_own(directory, path)
        return _read_file(path, path.stat().st_mode, _read_all)
    except FileNotFoundError:
        raise BundleError(f"{directory}: not a trace bundle, it holds no {MANIFEST}", _NO_FILE) from None
    except OSError as error:
        raise BundleError(f"{path}: {_reason(error)}") from None


def _bundle_directory(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        said = _NO_FILE if isinstance(error, FileNotFoundError) else None
        raise BundleError(f"{path}: {_reason(error)}", said) from None
    return path if stat.S_ISDIR(mode) else path.parent


def _open_log(directory: Path) -> BinaryIO:
    path = directory / LOG
    _check_own(directory, path)
    descriptor, _ = _open_regular(path, path.stat().st_mode)
    return open(descriptor, "rb")


def _check_own(directory: Path, path: Path) -> None:
    """Manifest and log may be links, but not such as lead out of the bundle."""
    root = os.path.join(os.path.realpath(directory), "")
    if stat.S_ISREG(path.stat().st_mode) and not os.path.realpath(path).startswith(root):
        raise OSError(errno.EINVAL, "leads out of the bundle; it was not opened")


def _open_regular(path: str | Path, mode: int, flags: int = 0) -> tuple[int, int]:
    """Open a regular file; anything else, such as a FIFO or a device, is not even opened.

    Args:
        path: the file.
        mode: what it is, as `stat` says.
        flags: of `os.open`, besides those that are always set.

    Returns:
        The descriptor, and the size of the file in bytes.
    """
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file; it was not opened")
    # What was a file a moment ago may be something else by now: do not wait for it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file; it was not read")
    return descriptor, found.st_size


def _read_file(path: str | Path, mode: int, read: Reader[T], flags: int = 0) -> T:
    """Read a regular file, which must not be larger than what is held in memory at once."""
    descriptor, size = _open_regular(path, mode, flags)
    try:
        if size > MAX_PAYLOAD_BYTES:
            raise OSError(errno.EFBIG, f"larger than {megabytes(MAX_PAYLOAD_BYTES)}, too large to be read")
        return read(descriptor, size)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    """A file as bytes. If it grows meanwhile, it is read as far as it was."""
    data = os.read(descriptor, size + 1)
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def _read_over(descriptor: int, size: int, before: bytearray, room: bytearray) -> int:
    """As `Bundle.read_payload_over`. If the file grows meanwhile, it is read as far as it was."""
    done, same, view = 0, 0, memoryview(room)
    while done < size and (got := os.readv(descriptor, [room])):
        piece, shared = view[: min(got, size - done)], 0
        if same == done:  # nothing was different so far
            shared = _common_length(piece, before, done)
            same += shared
            if shared < len(piece):
                del before[same:]
        before += piece[shared:]
        done += len(piece)
    del before[done:]
    return same


def _common_length(piece: memoryview, text: bytearray, start: int) -> int:
    """How many bytes at the beginning of a piece stand in a text, too, from `start` on."""
    if text.startswith(piece, start):
        return len(piece)
    low, high = 0, len(piece)
    while low < high:
        middle = (low + high + 1) // 2
        if text.startswith(piece[low:middle], start + low):
            low = middle
        else:
            high = middle - 1
    return low


def _skip_line(log: BinaryIO) -> tuple[int, bool]:
    """Go to the end of a line; gives the bytes up to there, and whether a line feed ended it."""
    skipped, data = 0, b""
    while not data.endswith(b"\n"):
        data = log.readline(_CHUNK)
        if not data:
            return skipped, False
        skipped += len(data)
    return skipped, True


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)
