"""Searching in one view: what a view must be able to do for it, and which hits are known so far. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

MAX_HITS = 100_000
"""A search ends here: nobody steps through more, and each costs memory."""

_PAUSE_HITS = 256
"""Hits between two pauses where they follow each other closely."""


class Looked(NamedTuple):
    """A step of a search: how far it is, and whether that is a hit."""

    position: int
    is_hit: bool


@runtime_checkable
class SearchableView(Protocol):
    """A view in which a text can be looked for. Positions are its own: rows, characters or values."""

    def find_basis(self) -> Hashable:
        """What is searched: once this is another one, positions found before mean nothing any more."""
        ...

    def find_size(self) -> int:
        """How many positions there are."""
        ...

    def find_start(self) -> int:
        """The position of the cursor."""
        ...

    def find_is_quick(self) -> bool:
        """Whether all of it can be searched without a thread."""
        ...

    def find_hits(self, query: str, start: int) -> Iterator[Looked]:
        """Look from one position to the end, and then from the beginning to that position.

        Runs in a thread; every step takes a few milliseconds at most. The case of letters matters only if
        the query has capitals.
        """
        ...

    def show_hit(self, position: int) -> None:
        """Put the cursor on a hit, unfolding what hides it."""
        ...


class Turn(NamedTuple):
    """A hit that was gone to.

    Attributes:
        position: where it is.
        wrapped: whether the way to it led over the end, or over the beginning.
    """

    position: int
    wrapped: bool


class ViewSearch:
    """The hits of one search in one view, while they are found and afterwards.

    Attributes:
        query: what is looked for.
        basis: what is searched.
        is_done: whether all hits are known.
        is_cut: whether there were too many, so that some are not known.
    """

    def __init__(self, query: str, basis: Hashable, start: int, size: int) -> None:
        """Begin at a position of `size`."""
        self.query = query
        self.basis = basis
        self.is_done = self.is_cut = False
        self._start, self._size = start, max(1, size)
        self._searched = 0
        self._from_start: list[int] = []
        self._before_start: list[int] = []

    def steps(self, looked: Iterable[Looked]) -> Iterator[None]:
        """Take in what a view finds, pausing now and then."""
        for position, is_hit in looked:
            self._searched = (position - self._start) % self._size
            if is_hit:
                (self._from_start if position >= self._start else self._before_start).append(position)
                if self.count >= MAX_HITS:
                    self.is_cut = True
                    break
            if not is_hit or not self.count % _PAUSE_HITS:
                yield
        self.is_done = True

    @property
    def fraction(self) -> float:
        """How much was searched, from 0 to 1."""
        return 1.0 if self.is_done else self._searched / self._size

    @property
    def count(self) -> int:
        """Hits so far."""
        return len(self._from_start) + len(self._before_start)

    def number_of(self, position: int) -> int:
        """Which hit of all this is, from 1."""
        if position < self._start:
            return bisect_right(self._before_start, position)
        return len(self._before_start) + bisect_right(self._from_start, position)

    def first(self) -> Turn | None:
        """The first hit at the start or after it, else from the beginning on; None if there is none yet."""
        if self._from_start:
            return Turn(self._from_start[0], False)
        return Turn(self._before_start[0], True) if self._before_start else None

    def next_after(self, here: int) -> Turn | None:
        """The hit after a position, round the end if need be; None if there is none, or none is known yet."""
        part = self._from_start if here >= self._start else self._before_start
        place = bisect_right(part, here)
        if place < len(part):
            return Turn(part[place], False)
        if not self.is_done:
            return None
        known = self._known()
        place = bisect_right(known, here)
        return self._turn(known, place, wrapped=place == len(known))

    def last_before(self, here: int) -> Turn | None:
        """The hit before a position, round the beginning if need be; None until all hits are known."""
        if not self.is_done:
            return None
        known = self._known()
        place = bisect_left(known, here) - 1
        return self._turn(known, place, wrapped=place < 0)

    def _known(self) -> list[int]:
        return [*self._before_start, *self._from_start]

    @staticmethod
    def _turn(known: list[int], place: int, *, wrapped: bool) -> Turn | None:
        return Turn(known[place % len(known)], wrapped) if known else None
