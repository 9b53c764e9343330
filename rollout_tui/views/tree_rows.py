"""A tree as a list of its visible rows, with folding that costs what it hides or shows."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
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
        self._parents, self._ends = _parents_and_ends(nodes)
        self._folded = {key(node.value): None for node in nodes if node.folded}
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
        parent = self._parents[self._visible[index]]
        return bisect_left(self._visible, parent) if parent >= 0 else None

    def set_folded(self, index: int, folded: bool) -> bool:
        """Fold or unfold the row at `index`; say whether that changed anything."""
        node, place = self.node(index), self._visible[index]
        if not node.has_children or node.folded == folded:
            return False
        node.folded = folded
        if folded:
            self._folded[self._key(node.value)] = None
        else:
            self._folded.pop(self._key(node.value), None)
        end = self._ends[place]
        if folded:
            last = bisect_left(self._visible, end)
            del self._visible[index + 1 : last]
        else:
            self._visible[index + 1 : index + 1] = self._shown_between(place + 1, end)
        return True

    @property
    def folded_keys(self) -> list[Hashable]:
        """The keys of the nodes that are folded, each before what is below it."""
        return sorted(self._folded, key=self._place_of.__getitem__)

    def fold(self, keys: Sequence[Hashable]) -> None:
        """Fold the nodes with these keys, so far as they are there."""
        for key in keys:
            place = self._place_of.get(key)
            if place is not None and self._nodes[place].has_children:
                self._nodes[place].folded = True
                self._folded[key] = None
        if keys:
            self._visible = self._shown_between(0, len(self._nodes))

    def reveal(self, key: Hashable) -> int | None:
        """Unfold whatever hides the node with `key`, and say where it is now."""
        while True:
            index = self.find(key)
            if index is None or self.key(index) == key:
                return index
            if not self.set_folded(index, False):
                return index

    # All nodes, whether they are shown or not, by their place in the tree.

    @property
    def whole_count(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def whole_row(self, place: int) -> Row:
        """The row of the node at a place."""
        return self._render(self._nodes[place])

    def place_of(self, index: int) -> int:
        """The place of the node that is shown in a row."""
        return self._visible[index]

    def reveal_place(self, place: int) -> int:
        """Unfold whatever hides the node at a place, and say in which row it is now."""
        while self._visible[index := bisect_right(self._visible, place) - 1] != place:
            self.set_folded(index, False)
        return index

    def _shown_between(self, start: int, end: int) -> list[int]:
        shown = []
        place = start
        while place < end:
            shown.append(place)
            node = self._nodes[place]
            place = self._ends[place] if node.folded and node.has_children else place + 1
        return shown


def _parents_and_ends(nodes: Sequence[TreeNode[T]]) -> tuple[array[int], array[int]]:
    """For each place of a tree the place of its parent, -1 at the top, and that after its last descendant."""
    parents, ends = array("q", bytes(8 * len(nodes))), array("q", bytes(8 * len(nodes)))
    open_places: list[int] = []
    for place, node in enumerate(nodes):
        while open_places and nodes[open_places[-1]].depth >= node.depth:
            ends[open_places.pop()] = place
        parents[place] = open_places[-1] if open_places else -1
        open_places.append(place)
    for place in open_places:
        ends[place] = len(nodes)
    return parents, ends
