"""Writes a file whole or not at all: what stood under its name stays until the new contents are on disk."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_NEW_FILE_MODE = 0o666
"""Permissions asked for; the umask takes away from them, as for any new file."""


Contents = bytes | Iterator[bytes]
"""All of it, or piece by piece what is too large to be held as a whole."""


def pieces_of(data: Contents) -> Iterable[bytes]:
    """Contents as pieces, whichever way they are given."""
    return (data,) if isinstance(data, bytes) else data


def write_atomically(path: Path, data: Contents) -> None:
    """Put `data` under `path`, in place of any file that is there.

    The bytes go into a temporary file of the same directory, which is renamed when they are on disk. A
    symbolic link at `path` is replaced, not followed: a bundle cannot lead a write out of itself.

    Args:
        path: Where the file shall be; its directory must exist.
        data: The whole contents.

    Raises:
        OSError: It could not be written, or what is at `path` is neither a file nor a link. Nothing has
            changed on disk then, and no temporary file is left.
    """
    _refuse_to_replace(path)
    temporary = path.parent / f".rollout-tui-{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, _NEW_FILE_MODE)
    try:
        with open(descriptor, "wb") as file:
            file.writelines(pieces_of(data))
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(path.parent)


def is_device(path: Path) -> bool:
    """Whether `path` is something to write into rather than a file to replace: a pipe, or a name in `/dev`.

    Links are followed in `/dev` and `/proc` alone, where `/dev/stdout` is one.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) and path.absolute().parts[1:2] in (("dev",), ("proc",)):
            mode = path.stat().st_mode
            return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def write_to_device(path: Path, data: Contents) -> None:
    """Write `data` into a device or pipe, such as `/dev/null` or `/dev/stdout`.

    Args:
        path: A path for which `is_device` holds.
        data: What to write.

    Raises:
        OSError: It could not be opened or written.
    """
    # Appending: `/dev/stdout` may be a file that a shell opened and wrote to before.
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), "wb") as device:
        device.writelines(pieces_of(data))


def _refuse_to_replace(path: Path) -> None:
    """Renaming over a device or a pipe would remove it; over a directory it fails late and unclearly."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        raise OSError(errno.EEXIST, "not a regular file", str(path))


def _sync_directory(directory: Path) -> None:
    """Make the rename last; some file systems cannot, and the file is in place either way."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
