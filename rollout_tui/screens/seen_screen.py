"""In which calls of which agents something was visible: a bar for each agent, and what ended it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from reducer import ObjectRef
from rollout_tui.insight.contexts.seen import AgentSight
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.rows import ListRows, Row
from rollout_tui.lines.spans import Piece, span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.detail.facts import Fact, FactRow, fact_row
from rollout_tui.views.seen_rows import SeenRow, seen_rows
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList

_AROUND = 6
"""Cells of a row that the box and its edges take."""


class SeenScreen(Dialog[ObjectRef]):
    """A row for each agent, then facts; its result is the object that the opened row leads to."""

    def __init__(
        self, index: TraceIndex, title: str, found: Sequence[AgentSight], facts: Sequence[Fact]
    ) -> None:
        """Prepare to show.

        Args:
            index: the graph.
            title: what was looked for; evidence.
            found: who saw it.
            facts: what else there is to say of it.
        """
        super().__init__()
        self._index, self._title, self._found, self._facts = index, title, found, facts

    def compose(self) -> ComposeResult:
        """A title and the rows."""
        with Vertical(classes="box full"):
            yield Bar()
            yield VirtualList(self._rows(self.app.size.width), empty="No agent made a call.")

    def on_mount(self) -> None:
        """Say what was looked for."""
        self.query_one(Bar).show_pieces(
            [
                Piece(0, [span("Seen by", "strong"), span(f"   {self._title}")]),
                Piece(1, [span("   enter goes there, esc closes", "muted")]),
            ]
        )
        self.query_one(VirtualList).focus()

    def fit_into(self, size: Size) -> None:
        """Bars are longer where there is room."""
        super().fit_into(size)
        for view in self.query(VirtualList):
            view.set_source(self._rows(size.width))

    def _rows(self, width: int) -> ListRows[SeenRow | FactRow]:
        rows: list[SeenRow | FactRow] = [*seen_rows(self._index, self._found, width - _AROUND)]
        rows += [FactRow(*numbered) for numbered in enumerate(self._facts)]
        return ListRows(rows, _row, _key)

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Show where the row leads, if it leads anywhere."""
        item = message.item
        link = (
            item.fact.link if isinstance(item, FactRow) else item.ref if isinstance(item, SeenRow) else None
        )
        if link is not None:
            self.dismiss(link)


def _row(one: SeenRow | FactRow) -> Row:
    return fact_row(one) if isinstance(one, FactRow) else one.row


def _key(one: SeenRow | FactRow) -> object:
    return one.place if isinstance(one, FactRow) else one.row.key
