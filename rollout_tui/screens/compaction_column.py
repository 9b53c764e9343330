"""One history of a checkpoint, as a column of the compaction stepper."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from rollout_tui import glyphs
from rollout_tui.insight.compaction.verdicts import Judged
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_text
from rollout_tui.lines.rows import ListRows
from rollout_tui.lines.spans import span
from rollout_tui.screens.sizes import BROAD
from rollout_tui.views.compaction.history_rows import HistoryRows, Line, column_lines
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList


class Column(Vertical):
    """One history of a checkpoint: its name and its items."""

    DEFAULT_CSS = "Column { width: 1fr; }"

    def __init__(self, name: str, other: str, empty: str) -> None:
        super().__init__(classes=f"-{name}")
        self.list = VirtualList(empty=empty)
        self._heading = Bar()
        self._title, self._other = name, other
        self._judged: list[Judged] = []

    def compose(self) -> ComposeResult:
        """Heading and list."""
        yield self._heading
        yield self.list

    def show(self, index: TraceIndex, judged: list[Judged]) -> None:
        """Show a history with its verdicts."""
        self._judged = judged
        width = self.app.size.width
        row_words = HistoryRows(index, width if width < BROAD else width // 2)
        self.list.set_source(line_rows(index, column_lines(judged), row_words))
        self.mark_focused(self.list.has_focus)

    @property
    def judged(self) -> Judged | None:
        """The item under the cursor with its verdict."""
        return self._judged[self.list.cursor] if self._judged else None

    def mark_focused(self, focused: bool) -> None:
        """Say in the heading whether the keys go here, and which column the other is that is not seen."""
        mark = glyphs.active().fold_closed if focused else " "
        words = [span(f"{mark}{self._title}", "strong" if focused else "muted")]
        if self.app.size.width < BROAD:
            words.append(span(f"  (tab: {self._other})", "muted"))
        self._heading.show(words)


def line_rows(index: TraceIndex, lines: Sequence[Line], row_words: HistoryRows) -> ListRows[Line]:
    """Lines as rows, which can be searched for all that their items say."""
    items = index.trace.conversation_items

    def text(line: Line) -> str:
        item = None if line.item_id is None else items.get(line.item_id)
        return "" if item is None else item_text(item)

    return ListRows(lines, row_words.row, lambda line: line.place, text=text)
