"""A bundle that may still be written, reduced as far as its log goes, or as far as somebody wants to look."""

from __future__ import annotations

from collections.abc import Sequence

from reducer.errors import LogChangedError
from reducer.model.objects import ObjectRef
from reducer.provenance import EventRecord
from reducer.recording import Reduction, Stop
from reducer.reduce import without_cyclic_gc
from reducer.replay import Replay
from reducer.snapshots import Snapshots
from reducer.storage.bundle import Bundle, LogLine
from reducer.wire.json_grammar import Step


class GrowingReduction:
    """Reduces what the log has now, and later only what was added to it.

    What is wrong with the bundle becomes a list of problems, as with `Replay`. The parts of the result that
    are handed out do not change when more is read, except for the record of provenance, which only grows.

    Attributes:
        recording: the bundle that is read.
        lines: how many lines of the log were read.
        offset: how many bytes of the log were read.
        last_seq: sequence number of the last event that was applied; 0 before the first.
        torn_bytes: bytes after the last line feed of the log, which wait for the rest of their line.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.recording = bundle
        self.lines = 0
        self.offset = 0
        self.torn_bytes = 0
        self._replay = Replay(bundle)
        self._snapshots = Snapshots()
        self._last: LogLine | None = None
        self._identity = bundle.log_identity()
        self._events_told = 0
        self._changed_untold: dict[ObjectRef, None] = {}

    @property
    def last_seq(self) -> int:
        """Sequence number of the last event that was applied; 0 before the first."""
        events = self._replay.provenance.events
        return events[-1].seq if events else 0

    @property
    def untold(self) -> int:
        """How many objects were made or changed since the last `reduction`."""
        return self._snapshots.untaken

    def has_more(self) -> bool:
        """Whether the log has grown since it was read.

        Raises:
            LogChangedError: it is not the same log any more.
            BundleError: it cannot be read.
        """
        size = self.recording.log_size()
        if self.recording.log_identity() != self._identity:
            raise LogChangedError(f"{self.recording.log_path}: another file is in its place")
        if size < self.offset:
            raise LogChangedError(
                f"{self.recording.log_path}: it was cut to {size} bytes, {self.offset} were read"
            )
        return size > self.offset + self.torn_bytes

    def read_on(self, stop: Stop | None = None, *, is_whole: bool = False) -> int:
        """Apply the lines that were added to the log since the last time.

        Args:
            stop: ends the reading between two lines; by default everything is read.
            is_whole: whether nothing will be added any more; otherwise a last line without a line feed waits
                until it has one.

        Returns:
            How many lines were applied.

        Raises:
            LogChangedError: it is not the same log any more.
            BundleError: the log is missing or unreadable.
        """
        before = self.lines
        self._check_last()
        with without_cyclic_gc():
            for line in self.recording.lines(self.lines + 1, self.offset):
                if not line.ended and not is_whole:
                    self.torn_bytes = line.size
                    break
                # A line may take longer to read than there is time: each call gets on by one at least.
                if stop is not None and self.lines > before and stop():
                    break
                self._snapshots.note(self._replay.feed(line))
                self._last, self.lines, self.torn_bytes = line, line.number, 0
                self.offset = line.offset + line.size
        return self.lines - before

    def _check_last(self) -> None:
        """See that the last line that was read is still where it was: a log is only ever appended to."""
        last = self._last
        if last is not None and self.recording.read_line(last.offset) != last.data:
            raise LogChangedError(f"{self.recording.log_path}: line {last.number} is not what it was")

    def new_events(self) -> Sequence[EventRecord]:
        """The events that were applied since this was last asked."""
        new = self._replay.provenance.events[self._events_told :]
        self._events_told += len(new)
        return new

    def verify_payloads(self, step: Step | None = None) -> None:
        """Check the payloads that no rule has read; what is wrong with them becomes a problem.

        Args:
            step: called now and then, within large payloads, too; what it raises ends the check.
        """
        self._replay.verify_payloads(step)

    def reduction(self) -> Reduction:
        """The graph as far as the log was read."""
        graph, changed = self._snapshots.take(self._replay.graph())
        self._changed_untold.update(dict.fromkeys(changed))
        return Reduction(self.recording, graph, [*self._replay.problems], self._replay.provenance)

    def changed(self) -> list[ObjectRef]:
        """What was made or changed, up to the last `reduction`, since this was last asked.

        In order of first change. A terminal session may be gone. Edges and problems are not told of.
        """
        changed = [*self._changed_untold]
        self._changed_untold.clear()
        return changed
