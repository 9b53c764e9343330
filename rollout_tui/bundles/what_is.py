"""What a path leads to: a bundle, a directory that may hold some, or what is none, and what to do then."""

from __future__ import annotations

import os
import re
import stat
from enum import Enum, auto
from pathlib import Path

from msgspec import Struct

from reducer.storage.bundle import LOG, MANIFEST, PAYLOADS

RECORD_HINT = "`rollout-tui record -- COMMAND...` records one"

CONVERT_HINT = "`rollout-tui convert SESSION -o BUNDLE` makes a bundle of it"

_HEAD = 4096
"""Bytes of a file that are looked at."""

_SESSION_NAME = re.compile(r"rollout-.*\.jsonl(\.zst)?", re.DOTALL)
_SESSION_HEAD = re.compile(rb'\s*\{[^\n]{0,400}"type"\s*:\s*"session_meta"')
_GRAPH_HEAD = re.compile(rb'\s*\{\s*"schema_version"[^{]*"rollout_id"[^{]*"root_thread_id"')
_LOG_HEAD = re.compile(rb'\s*\{"schema_version":\d+,"seq":')

_ARCHIVES: tuple[tuple[bytes, int, str], ...] = (
    (b"PK\x03\x04", 0, "zip"),
    (b"PK\x05\x06", 0, "zip"),
    (b"\x1f\x8b", 0, "gzip"),
    (b"BZh", 0, "bzip2"),
    (b"\xfd7zXZ\x00", 0, "xz"),
    (b"ustar", 257, "tar"),
)
"""First bytes, where they stand, and what they tell."""

_ZSTD = b"\x28\xb5\x2f\xfd"


class Kind(Enum):
    """What a path can lead to."""

    BUNDLE = auto()
    """The directory of a bundle, also a damaged one, or a file in it."""
    DIRECTORY = auto()
    """Any other directory: it may be a trace root."""
    SESSION_FILE = auto()
    """What Codex keeps of a session by itself."""
    OTHER = auto()
    NOTHING = auto()
    """Nothing is there, or nothing that can be reached."""


class Found(Struct, frozen=True):
    """What a path leads to.

    Attributes:
        kind: what it is.
        path: the directory of a bundle; of anything else the path itself.
        words: of what is no directory and no bundle what it is and what to do, to stand after its name.
    """

    kind: Kind
    path: Path
    words: str = ""


def what_is(path: Path) -> Found:
    """Find out what a path leads to. No more than the first bytes of a regular file are read.

    Args:
        path: as typed; `-` is standard input.
    """
    if os.fspath(path) == "-":
        return Found(Kind.OTHER, path, "a trace bundle is a directory, and is not read from standard input")
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return Found(Kind.NOTHING, path)
    if stat.S_ISDIR(mode):
        return Found(Kind.BUNDLE if _is_bundle(path) else Kind.DIRECTORY, path)
    if not stat.S_ISREG(mode):
        return Found(Kind.OTHER, path, f"{_special(mode)}, no trace bundle")
    directory = path.parent.parent if path.parent.name == PAYLOADS else path.parent
    if os.path.lexists(directory / MANIFEST):
        return Found(Kind.BUNDLE, directory)
    return _file(path)


def without_bundles(directory: Path) -> str:
    """What a directory is that is no bundle and holds none, and what to do, to stand after its name."""
    try:
        names = os.listdir(directory)
    except OSError:
        names = ["?"]
    if not names:
        return f"an empty directory, no trace bundle; {RECORD_HINT}"
    if any(_SESSION_NAME.fullmatch(name) for name in names):
        return "a directory of session files of codex; name one of them, `rollout-tui ls` lists them"
    return f"neither a trace bundle, there is no {MANIFEST}, nor a directory that holds one; {RECORD_HINT}"


def _is_bundle(directory: Path) -> bool:
    """Whether a directory is meant to be a bundle; its manifest may be what is missing."""
    return os.path.lexists(directory / MANIFEST) or os.path.lexists(directory / LOG)


def _special(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _file(path: Path) -> Found:
    """A regular file that is in no bundle."""
    try:
        head = _head(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Found(Kind.OTHER, path, f"a file that is in no trace bundle and cannot be read: {reason}")
    if _SESSION_NAME.fullmatch(path.name) or _SESSION_HEAD.match(head):
        words = f"a session file of codex, not a trace bundle; {CONVERT_HINT}"
        return Found(Kind.SESSION_FILE, path, words)
    return Found(Kind.OTHER, path, _file_words(path, head))


def _file_words(path: Path, head: bytes) -> str:
    archive = next((name for magic, at, name in _ARCHIVES if head.startswith(magic, at)), None)
    if archive is None and head.startswith(_ZSTD) and ".tar" in path.suffixes:
        archive = "tar.zst"
    if archive is not None:
        return f"a {archive} archive, which is not opened here: unpack it, and name the bundle that was in it"
    if not head:
        return "an empty file, no trace bundle"
    if _GRAPH_HEAD.match(head):
        return f"a reduced graph by itself; name the bundle it was made of, the directory of its {MANIFEST}"
    if _LOG_HEAD.match(head):
        return f"an event log by itself; it belongs into a bundle, beside a {MANIFEST}, which is not there"
    return f"not a file of a trace bundle, there is no {MANIFEST} beside it"


def _head(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read(_HEAD) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
