"""A Codex session as a graph: all files of its run, at once or as they grow."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from reducer.changes import ObjectRef
from reducer.errors import Problem
from reducer.model import RolloutTrace
from reducer.provenance import EventRecord
from reducer.reduce import without_cyclic_gc
from reducer.sessions.certainty import Certainties
from reducer.sessions.compactions import CompactionCall
from reducer.sessions.drift import Drift
from reducer.sessions.files import NoSessionError, SessionFile, SessionFolder
from reducer.sessions.headers import Header
from reducer.sessions.lines import LineRef, Record
from reducer.sessions.provenance import SessionProvenance
from reducer.sessions.run import Run
from reducer.sessions.sources import LineSource, SourceFault
from reducer.snapshots import Snapshots
from reducer.wire.events import ExecutionStatus, RolloutStatus

__all__ = ["NoSessionError", "SessionReader", "SessionReduction", "read_session"]

MISSING_THREAD = "What it did is not in the graph; only what others recorded of it."

Stop = Callable[[Record], bool]
"""Asked after a record was read: whether to leave the rest for later."""


class SessionReduction(Struct, frozen=True):
    """What came of a session.

    Attributes:
        folder: that holds the files; their paths are relative to it.
        files: the files of the run, the one that was asked for first.
        graph: the graph, in the form of that of a bundle of schema 3.
        problems: what was wrong.
        provenance: the records behind the objects.
        certainty: what of the objects is rebuilt, inferred or not recorded, by their ids.
        drift: what was seen that is not known.
        inherited: for each item that a thread took over, the thread it is from; empty if that is not told.
        compaction_calls: the answers that made the compactions, by the ids of these.
        headers: what the first file of each thread says of it.
    """

    folder: Path
    files: list[str]
    graph: RolloutTrace
    problems: list[Problem]
    provenance: SessionProvenance
    certainty: Certainties
    drift: Drift
    inherited: dict[str, str]
    compaction_calls: dict[str, CompactionCall]
    headers: dict[str, Header]

    @property
    def trace(self) -> RolloutTrace:
        """The graph, as the reduction of a bundle calls it."""
        return self.graph

    def is_evidence(self, path: Path) -> bool:
        """Whether a path leads to one of the files of the run."""
        try:
            wanted = path.stat()
        except OSError:
            return False
        for name in self.files:
            with suppress(OSError):
                if os.path.samestat(wanted, (self.folder / name).stat()):
                    return True
        return False

    def read_payload(self, raw_payload_id: str) -> bytes:
        """The line that a payload of the graph is.

        Raises:
            SourceFault: it cannot be read any more, or there is no such payload.
        """
        ref = self.graph.raw_payloads.get(raw_payload_id)
        if not isinstance(ref, LineRef):
            raise SourceFault(f"there is no payload {raw_payload_id}")
        return LineSource(self.folder, ref.file).read_line(ref.offset)


class SessionReader:
    """Reads the files of a run, and later only what was added to them.

    What is wrong becomes a list of problems; nothing that stands in a file makes it fail. The parts of a
    reduction that are handed out do not change when more is read, except for what only grows.
    """

    def __init__(self, file: Path) -> None:
        """Find the files of the run that a session file belongs to; none of their records is read yet.

        Raises:
            NoSessionError: there is no such file.
        """
        self._run = _opened(file)
        self._snapshots = Snapshots()
        self._events_told = 0
        self._changed_untold: dict[ObjectRef, None] = {}

    @property
    def last_seq(self) -> int:
        """Place of the last record that was read; 0 before the first."""
        events = self._run.provenance.events
        return events[-1].seq if events else 0

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self._run.lines

    def has_more(self) -> bool:
        """Whether there may be more to read: a file has changed, or reading was stopped."""
        return self._run.has_more()

    def find_more(self) -> bool:
        """Look for files of the run that have come since; say whether there are any."""
        known = set(self._run.files)
        new = [one for one in self._run.folder.run_of(self._run.files[0]) if one.file not in known]
        for one in new:
            self._run.add(one)
        return bool(new)

    def read_on(self, stop: Stop | None = None, *, is_whole: bool = False) -> int:
        """Read what was added to the files since the last time.

        Args:
            stop: ends the reading after a record; by default everything is read.
            is_whole: whether nothing will be added any more; otherwise a last line without a line feed waits
                until it has one.

        Returns:
            How many records were read.
        """
        before = self.last_seq
        with without_cyclic_gc():
            for record in self._run.records(is_whole=is_whole):
                self._snapshots.note(self._run.graph.touched)
                if stop is not None and stop(record):
                    break
        return self.last_seq - before

    def new_events(self) -> list[EventRecord]:
        """The records that were read since this was last asked."""
        new = self._run.provenance.events[self._events_told :]
        self._events_told += len(new)
        return new

    def changed(self) -> list[ObjectRef]:
        """What was made or changed, up to the last `reduction`, since this was last asked.

        In order of first change. A call may be gone: what was taken for one made a summary.
        """
        changed = [*self._changed_untold]
        self._changed_untold.clear()
        return changed

    def reduction(self) -> SessionReduction:
        """The graph as far as the files were read."""
        graph, changed = self._snapshots.take(self._run.graph.trace)
        self._changed_untold.update(dict.fromkeys(changed))
        return _reduction(self._run, graph)


def read_session(file: Path) -> SessionReduction:
    """Read a session: the file, and all others of the same run in the same folder.

    Args:
        file: a session file, plain or compressed.

    Raises:
        NoSessionError: there is no such file.
    """
    run = _opened(file)
    with without_cyclic_gc():
        for _ in run.records(is_whole=True):
            pass
    return _reduction(run, run.graph.trace)


def _opened(file: Path) -> Run:
    folder, name = SessionFolder.holding(file)
    files = folder.run_of(name)
    root = _root_of(files)
    run = Run(folder, root.ids.thread_id, _start_of(root))
    for one in files:
        run.add(one)
    return run


def _reduction(run: Run, graph: RolloutTrace) -> SessionReduction:
    root = graph.threads.get(graph.root_thread_id)
    if root is not None:
        graph.status = _STATUSES.get(root.execution.status, "running")
        graph.ended_at_unix_ms = root.execution.ended_at_unix_ms
    return SessionReduction(
        run.folder.path,
        run.files,
        graph,
        [*run.graph.problems, *_missing(run, graph)],
        run.provenance,
        run.graph.certainty,
        run.shared.drift,
        run.graph.inherited,
        run.shared.compaction_calls,
        run.shared.threads.headers,
    )


def _missing(run: Run, graph: RolloutTrace) -> list[Problem]:
    """Threads that others name, but whose files are not there."""
    spawns = [edge_id for edge_id in graph.interaction_edges if edge_id.startswith("edge:spawn:")]
    named = {edge_id.rpartition(":")[2] for edge_id in spawns}
    for header in run.shared.threads.headers.values():
        named |= {header.parent_id or header.thread_id}
    return [
        Problem(reason=f"there is no session file of thread {one}", consequence=MISSING_THREAD, thread_id=one)
        for one in sorted(named - graph.threads.keys())
    ]


_STATUSES: dict[ExecutionStatus, RolloutStatus] = {
    "completed": "completed",
    "failed": "failed",
    "aborted": "aborted",
    "cancelled": "aborted",
}


def _root_of(files: list[SessionFile]) -> SessionFile:
    """The thread that the others came of: the eldest of those that none of the others started."""
    ids = {one.ids.thread_id for one in files}
    first = [one for one in files if one.header is None or one.header.parent_id not in ids]
    return min(first or files, key=lambda one: one.ids.thread_id)


def _start_of(root: SessionFile) -> int:
    started = None if root.header is None else root.header.started_at_unix_ms
    return 0 if started is None else started
