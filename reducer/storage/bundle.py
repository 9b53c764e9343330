"""A trace bundle on disk: its manifest, its log, and the way to its payloads."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from reducer.errors import BundleError, Malformed
from reducer.limits import MAX_LINE_BYTES, MAX_PAYLOAD_BYTES, megabytes
from reducer.storage.files import in_words, open_regular
from reducer.storage.payload_store import read_payload
from reducer.storage.stored_payloads import StoredPayloads
from reducer.wire.events import Manifest
from reducer.wire.payload_refs import PayloadRef
from reducer.wire.typed_json import decode_strictly

MANIFEST = "manifest.json"
LOG = "trace.jsonl"
STATE = "state.json"
PAYLOADS = "payloads"

_CHUNK = 2**20
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

    @property
    def log_path(self) -> Path:
        """The event log; its name is fixed, whatever the manifest says."""
        return self.path / LOG

    @property
    def state_path(self) -> Path:
        """Where the reduced graph is written by default."""
        return self.path / STATE

    def is_evidence(self, path: Path) -> bool:
        """Whether a path leads to the manifest, the log or into the payloads, whether or not it exists."""
        # A link at the path itself would be replaced, not followed.
        target = path.absolute().parent.resolve() / path.name
        here = self.path.resolve()
        payloads = here / PAYLOADS
        return target in (here / MANIFEST, here / LOG, payloads) or payloads in target.parents

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
            raise BundleError(f"{self.log_path}: {in_words(error)}", said) from None

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
            raise BundleError(f"{self.log_path}: {in_words(error)}") from None

    def read_manifest(self) -> bytes:
        """The bytes of `manifest.json`.

        Raises:
            BundleError: it is missing or unreadable.
        """
        return _read_manifest(self.path)

    @cached_property
    def payloads(self) -> StoredPayloads:
        """The payloads, as far as they can be read."""
        return self.open_payloads(strict=False)

    def open_payloads(self, *, strict: bool) -> StoredPayloads:
        """Prepare to read payloads.

        Args:
            strict: whether what is wrong with a shard concerns all of its records, as for the reference.
        """
        return StoredPayloads(self.path, strict=strict)

    def read_payload(self, ref: PayloadRef) -> bytes:
        """A payload as a whole, put together if it is stored in parts.

        Raises:
            UnreadablePayload: as `PayloadStore.pieces`.
        """
        return read_payload(self.payloads, ref)


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
        return _read_file(path)
    except FileNotFoundError:
        raise BundleError(f"{directory}: not a trace bundle, it holds no {MANIFEST}", _NO_FILE) from None
    except OSError as error:
        raise BundleError(f"{path}: {in_words(error)}") from None


def _bundle_directory(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        said = _NO_FILE if isinstance(error, FileNotFoundError) else None
        raise BundleError(f"{path}: {in_words(error)}", said) from None
    return path if stat.S_ISDIR(mode) else path.parent


def _open_log(directory: Path) -> BinaryIO:
    path = directory / LOG
    _check_own(directory, path)
    descriptor, _ = open_regular(path, path.stat().st_mode)
    return open(descriptor, "rb")


def _check_own(directory: Path, path: Path) -> None:
    """Manifest and log may be links, but not such as lead out of the bundle."""
    root = os.path.join(os.path.realpath(directory), "")
    if stat.S_ISREG(path.stat().st_mode) and not os.path.realpath(path).startswith(root):
        raise OSError(errno.EINVAL, "leads out of the bundle; it was not opened")


def _read_file(path: Path) -> bytes:
    """A small file as bytes. If it grows meanwhile, it is read as far as it was."""
    descriptor, size = open_regular(path, path.stat().st_mode)
    with open(descriptor, "rb") as file:
        if size > MAX_PAYLOAD_BYTES:
            raise OSError(errno.EFBIG, f"larger than {megabytes(MAX_PAYLOAD_BYTES)}, too large to be read")
        return file.read(size)


def _skip_line(log: BinaryIO) -> tuple[int, bool]:
    """Go to the end of a line; gives the bytes up to there, and whether a line feed ended it."""
    skipped, data = 0, b""
    while not data.endswith(b"\n"):
        data = log.readline(_CHUNK)
        if not data:
            return skipped, False
        skipped += len(data)
    return skipped, True
