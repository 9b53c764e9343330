"""The time of a run in columns: what an agent did in each of so many equal parts of a stretch of time.

Times are unix ms as the clock of a run tells them. Each moment lies in exactly one column, and what counts in
a column is what the agent did for the longest part of it. Failures and compactions are apart from that, so
that no state hides them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from msgspec import Struct

from reducer import ObjectRef
from rollout_tui.insight.failures.definition import Failure
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import KINDS, Kind, Lane, Segment


class Window(NamedTuple):
    """A stretch of time that is looked at.

    Attributes:
        begin: its first moment, in unix ms.
        ms: how many moments it has: at least one.
    """

    begin: int
    ms: int

    @property
    def end(self) -> int:
        """The first moment behind it."""
        return self.begin + self.ms

    def __contains__(self, at: object) -> bool:
        return isinstance(at, int) and self.begin <= at < self.end

    def columns(self, most: int) -> int:
        """How many columns it has where there is room for so many: none is without a moment."""
        return max(1, min(most, self.ms))

    def edge(self, column: int, columns: int) -> int:
        """The first moment of a column; of the one behind the last, the end."""
        return self.begin - (-column * self.ms // columns)

    def column_of(self, at: int, columns: int) -> int:
        """In which column a moment of it lies."""
        return (at - self.begin) * columns // self.ms

    def within(self, whole: Window) -> Window:
        """The nearest window of this length that has no more outside of another than it must."""
        ms = min(self.ms, whole.ms)
        return Window(max(whole.begin, min(self.begin, whole.end - ms)), ms)

    def scaled(self, ms: int, at: int, columns: int) -> Window:
        """A window of another length, in which a moment begins the column in which it lies here."""
        return Window(at + (-self.column_of(at, columns) * ms // columns), ms)

    def showing(self, at: int) -> Window:
        """This window if a moment lies in it, or else one of the same length with it in the middle."""
        return self if at in self else Window(at - self.ms // 2, self.ms)


class Mark(NamedTuple):
    """Something at one moment that is shown whatever the agent did then.

    Attributes:
        at: the moment.
        seq: sequence number with which it began.
        ref: the object that failed, the compaction, or the call that shows a rewritten history.
        failure: the failure; None for a compaction.
    """

    at: int
    seq: int
    ref: ObjectRef
    failure: Failure | None


class Column(Struct, frozen=True):
    """A column of an agent.

    Attributes:
        kind: what the agent did for the longest part of it; None where there was no agent.
        failures: how many failures lie in it.
        compactions: how many compactions.
    """

    kind: Kind | None
    failures: int = 0
    compactions: int = 0


class LaneTimes:
    """A lane by time: any column of it costs the same, however much happened.

    Attributes:
        lane: what the agent did, by sequence numbers.
        marks: its failures and compactions, in order of time.
        begin: when the agent began.
        end: when it ended, or the log does.
    """

    def __init__(self, lane: Lane, clock: Clock, marks: Iterable[Mark]) -> None:
        self.lane = lane
        self.marks: Sequence[Mark] = sorted(marks, key=lambda one: (one.at, one.seq))
        segments = lane.segments
        self.begin = clock.at(segments[0].first_seq) if segments else 0
        took = [one.ms for one in segments]
        self._starts = array("q", accumulate(took, initial=self.begin))
        self.end = self._starts[-1]
        self._until = {
            kind: array("q", accumulate((one.ms * (one.kind == kind) for one in segments), initial=0))
            for kind in KINDS
            if lane.times[kind]
        }
        self._last: tuple[tuple[Window, int], Sequence[Column]] | None = None

    def columns(self, window: Window, columns: int) -> Sequence[Column]:
        """What the agent did in each of so many columns of a window. What was asked for last is kept."""
        if self._last is None or self._last[0] != (window, columns):
            self._last = (window, columns), self._divided(window, columns)
        return self._last[1]

    def _divided(self, window: Window, columns: int) -> list[Column]:
        edges = [max(self.begin, min(window.edge(place, columns), self.end)) for place in range(columns + 1)]
        places = [self._place_of(edge) for edge in edges]
        failures, compactions = [0] * columns, [0] * columns
        for mark in self.marks_between(window.begin, window.end):
            (compactions if mark.failure is None else failures)[window.column_of(mark.at, columns)] += 1
        return [
            Column(self._kind(begin, end, first, last), failures[place], compactions[place])
            for place, ((begin, end), (first, last)) in enumerate(
                zip(pairwise(edges), pairwise(places), strict=True)
            )
        ]

    def _kind(self, begin: int, end: int, first: int, last: int) -> Kind | None:
        """What the agent did for the longest part of a time, which lies in the stretches at two places."""
        if begin == end:
            return None
        if first == last:
            return self.lane.segments[first].kind
        return self._longest(self._times_until(begin), self._times_until(end))

    def times_between(self, begin: int, end: int) -> dict[Kind, int]:
        """Milliseconds of each kind from one moment to another."""
        before, after = self._times_until(begin), self._times_until(end)
        return {kind: after[place] - before[place] for place, kind in enumerate(self._until)}

    def _times_until(self, at: int) -> tuple[int, ...]:
        """Milliseconds of each kind before a moment, kinds in the order of `_until`."""
        at = max(self.begin, min(at, self.end))
        place = self._place_of(at)
        if place < 0:
            return (0,) * len(self._until)
        running, passed = self.lane.segments[place].kind, at - self._starts[place]
        return tuple(sums[place] + passed * (kind == running) for kind, sums in self._until.items())

    def _place_of(self, at: int) -> int:
        """The place of the stretch in which a moment of the lane lies; -1 if it has none."""
        return min(bisect_right(self._starts, at), len(self.lane.segments)) - 1

    def _longest(self, before: tuple[int, ...], after: tuple[int, ...]) -> Kind | None:
        most, found = 0, None
        for kind, first, last in zip(self._until, before, after, strict=True):
            if last - first > most:
                most, found = last - first, kind
        return found

    def marks_between(self, begin: int, end: int) -> Sequence[Mark]:
        """The failures and compactions from one moment on, before another."""
        first, last = (bisect_left(self.marks, at, key=_at) for at in (begin, end))
        return self.marks[first:last]

    def segment_of(self, seq: int) -> Segment | None:
        """What the agent did from a sequence number on; None before it began and after it ended."""
        segments = self.lane.segments
        place = bisect_right(segments, seq, key=lambda one: one.first_seq) - 1
        return segments[place] if place >= 0 and seq < segments[place].last_seq else None

    def segments_between(self, begin: int, end: int) -> Sequence[Segment]:
        """What the agent did from one moment on, before another: also what took no time then."""
        first = max(0, bisect_right(self._starts, begin) - 1)
        last = bisect_left(self._starts, end)
        return self.lane.segments[first:last] if begin < self.end and end > self.begin else ()

    def longest_between(self, begin: int, end: int) -> Segment | None:
        """The stretch for which a column stands: of the kind that counts in it, the one longest in it."""
        segments = self.segments_between(begin, end)
        kind = self._longest(self._times_until(begin), self._times_until(end))
        first = max(0, bisect_right(self._starts, begin) - 1)
        most, found = -1, None
        for place, segment in enumerate(segments, first):
            inside = min(end, self._starts[place + 1]) - max(begin, self._starts[place])
            if segment.kind == kind and inside > most:
                most, found = inside, segment
        return found

    def begin_of(self, segment: Segment) -> int:
        """When a stretch of this agent began."""
        place = bisect_left(self.lane.segments, segment.first_seq, key=lambda one: one.first_seq)
        return self._starts[min(place, len(self._starts) - 1)]


def _at(mark: Mark) -> int:
    return mark.at
