"""Where the reader is in the time of a run: which stretch of it is looked at, and the spot in that. Pure.

The spot is a moment, and the stretch begins at one: neither moves when the recording grows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from reducer import ObjectRef
from rollout_tui.insight.timing.columns import LaneTimes, Mark, Window
from rollout_tui.insight.timing.lanes import Segment
from rollout_tui.insight.timing.run_time import RunTime

PART = 10
"""A pan goes by this part of what is shown."""


class Spot(NamedTuple):
    """A moment, and what the reader has gone to at it.

    Attributes:
        at: the moment, in unix ms.
        thread_id: the agent in which it was gone to something; empty where it was only moved to the moment.
        seq: sequence number with which the stretch begins that was gone to; None if it was to a mark.
        ref: the failure or compaction that was gone to.
    """

    at: int
    thread_id: str = ""
    seq: int | None = None
    ref: ObjectRef | None = None


class Here(NamedTuple):
    """What is at the spot in one agent.

    Attributes:
        segment: the stretch that its column stands for, or that was gone to; None where there is no agent.
        marks: the failures and compactions in the column: first the one gone to, then failures.
        others: how many other stretches lie in the column.
        ref: what it leads to.
    """

    segment: Segment | None
    marks: Sequence[Mark]
    others: int
    ref: ObjectRef


class TimeLook:
    """Looks at a stretch of a run in columns, at one spot of it.

    Attributes:
        found: the time of the run.
        spot: where the reader is.
        room: how many columns there is room for.
    """

    def __init__(self, found: RunTime, spot: Spot | None = None, window: Window | None = None) -> None:
        """Begin to look.

        Args:
            found: the time of the run.
            spot: where to begin; by default at the first moment.
            window: what to look at; None for the whole run, also when that grows.
        """
        self.found = found
        self.spot = spot or Spot(found.whole.begin)
        self.room = 1
        self.zoomed = window
        self.take(found)

    def take(self, found: RunTime) -> None:
        """Go on with what became of the run. Spot and stretch stay, as far as the run still has them."""
        self.found = found
        at = max(found.whole.begin, min(self.spot.at, found.whole.end - 1))
        if at != self.spot.at:
            self.spot = Spot(at)
        if self.zoomed is not None:
            self.zoomed = self.zoomed.within(found.whole)

    # Columns

    @property
    def window(self) -> Window:
        """What is looked at."""
        return self.found.whole if self.zoomed is None else self.zoomed

    @property
    def columns(self) -> int:
        """In how many columns."""
        return self.window.columns(self.room)

    @property
    def column(self) -> int:
        """In which of them the spot is."""
        return self.window.column_of(self.spot.at, self.columns)

    def fit_into(self, room: int) -> None:
        """Take as many columns as there is room for, none shorter than a millisecond as far as that goes."""
        self.room = max(1, room)
        self._look_at(self.window if self.zoomed is None or self.window.ms >= room else self._longer(room))

    def _longer(self, ms: int) -> Window:
        middle = self.window.begin + self.window.ms // 2
        return Window(middle - ms // 2, ms)

    def _look_at(self, window: Window) -> None:
        whole = self.found.whole
        self.zoomed = None if window.ms >= whole.ms else window.showing(self.spot.at).within(whole)

    # Moving

    def go(self, spot: Spot) -> None:
        """Go to a spot: what is shown moves only if it is outside."""
        whole = self.found.whole
        self.spot = spot._replace(at=max(whole.begin, min(spot.at, whole.end - 1)))
        self._look_at(self.window)

    def move(self, columns: int) -> bool:
        """Go so many columns on, or back; say whether there was any room for that."""
        before, column = self.spot.at, self.column + columns
        if 0 <= column < self.columns:
            at = self.window.edge(column, self.columns)
        else:
            at = before + columns * max(1, self.window.ms // self.columns)
        self.go(Spot(at))
        return self.spot.at != before

    def pan(self, direction: int) -> bool:
        """Go a tenth of what is shown on, or back."""
        return self.move(direction * max(1, self.columns // PART))

    def zoom(self, direction: int) -> bool:
        """Look at half of it, or at twice as much, with the spot in the same column if that can be.

        Returns:
            Whether it can be looked at more closely, or from farther away.
        """
        window, columns = self.window, self.columns
        ms = max(min(self.room, window.ms), window.ms // 2) if direction > 0 else window.ms * 2
        if direction < 0 and self.zoomed is None:
            return False
        self._look_at(window.scaled(ms, self.spot.at, columns))
        return self.window != window

    def turn_whole(self, thread_id: str) -> None:
        """Look at the whole run again, or else at what is at the spot, and as much around that."""
        segment = self.here(thread_id).segment
        if self.zoomed is not None or segment is None:
            self.zoomed = None
            return
        ms = max(self.room, 2 * segment.ms)
        begin = self.found.lanes[thread_id].begin_of(segment)
        self._look_at(Window(begin - (ms - segment.ms) // 2, ms))

    # What is there

    def here(self, thread_id: str) -> Here:
        """What is at the spot in an agent."""
        lane = self.found.lanes[thread_id]
        begin, end = (self.window.edge(self.column + one, self.columns) for one in (0, 1))
        is_own = self.spot.thread_id == thread_id
        segment = lane.longest_between(begin, end)
        if is_own and self.spot.seq is not None:
            segment = lane.segment_of(self.spot.seq) or segment
        marks = sorted(
            lane.marks_between(begin, end),
            key=lambda one: (not (is_own and one.ref == self.spot.ref), one.failure is None, one.at),
        )
        ref = marks[0].ref if marks and not (is_own and self.spot.seq is not None) else None
        others = len(lane.segments_between(begin, end)) - (segment is not None)
        return Here(segment, marks, max(0, others), ref or leads_to(lane, segment))

    # Steps

    def next_stretch(self, thread_id: str, direction: int, *, of_kind: bool) -> Spot | None:
        """The next stretch of an agent, or the one before; None if there is none.

        Args:
            thread_id: the agent.
            direction: 1 or -1.
            of_kind: whether only one counts of the kind that is at the spot.
        """
        lane = self.found.lanes[thread_id]
        segments, here = lane.lane.segments, self.here(thread_id).segment
        if here is None:
            return self._nearest_end(lane, direction)
        place = bisect_left(segments, here.first_seq, key=attrgetter("first_seq")) + direction
        while 0 <= place < len(segments) and of_kind and segments[place].kind != here.kind:
            place += direction
        return self.spot_of(thread_id, segments[place]) if 0 <= place < len(segments) else None

    def _nearest_end(self, lane: LaneTimes, direction: int) -> Spot | None:
        """From outside of an agent's time: its first stretch, or the last one."""
        if not lane.lane.segments or (self.spot.at < lane.begin) != (direction > 0):
            return None
        return self.spot_of(lane.lane.thread_id, lane.lane.segments[0 if direction > 0 else -1])

    def spot_of(self, thread_id: str, segment: Segment) -> Spot:
        """The spot at which a stretch of an agent begins."""
        return Spot(self.found.lanes[thread_id].begin_of(segment), thread_id, segment.first_seq)

    def next_mark(self, direction: int, *, failures: bool) -> Spot | None:
        """The next failure or compaction of any agent, or the one before; None if there is none.

        Args:
            direction: 1 or -1.
            failures: whether a failure is wanted, not a compaction.
        """
        marks = sorted(
            (mark.at, mark.seq, thread_id, mark.ref)
            for thread_id, lane in self.found.lanes.items()
            for mark in lane.marks
            if (mark.failure is not None) == failures
        )
        spots = [Spot(at, thread_id, None, ref) for at, _, thread_id, ref in marks]
        if self.spot in spots:
            place = spots.index(self.spot) + direction
        else:
            after = bisect_right(spots, self.spot.at, key=attrgetter("at"))
            place = after if direction > 0 else bisect_left(spots, self.spot.at, key=attrgetter("at")) - 1
        return spots[place] if 0 <= place < len(spots) else None


def leads_to(lane: LaneTimes, segment: Segment | None) -> ObjectRef:
    """The object at which a stretch can be looked at: where the agent was idle, what it did before."""
    if segment is not None:
        segments = lane.lane.segments
        place = bisect_left(segments, segment.first_seq, key=attrgetter("first_seq"))
        before = (one.ref for one in reversed(segments[max(0, place - 1) : place + 1]))
        found = next((ref for ref in before if ref is not None), None)
        if found is not None:
            return found
    return ObjectRef("Thread", lane.lane.thread_id)
