"""Tables of figures: what a column is, how rows are sorted by one of them, and the row of their heads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct

from rollout_tui import glyphs
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, span
from rollout_tui.views.answer_rows import AnyRow, Column, heads

MAIN = 22
"""Cells that what a row is about keeps before columns are left out."""

T = TypeVar("T")

Cells = Callable[[], tuple[Span, ...]]
"""Makes the figures of a row, once it is looked at."""


class Order(NamedTuple):
    """How rows are sorted.

    Attributes:
        place: by which of the columns that a table can be sorted by, from 1; 0 for its own order.
        is_turned: whether it is turned round.
    """

    place: int = 0
    is_turned: bool = False


class Field(Struct, Generic[T], frozen=True):
    """A column of figures.

    Attributes:
        column: its head and its width.
        text: what stands in it.
        by: the number by which it is sorted, the largest first.
    """

    column: Column
    text: Callable[[T], str]
    by: Callable[[T], float]


class Table(Struct, Generic[T], frozen=True):
    """Things with figures.

    Attributes:
        items: they, in their own order.
        fields: their figures, the most important first: those behind are left out first.
        rows: the rows of one of them, of which the first has the figures.
        own: what their own order is by: a field, or words such as `time`.
        subject: what stands above what they are.
        min_main: cells that these keep before columns are left out.
    """

    items: Sequence[T]
    fields: Sequence[Field[T]]
    rows: Callable[[T, Cells], Iterable[AnyRow]]
    own: str
    subject: str
    min_main: int = MAIN

    @property
    def orders(self) -> list[str]:
        """What it can be sorted by, its own order first; a bar, which has no name, is another column."""
        return [self.own, *(one.column.name for one in self.fields if one.column.name not in ("", self.own))]

    def sorted_by(self, order: Order) -> str:
        """The name of an order."""
        return self.orders[order.place % len(self.orders)]

    def in_order(self, order: Order) -> Sequence[T]:
        """They, sorted."""
        name = self.sorted_by(order)
        field = next((one for one in self.fields if one.column.name == name), None)
        if order.place % len(self.orders) == 0 or field is None:
            found = list(self.items)
        else:
            found = sorted(self.items, key=field.by, reverse=True)
        return found[::-1] if order.is_turned else found

    def answer(self, order: Order) -> list[AnyRow]:
        """Their rows, sorted."""
        return list(
            chain.from_iterable(self.rows(one, partial(self._cells, one)) for one in self.in_order(order))
        )

    def _cells(self, item: T) -> tuple[Span, ...]:
        return tuple(one.column.cell(one.text(item)) for one in self.fields)

    def head(self, order: Order) -> Row:
        """The row above them."""
        marks = glyphs.active()
        mark = marks.up if order.is_turned else marks.down
        tail = heads([one.column for one in self.fields], self.sorted_by(order), mark)
        return Row("head", (span(self.subject, "muted"),), tail, min_main=self.min_main)
