"""Rows of an answer about the run as a whole: each leads to what it tells of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from reducer import ObjectRef
from rollout_tui.lines.rows import ListRows, Row, blank
from rollout_tui.lines.spans import Span, StyleName
from rollout_tui.safe_text import SafeText, clip, safe_text


class AnswerRow(NamedTuple):
    """A row, and where it leads.

    Attributes:
        row: the row; its key says what it is about, so that the cursor stays on it while the run grows.
        ref: the object that it is about; None if it is about no single thing.
        thread_id: the agent that it is about; None if it is about none, or several.
    """

    row: Row
    ref: ObjectRef | None = None
    thread_id: str | None = None

    @property
    def key(self) -> Hashable:
        """What it is about."""
        return self.row.key


class LaterRow:
    """A row that is made when it is looked at, for lists that may be long; otherwise it is an `AnswerRow`."""

    __slots__ = ("_make", "_row", "key", "ref", "thread_id")

    def __init__(
        self,
        key: Hashable,
        make: Callable[[], Row],
        ref: ObjectRef | None = None,
        thread_id: str | None = None,
    ) -> None:
        """Prepare a row.

        Args:
            key: what it is about; that of the row.
            make: makes the row.
            ref: the object that it is about.
            thread_id: the agent that it is about.
        """
        self.key, self.ref, self.thread_id = key, ref, thread_id
        self._make = make
        self._row: Row | None = None

    @property
    def row(self) -> Row:
        """The row."""
        if self._row is None:
            self._row = self._make()
        return self._row


AnyRow = AnswerRow | LaterRow


class Column(NamedTuple):
    """A column of numbers or words at the right of rows.

    Attributes:
        name: its head.
        width: cells.
        is_number: whether it is set to the right.
    """

    name: str
    width: int
    is_number: bool = True

    def cell(self, text: str, style: StyleName = "text") -> Span:
        """What stands in it, in as many cells as it has: what is longer is cut."""
        shown = clip(safe_text(text), self.width)
        padding = blank(self.width - cell_len(shown))
        return Span(SafeText(padding + shown if self.is_number else shown + padding), style)


def answer_list(rows: Iterable[AnyRow]) -> ListRows[AnyRow]:
    """Rows as the list of an answer shows them."""
    return ListRows(rows, lambda one: one.row, lambda one: one.key)


def heads(columns: Sequence[Column], marked: str = "", mark: str = "") -> tuple[Span, ...]:
    """The heads of columns, to stand above their cells.

    Args:
        columns: the columns.
        marked: the one by which rows are sorted.
        mark: what stands before its name.
    """
    return tuple(
        one.cell(f"{mark}{one.name}", "strong") if one.name == marked else one.cell(one.name, "muted")
        for one in columns
    )
