"""Pane 1: which agent, in which tree, in which state."""

from __future__ import annotations

from textual.app import ComposeResult

from reducer.model import Thread
from rollout_tui import keys
from rollout_tui.panes.pane import READING, Pane
from rollout_tui.safe_text import safe_text
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.overview import unknown_schema_words
from rollout_tui.views.thread_rows import ThreadRows, thread_tree
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeRows
from rollout_tui.widgets.virtual_list import VirtualList


class ThreadsPane(Pane):
    """The tree of agents. The key of a row is the thread id."""

    def __init__(self) -> None:
        super().__init__(keys.Focus.THREADS, 1)
        self.list = VirtualList(empty=READING)
        self._rows: TreeRows[Thread] | None = None

    def views(self) -> ComposeResult:
        """The tree."""
        yield self.list

    def focus_view(self) -> None:
        """The tree takes the keys."""
        self.list.focus()

    def show(self, timelines: Timelines) -> None:
        """Show the agents of a graph."""
        tree = thread_tree(timelines.index)
        rows = ThreadRows(timelines)
        folded = [] if self._rows is None else self._rows.folded_keys
        self._rows = TreeRows(tree, rows.row, lambda thread: thread.thread_id)
        self._rows.fold(folded)
        index = timelines.index
        words = unknown_schema_words(index)
        self.list.empty = "No agent was recorded." if index.is_schema_known else f"{words}: see pane 2."
        self.list.set_source(self._rows)
        self.title.show(safe_text(plural(len(tree), "agent")))

    def go_to(self, thread_id: str) -> None:
        """Put the cursor on an agent, unfolding what hides it."""
        if self._rows is not None:
            self._rows.reveal(thread_id)
            self.list.rows_changed()
            self.list.go_to(thread_id)

    def on_virtual_list_fold_requested(self, message: VirtualList.FoldRequested) -> None:
        """Fold or unfold a subtree."""
        message.stop()
        row = None if self._rows is None else self._rows.find(message.key)
        if self._rows is not None and row is not None and self._rows.set_folded(row, message.fold):
            self.list.rows_changed()
