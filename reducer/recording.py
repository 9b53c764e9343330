"""A recording that grows: what stands on disk of a run, the graph that is made of it, and how it is read on.

Trace bundles (`Bundle`, `GrowingReduction`) and session files (`reducer.sessions`) are such recordings.
Whoever shows one knows no more of it than this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from msgspec import Struct, field

from reducer.certainty import Certainties
from reducer.errors import Problem
from reducer.model import RolloutTrace
from reducer.model.objects import ObjectRef
from reducer.provenance import EventRecord, Provenance
from reducer.storage.bundle import LogLine
from reducer.wire.json_grammar import Step
from reducer.wire.payload_refs import PayloadRef

T = TypeVar("T")

Stop = Callable[[], bool]
"""Asked between two lines: whether to leave the rest for later."""


class Recording(Protocol):
    """What stands on disk of a run. It is only read."""

    @property
    def path(self) -> Path:
        """By which it is opened again."""

    @property
    def log_paths(self) -> list[Path]:
        """The files that a process has open as long as it still records."""

    @property
    def state_path(self) -> Path | None:
        """Where its reduced graph is written by default; None where it has no place for that."""

    def log_size(self) -> int:
        """Bytes of its log files."""

    def is_evidence(self, path: Path) -> bool:
        """Whether a path leads to what is only read, or into it."""

    def read_payload(self, ref: PayloadRef) -> bytes:
        """A payload as a whole.

        Raises:
            UnreadablePayload: it cannot be read.
        """

    def own_json(self, ref: PayloadRef) -> bytes:
        """What a payload holds itself, without its parts.

        Raises:
            UnreadablePayload: it cannot be read.
        """

    def read_line(self, offset: int, file: str = "") -> bytes:
        """The line that begins at a byte offset, without its line feed.

        Args:
            offset: where it begins.
            file: the log file, as `EventRecord.file` names it.

        Raises:
            BundleError: the file is missing or unreadable.
        """

    def lines(self, number: int = 1, offset: int = 0, file: str = "") -> Iterator[LogLine]:
        """The lines of a log file in order.

        Args:
            number: the line to begin with.
            offset: where that line begins, in bytes.
            file: the log file, as `EventRecord.file` names it.

        Raises:
            BundleError: the file is missing or unreadable.
        """


class Reduction(Struct, frozen=True):
    """What came of a recording.

    Attributes:
        recording: where it is.
        trace: its reduced graph.
        problems: what was wrong with it; empty for a bundle that the reference reduces.
        provenance: which events concern which objects.
        certainty: what of the objects was not recorded as it stands in the graph; of a bundle all was.
        rebuilt_from: of what the graph was rebuilt; None where it was recorded.
        instructions: what each thread was instructed with, as far as the recording says it beside its calls.
    """

    recording: Recording
    trace: RolloutTrace
    problems: list[Problem]
    provenance: Provenance
    certainty: Certainties = field(default_factory=Certainties)
    rebuilt_from: Literal["session"] | None = None
    instructions: dict[str, str] = field(default_factory=dict)

    def written(self, target: T) -> T:
        """An object of the graph as it is written to JSON: with all of its texts at hand."""
        return target


class Growing(Protocol):
    """One way through a recording that may still be written: as far as it goes, later what was added."""

    @property
    def recording(self) -> Recording:
        """What is read."""

    @property
    def last_seq(self) -> int:
        """Sequence number of the last event that was read; 0 before the first."""

    @property
    def offset(self) -> int:
        """Bytes of the log files that were read."""

    @property
    def untold(self) -> int:
        """How many objects were made or changed since the last `reduction`."""

    def has_more(self) -> bool:
        """Whether there may be more to read.

        Raises:
            LogChangedError: it is not the same recording any more.
            BundleError: it cannot be read.
        """

    def read_on(self, stop: Stop | None = None, *, is_whole: bool = False) -> int:
        """Read what was added since the last time.

        Args:
            stop: ends the reading between two lines; by default everything is read.
            is_whole: whether nothing will be added any more; otherwise a last line without a line feed waits
                until it has one.

        Returns:
            How many lines were read.

        Raises:
            LogChangedError: it is not the same recording any more.
            BundleError: it cannot be read.
        """

    def verify_payloads(self, step: Step | None = None) -> None:
        """Check what nothing has read, once nothing more will come.

        Args:
            step: called now and then; what it raises ends the check.
        """

    def new_events(self) -> Sequence[EventRecord]:
        """The events that were read since this was last asked."""

    def changed(self) -> list[ObjectRef]:
        """What was made or changed, up to the last `reduction`, since this was last asked.

        In order of first change. Some of it may be gone. Edges and problems are not told of.
        """

    def reduction(self) -> Reduction:
        """The graph as far as the recording was read. Its parts do not change, but provenance grows."""
