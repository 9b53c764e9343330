"""Payloads in files of their own, as schemas 1 and 2 have them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reducer.errors import UnreadablePayload
from reducer.limits import MAX_PAYLOAD_BYTES, megabytes
from reducer.storage.files import in_words, open_regular
from reducer.wire.payload_refs import FileRef

_LEADS_OUT = "its path leads out of the bundle; it was not opened"

_ROOM = 2**18
"""Bytes of a file that are looked at together: no more than what processors keep at hand."""


class PayloadFiles:
    """The payload files of one bundle."""

    def __init__(self, path: Path) -> None:
        """Prepare to read.

        Args:
            path: the bundle directory.
        """
        self._path = path
        self._root = os.path.realpath(path)
        self._folders: dict[str, str] = {}
        # Each reader takes a room from here and puts it back.
        self._rooms: list[bytearray] = []

    def pieces(self, ref: FileRef) -> Iterator[memoryview]:
        """The bytes of a payload; see `PayloadStore`. If the file grows meanwhile, as far as it was."""
        return self.pieces_at(ref.path)

    def pieces_at(self, path: str) -> Iterator[memoryview]:
        """As `pieces`, of whatever stands at a path."""
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
        found = self._place(path)
        try:
            mode = os.lstat(found).st_mode
            if stat.S_ISLNK(mode):
                found = self._inside(found)
                mode = os.stat(found).st_mode
            descriptor, size = open_regular(found, mode, os.O_NOFOLLOW)
        except OSError as error:
            raise UnreadablePayload(in_words(error)) from None
        if size > MAX_PAYLOAD_BYTES:
            os.close(descriptor)
            raise UnreadablePayload(f"larger than {megabytes(MAX_PAYLOAD_BYTES)}, too large to be read")
        return descriptor, size

    def size(self, ref: FileRef) -> int | None:
        """Size of the file in bytes, if it is there and is one."""
        try:
            found = self.path_of(ref.path).stat()
        except (OSError, UnreadablePayload):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def identity(self, ref: FileRef) -> str:
        """The path: whatever the id, it leads to the same bytes."""
        return ref.path

    def own_json(self, ref: FileRef) -> bytes:
        """The payload, which is JSON by itself."""
        return b"".join(map(bytes, self.pieces(ref)))

    def path_of(self, path: str) -> Path:
        """Where the path of a payload leads.

        Raises:
            UnreadablePayload: out of the bundle - an absolute path, one with `..`, or a link that leaves it.
        """
        found = self._place(path)
        return Path(self._inside(found) if os.path.islink(found) else found)

    def _place(self, path: str) -> str:
        """Where the folders of a path lead; the file itself may still be a link.

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
