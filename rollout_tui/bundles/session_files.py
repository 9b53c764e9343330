"""The session files under a directory: which there are, which cannot be used, and why. None is opened here.

No link is followed, since what it leads to is no session of this directory, and nothing is written.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reducer.sessions.headers import NamedIds, ids_in_name
from reducer.storage.files import in_words

SESSION_NAME = re.compile(r"rollout-.*\.jsonl(\.zst)?", re.DOTALL)
"""How codex names the files of its sessions."""

SESSION_FOLDERS = ("sessions", "archived_sessions")
"""Where codex keeps them in its home, those in use first."""

_COMPRESSED = ".zst"
_DATES = re.compile(r"\d{2}|\d{4}")
_DEPTH = 4
"""Levels of folders that are looked at: codex makes one for the year, the month and the day."""

MAX_FILES = 500_000
"""Most files of a directory that are listed."""


class FoundSession(NamedTuple):
    """A file that is named like one of a session, or a folder that may hold some and cannot be listed.

    Attributes:
        name: its path below the directory that was looked at.
        ids: the ids in its name; None if it has none there.
        size: its bytes.
        changed: by what it is known to be unchanged.
        written_at_unix_ms: when it was last written.
        problem: why it cannot be used; None if nothing is known against it.
    """

    name: str
    ids: NamedIds | None
    size: int
    changed: tuple[int, ...]
    written_at_unix_ms: int
    problem: str | None


def holds_sessions(directory: Path) -> bool:
    """Whether a directory is the home of codex, one of its folders of sessions, or holds session files."""
    return any(one.name for one in _candidates(directory, "", _DEPTH + 1))


def home_of(file: Path) -> Path:
    """The directory whose sessions a session file is among: the home of codex, or where it lies."""
    above = Path(os.path.abspath(file)).parent
    for _ in range(_DEPTH):
        if above.name in SESSION_FOLDERS:
            return above.parent
        if _DATES.fullmatch(above.name) is None:
            break
        above = above.parent
    return file.parent


def sessions_under(directory: Path) -> list[FoundSession]:
    """The session files of a directory, which may be the home of codex or any folder in it, in no order.

    Of a file and its compressed form only the plain one counts, and of an archived one that is in use again
    only that.

    Raises:
        OSError: the directory cannot be listed.
    """
    os.listdir(directory)  # a directory that is missing is not an empty one
    found: dict[str, FoundSession] = {}
    for one in _candidates(directory, "", _DEPTH + 1):
        plain = _plain_name(one)
        if plain not in found or _rank(one) < _rank(found[plain]):
            found[plain] = one
        if len(found) >= MAX_FILES:
            break
    return list(found.values())


def _plain_name(one: FoundSession) -> str:
    """What two forms of one file have in common; a name without ids says only what stands there."""
    return (one.name if one.ids is None else os.path.basename(one.name)).removesuffix(_COMPRESSED)


def _rank(one: FoundSession) -> tuple[bool, bool, bool]:
    """Which of several forms of a file counts: the least."""
    return one.problem is not None, one.name.startswith(SESSION_FOLDERS[1]), one.name.endswith(_COMPRESSED)


def _candidates(directory: Path, place: str, depth: int) -> Iterator[FoundSession]:
    try:
        with os.scandir(directory / place) as entries:
            listed = list(entries)
    except OSError as error:
        yield _unusable(place, None, f"this folder cannot be listed: {in_words(error)}")
        return
    folders = []
    for entry in listed:
        if SESSION_NAME.fullmatch(entry.name):
            yield _found(entry, os.path.join(place, entry.name))
        elif depth and _may_hold(entry.name, place):
            folders.append(entry)
    for entry in folders:
        name = os.path.join(place, entry.name)
        if entry.is_symlink():
            yield _unusable(name, None, "a link, which is not followed")
        elif entry.is_dir(follow_symlinks=False):
            yield from _candidates(directory, name, depth - 1)


def _may_hold(name: str, place: str) -> bool:
    """Whether a folder may be one of those that codex makes."""
    return (not place and name in SESSION_FOLDERS) or _DATES.fullmatch(name) is not None


def _found(entry: os.DirEntry[str], name: str) -> FoundSession:
    ids = ids_in_name(entry.name)
    try:
        is_what = entry.stat(follow_symlinks=False)
    except OSError as error:
        return _unusable(name, ids, in_words(error))
    if not stat.S_ISREG(is_what.st_mode):
        linked = stat.S_ISLNK(is_what.st_mode)
        reason = "a link, which is not followed" if linked else "not a regular file; it is not opened"
        return _unusable(name, ids, reason, is_what.st_mtime_ns)
    changed = is_what.st_ino, is_what.st_size, is_what.st_mtime_ns, is_what.st_ctime_ns
    return FoundSession(name, ids, is_what.st_size, changed, is_what.st_mtime_ns // 1_000_000, None)


def _unusable(name: str, ids: NamedIds | None, reason: str, written_ns: int = 0) -> FoundSession:
    return FoundSession(name, ids, 0, (), written_ns // 1_000_000, reason)
