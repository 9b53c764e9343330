"""What the keys do in one pane."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from rollout_tui import keys
from rollout_tui.screens.dialog import Dialog
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.rows import Row, row_list
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.virtual_list import VirtualList

KEYS_WIDTH = 14


class HelpScreen(Dialog[None]):
    """The rows of the key table that hold in a pane, nearest context first."""

    def __init__(self, pane: keys.Pane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        """A title and the rows."""
        with Vertical(classes="box full"):
            yield Bar(id="dialog-title")
            yield VirtualList(row_list(_rows(self._pane)))

    def on_mount(self) -> None:
        """Say which pane this is about."""
        self.query_one(Bar).show(
            [span(f"Keys in {self._pane.value}", "strong"), span("   esc closes", "muted")]
        )
        self.query_one(VirtualList).focus()


def _rows(pane: keys.Pane) -> list[Row]:
    rows: list[Row] = []
    context: keys.Context | None = None
    for place, entry in enumerate(keys.help_rows(pane)):
        if entry.context is not context:
            context = entry.context
            rows.append(Row(key=f"context {context}", spans=(span(f"{context.value}", "strong"),)))
        padding = " " * max(1, KEYS_WIDTH - len(entry.keys))
        rows.append(Row(key=place, spans=(Span(entry.keys, "accent"), span(padding), Span(entry.text))))
    return rows
