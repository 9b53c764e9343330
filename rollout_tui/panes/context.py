"""Pane 3: what the model saw at this point."""

from __future__ import annotations

from textual.app import ComposeResult

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.keys import Pane as PaneName
from rollout_tui.panes.pane import READING, Pane
from rollout_tui.safe_text import safe_text
from rollout_tui.views.contexts.context import ContextView, Seen, SeenWords, context_of
from rollout_tui.views.contexts.delta import ContextDelta, DeltaLine, DeltaWords, context_delta, delta_header
from rollout_tui.views.index import TraceIndex
from rollout_tui.widgets.rows import ListRows, row_list
from rollout_tui.widgets.virtual_list import VirtualList


class ContextPane(Pane):
    """The ordered context of one inference call, and under a rule what it answered.

    Attributes:
        view: the context shown, as it is or against that of the previous call; None before the first call.
        shows_delta: whether it is shown against that of the previous call.
    """

    def __init__(self) -> None:
        super().__init__(PaneName.CONTEXT, 3)
        self.list = VirtualList(empty=READING)
        self.view: ContextView | ContextDelta | None = None
        self.shows_delta = False

    def views(self) -> ComposeResult:
        """The list."""
        yield self.list

    def focus_view(self) -> None:
        """The list takes the keys."""
        self.list.focus()

    @property
    def seen(self) -> Seen | DeltaLine | None:
        """The line under the cursor."""
        return None if self.view is None else self.view.seen[self.list.cursor]

    def show(self, index: TraceIndex, call: InferenceCall | None) -> None:
        """Show the context of a call; nothing without one."""
        if call is None:
            self.view = None
            self.title.show(safe_text(""))
            self.list.empty = "The model was not called yet."
            self.list.set_source(row_list(()))
        elif self.view is None or self.view.call is not call:
            self._lay_out(index, call)

    def toggle_delta(self, index: TraceIndex) -> None:
        """Show the context against that of the previous call, or as it is; the cursor stays on its item."""
        self.shows_delta = not self.shows_delta
        if self.view is not None:
            ref = None if self.seen is None else self.seen.ref
            self._lay_out(index, self.view.call)
            if ref is not None:
                self.go_to(ref)

    def _lay_out(self, index: TraceIndex, call: InferenceCall) -> None:
        place, total = index.place_of_call(call) + 1, len(index.contents[call.thread_id].calls)
        if self.shows_delta:
            delta = context_delta(index, call)
            self.view, header, first = delta, delta_header(index, delta), delta.first_change
            delta_words = DeltaWords(index, delta)
            self.list.set_source(ListRows(delta.seen, delta_words.row, lambda line: line.place))
        else:
            view = context_of(index, call)
            self.view, header, first = view, view.header, _first_new(view)
            self.list.set_source(ListRows(view.seen, SeenWords(index, view).row, lambda seen: seen.place))
        self.title.show(safe_text(f"call {place} of {total}  {header}"))
        self.list.jump(first)

    def go_to(self, ref: ObjectRef) -> bool:
        """Put the cursor on an item; say whether the context has it."""
        if self.view is None:
            return False
        place = next((seen.place for seen in self.view.seen if seen.ref == ref), None)
        return place is not None and self.list.go_to(place)


def _first_new(view: ContextView) -> int:
    """Where to begin to read: at the first item that the call before did not have."""
    return next((seen.place for seen in view.seen if seen.mark in ("new", "restored")), 0)
