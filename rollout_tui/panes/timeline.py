"""Pane 2: what happened, in order. Its cursor is the cursor of the program."""

from __future__ import annotations

from textual.app import ComposeResult

from reducer import ObjectRef
from rollout_tui.keys import Pane as PaneName
from rollout_tui.panes.pane import READING, Pane
from rollout_tui.safe_text import safe_text
from rollout_tui.views.filters import EntryFacts, Filter, kept_nodes
from rollout_tui.views.timeline import Entry, EntryWords, Timelines
from rollout_tui.views.tree_rows import TreeRows
from rollout_tui.widgets.virtual_list import VirtualList


class TimelinePane(Pane):
    """The timeline of one agent, or of all agents. The key of a row is the object it stands for.

    Attributes:
        thread_id: the agent shown; the one to return to while all are shown.
        shows_all: whether all agents are shown, interleaved.
        filter: which rows are shown.
    """

    def __init__(self) -> None:
        super().__init__(PaneName.TIMELINE, 2)
        self.list = VirtualList(empty=READING)
        self.thread_id: str | None = None
        self.shows_all = False
        self.filter = Filter()
        self._rows: TreeRows[Entry] | None = None

    def views(self) -> ComposeResult:
        """The list."""
        yield self.list

    def focus_view(self) -> None:
        """The list takes the keys."""
        self.list.focus()

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        if self._rows is None or not len(self._rows):
            return None
        return self._rows.node(self.list.cursor).value

    def show(self, timelines: Timelines, thread_id: str, *, shows_all: bool = False) -> None:
        """Show the timeline of an agent, or of all; the cursor stays on its entry if it is there."""
        self.thread_id, self.shows_all = thread_id, shows_all
        index = timelines.index
        nodes = timelines.all_agents if shows_all else timelines.of_thread(thread_id)
        whole = len(nodes)
        if self.filter:
            facts = EntryFacts(index)
            nodes = kept_nodes(nodes, lambda entry: self.filter.matches(facts.of(entry)))
        words = EntryWords(index, with_thread=shows_all)
        self._rows = TreeRows(nodes, words.row, lambda entry: entry.ref)
        nothing = "No row passes the filter." if whole else "Nothing was recorded of this agent."
        self.list.empty = nothing
        self.list.set_source(self._rows)
        title = "all agents" if shows_all else index.thread_path(thread_id)
        self.title.show(safe_text(f"{title}  {self.filter.describe(len(nodes), whole)}".rstrip()))

    def set_filter(self, timelines: Timelines, wanted: Filter) -> None:
        """Show only the rows that pass a filter; the cursor stays on its entry if that one does."""
        self.filter = wanted
        if self.thread_id is not None:
            self.show(timelines, self.thread_id, shows_all=self.shows_all)

    def go_to(self, ref: ObjectRef) -> bool:
        """Put the cursor on an object's entry, unfolding what hides it; say whether it has one here."""
        if self._rows is None or self._rows.find(ref) is None:
            return False
        self._rows.reveal(ref)
        self.list.rows_changed()
        return self.list.go_to(ref)

    def go_to_seq(self, seq: int) -> None:
        """Put the cursor on the last entry at or before a sequence number."""
        if self._rows is None:
            return
        seqs = [self._rows.node(row).value.seq for row in range(len(self._rows))]
        before = [row for row, one in enumerate(seqs) if one <= seq]
        self.list.jump(max(before, key=seqs.__getitem__, default=0))

    def on_virtual_list_fold_requested(self, message: VirtualList.FoldRequested) -> None:
        """Fold or unfold a turn or a cell."""
        message.stop()
        if self._rows is not None and self._rows.set_folded(message.index, message.fold):
            self.list.rows_changed()
