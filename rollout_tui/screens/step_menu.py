"""Several places to follow to: the reader picks one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from reducer import ObjectRef
from rollout_tui.insight.following.steps import Step
from rollout_tui.lines.rows import ListRows, Row
from rollout_tui.lines.spans import span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList

WHY_WIDTH = 26


class StepMenu(Dialog[ObjectRef]):
    """The steps that can be taken from an object; its result is the target of the one that was opened."""

    DEFAULT_CSS = "StepMenu VirtualList { height: auto; min-height: 3; max-height: 12; }"

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self._steps = steps

    def compose(self) -> ComposeResult:
        """A title and the steps."""
        with Vertical(classes="box"):
            yield Bar()
            yield VirtualList(ListRows(self._steps, _row))

    def on_mount(self) -> None:
        """Say what to do."""
        self.query_one(Bar).show(
            [span("Follow to", "strong"), span("   enter goes there, esc closes", "muted")]
        )
        self.query_one(VirtualList).focus()

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Go there."""
        if isinstance(message.item, Step):
            self.dismiss(message.item.target)


def _row(step: Step) -> Row:
    return Row(key=step, spans=(span(f"{step.why:<{WHY_WIDTH}} ", "muted"), span(step.words)))
