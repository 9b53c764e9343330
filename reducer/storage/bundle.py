"""A trace bundle on disk: its manifest, its log, and the way to its payloads."""

from __future__ import annotations

import errno
import itertools
import stat
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from reducer.errors import BundleError, Malformed
from reducer.limits import MAX_LINE_BYTES, MAX_PAYLOAD_BYTES, megabytes
from reducer.storage.confinement import BundleFolder
from reducer.storage.files import in_words
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
        folder: the bundle directory, from which all of it is opened.
        manifest: the contents of `manifest.json`.
    """

    def __init__(self, folder: BundleFolder, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @property
    def path(self) -> Path:
        """The bundle directory."""
        return self.folder.path

    @property
    def log_path(self) -> Path:
        """The event log; its name is fixed, whatever the manifest says."""
        return self.path / LOG

    @property
    def log_paths(self) -> list[Path]:
        """The files that a process has open as long as it still records."""
        return [self.log_path]

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
            return self.folder.stat(LOG).st_size
        except OSError:
            return 0

    def has_log(self) -> bool:
        """Whether something has the name of the log, even if it is nothing that can be read."""
        try:
            self.folder.stat(LOG)
        except FileNotFoundError:
            return False
        except OSError:
            pass
        return True

    def log_written_at_unix_ms(self) -> int:
        """When the event log was last written, in milliseconds since 1970; 0 when there is none."""
        try:
            return self.folder.stat(LOG).st_mtime_ns // 1_000_000
        except OSError:
            return 0

    def log_identity(self) -> tuple[int, int] | None:
        """What tells this log from another file that takes its place; None when there is none."""
        try:
            found = self.folder.stat(LOG)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def lines(self, number: int = 1, offset: int = 0, file: str = "") -> Iterator[LogLine]:
        """The lines of the event log in order; of a line longer than `MAX_LINE_BYTES`, only the beginning.

        Args:
            number: the line to begin with.
            offset: where that line begins, in bytes.
            file: there is but one log.

        Raises:
            BundleError: the log is missing or unreadable.
        """
        try:
            with self._open_log() as log:
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

    def read_line(self, offset: int, file: str = "") -> bytes:
        """The bytes of the log line that begins at this byte offset, without the line feed.

        Of a line longer than `MAX_LINE_BYTES`, only the beginning.

        Raises:
            BundleError: the log is missing or unreadable.
        """
        try:
            with self._open_log() as log:
                log.seek(offset)
                return log.readline(MAX_LINE_BYTES + 1).removesuffix(b"\n")
        except OSError as error:
            raise BundleError(f"{self.log_path}: {in_words(error)}") from None

    def read_manifest(self) -> bytes:
        """The bytes of `manifest.json`.

        Raises:
            BundleError: it is missing or unreadable.
        """
        return _read_manifest(self.folder)

    def _open_log(self) -> BinaryIO:
        descriptor, _ = self.folder.open_file(LOG, follow=True)
        return open(descriptor, "rb")

    @cached_property
    def payloads(self) -> StoredPayloads:
        """The payloads, as far as they can be read."""
        return self.open_payloads(strict=False)

    def open_payloads(self, *, strict: bool) -> StoredPayloads:
        """Prepare to read payloads.

        Args:
            strict: whether what is wrong with a shard concerns all of its records, as for the reference.
        """
        return StoredPayloads(self.folder, strict=strict)

    def read_payload(self, ref: PayloadRef) -> bytes:
        """A payload as a whole, put together if it is stored in parts.

        Raises:
            UnreadablePayload: as `PayloadStore.pieces`.
        """
        return read_payload(self.payloads, ref)

    def own_json(self, ref: PayloadRef) -> bytes:
        """What a payload holds itself, without its parts.

        Raises:
            UnreadablePayload: as `PayloadStore.own_json`.
        """
        return self.payloads.own_json(ref)


def open_bundle(path: Path) -> Bundle:
    """Open a bundle by its directory or by any file in it.

    Args:
        path: a bundle directory, or `manifest.json`, `trace.jsonl` or `state.json` in one.

    Raises:
        BundleError: nothing there, not a bundle, an unreadable or unusable manifest. A schema that is not
            known is no reason.
    """
    folder = BundleFolder(_bundle_directory(path))
    file = folder.path / MANIFEST
    try:
        manifest = decode_strictly(_read_manifest(folder), Manifest)
    except Malformed as error:
        raise BundleError(f"{file}: not a manifest: {error}", f"read {file}") from None
    return Bundle(folder, manifest)


def _read_manifest(folder: BundleFolder) -> bytes:
    """The manifest as bytes. If it grows meanwhile, it is read as far as it was."""
    try:
        descriptor, size = folder.open_file(MANIFEST, follow=True)
        with open(descriptor, "rb") as file:
            if size > MAX_PAYLOAD_BYTES:
                limit = megabytes(MAX_PAYLOAD_BYTES)
                raise OSError(errno.EFBIG, f"larger than {limit}, too large to be read")
            return file.read(size)
    except FileNotFoundError:
        raise BundleError(f"{folder.path}: not a trace bundle, it holds no {MANIFEST}", _NO_FILE) from None
    except OSError as error:
        raise BundleError(f"{folder.path / MANIFEST}: {in_words(error)}") from None


def _bundle_directory(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        said = _NO_FILE if isinstance(error, FileNotFoundError) else None
        raise BundleError(f"{path}: {in_words(error)}", said) from None
    return path if stat.S_ISDIR(mode) else path.parent


def _skip_line(log: BinaryIO) -> tuple[int, bool]:
    """Go to the end of a line; gives the bytes up to there, and whether a line feed ended it."""
    skipped, data = 0, b""
    while not data.endswith(b"\n"):
        data = log.readline(_CHUNK)
        if not data:
            return skipped, False
        skipped += len(data)
    return skipped, True
