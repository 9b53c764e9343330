"""Rows of a list: what a row is, where rows come from, and how one is laid out in a width. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from typing import Generic, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from rollout_tui import glyphs
from rollout_tui.lines.spans import Span, fit, spans_width
from rollout_tui.safe_text import SafeText

INDENT = 2
"""Cells per level of a tree."""

MIN_MAIN = 12
"""Cells that a row's main part keeps before any of its tail but the verdict is shown, if it does not say."""

TAIL_GAP = 1
"""Blank cells between the main part and the tail, and between two pieces of the tail."""

_BLANK = "                "


class Fold(Enum):
    """What a row of a tree has under it."""

    LEAF = "leaf"
    OPEN = "open"
    CLOSED = "closed"


class Row(Struct, frozen=True):
    """One row of a list or tree."""

    key: Hashable
    """Who the row is, whatever its place: the cursor stays on the key when rows come and go."""
    spans: tuple[Span, ...]
    """The main part, cut at the right if it is too long."""
    tail: tuple[Span, ...] = ()
    """Columns at the right edge, each kept whole; the last ones are left out first when space is short."""
    depth: int = 0
    """Level in a tree, 0 for the top."""
    fold: Fold | None = None
    """Whether the row folds; `None` in a list that is no tree, which then has no column for the mark."""
    verdict: Span | None = None
    """The piece of the tail that is never left out: how it ended, if it has."""
    min_main: int = MIN_MAIN
    """Cells that the main part keeps before other pieces of the tail are shown; one number for a list."""


class RowSource(Protocol):
    """Rows by position. Asked only for rows that are on screen, so it may make them when asked."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def row(self, index: int) -> Row:
        """The row at `index`, which is in range."""
        ...

    def key(self, index: int) -> Hashable:
        """The key of the row at `index`, cheaper than the row."""
        ...

    def find(self, key: Hashable) -> int | None:
        """Where the row with `key` is, or the one that stands for it (a folded ancestor); `None` if gone."""
        ...

    def parent(self, index: int) -> int | None:
        """Where the parent of the row at `index` is; `None` for a row at the top."""
        ...


@runtime_checkable
class FoldedSource(RowSource, Protocol):
    """Rows of which some are folded away, but can be searched all the same."""

    @property
    def whole_count(self) -> int:
        """How many rows there are with those that are folded away."""
        ...

    def whole_row(self, place: int) -> Row:
        """The row at a place among all of them."""
        ...

    def place_of(self, index: int) -> int:
        """The place of the row that is shown at `index`."""
        ...

    def reveal_place(self, place: int) -> int:
        """Unfold what hides the row at a place; where it is shown then."""
        ...


T = TypeVar("T")


class ListRows(Generic[T]):
    """A row source over a Python list of anything, from which rows are made when they are looked at."""

    def __init__(
        self,
        items: Iterable[T],
        render: Callable[[T], Row],
        key: Callable[[T], Hashable] | None = None,
        depth: Callable[[T], int] | None = None,
        text: Callable[[T], str] | None = None,
    ) -> None:
        """Keep `items`.

        Args:
            items: One per row, in order.
            render: Makes the row of an item.
            key: The key of an item; by default that of its row. Give it when rendering is not trivial.
            depth: The depth of an item; by default that of its row.
            text: What an item says beyond its row, for searching in it; not safe for a terminal.
        """
        self._items = list(items)
        self._render = render
        self._key = key or (lambda item: render(item).key)
        self._depth = depth or (lambda item: render(item).depth)
        self._text = text
        self._places: dict[Hashable, int] = {}
        self._placed = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> Sequence[T]:
        """The items, in order; not to be changed."""
        return self._items

    def row(self, index: int) -> Row:
        """The row of the item at `index`."""
        return self._render(self._items[index])

    def key(self, index: int) -> Hashable:
        """The key of the item at `index`."""
        return self._key(self._items[index])

    def find(self, key: Hashable) -> int | None:
        """Where the item with `key` is; the first of several."""
        for index in range(self._placed, len(self._items)):
            self._places.setdefault(self._key(self._items[index]), index)
        self._placed = len(self._items)
        return self._places.get(key)

    def parent(self, index: int) -> int | None:
        """The nearest row above `index` that is less deep."""
        depth = self._depth(self._items[index])
        if depth == 0:
            return None
        above = range(index - 1, -1, -1)
        return next((place for place in above if self._depth(self._items[place]) < depth), None)

    def text(self, index: int) -> str:
        """What the item at `index` says beyond its row; empty if that is all."""
        return "" if self._text is None else self._text(self._items[index])

    def append(self, items: Iterable[T]) -> None:
        """Add rows at the end."""
        self._items.extend(items)

    def replace(self, items: Iterable[T]) -> None:
        """Put other rows in the place of all."""
        self._items = list(items)
        self._places.clear()
        self._placed = 0


def row_list(rows: Iterable[Row]) -> ListRows[Row]:
    """A row source over rows that are made already."""
    return ListRows(rows, lambda row: row, lambda row: row.key, lambda row: row.depth)


def blank(cells: int) -> SafeText:
    """So many spaces."""
    return SafeText(_BLANK[:cells] if cells <= len(_BLANK) else " " * cells)


def lay_out(row: Row, width: int) -> list[Span]:
    """One row in `width` cells: indent, fold mark, main part, and the tail at the right edge.

    Args:
        row: The row.
        width: Cells there are.

    Returns:
        Spans of at most `width` cells; exactly `width` if there is a tail.
    """
    prefix: list[Span] = []
    if row.depth:
        # However deep the tree, half the line is left for what the row says.
        prefix.append(Span(blank(min(row.depth * INDENT, width // 2))))
    if row.fold is not None:
        prefix.append(Span(SafeText(_fold_mark(row.fold) + " "), "muted"))
    tail, tail_width = _tail_that_fits(row, width)
    room = width - tail_width
    main = fit([*prefix, *row.spans], room)
    if not tail:
        return main
    return [*main, Span(blank(room - spans_width(main))), *tail]


def _fold_mark(fold: Fold) -> str:
    """The mark of a fold state."""
    marks = glyphs.active()
    return {Fold.LEAF: " ", Fold.OPEN: marks.fold_open, Fold.CLOSED: marks.fold_closed}[fold]


def _tail_that_fits(row: Row, width: int) -> tuple[list[Span], int]:
    """The verdict, other pieces of the tail as long as the main part keeps its cells, and their width.

    Indentation plays no part, so all rows of a list with equal tails show the same columns.
    """
    shown: list[Span] = []
    taken = 0 if row.verdict is None else min(width, TAIL_GAP + spans_width([row.verdict]))
    is_full = False
    for piece in row.tail:
        needed = TAIL_GAP + spans_width([piece])
        if piece is row.verdict:
            shown += fit([Span(blank(TAIL_GAP)), piece], width)
            continue
        is_full = is_full or width - taken - needed < row.min_main
        if not is_full:
            shown += [Span(blank(TAIL_GAP)), piece]
            taken += needed
    return shown, taken
