"""Sequence numbers of the log: contiguous from 1 in a sound one, and what to make of any others."""

from __future__ import annotations

from enum import Enum


class Order(Enum):
    """How an event's sequence number stands to those before it."""

    NEXT = "next"
    AFTER_GAP = "after a gap"
    LATE = "late"
    REPEATED = "repeated"


class LogOrder:
    """Follows the sequence numbers of a log.

    Attributes:
        expected: the number that should come next.
    """

    def __init__(self) -> None:
        self.expected = 1
        self._gaps: list[range] = []

    def place(self, seq: int) -> Order:
        """Say how a number stands to those before it, and remember it."""
        if seq == self.expected:
            self.expected += 1
            return Order.NEXT
        if seq > self.expected:
            self._gaps.append(range(self.expected, seq))
            self.expected = seq + 1
            return Order.AFTER_GAP
        for position, gap in enumerate(self._gaps):
            if seq in gap:
                halves = (range(gap.start, seq), range(seq + 1, gap.stop))
                self._gaps[position : position + 1] = [half for half in halves if half]
                return Order.LATE
        # Nothing counts from 0, but an event that does was not seen before either.
        return Order.LATE if seq == 0 else Order.REPEATED
