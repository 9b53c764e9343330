"""What is wrong: problems of the recording, and failures of the run, one row each."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from reducer import ObjectRef, Problem
from rollout_tui.insight.failures import failure_of
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.failure_rows import failure_row
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.words import plural
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.rows import ListRows, Row
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.virtual_list import VirtualList

PART_WIDTH = 10
"""Cells of the word for the part that a row belongs to."""

EVENT_WIDTH = 20
"""Cells of the kind of event, for most kinds."""


class ProblemsScreen(Dialog[ObjectRef]):
    """The list of problems and failures; its result is the one that was opened."""

    def __init__(self, timelines: Timelines) -> None:
        super().__init__()
        self._index = timelines.index
        self._failed = timelines.failed_entries()

    def compose(self) -> ComposeResult:
        """A title and the list."""
        problems = range(len(self._index.reduction.problems))
        refs = [ObjectRef("Problem", str(place)) for place in problems]
        rows = ListRows([*refs, *(entry.ref for entry in self._failed)], self._row, lambda ref: ref)
        with Vertical(classes="box full"):
            yield Bar()
            yield VirtualList(
                rows, empty="Nothing is wrong with this recording, and nothing failed in the run."
            )

    def on_mount(self) -> None:
        """Count them."""
        self.query_one(Bar).show(self._title())
        self.query_one(VirtualList).focus()

    def _title(self) -> list[Span]:
        problems = plural(len(self._index.reduction.problems), "problem")
        return [
            span("recording: ", "muted"),
            span(problems, "strong"),
            span("   run: ", "muted"),
            span(plural(len(self._failed), "failure"), "strong"),
            span("   enter shows one", "muted"),
        ]

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Show the problem or the failure in the inspector."""
        if isinstance(message.key, ObjectRef):
            self.dismiss(message.key)

    def _row(self, ref: ObjectRef) -> Row:
        if ref.type == "Problem":
            spans = _problem_spans(self._index.reduction.problems[int(ref.id)])
            return Row(ref, (span(f"{'recording':<{PART_WIDTH}}", "muted"), *spans))
        failure = failure_of(self._index, ref)
        spans = () if failure is None else failure_row(self._index, failure).spans
        return Row(ref, (span(f"{'run':<{PART_WIDTH}}", "muted"), *spans))


def _problem_spans(problem: Problem) -> tuple[Span, ...]:
    where = [f"line {problem.line}"] if problem.line is not None else []
    where += [f"seq {problem.seq}"] if problem.seq is not None else []
    if not where:
        where = ["manifest" if problem.in_manifest else problem.raw_payload_id or "at the end"]
    return (
        span(f"{' '.join(where):<18} ", "muted"),
        span(f"{problem.event or '':<{EVENT_WIDTH}} ", "accent"),
        span(problem.reason, "bad"),
        span(f"  {problem.consequence}", "muted"),
    )
