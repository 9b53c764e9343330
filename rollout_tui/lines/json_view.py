"""Which values of an indexed JSON text are shown, in which rows: folding, and strings opened as JSON. Pure.

Folding a container hides the values inside, a range of numbers; hidden ranges are kept as sorted lists, and
rows are counted per block of values. Finding a row and folding therefore cost about the same for a thousand
values and a million.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from rollout_tui.texts.json_index import UNKNOWN, JsonIndex
from rollout_tui.texts.json_value import JsonValues, json_path

BLOCK = 256
"""Values per block: a row is looked for inside one block, and there are few enough blocks to sum up."""


class Spot(NamedTuple):
    """A value on show: of the text itself, or of one opened inside a string of it."""

    view: JsonView
    node: int


class _Swallowed(NamedTuple):
    """What a folded container covered, so that unfolding one with very many folded inside need not look."""

    first: list[int]
    last: list[int]
    shown: list[int] | None
    """Row counts of the blocks that are wholly inside."""


class JsonView:
    """The rows of one indexed text. It may grow while it is looked at: call `extend` now and then."""

    def __init__(
        self,
        index: JsonIndex,
        fold_depth: int | None = None,
        parent: Spot | None = None,
        lost: Mapping[str, str] | None = None,
    ) -> None:
        """Show what `index` has so far.

        Args:
            index: The text.
            fold_depth: Containers at this depth start folded; `None` to fold nothing.
            parent: The string this text is the content of, if it is shown inside another.
            lost: What became of each part that the text lacks, in words, by the id its stand-in names.
        """
        self.lost: Mapping[str, str] = {} if lost is None else lost
        self.index = index
        self.values = JsonValues(index)
        self.parent = parent
        self.base_level: int = parent.view.level(parent.node) + 1 if parent else 0
        self._fold_depth = fold_depth
        self._known = 0
        self._is_held = False  # the last known value is a container whose inside waits
        self._folded: list[int] = []
        self._hidden_first: list[int] = []
        self._hidden_last: list[int] = []
        self._nested: dict[int, JsonView] = {}
        self._anchors: list[int] = []
        self._swallowed: dict[int, _Swallowed] = {}
        self._shown: list[int] = []  # rows per block
        self._before: list[int] = [0]  # rows before each block, and in all
        self.extend()

    @property
    def row_count(self) -> int:
        """Rows in all, those of texts opened inside included."""
        return self._before[-1]

    @property
    def known(self) -> int:
        """How many values are taken in: those with smaller numbers have a row, or are in a folded one."""
        return self._known

    def extend(self) -> None:
        """Take in values found since the last time.

        What is inside a container that is to start folded waits until its end is known.
        """
        first, total = self._known, len(self.index)
        if self._fold_depth is not None:
            first -= self._is_held
            total = self._fold_new(self._fold_depth, first, total)
        self._known = total
        self._recount(first, total - 1)

    def level(self, node: int) -> int:
        """How far a value is indented."""
        return self.base_level + self.index.depths[node]

    def path(self, node: int) -> str:
        """The jq filter that gives the value, from the outermost text on."""
        path = self.values.path(node)
        if self.parent is None:
            return path
        outer = f"{self.parent.view.path(self.parent.node)} | fromjson"
        return outer if path == "." else f"{outer} | {path}"

    def json_path(self, node: int) -> str:
        """The JSON path of the value; one that stands in a text inside a string follows that string's."""
        path = json_path(self.values.steps(node))
        if self.parent is None:
            return path
        return f"{self.parent.view.json_path(self.parent.node)} | fromjson | {path}"

    def is_folded(self, node: int) -> bool:
        """Whether a container is folded."""
        at = bisect_left(self._folded, node)
        return at < len(self._folded) and self._folded[at] == node

    def nested(self, node: int) -> JsonView | None:
        """The text opened inside a string, if it is."""
        return self._nested.get(node)

    def can_fold(self, node: int) -> bool:
        """Whether a value has values inside and its end is known."""
        return self.index.lasts[node] not in (node, UNKNOWN)

    def fold(self, node: int) -> None:
        """Hide what is inside a container."""
        if not self.can_fold(node) or self.is_folded(node):
            return
        insort(self._folded, node)
        if self._hidden_around(node) is None:
            self._hide(node)
        else:
            self._swallowed.clear()

    def unfold(self, node: int) -> None:
        """Show what is inside a container; containers folded inside stay folded."""
        if not self.is_folded(node):
            return
        del self._folded[bisect_left(self._folded, node)]
        if self._hidden_around(node) is None:
            self._show_inside(node)
        else:
            self._swallowed.clear()

    def reveal(self, node: int) -> None:
        """Unfold everything a value is hidden in."""
        while (container := self._hidden_around(node)) is not None:
            self.unfold(container)

    def open_nested(self, node: int, index: JsonIndex, fold_depth: int | None = None) -> JsonView:
        """Show the text that a string contains below it.

        Args:
            node: The string.
            index: Its content.
            fold_depth: As for a view of its own.
        """
        view = JsonView(index, fold_depth, Spot(self, node))
        if node not in self._nested:
            insort(self._anchors, node)
        self._nested[node] = view
        self._recount(node, node)
        return view

    def close_nested(self, node: int) -> None:
        """Hide the text shown below a string again."""
        if self._nested.pop(node, None) is not None:
            self._anchors.remove(node)
            self._recount(node, node)

    def spot(self, row: int) -> Spot:
        """What is shown in a row, which is in range."""
        block = bisect_right(self._before, row) - 1
        left = row - self._before[block]
        node = block * BLOCK
        end = min(node + BLOCK, self._known)
        while node < end:
            hidden_by = self._hidden_around(node)
            if hidden_by is not None:
                node = self.index.lasts[hidden_by] + 1
                continue
            stop = self._run_end(node, end)
            if left < stop - node:
                return Spot(self, node + left)
            left -= stop - node
            inside = self._nested.get(stop - 1)
            if inside is not None:
                if left < inside.row_count:
                    return inside.spot(left)
                left -= inside.row_count
            node = stop
        raise IndexError(row)

    def row_of(self, node: int) -> int:
        """The row of a value, or of the folded container it is hidden in, counted in the outermost text."""
        hidden_by = self._hidden_around(node)
        if hidden_by is not None:
            node = hidden_by
        block = node // BLOCK
        row = self._before[block] + self._rows_in(block * BLOCK, node)
        if self.parent is None:
            return row
        outer, anchor = self.parent
        is_hidden = outer._hidden_around(anchor) is not None
        return outer.row_of(anchor) + (0 if is_hidden else row + 1)

    def _fold_new(self, depth: int, first: int, total: int) -> int:
        """Fold containers at `depth` among the values from `first` on; returns how many values to show."""
        index = self.index
        self._is_held = False
        while first < total:
            try:
                node = index.depths.index(depth, first, total)
            except ValueError:
                break
            last = index.lasts[node]
            if last == UNKNOWN:
                self._is_held = True
                return node + 1
            if last != node:
                # New values come after all that is folded, and in no container that could be: appending does.
                self._folded.append(node)
                self._hidden_first.append(node + 1)
                self._hidden_last.append(last)
            first = last + 1
        return total

    def _hidden_around(self, node: int) -> int | None:
        """The outermost folded container a value is inside."""
        at = bisect_right(self._hidden_first, node) - 1
        return self._hidden_first[at] - 1 if at >= 0 and self._hidden_last[at] >= node else None

    def _outermost_folded(self, first: int, last: int) -> list[int]:
        """The folded containers after `first` up to `last` that are not inside others of them."""
        found: list[int] = []
        at = bisect_right(self._folded, first)
        while at < len(self._folded) and self._folded[at] <= last:
            node = self._folded[at]
            found.append(node)
            at = bisect_right(self._folded, self.index.lasts[node], lo=at)
        return found

    def _hide(self, node: int) -> None:
        """Hide a container's inside, in one range that swallows those within."""
        last = self.index.lasts[node]
        start = bisect_left(self._hidden_first, node + 1)
        end = bisect_right(self._hidden_first, last)
        swallowed = _Swallowed(
            self._hidden_first[start:end],
            self._hidden_last[start:end],
            self._shown[_inner_blocks(node, last)],
        )
        self._hidden_first[start:end] = [node + 1]
        self._hidden_last[start:end] = [last]
        self._recount(node, last)
        self._swallowed[node] = swallowed

    def _show_inside(self, node: int) -> None:
        """Undo `_hide`: from what was kept of before, or, if that changed since, by looking."""
        last = self.index.lasts[node]
        at = bisect_left(self._hidden_first, node + 1)
        before = self._swallowed.pop(node, None)
        if before is None:
            inner = self._outermost_folded(node, last)
            before = _Swallowed([inside + 1 for inside in inner], [self.index.lasts[i] for i in inner], None)
        self._hidden_first[at : at + 1] = before.first
        self._hidden_last[at : at + 1] = before.last
        blocks = _inner_blocks(node, last)
        if before.shown is None:
            self._recount(node, last)
            return
        self._shown[blocks] = before.shown
        self._recount(node, blocks.start * BLOCK - 1)
        self._recount(max(node, blocks.stop * BLOCK), last)

    def _run_end(self, node: int, end: int) -> int:
        """The end of the stretch of values from `node` on that are shown one row after the other."""
        at = bisect_right(self._hidden_first, node)
        if at < len(self._hidden_first):
            end = min(end, self._hidden_first[at])
        at = bisect_left(self._anchors, node)
        if at < len(self._anchors):
            end = min(end, self._anchors[at] + 1)
        return end

    def _rows_in(self, first: int, end: int) -> int:
        """Rows that the values from `first` up to before `end` take."""
        rows = end - first
        at = max(0, bisect_right(self._hidden_first, first) - 1)
        while at < len(self._hidden_first) and self._hidden_first[at] < end:
            rows -= max(0, min(end - 1, self._hidden_last[at]) - max(first, self._hidden_first[at]) + 1)
            at += 1
        for anchor in self._anchors[bisect_left(self._anchors, first) : bisect_left(self._anchors, end)]:
            if self._hidden_around(anchor) is None:
                rows += self._nested[anchor].row_count
        return rows

    def _recount(self, first: int, last: int) -> None:
        """Count the rows of the blocks from value `first` to `last` anew, here and in the texts around."""
        if self._swallowed and self._hidden_around(first) is not None:
            self._swallowed.clear()
        for block in range(first // BLOCK, last // BLOCK + 1):
            start = block * BLOCK
            rows = self._rows_in(start, min(start + BLOCK, self._known))
            if block < len(self._shown):
                self._shown[block] = rows
            else:
                self._shown.append(rows)
        self._before = list(accumulate(self._shown, initial=0))
        if self.parent is not None and self.parent.view.nested(self.parent.node) is self:
            self.parent.view._recount(self.parent.node, self.parent.node)


def _inner_blocks(node: int, last: int) -> slice:
    """The blocks that hold nothing but values inside a container; an empty slice if there are none."""
    start = node // BLOCK + 1
    return slice(start, max(start, last // BLOCK))
