"""Facts about one object, with links: which calls saw an item, what became of a task."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from reducer import ObjectRef
from rollout_tui.lines.rows import ListRows
from rollout_tui.lines.spans import Piece, span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.detail.facts import Fact, FactRow, fact_row
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList


class FactsScreen(Dialog[ObjectRef]):
    """A list of facts; its result is where the link of the one that was opened leads."""

    DEFAULT_CSS = "FactsScreen VirtualList { height: auto; min-height: 3; max-height: 16; }"

    def __init__(self, title: str, facts: Sequence[Fact]) -> None:
        super().__init__()
        self._title = title
        self._facts = facts

    def compose(self) -> ComposeResult:
        """A title and the facts."""
        rows = [FactRow(*numbered) for numbered in enumerate(self._facts)]
        with Vertical(classes="box"):
            yield Bar()
            yield VirtualList(ListRows(rows, fact_row, lambda row: row.place), empty="Nothing is known.")

    def on_mount(self) -> None:
        """Say what this is about."""
        hint = span("   enter goes there, esc closes", "muted")
        self.query_one(Bar).show_pieces([Piece(0, [span(self._title, "strong")]), Piece(1, [hint])])
        self.query_one(VirtualList).focus()

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Follow the link, if there is one."""
        if isinstance(message.item, FactRow) and message.item.fact.link is not None:
            self.dismiss(message.item.fact.link)
