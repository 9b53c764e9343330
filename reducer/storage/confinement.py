"""Opens files of a bundle by way of its directory, so that no link can lead anywhere else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READ = os.O_RDONLY | os.O_CLOEXEC
_FOLDER = _READ | os.O_DIRECTORY


class NotAFile(OSError):  # noqa: N818 - what stands there may be quite in order
    """Something stands in the place of a regular file or of a folder; it was not read.

    Attributes:
        mode: what it is, as `stat` says.
    """

    def __init__(self, words: str, mode: int) -> None:
        super().__init__(errno.EINVAL, words)
        self.mode = mode


def open_file(directory: Path, folder: str, name: str) -> int:
    """Open a regular file for reading. Neither the folder nor the file may be a link.

    Args:
        directory: of the bundle; this one may be a link.
        folder: in that directory.
        name: of a file in that folder.

    Returns:
        A descriptor, which the caller closes.

    Raises:
        NotAFile: a link, a folder, a FIFO, a device or a socket; such a thing is not even opened.
        OSError: nothing there, or not readable.
    """
    with _opened_folder(directory, folder) as place:
        _check_file(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode)
        # What was a file a moment ago may be something else by now: do not wait for it.
        descriptor = os.open(name, _READ | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    try:
        _check_file(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def list_folder(directory: Path, folder: str) -> list[str]:
    """The names in a folder of a bundle, in order; none when there is no such folder.

    Raises:
        NotAFile: the folder is a link or no folder.
        OSError: it is not readable.
    """
    try:
        with _opened_folder(directory, folder) as place:
            return sorted(os.listdir(place))
    except FileNotFoundError:
        return []


@contextmanager
def _opened_folder(directory: Path, folder: str) -> Iterator[int]:
    root = os.open(directory, _FOLDER)
    try:
        mode = os.stat(folder, dir_fd=root, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise NotAFile(f"{folder} is a symbolic link; it was not followed", mode)
        place = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=root)
    finally:
        os.close(root)
    try:
        yield place
    finally:
        os.close(place)


def _check_file(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise NotAFile("a symbolic link; it was not followed", mode)
    if stat.S_ISDIR(mode):
        raise NotAFile("a directory, not a file", mode)
    if not stat.S_ISREG(mode):
        raise NotAFile("not a regular file; it was not read", mode)
