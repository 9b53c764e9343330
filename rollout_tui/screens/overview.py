"""The overview of a run: what was asked, how it ended, what failed, and what became of each agent."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.overview import Overview
from rollout_tui.lines.rows import ListRows
from rollout_tui.lines.spans import span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.screens.sizes import BROAD
from rollout_tui.views.overview_rows import OverviewRow, overview_rows
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList


class OverviewScreen(Dialog[ObjectRef]):
    """A list of what there is to know at first; its result is the object of the row that was opened."""

    def __init__(self, index: TraceIndex, found: Overview) -> None:
        super().__init__()
        self._index = index
        self._found = found

    def compose(self) -> ComposeResult:
        """A title and the rows."""
        with Vertical(classes="box full"):
            yield Bar()
            yield VirtualList(self._rows(is_narrow=False))

    def on_mount(self) -> None:
        """Say what this is, and begin at the outcome."""
        self.query_one(Bar).show(
            [span("Overview", "strong"), span("   enter goes there, esc closes", "muted")]
        )
        self.query_one(VirtualList).focus()

    def fit_into(self, size: Size) -> None:
        """Leave out what only sets columns where there is no room for it."""
        super().fit_into(size)
        for view in self.query(VirtualList):
            view.set_source(self._rows(is_narrow=size.width < BROAD))

    def _rows(self, *, is_narrow: bool) -> ListRows[OverviewRow]:
        rows = overview_rows(self._index, self._found, is_narrow=is_narrow)
        return ListRows(rows, lambda one: one.row, lambda one: one.row.key)

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Show what the row is about, if it is about one thing."""
        if isinstance(message.item, OverviewRow) and message.item.ref is not None:
            self.dismiss(message.item.ref)
