"""A trace root that is looked at again and again: only what changed is read."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from reducer.storage.bundle import LOG, MANIFEST
from rollout_tui.bundles.liveness import is_fresh, logs_being_written
from rollout_tui.bundles.summary import BundleSummary, Summariser

Progress = Callable[[int, int], None]
"""Called with the bundles that were looked at, and how many there are; what it raises ends the look."""


@dataclass(frozen=True, slots=True)
class ListedBundle:
    """A bundle in its place among those of its session.

    Attributes:
        summary: what it is about.
        group: the root thread by which its session is known.
        place: which of its session it is in the list, from 0, the newest.
        group_size: how many bundles the session has.
        relation: `resumed`, `fork`, the role of a helper such as `review`, or empty.
    """

    summary: BundleSummary
    group: str
    place: int
    group_size: int
    relation: str


_Stamp = tuple[int, int, int] | None


class TraceRoot:
    """The bundles directly under a directory."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet.

        Args:
            path: the directory, as named by `CODEX_ROLLOUT_TRACE_ROOT`.
        """
        self.path = path
        self._known: dict[str, tuple[_Stamp, Summariser, BundleSummary]] = {}
        # A list that is left while it looks may be looked at again before that look has noticed.
        self._lock = Lock()

    def look(self, progress: Progress | None = None) -> list[ListedBundle]:
        """The bundles there are now, sessions with the newest bundle first.

        Raises:
            OSError: the directory cannot be listed.
        """
        with self._lock:
            names = _bundle_names(self.path)
            for gone in self._known.keys() - set(names):
                del self._known[gone]
            for done, name in enumerate(names):
                if progress is not None:
                    progress(done, len(names))
                self._read(name)
            summaries = [known[2] for known in self._known.values()]
        return grouped(with_liveness(summaries))

    def _read(self, name: str) -> None:
        directory = self.path / name
        stamp = _stamp(directory / LOG)
        known = self._known.get(name)
        if known is not None and known[0] == stamp and (stamp is not None or known[2].status == "unusable"):
            return
        summariser = (
            known[1] if known is not None and _is_same_file(known[0], stamp) else Summariser(directory)
        )
        self._known[name] = (stamp, summariser, summariser.summary())


def _bundle_names(root: Path) -> list[str]:
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if entry.is_dir()]
    return [name for name in names if os.path.isfile(root / name / MANIFEST)]


def _stamp(log: Path) -> _Stamp:
    """By what a log is known to be unchanged."""
    try:
        found = log.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _is_same_file(one: _Stamp, other: _Stamp) -> bool:
    return one is not None and other is not None and one[0] == other[0]


def with_liveness(summaries: Sequence[BundleSummary]) -> list[BundleSummary]:
    """The summaries, those that are still being written as `live`."""
    now = time.time_ns() // 1_000_000
    unended = {one.path / LOG for one in summaries if one.status == "stopped" and not one.recording_completed}
    written = logs_being_written(unended)
    return [
        replace(one, status="live")
        if one.path / LOG in written or (one.path / LOG in unended and is_fresh(one.written_at_unix_ms, now))
        else one
        for one in summaries
    ]


def grouped(summaries: Iterable[BundleSummary]) -> list[ListedBundle]:
    """Put the bundles of one session together, newest first within it and among sessions.

    Bundles are of one session if they name a thread in common: as their root thread, their session, the
    thread they were forked from, or the thread they work for. A resumed session has the root thread of the
    earlier one.
    """
    ordered = sorted(summaries, key=lambda one: (-one.started_at_unix_ms, str(one.path)))
    groups = _Groups()
    for one in ordered:
        groups.join(_thread_ids(one))
    members: dict[str, list[BundleSummary]] = defaultdict(list)
    for one in ordered:
        members[groups.of(_thread_ids(one)[0])].append(one)
    return [
        ListedBundle(one, group, place, len(bundles), _relation(one, bundles[place + 1 :]))
        for group, bundles in members.items()
        for place, one in enumerate(bundles)
    ]


def _thread_ids(summary: BundleSummary) -> list[str]:
    """The threads a bundle names, its own first; an unusable one has its path instead."""
    ids = (summary.root_thread_id, summary.session_id, summary.forked_from_id, summary.parent_thread_id)
    return [one for one in ids if one] or [str(summary.path)]


def _relation(summary: BundleSummary, older: Sequence[BundleSummary]) -> str:
    if summary.parent_thread_id or summary.role:
        return summary.role or "helper"
    if any(one.root_thread_id == summary.root_thread_id for one in older):
        return "resumed"
    return "fork" if summary.forked_from_id else ""


class _Groups:
    """Ids that belong together, as a forest: every id leads to the one that stands for its group."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def of(self, id_: str) -> str:
        """Who stands for the group of an id."""
        found = id_
        while (parent := self._parents.get(found, found)) != found:
            found = parent
        self._parents[id_] = found
        return found

    def join(self, ids: Sequence[str]) -> None:
        """Put some ids into one group."""
        for other in ids[1:]:
            first, second = self.of(ids[0]), self.of(other)
            if first != second:
                self._parents[second] = first
