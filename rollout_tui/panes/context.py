"""Pane 3: what the model saw at this point."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual import work
from textual.app import ComposeResult
from textual.message import Message

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui import keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.contexts.context import ContextLine
from rollout_tui.insight.contexts.delta import ContextDelta, DeltaLine, context_delta
from rollout_tui.insight.contexts.prefix import PrefixBreak
from rollout_tui.insight.contexts.request_parts import RequestParts
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_text
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.lines.rows import ListRows, row_list
from rollout_tui.lines.spans import span
from rollout_tui.panes.pane import READING, Pane
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session
from rollout_tui.views.contexts.context_rows import ContextRows, ContextView, context_of
from rollout_tui.views.contexts.delta_rows import DeltaRows, delta_header
from rollout_tui.views.overview import unknown_schema_words
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList

WIDE_ROWS = 60
"""Cells of a row from which an item says its estimated tokens beside its share of the context."""

SETTLED = 0.08
"""Seconds after which a call is taken to be looked at rather than passed by, so that its request is read."""


class ContextPane(AwaitingWork, Pane):
    """The ordered context of one inference call, and under a rule what it answered.

    Attributes:
        view: the context shown, as it is or against that of another call; None before the first call.
        shows_delta: whether it is shown against that of another call.
        base_id: the id of the call that was chosen to compare with; None for the one before. The choice holds
            for the call for which it was made, and is forgotten with it.
    """

    class PartsRead(Message):
        """What the raw request of a call holds beside its items is known."""

        def __init__(self, call: InferenceCall, parts: RequestParts) -> None:
            super().__init__()
            self.call, self.parts = call, parts

    class PrefixOpened(Message):
        """The reader wants to know more about where two contexts part."""

        def __init__(self, prefix: PrefixBreak) -> None:
            super().__init__()
            self.prefix = prefix

    def __init__(self, session: Session) -> None:
        super().__init__(keys.Focus.CONTEXT, 3)
        self._session = session
        self.header = Bar()
        self.list = VirtualList(empty=READING)
        self.view: ContextView | ContextDelta | None = None
        self.shows_delta = False
        self.base_id: str | None = None
        self._base_for: str | None = None
        self._is_next = False
        self._parts: RequestParts | None = None
        self._has_wide_rows = False

    def views(self) -> ComposeResult:
        """A line about the call, and the list."""
        yield self.header
        yield self.list

    def focus_view(self) -> None:
        """The list takes the keys."""
        self.list.focus()

    @property
    def seen(self) -> ContextLine | DeltaLine | None:
        """The line under the cursor."""
        return None if self.view is None else self.view.seen[self.list.cursor]

    def show_at(self, index: TraceIndex, entry: Entry | None, *, again: bool = False) -> None:
        """Show the context of the last call up to an entry, or of the first one of its agent behind it.

        Args:
            index: the graph.
            entry: the entry; nothing is shown without one.
            again: whether the graph is a later one, and the cursor is to stay on its item.
        """
        call = None if entry is None else index.call_at(entry.thread_id, entry.seq)
        was_next, self._is_next = self._is_next, False
        if call is None and entry is not None:
            calls = index.contents[entry.thread_id].calls if entry.thread_id in index.contents else []
            call, self._is_next = next(iter(calls), None), bool(calls)
        if again:
            self.refresh_view(index, call)
        else:
            self.show(index, call)
        if was_next != self._is_next:
            self._show_title(index)

    def show(self, index: TraceIndex, call: InferenceCall | None) -> None:
        """Show the context of a call; nothing without one."""
        if call is None:
            self.view = None
            self.title.show(safe_text(""))
            self.header.show([])
            words = unknown_schema_words(index)
            self.list.empty = "The model was not called yet." if index.is_schema_known else f"{words}."
            self.list.set_source(row_list(()))
        elif self.view is None or self.view.call is not call:
            self._lay_out(index, call)

    def refresh_view(self, index: TraceIndex, call: InferenceCall | None) -> None:
        """Show what became of a call; the cursor stays on its item."""
        view = self.view
        if view is None or call is None or view.call.inference_call_id != call.inference_call_id:
            self.show(index, call)
        elif view.call is not call:
            self._lay_out_again(index, call)
        else:
            self._show_title(index)

    def show_list(self, index: TraceIndex) -> None:
        """Show the context as it is; the cursor stays on its item."""
        self.shows_delta, self.base_id = False, None
        self._lay_out_again(index)

    def show_delta(self, index: TraceIndex, base_id: str | None = None) -> None:
        """Show the context against that of another call; the cursor stays on its item.

        Args:
            index: the graph.
            base_id: the id of the other call; None for the one before.
        """
        self.shows_delta, self.base_id = True, base_id
        self._base_for = None if self.view is None else self.view.call.inference_call_id
        self._lay_out_again(index)

    def _lay_out_again(self, index: TraceIndex, call: InferenceCall | None = None) -> None:
        if self.view is not None:
            ref = None if self.seen is None else self.seen.ref
            self._lay_out(index, call or self.view.call)
            if ref is not None:
                self.go_to(ref)

    def _lay_out(self, index: TraceIndex, call: InferenceCall) -> None:
        self._parts = None
        if call.inference_call_id != self._base_for:
            self.base_id = None
        if self.shows_delta:
            delta = context_delta(index, call, self._base(index, call))
            self.view, header, first = delta, delta_header(index, delta), delta.first_change
        else:
            view = context_of(index, call)
            self.view, header, first = view, view.header, _first_new(view)
        self._show_rows(index)
        self._show_title(index)
        self.header.show([span(f" {header}")])
        self.list.jump(first)
        self._read_parts(call)

    def _show_title(self, index: TraceIndex) -> None:
        view = self.view
        if view is None:
            return
        number, calls = index.place_of_call(view.call) + 1, index.contents[view.call.thread_id].calls
        title = f"call {number} of {len(calls)}"
        if isinstance(view, ContextDelta):
            title = _delta_title(index, view, title, self.base_id)
        if self._is_next:
            title = f"next: {title}"
        self.title.show(safe_text(title))

    def _base(self, index: TraceIndex, call: InferenceCall) -> InferenceCall | None:
        """The call that was chosen to compare with, if it can be compared with this one."""
        base = index.trace.inference_calls.get(self.base_id or "")
        same = base is not None and base is not call and base.thread_id == call.thread_id
        return base if same else None

    def _show_rows(self, index: TraceIndex) -> None:
        """Lay out the lines of the view; it says more where there is room, and once more is known."""
        view, text = self.view, _text_in(index)
        self._has_wide_rows = self.list.line_width >= WIDE_ROWS
        if isinstance(view, ContextDelta):
            row = DeltaRows(index, view, self._parts).row
            self.list.set_source(ListRows(view.seen, row, lambda line: line.place, text=text))
        elif view is not None:
            words = ContextRows(index, view, self._parts, is_wide=self._has_wide_rows)
            self.list.set_source(ListRows(view.seen, words.row, lambda seen: seen.place, text=text))

    def on_resize(self) -> None:
        """Rows say more where there is room."""
        timelines = self._session.timelines
        if timelines is not None and self._has_wide_rows != (self.list.line_width >= WIDE_ROWS):
            self._show_rows(timelines.index)

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """On the line where two contexts part, tell more about that."""
        seen, prefix = self.seen, None if self.view is None else self.view.prefix
        at_break = (isinstance(seen, ContextLine) and seen.rule == "prefix") or (
            isinstance(seen, DeltaLine) and seen.kind == "break"
        )
        if at_break and prefix is not None:
            message.stop()
            self.post_message(self.PrefixOpened(prefix))

    @work(exclusive=True, group="parts", exit_on_error=False)
    async def _read_parts(self, call: InferenceCall) -> None:
        """Measure the raw request, in a thread, and not while the cursor runs past."""
        await asyncio.sleep(SETTLED)
        self.post_message(self.PartsRead(call, await asyncio.to_thread(self._session.request_parts, call)))

    def work_failed(self, group: str, reason: str) -> None:
        """Say that the sizes of the request will not come."""
        self.title.show(safe_text("sizes unknown"))
        self.post_message(self.WorkFailed(f"the sizes of the request are not known: {reason}"))

    def on_context_pane_parts_read(self, message: PartsRead) -> None:
        """Show the sizes, if their call is still the one to show."""
        message.stop()
        timelines = self._session.timelines
        if timelines is not None and self.view is not None and self.view.call is message.call:
            self._parts = message.parts
            self._show_rows(timelines.index)

    def go_to(self, ref: ObjectRef) -> bool:
        """Put the cursor on an item; say whether the context has it."""
        if self.view is None:
            return False
        place = next((seen.place for seen in self.view.seen if seen.ref == ref), None)
        return place is not None and self.list.go_to(place)


def _delta_title(index: TraceIndex, delta: ContextDelta, title: str, chosen_id: str | None) -> str:
    """What is compared with what; that a call was chosen counts for more than how many calls there are."""
    base = delta.base
    if base is None:
        return title
    number = index.place_of_call(base) + 1
    if base.inference_call_id != chosen_id:
        return f"{title}  against call {number}"
    return f"call {index.place_of_call(delta.call) + 1}  against chosen call {number}"


def _first_new(view: ContextView) -> int:
    """Where to begin to read: at the first item that the call before did not have."""
    return next((seen.place for seen in view.seen if seen.mark in ("new", "restored")), 0)


def _text_in(index: TraceIndex) -> Callable[[ContextLine | DeltaLine], str]:
    """What a line's item says in full, for searching in it."""
    items = index.trace.conversation_items

    def text(line: ContextLine | DeltaLine) -> str:
        item = None if line.ref is None else items.get(line.ref.id)
        return "" if item is None else item_text(item)

    return text
