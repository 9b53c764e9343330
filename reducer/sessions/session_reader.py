"""A Codex session as a graph: all files of its run, at once or as they grow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from msgspec import field

from reducer.errors import LogChangedError
from reducer.model import RolloutTrace
from reducer.model.objects import ObjectRef
from reducer.provenance import EventRecord
from reducer.recording import Reduction, Stop, T
from reducer.reduce import without_cyclic_gc
from reducer.sessions.compactions import CompactionCall
from reducer.sessions.drift import Drift
from reducer.sessions.far_texts import near
from reducer.sessions.files import NoSessionError, SessionFile
from reducer.sessions.headers import Header
from reducer.sessions.recording import SessionRecording
from reducer.sessions.run import Run
from reducer.snapshots import Snapshots
from reducer.wire.events import ExecutionStatus, RolloutStatus
from reducer.wire.json_grammar import Step

__all__ = ["NoSessionError", "SessionReader", "SessionReduction", "read_session"]

LOOK_SECONDS = 1.0
"""Between two looks for files that have come to a run, at least."""

LOOK_SHARE = 20
"""Seconds between two looks for each second that one takes: a folder may hold very many files."""


class SessionReduction(Reduction, frozen=True, kw_only=True):
    """What came of a session: a graph in the form of that of a bundle of schema 3.

    Attributes:
        drift: what was seen that is not known.
        inherited: for each item that a thread took over, the thread it is from; empty if that is not told.
        compaction_calls: the answers that made the compactions, by the ids of these.
        headers: what the first file of each thread says of it.
    """

    recording: SessionRecording
    drift: Drift
    inherited: dict[str, str] = field(default_factory=dict)
    compaction_calls: dict[str, CompactionCall] = field(default_factory=dict)
    headers: dict[str, Header] = field(default_factory=dict)

    def written(self, target: T) -> T:
        """An object of the graph as it is written to JSON: with texts that stay in their files."""
        made: T = near(target)
        return made


class SessionReader:
    """Reads the files of a run, and later only what was added to them.

    What is wrong becomes a list of problems; nothing that stands in a file makes it fail. The parts of a
    reduction that are handed out do not change when more is read, except for what only grows.
    """

    def __init__(self, session: SessionRecording | Path) -> None:
        """Find the files of the run that a session file belongs to; none of their records is read yet.

        Args:
            session: the session, or one of its files.

        Raises:
            NoSessionError: there is no such file.
        """
        self.recording = SessionRecording(session) if isinstance(session, Path) else session
        self._run = _opened(self.recording)
        self._is_whole = False
        self._look_at = monotonic() + LOOK_SECONDS
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

    @property
    def offset(self) -> int:
        """Bytes of the files that were read."""
        return self._run.taken

    @property
    def untold(self) -> int:
        """How many objects were made or changed since the last `reduction`."""
        return self._snapshots.untaken

    def has_more(self) -> bool:
        """Whether there may be more to read: a file has changed or has come, or reading was stopped.

        Raises:
            LogChangedError: a file was cut or replaced, or is gone.
        """
        changed = self._run.what_happened()
        if changed:
            raise LogChangedError(changed)
        began = monotonic()
        if began >= self._look_at:
            self.find_more()
            now = monotonic()
            self._look_at = now + max(LOOK_SECONDS, LOOK_SHARE * (now - began))
        return self._run.has_more()

    def find_more(self) -> bool:
        """Look for files of the run that have come since; say whether there are any."""
        self.recording.find_more()
        known = set(self._run.files)
        new = [one for one in self.recording.found if one.file not in known]
        for one in new:
            self._run.add(one)
        return bool(new)

    def read_on(self, stop: Stop | None = None, *, is_whole: bool = False) -> int:
        """Read what was added to the files since the last time.

        Args:
            stop: ends the reading between two records; by default everything is read.
            is_whole: whether nothing will be added any more; otherwise a last line without a line feed waits
                until it has one.

        Returns:
            How many records were read.
        """
        before, self._is_whole = self.last_seq, is_whole
        with without_cyclic_gc():
            for _ in self._run.records(is_whole=is_whole):
                self._snapshots.note(self._run.graph.touched)
                if stop is not None and stop():
                    break
        return self.last_seq - before

    def verify_payloads(self, step: Step | None = None) -> None:
        """Note which files are missing, unless they may still come."""
        if self._is_whole:
            self._run.note_missing()

    def new_events(self) -> Sequence[EventRecord]:
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
        graph, changed = self._snapshots.take(self._run.graph.view())
        self._changed_untold.update(dict.fromkeys(changed))
        return _reduction(self.recording, self._run, graph)


def read_session(session: SessionRecording | Path) -> SessionReduction:
    """Read a session: the file, and all others of the same run in the same folder.

    Args:
        session: the session, or one of its files, plain or compressed.

    Raises:
        NoSessionError: there is no such file.
    """
    recording = SessionRecording(session) if isinstance(session, Path) else session
    run = _opened(recording)
    with without_cyclic_gc():
        for _ in run.records(is_whole=True):
            pass
    run.note_missing()
    return _reduction(recording, run, run.graph.view())


def _opened(recording: SessionRecording) -> Run:
    files = recording.found
    root = _root_of(files)
    run = Run(recording.folder, root.ids.thread_id, _start_of(root))
    for one in files:
        run.add(one)
    return run


def _reduction(recording: SessionRecording, run: Run, graph: RolloutTrace) -> SessionReduction:
    root = graph.threads.get(graph.root_thread_id)
    if root is not None:
        graph.status = _STATUSES.get(root.execution.status, "running")
        graph.ended_at_unix_ms = root.execution.ended_at_unix_ms
    return SessionReduction(
        recording=recording,
        trace=graph,
        problems=[*run.graph.problems],
        provenance=run.provenance,
        certainty=run.graph.certainty.copy(),
        rebuilt_from="session",
        instructions={
            thread_id: header.instructions
            for thread_id, header in run.shared.threads.headers.items()
            if header.instructions is not None
        },
        drift=run.shared.drift,
        inherited=run.graph.inherited,
        compaction_calls=run.shared.compaction_calls,
        headers=run.shared.threads.headers,
    )


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
