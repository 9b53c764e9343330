"""The list of what a call saw, told by the history it is the beginning of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, overload

Added = tuple[tuple[int, str], ...]
"""Ids that codex puts between those of the history, each with its place in the whole list, in order."""


class SeenItems(Sequence[str]):
    """The first ids of a history, with what codex adds when it sends them. It never changes.

    Written down in full, the lists of a long thread would grow with the square of its calls.

    Attributes:
        history: ids, to which others are only ever added at the end.
        taken: how many of them are in the list.
        added: what is in it besides.
    """

    __slots__ = ("added", "history", "taken")

    def __init__(self, history: list[str], taken: int, added: Added = ()) -> None:
        self.history = history
        self.taken = taken
        self.added = added

    def __len__(self) -> int:
        return self.taken + len(self.added)

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole())

    def __reversed__(self) -> Iterator[str]:
        return reversed(self.whole())

    def whole(self) -> list[str]:
        """All ids, as a list of their own."""
        ids = self.history[: self.taken]
        for place, item_id in self.added:
            ids.insert(place, item_id)
        return ids

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            begin, end, step = place.indices(len(self))
            if (begin, step) == (0, 1):
                return self._first(end)
            return self.whole()[place]
        at = place + len(self) if place < 0 else place
        if not 0 <= at < len(self):
            raise IndexError(place)
        before = bisect_left(self.added, at, key=_place)
        if before < len(self.added) and self.added[before][0] == at:
            return self.added[before][1]
        return self.history[at - before]

    def _first(self, end: int) -> SeenItems:
        added = self.added[: bisect_left(self.added, end, key=_place)]
        return SeenItems(self.history, end - len(added), added)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.whole()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SeenItems):
            if self.history is other.history and self.added == other.added:
                return self.taken == other.taken
            return self.whole() == other.whole()
        return self.whole() == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Sequence[str]) -> list[str]:
        return [*self.whole(), *other]

    def __radd__(self, other: list[str]) -> list[str]:
        return [*other, *self.whole()]

    def __repr__(self) -> str:
        return repr(self.whole())


def _place(added: tuple[int, str]) -> Any:
    return added[0]
