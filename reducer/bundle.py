"""A trace bundle on disk; the only module that opens files of one. Nothing outside the bundle is opened."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from msgspec import Struct

from reducer.errors import BundleError, Malformed, UnreadablePayload
from reducer.events import Manifest
from reducer.typed_json import decode_strictly

MANIFEST = "manifest.json"
LOG = "trace.jsonl"
STATE = "state.json"
SUPPORTED_SCHEMAS = frozenset({2})


class LogLine(Struct, frozen=True):
    """One physical line of the log.

    Attributes:
        number: from 1, blank lines counted.
        offset: where the line begins in the file, in bytes.
        data: its bytes without the line feed.
        ended: whether a line feed ended it; a writer that was killed leaves the last line without.
    """

    number: int
    offset: int
    data: bytes
    ended: bool


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

    def lines(self) -> Iterator[LogLine]:
        """The lines of the event log in order.

        Raises:
            BundleError: the log is missing or unreadable.
        """
        try:
            with _open_file(self.log_path) as log:
                offset = 0
                for number, data in enumerate(log, 1):
                    yield LogLine(number, offset, data.removesuffix(b"\n"), data.endswith(b"\n"))
                    offset += len(data)
        except OSError as error:
            raise BundleError(f"{self.log_path}: {_reason(error)}") from None

    def read_line(self, offset: int) -> bytes:
        """The bytes of the log line that begins at this byte offset, without the line feed.

        Raises:
            BundleError: the log is missing or unreadable.
        """
        try:
            with _open_file(self.log_path) as log:
                log.seek(offset)
                return log.readline().removesuffix(b"\n")
        except OSError as error:
            raise BundleError(f"{self.log_path}: {_reason(error)}") from None

    def payload_path(self, path: str) -> Path:
        """Where a payload reference leads.

        Raises:
            UnreadablePayload: out of the bundle - an absolute path, one with `..`, or a link that leaves it.
        """
        relative = PurePosixPath(path)
        if not path or "\0" in path or relative.is_absolute() or ".." in relative.parts:
            raise UnreadablePayload("its path leads out of the bundle; it was not opened")
        found = os.path.realpath(os.path.join(self._root, path))
        if not found.startswith(os.path.join(self._root, "")):
            raise UnreadablePayload("its path leads out of the bundle; it was not opened")
        return Path(found)

    def read_payload(self, path: str) -> bytes:
        """The bytes of a payload file.

        Raises:
            UnreadablePayload: out of the bundle, missing, not a regular file, or not readable.
        """
        found = self.payload_path(path)
        try:
            with _open_file(found, os.O_NOFOLLOW) as file:
                return file.read()
        except OSError as error:
            raise UnreadablePayload(_reason(error)) from None


def open_bundle(path: Path) -> Bundle:
    """Open a bundle by its directory or by any file in it.

    Args:
        path: a bundle directory, or `manifest.json`, `trace.jsonl` or `state.json` in one.

    Raises:
        BundleError: nothing there, not a bundle, an unreadable or unusable manifest, an unknown schema.
    """
    directory = _bundle_directory(path)
    file = directory / MANIFEST
    try:
        with _open_file(file) as stream:
            data = stream.read()
    except FileNotFoundError:
        raise BundleError(f"{directory}: not a trace bundle, it holds no {MANIFEST}") from None
    except OSError as error:
        raise BundleError(f"{file}: {_reason(error)}") from None
    try:
        manifest = decode_strictly(data, Manifest)
    except Malformed as error:
        raise BundleError(f"{file}: not a manifest: {error}") from None
    if manifest.schema_version not in SUPPORTED_SCHEMAS:
        raise BundleError(
            f"{file}: trace schema {manifest.schema_version} is not one this program knows "
            f"({', '.join(map(str, sorted(SUPPORTED_SCHEMAS)))})"
        )
    return Bundle(directory, manifest)


def _bundle_directory(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: {_reason(error)}") from None
    return path if stat.S_ISDIR(mode) else path.parent


def _open_file(path: Path, flags: int = 0) -> BinaryIO:
    """Open a regular file; anything else, such as a FIFO or a device, is not even opened."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file; it was not opened")
    # What was a file a moment ago may be something else by now: do not wait for it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file; it was not read")
    return open(descriptor, "rb")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)
