"""Pane 3: what the model saw at this point."""

from __future__ import annotations

from textual.app import ComposeResult

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.keys import Pane as PaneName
from rollout_tui.panes.pane import READING, Pane
from rollout_tui.safe_text import safe_text
from rollout_tui.views.context import ContextView, Seen, SeenWords, context_of
from rollout_tui.views.index import TraceIndex
from rollout_tui.widgets.rows import ListRows, row_list
from rollout_tui.widgets.virtual_list import VirtualList


class ContextPane(Pane):
    """The ordered context of one inference call, and under a rule what it answered.

    Attributes:
        view: the context shown; None before the first call of an agent.
    """

    def __init__(self) -> None:
        super().__init__(PaneName.CONTEXT, 3)
        self.list = VirtualList(empty=READING)
        self.view: ContextView | None = None

    def views(self) -> ComposeResult:
        """The list."""
        yield self.list

    def focus_view(self) -> None:
        """The list takes the keys."""
        self.list.focus()

    @property
    def seen(self) -> Seen | None:
        """The line under the cursor."""
        return None if self.view is None else self.view.seen[self.list.cursor]

    def show(self, index: TraceIndex, call: InferenceCall | None) -> None:
        """Show the context of a call; nothing without one."""
        if call is None:
            self.view = None
            self.title.show(safe_text(""))
            self.list.empty = "The model was not called yet."
            self.list.set_source(row_list(()))
            return
        if self.view is not None and self.view.call is call:
            return
        self.view = context_of(index, call)
        place, total = index.place_of_call(call) + 1, len(index.contents[call.thread_id].calls)
        self.title.show(safe_text(f"call {place} of {total}  {self.view.header}"))
        words = SeenWords(index, self.view)
        self.list.set_source(ListRows(self.view.seen, words.row, lambda seen: seen.place))
        self.list.jump(_first_new(self.view))

    def go_to(self, ref: ObjectRef) -> bool:
        """Put the cursor on an item; say whether the context has it."""
        if self.view is None:
            return False
        place = next((seen.place for seen in self.view.seen if seen.ref == ref), None)
        return place is not None and self.list.go_to(place)


def _first_new(view: ContextView) -> int:
    """Where to begin to read: at the first item that the call before did not have."""
    return next((seen.place for seen in view.seen if seen.mark in ("new", "restored")), 0)
