"""Writes a file whole or not at all: what stood under its name stays until the new contents are on disk."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

_NEW_FILE_MODE = 0o666
"""Permissions asked for; the umask takes away from them, as for any new file."""

_TEMPORARY = re.compile(r"\.rollout-tui-[0-9a-f]{16}\.tmp")
"""The names of our temporary files."""

Contents = bytes | Iterator[bytes]
"""All of it, or piece by piece what is too large to be held as a whole."""


def pieces_of(data: Contents) -> Iterable[bytes]:
    """Contents as pieces, whichever way they are given."""
    return (data,) if isinstance(data, bytes) else data


def write_atomically(path: Path, data: Contents) -> None:
    """Put `data` under `path`, in place of any file that is there.

    The bytes go into a temporary file of the same directory, which is renamed when they are on disk. Until
    then it has no name where the system has such files: if the program is killed meanwhile, nothing is left.
    Elsewhere, and in the moment between, the next write into the directory removes what is left. A symbolic
    link at `path` is replaced, not followed: a bundle cannot lead a write out of itself.

    Args:
        path: Where the file shall be; its directory must exist.
        data: The whole contents.

    Raises:
        OSError: It could not be written, or what is at `path` is neither a file nor a link. Nothing has
            changed on disk then, and no temporary file is left.
    """
    _refuse_to_replace(path)
    remove_leftovers(path.parent)
    temporary = path.parent / f".rollout-tui-{os.urandom(8).hex()}.tmp"
    unnamed = _open_unnamed(path.parent)
    try:
        with open(_open_named(temporary) if unnamed is None else unnamed, "w+b") as file:
            file.writelines(pieces_of(data))
            file.flush()
            os.fsync(file.fileno())
            if unnamed is not None:
                _give_name(file, temporary)
            os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(path.parent)


class Evidence(Protocol):
    """What a result comes of: a bundle, or the files of a session."""

    def is_evidence(self, path: Path) -> bool:
        """Whether a path leads to it, or into it."""


def refuse_evidence(path: Path, bundle: Evidence) -> None:
    """Refuse to write over evidence or among it: a slip of the keys must not put a result over the log.

    Args:
        path: Where something is to be written.
        bundle: What it comes of.

    Raises:
        OSError: The path leads to the manifest, the log or the payloads, or to a session file.
    """
    if bundle.is_evidence(path):
        raise OSError(errno.EROFS, "it is evidence, which is only read")


def remove_leftovers(directory: Path) -> None:
    """Remove temporary files of programs that were killed; one that is being written is locked, and stays."""
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name):
                _remove_unless_locked(entry.path)


def _remove_unless_locked(path: str) -> None:
    with suppress(OSError):
        # Not blocking: a pipe may have such a name as well.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
        finally:
            os.close(descriptor)


def _open_unnamed(directory: Path) -> int | None:
    """A locked file without a name, which is gone with whoever has it open; None where there are none."""
    try:
        descriptor = os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, _NEW_FILE_MODE)
    except (OSError, AttributeError):
        return None  # or nothing can be written here at all, which shows next
    if os.path.exists(_own_path(descriptor)):
        _lock(descriptor)
        return descriptor
    os.close(descriptor)
    return None


def _open_named(path: Path) -> int:
    """A new, locked file."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        descriptor = os.open(path, flags, _NEW_FILE_MODE)
        _lock(descriptor)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # before it was locked somebody took it for a leftover


def _lock(descriptor: int) -> None:
    with suppress(OSError):  # some file systems have no locks; nothing is taken for a leftover there
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _give_name(file: IO[bytes], path: Path) -> None:
    """Let a file that has no name appear under one."""
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # Only with a directory does Python follow the link that leads to the file.
            os.link(_own_path(file.fileno()), path.name, dst_dir_fd=directory, follow_symlinks=True)
        finally:
            os.close(directory)
    except OSError:
        # Some systems make files without names, but give them none. What copies is imported for these alone:
        # every command waits for what this module imports.
        from shutil import copyfileobj

        file.seek(0)
        with open(_open_named(path), "wb") as named:
            copyfileobj(file, named)
            named.flush()
            os.fsync(named.fileno())


def _own_path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


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
