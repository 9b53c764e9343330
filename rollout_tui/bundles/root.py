"""A trace root that is looked at again and again: only what changed is read."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from reducer.storage.bundle import LOG, MANIFEST
from rollout_tui.bundles.liveness import is_fresh, logs_being_written
from rollout_tui.bundles.summary import BundleSummary, Summariser
from rollout_tui.trace_root import entries_of, started_at

Progress = Callable[[int, int], None]
"""Called with the bundles that were looked at, and how many there are; what it raises ends the look."""


PAGE = 500
"""Bundles that are listed together: reading so many takes about a second."""

FIRST_PAGE = 100
"""Those that are listed first of very many: somebody waits for the first line."""

FIRST_PUBLISHED = 0.15
"""Seconds of a look after which what it found is published for the first time."""


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


Publish = Callable[[list[ListedBundle]], None]
"""Called with the bundles that are known so far."""

_Stamp = tuple[int, int, int] | None


class TraceRoot:
    """The bundles directly under a directory."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet.

        Args:
            path: the directory, as named by `CODEX_ROLLOUT_TRACE_ROOT`.
        """
        self.path = path
        self._known: dict[str, _Known] = {}
        # A list that is left while it looks may be looked at again before that look has noticed.
        self._lock = Lock()

    def look(self, progress: Progress | None = None, publish: Publish | None = None) -> list[ListedBundle]:
        """The bundles there are now, sessions with the newest bundle first.

        Args:
            progress: told how far it is.
            publish: given what is known so far, if a look takes long; the newest bundles are read first.

        Raises:
            OSError: the directory cannot be listed.
        """
        with self._lock:
            entries = sorted(entries_of(self.path), key=lambda one: -one.written_at_unix_ms)
            names = [entry.path.name for entry in entries]
            for gone in self._known.keys() - set(names):
                del self._known[gone]
            pace = _Pace()
            for done, name in enumerate(names):
                if progress is not None:
                    progress(done, len(names))
                self._read(name)
                if publish is not None and pace.is_due():
                    publish(self._listed())
            return self._listed()

    def pages(self, size: int = PAGE, first: int = FIRST_PAGE) -> Iterator[list[ListedBundle]]:
        """The bundles there are now, newest first, as they are read.

        A session whose bundles are on several pages stands on each of them. Nothing is kept: neither in the
        memory nor for a later look.

        Args:
            size: bundles of a page.
            first: bundles of the first one, where all do not go on one page.

        Raises:
            OSError: the directory cannot be listed.
        """
        paths = [entry.path for entry in entries_of(self.path)]
        at, end = 0, size
        if len(paths) > size:
            paths.sort(key=lambda path: (-started_at(path), path))
            end = first
        while at < len(paths):
            yield grouped(with_liveness([Summariser(path).summary() for path in paths[at:end]]))
            at, end = end, end + size

    def _listed(self) -> list[ListedBundle]:
        return grouped(with_liveness([known.summary for known in self._known.values()]))

    def _read(self, name: str) -> None:
        directory = self.path / name
        stamp, known = _stamp(directory / LOG), self._known.get(name)
        if known is not None and known.is_current(directory, stamp):
            return
        goes_on = (
            known is not None and known.summary.status != "unusable" and _is_same_file(known.stamp, stamp)
        )
        summariser = known.summariser if known is not None and goes_on else Summariser(directory)
        access = _access(directory)
        self._known[name] = _Known(stamp, access, summariser, summariser.summary())


class _Known(NamedTuple):
    """What the last look found of a bundle, and by what it is known to be still so."""

    stamp: _Stamp
    access: tuple[int, ...]
    summariser: Summariser
    summary: BundleSummary

    def is_current(self, directory: Path, stamp: _Stamp) -> bool:
        """Whether nothing changed; what made a bundle unusable may be its mode as well as its manifest."""
        if self.stamp != stamp:
            return False
        return stamp is not None if self.summary.status != "unusable" else self.access == _access(directory)


class _Pace:
    """Says when it is time to publish: soon, and then after twice as long each time."""

    def __init__(self) -> None:
        self._pause = FIRST_PUBLISHED
        self._next = time.monotonic() + self._pause

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._pause *= 2
        self._next = now + self._pause
        return True


def _access(directory: Path) -> tuple[int, ...]:
    """By what an unusable bundle is known to be so still: when its files were changed, or what bars them."""
    found = []
    for path in (directory, directory / MANIFEST, directory / LOG):
        try:
            found.append(path.stat().st_ctime_ns)
        except OSError as error:
            found.append(-(error.errno or 0))
    return tuple(found)


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
    """The summaries, those that are still being written as `live`.

    How a recording of a schema that is not known ends nobody knows: it is live while a process writes it.
    """
    now = time.time_ns() // 1_000_000
    unended = {one.path / LOG for one in summaries if one.status == "stopped" and not one.recording_completed}
    written = logs_being_written(unended | {one.path / LOG for one in summaries if one.status == "unknown"})
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
