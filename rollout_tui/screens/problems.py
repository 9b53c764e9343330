"""What is wrong with the bundle, one row each."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from reducer import Problem
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.words import plural
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.rows import ListRows, Row
from rollout_tui.widgets.spans import span
from rollout_tui.widgets.virtual_list import VirtualList

EVENT_WIDTH = 20
"""Cells of the kind of event, for most kinds."""


class ProblemsScreen(Dialog[int]):
    """The list of problems; its result is the place of the one that was opened."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self._problems = problems

    def compose(self) -> ComposeResult:
        """A title and the list."""
        numbered = ListRows(list(enumerate(self._problems)), _row, lambda numbered: numbered[0])
        with Vertical(classes="box full"):
            yield Bar()
            yield VirtualList(numbered, empty="Nothing is wrong with this bundle.")

    def on_mount(self) -> None:
        """Count them."""
        words = plural(len(self._problems), "problem")
        self.query_one(Bar).show([span(words, "strong"), span("   enter shows one, esc closes", "muted")])
        self.query_one(VirtualList).focus()

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Show the problem in the inspector."""
        self.dismiss(message.index)


def _row(numbered: tuple[int, Problem]) -> Row:
    place, problem = numbered
    where = [f"line {problem.line}"] if problem.line is not None else []
    where += [f"seq {problem.seq}"] if problem.seq is not None else []
    if not where:
        where = ["manifest" if problem.in_manifest else problem.raw_payload_id or "at the end"]
    return Row(
        key=place,
        spans=(
            span(f"{' '.join(where):<18} ", "muted"),
            span(f"{problem.event or '':<{EVENT_WIDTH}} ", "accent"),
            span(problem.reason, "bad"),
            span(f"  {problem.consequence}", "muted"),
        ),
    )
