"""The events of a log as a line to move along: which event is where, and how that looks. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from reducer import EventRecord
from rollout_tui import glyphs
from rollout_tui.lines.spans import Piece, Span, drop_to_fit, span
from rollout_tui.texts.short_forms import clock

MARK_WIDTH = 28
"""Cells of the line itself at most."""

WORDS_WIDTH = 52
"""Cells that the words about an event need beside it."""

SHORTEST_MARK = 8
"""Cells of the line at least."""


class EventLine:
    """The applied events of a log, in order."""

    def __init__(self, events: Sequence[EventRecord]) -> None:
        """Remember the events as they are now; later ones are not on this line."""
        self._events = events[:]

    def __len__(self) -> int:
        return len(self._events)

    def place_of(self, seq: int) -> int:
        """The place of the last event up to a sequence number; the first one for a smaller number."""
        return max(0, bisect_right(self._events, seq, key=_seq) - 1)

    def place_at(self, percent: float) -> int:
        """The place after a share of the events, from 0 to 100 percent."""
        return self.clamp(round(percent / 100 * len(self._events)) - 1)

    def clamp(self, place: int) -> int:
        """The nearest place that there is."""
        return min(max(place, 0), max(0, len(self._events) - 1))

    def seq(self, place: int) -> int:
        """The sequence number of the event at a place."""
        return self._events[place].seq

    def spans(self, place: int, width: int) -> list[Span]:
        """The line with a mark at a place, and what happened there.

        Args:
            place: the place.
            width: cells there are; the line gets shorter first, then the time goes, then the share.
        """
        marks = glyphs.active()
        event, last = self._events[place], len(self._events) - 1
        length = max(SHORTEST_MARK, min(MARK_WIDTH, width - WORDS_WIDTH))
        done = 0 if last == 0 else round(place / last * (length - 1))
        line = [
            span(" "),
            span(marks.rule * done, "accent"),
            span(marks.trunk, "strong"),
            span(marks.rule * (length - 1 - done), "muted"),
        ]
        pieces = [
            Piece(0, line),
            Piece(0, [span(f"  seq {event.seq}", "strong")]),
            Piece(1, [span(f"  {100 * (place + 1) // (last + 1)}%", "accent")]),
            Piece(2, [span(f"  {clock(event.at_unix_ms)}", "muted")]),
            Piece(0, [span(f"  {event.kind}")]),
        ]
        return drop_to_fit(pieces, width)


def _seq(event: EventRecord) -> int:
    return event.seq
