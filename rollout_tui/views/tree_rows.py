"""The visible rows of a tree, with folding that costs what is folded, not what there is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from rollout_tui.insight.timeline.trees import Tree
from rollout_tui.lines.rows import Fold, Row

T = TypeVar("T")


class TreeNode(NamedTuple, Generic[T]):
    """A value of a tree as a row shows it."""

    value: T
    depth: int
    fold: Fold = Fold.LEAF


class TreeRows(Generic[T]):
    """The rows of a tree, those under folded nodes left out."""

    def __init__(
        self, tree: Tree[T], render: Callable[[TreeNode[T]], Row], key: Callable[[T], Hashable]
    ) -> None:
        """Show all nodes.

        Args:
            tree: the tree.
            render: makes the row of a node when it is looked at.
            key: identifies a node's value, in the tree also.
        """
        self._tree = tree
        self._render = render
        self._key = key
        self._folded: set[int] = set()
        self._layout()

    def _layout(self) -> None:
        """Find the stretches of places that are shown: where each begins in the tree, and among the rows."""
        self._places, self._indexes = [0], [0]
        place = index = 0
        for folded in sorted(self._folded):
            if folded >= place:
                index += folded + 1 - place
                place = self._tree.end(folded)
                self._places.append(place)
                self._indexes.append(index)
        self._count = index + len(self._tree) - place

    def __len__(self) -> int:
        return self._count

    def node(self, index: int) -> TreeNode[T]:
        """The node of the row at `index`."""
        return self._node(self.place_of(index))

    def row(self, index: int) -> Row:
        """The row at `index`."""
        return self._render(self.node(index))

    def key(self, index: int) -> Hashable:
        """The key of the row at `index`."""
        return self._key(self._tree.values[self.place_of(index)])

    def find(self, key: Hashable) -> int | None:
        """Where the node with `key` is shown, or else the folded node that hides it."""
        place = self._tree.find(key)
        return None if place is None else self.index_of(place)

    def parent(self, index: int) -> int | None:
        """Where the parent of the row at `index` is."""
        parent = self._tree.parent(self.place_of(index))
        return None if parent is None else self.index_of(parent)

    def set_folded(self, index: int, folded: bool) -> bool:
        """Fold or unfold the row at `index`; say whether that changed anything."""
        place = self.place_of(index)
        if not self._tree.has_children(place) or (place in self._folded) == folded:
            return False
        self._folded ^= {place}
        self._layout()
        return True

    @property
    def folded_keys(self) -> list[Hashable]:
        """The keys of the nodes that are folded, each before what is below it."""
        return [self._key(self._tree.values[place]) for place in sorted(self._folded)]

    def fold(self, keys: Iterable[Hashable]) -> None:
        """Fold the nodes with these keys, so far as they are there."""
        places = [place for place in map(self._tree.find, keys) if place is not None]
        self._folded.update(place for place in places if self._tree.has_children(place))
        self._layout()

    def reveal(self, key: Hashable) -> int | None:
        """Unfold whatever hides the node with `key`, and say where it is now."""
        place = self._tree.find(key)
        return None if place is None else self.reveal_place(place)

    # All nodes, whether they are shown or not, by their place in the tree.

    @property
    def values(self) -> Sequence[T]:
        """The values of all nodes."""
        return self._tree.values

    @property
    def whole_count(self) -> int:
        """How many nodes there are."""
        return len(self._tree)

    def whole_row(self, place: int) -> Row:
        """The row of the node at a place."""
        return self._render(self._node(place))

    def place_of(self, index: int) -> int:
        """The place of the node that is shown in a row."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        stretch = bisect_right(self._indexes, index) - 1
        return self._places[stretch] + index - self._indexes[stretch]

    def index_of(self, place: int) -> int:
        """The row of the node at a place, or that of the folded one that hides it."""
        stretch = bisect_right(self._places, place) - 1
        index = self._indexes[stretch] + place - self._places[stretch]
        after = self._indexes[stretch + 1] if stretch + 1 < len(self._indexes) else self._count
        return max(0, min(index, after - 1))

    def reveal_place(self, place: int) -> int:
        """Unfold whatever hides the node at a place, and say in which row it is now."""
        while self.place_of(index := self.index_of(place)) != place:
            self.set_folded(index, False)
        return index

    def _node(self, place: int) -> TreeNode[T]:
        fold = Fold.LEAF
        if self._tree.has_children(place):
            fold = Fold.CLOSED if place in self._folded else Fold.OPEN
        return TreeNode(self._tree.values[place], self._tree.depth(place), fold)
