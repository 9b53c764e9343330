"""Payloads in files of their own, as schemas 1 and 2 have them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from reducer.errors import UnreadablePayload
from reducer.limits import MAX_PAYLOAD_BYTES, megabytes
from reducer.storage.confinement import BundleFolder, LeadsOut, NotAFile
from reducer.storage.files import in_words
from reducer.wire.payload_refs import FileRef

_ROOM = 2**18
"""Bytes of a file that are looked at together: no more than what processors keep at hand."""

_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})


class ForeignPayload(UnreadablePayload):
    """Its path leads out of the bundle: an absolute one, one with `..`, or a link that leaves it."""

    def __init__(self) -> None:
        super().__init__("its path leads out of the bundle; it was not opened")


class MissingPayload(UnreadablePayload):
    """There is no file of this path."""


class FolderPayload(UnreadablePayload):
    """A directory stands at its path: the reference opens that, and then cannot read it."""


class PayloadFiles:
    """The payload files of one bundle."""

    def __init__(self, folder: BundleFolder) -> None:
        """Prepare to read.

        Args:
            folder: of the bundle.
        """
        self._folder = folder
        # Each reader takes a room from here and puts it back.
        self._rooms: list[bytearray] = []

    def pieces(self, ref: FileRef) -> Iterator[memoryview]:
        """The bytes of a payload; see `PayloadStore`. If the file grows meanwhile, as far as it was."""
        return self.pieces_at(ref.path)

    def pieces_at(self, path: str) -> Iterator[memoryview]:
        """As `pieces`, of whatever stands at a path.

        Raises:
            ForeignPayload: the path leads out of the bundle; nothing was opened.
            MissingPayload: nothing is there.
            FolderPayload: a directory is there.
            UnreadablePayload: it is no regular file, too large, or not readable.
        """
        descriptor, size = self._open(path)
        room = self._rooms.pop() if self._rooms else bytearray(_ROOM)
        try:
            view, done = memoryview(room), 0
            while done < size and (got := os.readv(descriptor, [room])):
                got = min(got, size - done)
                done += got
                yield view[:got]
        except OSError as error:
            raise UnreadablePayload(in_words(error)) from None
        finally:
            os.close(descriptor)
            self._rooms.append(room)

    def _open(self, path: str) -> tuple[int, int]:
        """Descriptor and size of a payload file."""
        _check(path)
        try:
            descriptor, size = self._folder.open_file(path, follow=True)
        except LeadsOut:
            raise ForeignPayload from None
        except NotAFile as error:
            kind = FolderPayload if stat.S_ISDIR(error.mode) else UnreadablePayload
            raise kind(in_words(error)) from None
        except OSError as error:
            kind = MissingPayload if error.errno in _MISSING else UnreadablePayload
            raise kind(in_words(error)) from None
        if size > MAX_PAYLOAD_BYTES:
            os.close(descriptor)
            raise UnreadablePayload(f"larger than {megabytes(MAX_PAYLOAD_BYTES)}, too large to be read")
        return descriptor, size

    def size(self, ref: FileRef) -> int | None:
        """Size of the file in bytes, if it is there and is one."""
        try:
            _check(ref.path)
            found = self._folder.stat(ref.path)
        except (OSError, UnreadablePayload):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def identity(self, ref: FileRef) -> str:
        """The path: whatever the id, it leads to the same bytes."""
        return ref.path

    def own_json(self, ref: FileRef) -> bytes:
        """The payload, which is JSON by itself."""
        return b"".join(map(bytes, self.pieces(ref)))


def _check(path: str) -> None:
    """See that a path as such stays in the bundle, and is more than its directory."""
    parts = {*path.split("/")}
    if path.startswith("/") or "\0" in path or ".." in parts:
        raise ForeignPayload
    if parts <= {"", "."}:
        raise FolderPayload("the bundle's own directory, not a file")
