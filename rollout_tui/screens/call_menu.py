"""The calls of an agent: the reader picks one to compare a context with."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical

from reducer.model import InferenceCall
from rollout_tui import glyphs
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.rows import ListRows, Row
from rollout_tui.lines.spans import span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.contexts.context_rows import call_header
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to show of a context.

    Attributes:
        base: the call to compare with; None for the context as it is.
    """

    base: InferenceCall | None


class CallMenu(Dialog[Comparison]):
    """The calls with which the context of one can be compared; its result is the one that was opened.

    Its first row, which is under the cursor, ends the comparison.
    """

    DEFAULT_CSS = "CallMenu VirtualList { height: auto; min-height: 3; max-height: 16; }"

    def __init__(self, index: TraceIndex, call: InferenceCall) -> None:
        """Offer the other calls of the same agent.

        Args:
            index: the graph.
            call: the call whose context is shown.
        """
        super().__init__()
        self._index = index
        self._call = call
        others = [one for one in index.contents[call.thread_id].calls if one is not call]
        self._rows = [Comparison(None), *map(Comparison, others)]

    def compose(self) -> ComposeResult:
        """A title and the calls."""
        with Vertical(classes="box"):
            yield Bar()
            yield VirtualList(ListRows(self._rows, self._row, _key))

    def on_mount(self) -> None:
        """Say what to do."""
        number = self._index.place_of_call(self._call) + 1
        self.query_one(Bar).show(
            [
                span(f"Compare call {number} with", "strong"),
                span("   enter compares, esc leaves it as it is", "muted"),
            ]
        )
        self.query_one(VirtualList).focus()

    def _row(self, choice: Comparison) -> Row:
        call = choice.base
        if call is None:
            return Row(key=_key(choice), spans=(span("nothing: the context as it is"),))
        number = self._index.place_of_call(call) + 1
        side = "before" if number <= self._index.place_of_call(self._call) else "after"
        seq = f"{glyphs.active().separator} seq {call.execution.started_seq}"
        return Row(
            key=_key(choice),
            spans=(
                span(f"call {number:<5}", "accent"),
                span(f"{side:<7} {seq:<11} ", "muted"),
                span(call_header(self._index, call)),
            ),
        )

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Compare with it."""
        if isinstance(message.item, Comparison):
            self.dismiss(message.item)


def _key(choice: Comparison) -> str:
    return "" if choice.base is None else choice.base.inference_call_id
