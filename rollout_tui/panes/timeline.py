"""Pane 2: what happened, in order. Its cursor is the cursor of the program."""

from __future__ import annotations

from collections.abc import Hashable

from textual import work
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import get_current_worker

from reducer import ObjectRef
from rollout_tui import keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.panes.pane import READING, Pane
from rollout_tui.progress import Cancelled, now_and_then
from rollout_tui.safe_text import safe_text
from rollout_tui.views.entry_rows import COLUMNS
from rollout_tui.views.filters import Filter
from rollout_tui.views.landing import last_before
from rollout_tui.views.overview import unknown_schema_words
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeRows
from rollout_tui.widgets.virtual_list import VirtualList

FILTERED_AT_ONCE = 400
"""Rows that are filtered without a thread: so many take less time than a key may."""


class TimelinePane(AwaitingWork, Pane):
    """The timeline of one agent, or of all agents. The key of a row is the object it stands for.

    Attributes:
        thread_id: the agent shown; the one to return to while all are shown.
        shows_all: whether all agents are shown, interleaved.
        filter: which rows are shown.
        is_filtering: whether the rows that pass the filter are being looked for; until they are found those
            from before are shown.
    """

    class Filtered(Message):
        """The rows that pass the filter are found."""

        def __init__(self, timelines: Timelines, rows: TreeRows[Entry], whole: int) -> None:
            super().__init__()
            self.timelines, self.rows, self.whole = timelines, rows, whole

    class Missed(Message):
        """The rows are found that pass the filter, and what the cursor was to go to is not among them."""

        def __init__(self, ref: ObjectRef) -> None:
            super().__init__()
            self.ref = ref

    class FilterProgress(Message):
        """How many rows of how many were looked at."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done, self.total = done, total

    def __init__(self) -> None:
        super().__init__(keys.Focus.TIMELINE, 2)
        self.list = VirtualList(empty=READING)
        self.thread_id: str | None = None
        self.shows_all = False
        self.filter = Filter()
        self.is_filtering = False
        self._filter_before = Filter()
        self._filtering: tuple[str | None, Filter] = (None, self.filter)
        self._newer: Timelines | None = None
        self._timelines: Timelines | None = None
        self._wanted: ObjectRef | None = None
        self._rows: TreeRows[Entry] | None = None

    def views(self) -> ComposeResult:
        """The list."""
        yield self.list

    def focus_view(self) -> None:
        """The list takes the keys."""
        self.list.focus()

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor; None if it is one of another view, of which this has no such entry."""
        if self._rows is None or not len(self._rows) or self._timelines is None:
            return None
        entry = self._rows.node(self.list.cursor).value
        return None if self._timelines.tree(None).find(entry.ref) is None else entry

    @property
    def folds(self) -> dict[str | None, list[Hashable]]:
        """What is folded in the timeline that is shown, by its agent."""
        if self._rows is None:
            return {}
        return {None if self.shows_all else self.thread_id: self._rows.folded_keys}

    def show(self, timelines: Timelines, thread_id: str, *, shows_all: bool = False) -> None:
        """Show the timeline of an agent, or of all; the cursor stays on its entry if it is there."""
        self.thread_id, self.shows_all, self._timelines = thread_id, shows_all, timelines
        shown = None if shows_all else thread_id
        whole = len(timelines.tree(shown))
        if self.is_filtering and self._filtering == (shown, self.filter):
            self._newer = timelines  # a log that grows would else begin anew again and again
            return
        self.workers.cancel_group(self, "filter")
        self.is_filtering, self._newer = False, None
        if not self.filter:
            self._show_rows(timelines, timelines.rows(shown), whole)
        elif whole <= FILTERED_AT_ONCE:
            self._show_rows(timelines, timelines.filtered(shown, self.filter), whole)
        else:
            self.is_filtering, self._filtering = True, (shown, self.filter)
            self._filter(timelines, shown, self.filter, whole)

    def _show_rows(self, timelines: Timelines, rows: TreeRows[Entry], whole: int) -> None:
        self._rows = rows
        self.list.empty = "No row passes the filter." if whole else "Nothing was recorded of this agent."
        self.list.set_source(rows)
        self._filter_before = self.filter
        title = "all agents" if self.shows_all else timelines.index.thread_path(self.thread_id or "")
        if not timelines.index.is_schema_known:
            title = f"raw events: {unknown_schema_words(timelines.index)}"
        shown = self.filter.describe(rows.whole_count, whole)
        columns = COLUMNS if timelines.index.is_schema_known else ""
        self.title.show(safe_text(f"{title}  {shown}".rstrip()), safe_text(columns))

    @work(thread=True, exclusive=True, group="filter", exit_on_error=False)
    def _filter(self, timelines: Timelines, shown: str | None, wanted: Filter, whole: int) -> None:
        worker = get_current_worker()
        progress = now_and_then(
            lambda done, total: self.post_message(self.FilterProgress(done, total)),
            lambda: worker.is_cancelled,
        )
        try:
            rows = timelines.filtered(shown, wanted, progress)
        except Cancelled:
            return
        if not worker.is_cancelled:
            self.post_message(self.Filtered(timelines, rows, whole))

    def work_failed(self, group: str, reason: str) -> None:
        """Say that the rows are those of before."""
        self.is_filtering, self._newer, self._wanted = False, None, None
        self.filter = self._filter_before
        self.title.show(safe_text("not filtered"))
        self.post_message(self.WorkFailed(f"not filtered: {reason}"))

    def on_timeline_pane_filter_progress(self, message: FilterProgress) -> None:
        """Say how far it is."""
        message.stop()
        if self.is_filtering:
            words = f"filtering {message.done:,} of {message.total:,}  &{self.filter.text}  esc cancels"
            self.title.show(safe_text(words))

    def on_timeline_pane_filtered(self, message: Filtered) -> None:
        """Show the rows that pass, with the cursor where it was to go meanwhile."""
        message.stop()
        if not self.is_filtering:
            return
        self.is_filtering = False
        self._show_rows(message.timelines, message.rows, message.whole)
        wanted, self._wanted = self._wanted, None
        if wanted is not None and not self.go_to(wanted):
            self.post_message(self.Missed(wanted))
        newer, self._newer = self._newer, None
        if newer is not None and self.thread_id is not None:
            self.show(newer, self.thread_id, shows_all=self.shows_all)

    def cancel_filter(self, timelines: Timelines) -> bool:
        """Give up looking for rows, and go back to the filter before; say whether that was under way."""
        if not self.is_filtering:
            return False
        self.set_filter(timelines, self._filter_before if self._filter_before != self.filter else Filter())
        return True

    def set_filter(self, timelines: Timelines, wanted: Filter) -> None:
        """Show only the rows that pass a filter; the cursor stays on its entry if that one does."""
        self.filter = wanted
        if self.thread_id is not None:
            self.show(timelines, self.thread_id, shows_all=self.shows_all)

    def go_to(self, ref: ObjectRef) -> bool:
        """Put the cursor on an object's entry, unfolding what hides it; say whether it has one here.

        While rows are looked for, the cursor goes there once they are found.
        """
        if self.is_filtering:
            self._wanted = ref
        if self._rows is None or self._rows.find(ref) is None:
            return False
        self._rows.reveal(ref)
        self.list.rows_changed()
        return self.list.go_to(ref)

    def go_to_seq(self, seq: int) -> None:
        """Put the cursor on the last entry at or before a sequence number."""
        rows, timelines = self._rows, self._timelines
        if rows is None or timelines is None:
            return
        nearest = last_before(timelines, seq, lambda entry: rows.find(entry.ref) is not None)
        row = None if nearest is None else rows.find(nearest.ref)
        self.list.jump(row or 0)

    def on_virtual_list_fold_requested(self, message: VirtualList.FoldRequested) -> None:
        """Fold or unfold a turn or a cell."""
        message.stop()
        row = None if self._rows is None else self._rows.find(message.key)
        if self._rows is not None and row is not None and self._rows.set_folded(row, message.fold):
            self.list.rows_changed()
