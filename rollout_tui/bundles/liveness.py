"""Which recordings are still being written.

A recording without an end is live if another process has its log open for writing, which `/proc` tells for
processes of the same user, or if the log was written in the last `FRESH_SECONDS`: the writer may be another
user's, or on another machine with the same disk. A writer that was killed is so taken for live for that long.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

FRESH_SECONDS = 10.0
"""A log that was written so recently is taken for one that still is."""

_ACCESS_MODE = 0o3
"""The bits of the flags of an open file that say how it is used; 0 is for reading only."""


def logs_being_written(logs: Collection[Path], processes: Path = Path("/proc")) -> set[Path]:
    """Those of some logs that another process has open for writing.

    Args:
        logs: paths of event logs.
        processes: where the system tells about its processes; if it does not, no log is open.
    """
    wanted = {os.path.realpath(log): log for log in logs}
    if not wanted:
        return set()
    return {wanted[path] for path in files_being_written(wanted.__contains__, processes)}


def files_being_written(is_wanted: Callable[[str], bool], processes: Path = Path("/proc")) -> Iterator[str]:
    """The real paths of files that another process has open for writing, some perhaps several times.

    Args:
        is_wanted: whether a path is of interest.
        processes: where the system tells about its processes.
    """
    own = str(os.getpid())
    for process in _names(os.fspath(processes)):
        if not process.isdecimal() or process == own:
            continue
        # Thousands of files may be open: their names are put together as strings.
        base = f"{processes}/{process}"
        for descriptor in _names(f"{base}/fd"):
            try:
                path = os.readlink(f"{base}/fd/{descriptor}")
            except OSError:
                continue
            if is_wanted(path) and _writes(f"{base}/fdinfo/{descriptor}"):
                yield path


def is_fresh(written_at_unix_ms: int, now_unix_ms: int) -> bool:
    """Whether a log was written just now; a time in the future is a clock that was set."""
    return abs(now_unix_ms - written_at_unix_ms) <= FRESH_SECONDS * 1000


def _writes(info: str) -> bool:
    try:
        with open(info) as file:
            lines = file.read().splitlines()
    except OSError:
        return False
    flags = (line.removeprefix("flags:").strip() for line in lines if line.startswith("flags:"))
    return any(int(one, 8) & _ACCESS_MODE for one in flags)


def _names(directory: str) -> Iterator[str]:
    """Names in a directory; none where it cannot be listed, as that of another user's process."""
    try:
        with os.scandir(directory) as entries:
            yield from [entry.name for entry in entries]
    except OSError:
        return
