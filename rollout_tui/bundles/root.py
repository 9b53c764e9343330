"""Bundles and sessions of some directories, looked at again and again: only what changed is read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock

from rollout_tui.bundles.bundle_shelf import BundleShelf, ShelvedBundle
from rollout_tui.bundles.listing import ListedRun, listed, live_paths
from rollout_tui.bundles.session_shelf import SessionShelf
from rollout_tui.bundles.session_summary import SessionSummary
from rollout_tui.bundles.shelf import Shelved
from rollout_tui.bundles.summary import BundleSummary

Progress = Callable[[int, int], None]
"""Called with the recordings that were looked at, and how many there are; what it raises ends the look."""

PAGE = 500
"""Runs that are listed together: reading so many takes about a second."""

FIRST_PAGE = 100
"""Those that are listed first of very many: somebody waits for the first line."""

FIRST_PUBLISHED = 0.15
"""Seconds of a look after which what it found is published for the first time."""

Publish = Callable[[list[ListedRun]], None]
"""Called with the runs that are known so far."""


_Known = tuple[list[BundleSummary], list[SessionSummary], frozenset[Path]]


class RunList:
    """The bundles directly under one directory, and the sessions under another.

    Attributes:
        traces: the trace root, if there is one.
        sessions: the home of codex, or a folder of it, if there is one.
    """

    def __init__(self, traces: Path | None, sessions: Path | None = None) -> None:
        """Nothing is read yet.

        Args:
            traces: a directory, as named by `CODEX_ROLLOUT_TRACE_ROOT`.
            sessions: the home of codex, or a folder in it that has session files. Beside it the trace root
                may be missing, and the other way round.
        """
        self.traces = traces
        self.sessions = sessions
        self._bundle_shelf = None if traces is None else BundleShelf(traces)
        self._session_shelf = None if sessions is None else SessionShelf(sessions)
        self._shelves = [one for one in (self._bundle_shelf, self._session_shelf) if one is not None]
        # A list that is left while it looks may be looked at again before that look has noticed.
        self._lock = Lock()
        self._entries: list[Shelved] = []
        self._listed_of: tuple[_Known, list[ListedRun]] | None = None

    @property
    def places(self) -> list[Path]:
        """The directories."""
        return [place for place in (self.traces, self.sessions) if place is not None]

    def look(self, progress: Progress | None = None, publish: Publish | None = None) -> list[ListedRun]:
        """The runs there are now, sessions with the newest first.

        Args:
            progress: told how far it is.
            publish: given what is known so far, if a look takes long. Of each recording first only that is
                read whose it is; then all of it, the newest first.

        Raises:
            OSError: a directory cannot be listed.
        """
        with self._lock:
            entries = self._find()
            total, pace = len(entries), _Pace()
            for entry in entries:
                if entry.needs_outline():
                    if progress is not None:
                        progress(0, total)
                    entry.outline()
                    if publish is not None and pace.is_due():
                        publish(self._listed())
            pace = _Pace()  # what is seen first is to be whole soon
            for done, entry in enumerate(entries):
                if progress is not None:
                    progress(done, total)
                if entry.is_outdated():
                    entry.read()
                if publish is not None and pace.is_due():
                    publish(self._listed())
            return self._listed()

    def pages(self, size: int = PAGE, first: int = FIRST_PAGE) -> Iterator[list[ListedRun]]:
        """The runs there are now, newest first, as they are read.

        A session whose bundles are on several pages stands on each of them. Little is kept: neither in the
        memory nor for a later look.

        Args:
            size: runs of a page.
            first: runs of the first one, where all do not go on one page.

        Raises:
            OSError: a directory cannot be listed.
        """
        runs = self.whose()
        by_path = {entry.directory: entry for entry in self._entries if isinstance(entry, ShelvedBundle)}
        at, end = 0, size if len(runs) <= size else first
        while at < len(runs):
            yield self._read_page(runs[at:end], by_path)
            at, end = end, end + size

    def whose(self) -> list[ListedRun]:
        """The runs there are now, of which no more is read than whose they are.

        Raises:
            OSError: a directory cannot be listed.
        """
        for entry in self._find():
            if entry.needs_outline():
                entry.outline()
        return self._listed()

    def run_with(self, file: Path) -> list[ListedRun]:
        """The run that a session file belongs to; nothing else is read but whose other files are.

        Raises:
            OSError: the directory cannot be listed.
        """
        shelf = self._session_shelf
        self.whose()
        name = os.path.relpath(file, self.sessions)
        runs = [one for one in ([] if shelf is None else shelf.summaries()) if name in one.files]
        return self._read_page(listed((), runs), {})

    def _read_page(self, runs: Sequence[ListedRun], by_path: dict[Path, ShelvedBundle]) -> list[ListedRun]:
        bundles = [by_path[run.bundle.path] for run in runs if run.bundle is not None]
        sessions = {id(run.session): run.session for run in runs if run.session is not None}
        shelf = self._session_shelf
        files = [file for one in sessions.values() for file in (shelf.files_of(one) if shelf else ())]
        for entry in (*bundles, *files):
            if entry.is_outdated():
                entry.read()
        found = [one.summary for one in bundles if one.summary is not None]
        read = [] if shelf is None else shelf.summaries_of(files)
        page = listed(found, read, live_paths(found, read))
        for entry in (*bundles, *files):
            entry.forget()
        return page

    def _find(self) -> list[Shelved]:
        """What there is now, what was written last first."""
        self._entries, missing = [], []
        for shelf in self._shelves:
            try:
                self._entries += shelf.find()
            except FileNotFoundError as error:
                missing.append(error)
        if len(missing) == len(self._shelves):
            raise missing[0]
        self._entries.sort(key=lambda one: -one.written_at_unix_ms)
        return self._entries

    def _listed(self) -> list[ListedRun]:
        """What is known now; the same list as before if that is the same."""
        bundles = [] if self._bundle_shelf is None else self._bundle_shelf.summaries()
        sessions = [] if self._session_shelf is None else self._session_shelf.summaries()
        known = bundles, sessions, live_paths(bundles, sessions)
        if self._listed_of is None or self._listed_of[0] != known:
            self._listed_of = known, listed(*known)
        return self._listed_of[1]


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
