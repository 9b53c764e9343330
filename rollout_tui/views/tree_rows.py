"""A tree as a list of its visible rows, with folding that costs what it hides or shows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rollout_tui.widgets.rows import Fold, Row

T = TypeVar("T")


@dataclass(slots=True)
class TreeNode(Generic[T]):
    """A node in pre-order: it is followed by its children, which are one level deeper."""

    value: T
    depth: int
    has_children: bool = False
    folded: bool = False

    @property
    def fold(self) -> Fold:
        """Its mark in a row."""
        if not self.has_children:
            return Fold.LEAF
        return Fold.CLOSED if self.folded else Fold.OPEN


class TreeRows(Generic[T]):
    """The rows of a tree given in pre-order, those under folded nodes left out."""

    def __init__(
        self,
        nodes: Sequence[TreeNode[T]],
        render: Callable[[TreeNode[T]], Row],
        key: Callable[[T], Hashable],
    ) -> None:
        """Show all nodes but those under one that is folded.

        Args:
            nodes: the tree in pre-order.
            render: makes the row of a node when it is looked at.
            key: identifies a node's value.
        """
        self._nodes = nodes
        self._render = render
        self._key = key
        self._place_of = {key(node.value): place for place, node in enumerate(nodes)}
        self._visible: list[int] = []
        self._visible = self._shown_between(0, len(nodes))

    def __len__(self) -> int:
        return len(self._visible)

    def node(self, index: int) -> TreeNode[T]:
        """The node of the row at `index`."""
        return self._nodes[self._visible[index]]

    def row(self, index: int) -> Row:
        """The row at `index`."""
        return self._render(self.node(index))

    def key(self, index: int) -> Hashable:
        """The key of the row at `index`."""
        return self._key(self.node(index).value)

    def find(self, key: Hashable) -> int | None:
        """Where the node with `key` is shown, or else the folded node that hides it."""
        place = self._place_of.get(key)
        if place is None:
            return None
        index = bisect_left(self._visible, place)
        return index if index < len(self._visible) and self._visible[index] == place else index - 1

    def parent(self, index: int) -> int | None:
        """Where the parent of the row at `index` is."""
        depth = self.node(index).depth
        above = range(index - 1, -1, -1)
        return next((row for row in above if self.node(row).depth < depth), None) if depth else None

    def set_folded(self, index: int, folded: bool) -> bool:
        """Fold or unfold the row at `index`; say whether that changed anything."""
        node, place = self.node(index), self._visible[index]
        if not node.has_children or node.folded == folded:
            return False
        node.folded = folded
        end = self._end(place)
        if folded:
            last = bisect_left(self._visible, end)
            del self._visible[index + 1 : last]
        else:
            self._visible[index + 1 : index + 1] = self._shown_between(place + 1, end)
        return True

    def reveal(self, key: Hashable) -> int | None:
        """Unfold whatever hides the node with `key`, and say where it is now."""
        while True:
            index = self.find(key)
            if index is None or self.key(index) == key:
                return index
            if not self.set_folded(index, False):
                return index

    def _end(self, place: int) -> int:
        """The place after the last descendant of the node at `place`."""
        depth = self._nodes[place].depth
        end = place + 1
        while end < len(self._nodes) and self._nodes[end].depth > depth:
            end += 1
        return end

    def _shown_between(self, start: int, end: int) -> list[int]:
        shown = []
        place = start
        while place < end:
            shown.append(place)
            node = self._nodes[place]
            place = self._end(place) if node.folded and node.has_children else place + 1
        return shown
