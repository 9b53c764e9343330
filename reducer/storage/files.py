"""Opening regular files, and nothing else."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def open_regular(path: str | Path, mode: int, flags: int = 0) -> tuple[int, int]:
    """Open a regular file for reading; anything else, such as a FIFO or a device, is not even opened.

    Args:
        path: the file.
        mode: what it is, as `stat` says.
        flags: of `os.open`, besides those that are always set.

    Returns:
        The descriptor, and the size of the file in bytes.

    Raises:
        OSError: it is none, or cannot be opened.
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


def in_words(error: Exception) -> str:
    """What the system says of a file, as the end of a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)
