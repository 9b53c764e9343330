"""A tree as a list in pre-order that can grow anywhere at the cost of what is added."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

Step = float
Path = tuple[Step, ...]
"""Where a value belongs: the steps of those above it, from the top, and its own. In order of their paths
values are in pre-order, and below a value is what begins with its path."""

_BEHIND_ALL: Step = math.inf


def end_of(paths: Sequence[Path], path: Path) -> int:
    """The place behind a value and all that is below it, or where these would be.

    Args:
        paths: those of a tree, in order.
        path: that of the value.
    """
    return bisect_left(paths, (*path, _BEHIND_ALL))


class Tree(Generic[T]):
    """Values in pre-order. Nobody changes a tree.

    Attributes:
        paths: where each value belongs, in order. Those of all that is above a value are there, too.
        values: the values, in the same order.
    """

    __slots__ = ("_path_of", "paths", "values")

    def __init__(
        self, paths: Sequence[Path], values: Sequence[T], path_of: Callable[[Hashable], Path | None]
    ) -> None:
        """Take what is there.

        Args:
            paths: see the attributes.
            values: see the attributes.
            path_of: the path of the value with a key; it may know some that are not there.
        """
        self.paths = paths
        self.values = values
        self._path_of = path_of

    def __len__(self) -> int:
        return len(self.values)

    def find(self, key: Hashable) -> int | None:
        """The place of the value with a key."""
        path = self._path_of(key)
        return None if path is None else self._place(path)

    def depth(self, place: int) -> int:
        """How many values are above the one at a place."""
        return len(self.paths[place]) - 1

    def parent(self, place: int) -> int | None:
        """The place of the value right above the one at a place."""
        return self._place(self.paths[place][:-1]) if self.depth(place) else None

    def end(self, place: int) -> int:
        """The place behind the last value below the one at a place."""
        return end_of(self.paths, self.paths[place]) if self.has_children(place) else place + 1

    def has_children(self, place: int) -> bool:
        """Whether there is anything below the value at a place."""
        return place + 1 < len(self.paths) and len(self.paths[place + 1]) > len(self.paths[place])

    def _place(self, path: Path) -> int | None:
        place = bisect_left(self.paths, path)
        return place if place < len(self.paths) and self.paths[place] == path else None


class FlatTree(Tree[T]):
    """A tree in which nothing is below anything: the path of a value is its one step."""

    def __init__(
        self, steps: Sequence[Step], values: Sequence[T], step_of: Callable[[Hashable], Step | None]
    ) -> None:
        """Take what is there.

        Args:
            steps: where each value belongs, in order.
            values: the values, in the same order.
            step_of: the step of the value with a key; it may know some that are not there.
        """
        super().__init__((), values, lambda key: None)
        self._steps = steps
        self._step_of = step_of

    def find(self, key: Hashable) -> int | None:
        """The place of the value with a key."""
        step = self._step_of(key)
        if step is None:
            return None
        place = bisect_left(self._steps, step)
        return place if place < len(self._steps) and self._steps[place] == step else None

    def depth(self, place: int) -> int:
        """Nothing is above a value."""
        return 0

    def has_children(self, place: int) -> bool:
        """Nothing is below a value."""
        return False


def tree_of_depths(values: Iterable[tuple[T, int]], key: Callable[[T], Hashable]) -> Tree[T]:
    """A tree given in pre-order.

    Args:
        values: each value, and how deep it stands: at most one deeper than the value before it.
        key: identifies a value.
    """
    paths: list[Path] = []
    in_order: list[T] = []
    path_of: dict[Hashable, Path] = {}
    path: Path = ()
    for place, (value, depth) in enumerate(values):
        path = (*path[:depth], place)
        paths.append(path)
        in_order.append(value)
        path_of[key(value)] = path
    return Tree(paths, in_order, path_of.get)
