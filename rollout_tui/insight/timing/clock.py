"""The time of a run: order comes from the sequence numbers, durations from the clocks.

Where a clock went back between two events, the later event counts as simultaneous with the latest time before
it: no duration is negative, and what came first in the log comes first here. That it happened is kept.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, MutableSequence

from msgspec import Struct

from reducer import EventRecord


class BackStep(Struct, frozen=True):
    """A clock that contradicts the order of the log.

    Attributes:
        seq: sequence number of the event whose clock is behind one before it.
        ms: by how much, in milliseconds.
    """

    seq: int
    ms: int


class Clock:
    """When each event of a log happened, never before the one before it.

    Attributes:
        first_seq: sequence number of the first event; 0 for none.
        last_seq: that of the last one.
        back_steps: where clocks contradict the order, in the order of the log.
    """

    def __init__(self, events: Iterable[EventRecord]) -> None:
        """Read the clocks of events, in any order."""
        self._seqs, self._times = _in_order(events)
        self.back_steps: list[BackStep] = []
        latest: int | None = None
        for place, (seq, at) in enumerate(zip(self._seqs, self._times, strict=True)):
            if latest is not None and at < latest:
                self.back_steps.append(BackStep(seq, latest - at))
                self._times[place] = latest
            else:
                latest = at
        self.first_seq = self._seqs[0] if self._seqs else 0
        self.last_seq = self._seqs[-1] if self._seqs else 0

    def at(self, seq: int) -> int:
        """When an event happened, in unix ms; of a number without one, when the last event before it did."""
        if not self._seqs:
            return 0
        return self._times[max(0, bisect_right(self._seqs, seq) - 1)]

    def between(self, first_seq: int, last_seq: int) -> int:
        """Milliseconds from one event to another; never negative if they are in order."""
        return self.at(last_seq) - self.at(first_seq)


def _in_order(events: Iterable[EventRecord]) -> tuple[MutableSequence[int], MutableSequence[int]]:
    """The sequence numbers of events and their times: in columns, for there may be very many."""
    seqs: MutableSequence[int] = array("Q")
    times: MutableSequence[int] = array("q")
    is_sorted = True
    for event in events:
        is_sorted = is_sorted and (not seqs or seqs[-1] < event.seq)
        seqs, times = _with(seqs, event.seq), _with(times, event.at_unix_ms)
    if is_sorted:
        return seqs, times
    told = sorted(zip(seqs, times, strict=True))
    return [seq for seq, _ in told], [at for _, at in told]


def _with(column: MutableSequence[int], number: int) -> MutableSequence[int]:
    """A column with a number more; of a schema that is not known that may be any."""
    try:
        column.append(number)
    except OverflowError:
        column = [*column, number]
    return column
