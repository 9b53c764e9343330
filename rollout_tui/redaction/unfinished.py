"""A directory that is worked on beside the place where it shall be: there whole, or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"\.rollout-tui-[0-9a-f]{16}\.redacting")


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A new directory, which takes the place of the target when the work is done, and is gone if that fails.

    If the program is killed meanwhile, the next one that works there removes what is left; a directory that
    is worked on is locked.

    Args:
        target: where it shall be; nothing may be there.

    Raises:
        OSError: something is at the target, or nothing can be written beside it.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "something is there already", str(target))
    parent = target.absolute().parent
    _remove_leftovers(parent)
    made = parent / f".rollout-tui-{secrets.token_hex(8)}.redacting"
    made.mkdir()
    descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems have no locks; nothing is taken for a leftover there
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield made
        os.rename(made, target)
    finally:
        os.close(descriptor)
        with suppress(OSError):
            shutil.rmtree(made)


def _remove_leftovers(directory: Path) -> None:
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                _remove_unless_locked(entry.path)


def _remove_unless_locked(path: str) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
        finally:
            os.close(descriptor)
