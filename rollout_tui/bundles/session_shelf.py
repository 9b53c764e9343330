"""The session files under a directory, put together to the runs that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from reducer.storage.confinement import BundleFolder
from rollout_tui.bundles.id_groups import IdGroups
from rollout_tui.bundles.session_files import sessions_under
from rollout_tui.bundles.session_summary import SessionSummary, session_summary
from rollout_tui.bundles.shelved_session import ShelvedSession


class SessionShelf:
    """The session files under a directory: the home of codex, or a folder in it."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self.path = path
        self._folder = BundleFolder(path)
        self._known: dict[str, ShelvedSession] = {}
        self._generation = 0
        self._state = (-1, 0)
        self._found: list[SessionSummary] = []
        self._summaries: dict[str, tuple[tuple[int, ...], SessionSummary]] = {}

    def find(self) -> list[ShelvedSession]:
        """The session files there are now.

        Raises:
            OSError: the directory cannot be listed.
        """
        known, self._known = self._known, {}
        for found in sessions_under(self.path):
            one = known.get(found.name)
            if one is None:
                one = ShelvedSession(self._folder, found)
            one.now_found(found)
            self._known[found.name] = one
        self._generation += known.keys() != self._known.keys()
        return [*self._known.values()]

    def files_of(self, summary: SessionSummary) -> list[ShelvedSession]:
        """The files of a run."""
        return [self._known[name] for name in summary.files]

    def summaries(self) -> list[SessionSummary]:
        """What is known of the runs, each as one; a file that cannot be used stands for itself.

        The same list as before if nothing changed.
        """
        state = self._generation, sum(one.version for one in self._known.values())
        if state != self._state:
            before, self._summaries = self._summaries, {}
            self._found = [self._summary(run, before) for run in _entries_of(self._known.values())]
            self._state = state
        return self._found

    def summaries_of(self, files: Iterable[ShelvedSession]) -> list[SessionSummary]:
        """What is known of the runs of some files."""
        return [session_summary(self.path, run) for run in _entries_of(files)]

    def _summary(
        self, run: Sequence[ShelvedSession], before: dict[str, tuple[tuple[int, ...], SessionSummary]]
    ) -> SessionSummary:
        """The summary of a run, the same as before if nothing changed."""
        name = run[0].found.name
        versions = tuple(value for one in run for value in (id(one), one.version))
        known = before.get(name)
        if known is None or known[0] != versions:
            known = versions, session_summary(self.path, run)
        self._summaries[name] = known
        return known[1]


def _entries_of(files: Iterable[ShelvedSession]) -> list[list[ShelvedSession]]:
    """The files of each run, and each file alone that cannot be used, as far as they are known."""
    known = [one for one in files if not one.needs_outline()]
    alone = [[one] for one in known if one.problem is not None]
    return [*runs_of([one for one in known if one.problem is None]), *alone]


def runs_of(files: Sequence[ShelvedSession]) -> list[list[ShelvedSession]]:
    """The files of each run, its first one first.

    A run is what hangs together by who started whom and who goes on from whose history, as
    `reducer.sessions` has it.
    """
    groups = IdGroups()
    known: set[str] = set()
    for one in files:
        groups.join(one.own_ids)
        known.update(one.own_ids)
    for one in files:
        if one.header is not None:
            groups.join([one.own_ids[0], *(one.header.relatives & known)])
    runs: dict[str, list[ShelvedSession]] = defaultdict(list)
    for one in files:
        runs[groups.of(one.own_ids[0])].append(one)
    return [_first_first(run) for run in runs.values()]


def _first_first(run: list[ShelvedSession]) -> list[ShelvedSession]:
    """The files in order of their ids, behind the eldest thread that none of the others started."""
    if len(run) == 1:
        return run
    run.sort(key=lambda one: (one.thread_id, one.own_ids, one.found.name))
    threads = {one.thread_id for one in run}
    first = next((one for one in run if one.header is None or one.header.parent_id not in threads), run[0])
    return [first, *(one for one in run if one is not first)]
