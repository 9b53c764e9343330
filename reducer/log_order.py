"""Sequence numbers of the log: contiguous from 1 in a sound one, and what to make of any others."""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum

from msgspec import Struct

from reducer.consequences import LOST_EVENTS, SKIPPED_REPEAT, STILL_APPLIED


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
        # The numbers below `expected` that did not come, in order. Nothing counts from 0; an event that does
        # was not seen before either.
        self._missing = [range(1)]
        self._unreadable = 0

    def place(self, seq: int) -> Order:
        """Say how a number stands to those before it, and remember it."""
        if seq < self.expected:
            return Order.LATE if self._fill(seq) else Order.REPEATED
        gap = range(self.expected, seq)
        explained = seq - self.expected <= self._unreadable
        self._unreadable = 0
        self.expected = seq + 1
        if gap:
            self._missing.append(gap)
        return Order.NEXT if explained else Order.AFTER_GAP

    def place_unreadable(self) -> None:
        """Note a line whose number cannot be told: it may be the one that is missing next."""
        self._unreadable += 1

    def _fill(self, seq: int) -> bool:
        position = bisect_right(self._missing, seq, key=lambda gap: gap.start) - 1
        if position < 0 or seq not in self._missing[position]:
            return False
        gap = self._missing[position]
        halves = (range(gap.start, seq), range(seq + 1, gap.stop))
        self._missing[position : position + 1] = [half for half in halves if half]
        return True


class EnvelopeFault(Struct, frozen=True):
    """Something about the envelope of an event that a sound log would not have.

    Attributes:
        reason: what is wrong.
        reference_says: as in `Problem`.
        consequence: what that means for the graph.
        applied: whether the event is applied all the same.
    """

    reason: str
    reference_says: str
    consequence: str = STILL_APPLIED
    applied: bool = True


def place_fault(order: LogOrder, seq: int) -> EnvelopeFault | None:
    """Remember a sequence number, and say what is wrong with its place, if anything is."""
    expected = order.expected
    place = order.place(seq)
    if place is Order.NEXT:
        return None
    says = f"missing or reordered trace event {expected}"
    if place is Order.AFTER_GAP:
        missing = f"{expected}" if seq == expected + 1 else f"{expected} to {seq - 1}"
        return EnvelopeFault(f"the event with seq {missing} is missing here", says, LOST_EVENTS)
    if place is Order.LATE:
        numbering = "numbers begin with 1" if seq == 0 else "out of order"
        return EnvelopeFault(f"{numbering}: seq {expected} should come here", says)
    reason = f"this seq was there before: {expected} should come here"
    return EnvelopeFault(reason, says, SKIPPED_REPEAT, applied=False)
