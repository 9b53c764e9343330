"""Files that grow by whole pieces, so that what is in them stays readable when a disk fills up."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class AppendOnlyFile:
    """A new file, to whose end pieces are written at once.

    Attributes:
        size: bytes of the whole pieces in it.
        is_torn: the beginning of a piece that could not be written is still behind them.
    """

    def __init__(self, path: Path) -> None:
        """Make the file.

        Raises:
            OSError: it exists or cannot be made.
        """
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._path = path
        self._descriptor = os.open(path, flags, 0o666)
        self.is_torn = False
        self.size = 0

    def append(self, data: bytes) -> None:
        """Write a piece at the end.

        Raises:
            OSError: it could not be written. What was written of it is cut off again: now, or before the next
                piece is written.
        """
        self._cut_off_rest()
        rest = memoryview(data)
        try:
            # A disk that fills up takes the beginning before it says so.
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self.is_torn = True
            with contextlib.suppress(OSError):
                self._cut_off_rest()
            raise
        self.size += len(data)

    def read(self) -> bytes:
        """The pieces in it.

        Raises:
            OSError: they cannot be read.
        """
        return os.pread(self._descriptor, self.size, 0)

    def close(self) -> None:
        """Write no more."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def remove(self) -> bool:
        """Close the file and take it back; whether it is gone."""
        self.close()
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _cut_off_rest(self) -> None:
        if self.is_torn:
            os.ftruncate(self._descriptor, self.size)
            self.is_torn = False
