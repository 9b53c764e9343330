"""The time of a run: order comes from the sequence numbers, durations from the clocks.

Where a clock went back between two events, the later event counts as simultaneous with the latest time before
it: no duration is negative, and what came first in the log comes first here. That it happened is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from reducer import EventRecord


@dataclass(frozen=True, slots=True)
class BackStep:
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
        told = sorted((event.seq, event.at_unix_ms) for event in events)
        self._seqs = [seq for seq, _ in told]
        self._times: list[int] = []
        self.back_steps: list[BackStep] = []
        latest: int | None = None
        for seq, at in told:
            if latest is not None and at < latest:
                self.back_steps.append(BackStep(seq, latest - at))
            latest = at if latest is None else max(latest, at)
            self._times.append(latest)
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
