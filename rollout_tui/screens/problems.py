"""What is wrong: problems of the recording, and failures of the run, one row each."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from reducer import ObjectRef, Problem
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.items.captures import cut_count_words, cut_payloads, lost_words
from rollout_tui.lines.rows import ListRows, Row
from rollout_tui.lines.spans import Span, span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.screens.sizes import BROAD
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.failure_rows import failure_row
from rollout_tui.views.timeline import Timelines
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList

PART_WIDTH = 10
"""Cells of the word for the part that a row belongs to."""

EVENT_WIDTH = 20
"""Cells of the kind of event, for most kinds."""


class ProblemsScreen(Dialog[ObjectRef]):
    """The list of problems, of payloads that limits cut, and of failures; its result is the one opened."""

    def __init__(self, timelines: Timelines) -> None:
        super().__init__()
        self._index = timelines.index
        self._failed = timelines.failed_entries()
        self._cut = cut_payloads(self._index.trace)

    def compose(self) -> ComposeResult:
        """A title and the list."""
        refs = [self._index.problem_ref(place) for place in range(len(self._index.reduction.problems))]
        cut = [ObjectRef("Payload", ref.raw_payload_id) for ref in self._cut]
        rows = ListRows([*refs, *cut, *(entry.ref for entry in self._failed)], self._row, lambda ref: ref)
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
        cut = ", " + cut_count_words(self._cut) if self._cut else ""
        return [
            span("recording: ", "muted"),
            span(problems, "strong"),
            span(cut, "warn"),
            span("   run: ", "muted"),
            span(plural(len(self._failed), "failure"), "strong"),
            span("   enter shows one", "muted"),
        ]

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Show the problem or the failure in the inspector."""
        if isinstance(message.key, ObjectRef):
            self.dismiss(message.key)

    def _row(self, ref: ObjectRef) -> Row:
        is_narrow = self.app.size.width < BROAD
        part, spans = "recording", self._recording_spans(ref, is_narrow=is_narrow)
        if spans is None:
            failure = failure_of(self._index, ref)
            part = "run"
            spans = () if failure is None else failure_row(self._index, failure, is_narrow=is_narrow).spans
        return Row(ref, (span("" if is_narrow else f"{part:<{PART_WIDTH}}", "muted"), *spans))

    def _recording_spans(self, ref: ObjectRef, *, is_narrow: bool) -> tuple[Span, ...] | None:
        """What a row of the recording says; None for one of the run."""
        if ref.type == "Problem":
            problem = self._index.problem(ref.id)
            return None if problem is None else _problem_spans(problem, is_narrow=is_narrow)
        payload = self._index.trace.raw_payloads.get(ref.id) if ref.type == "Payload" else None
        return None if payload is None else _cut_spans(payload, is_narrow=is_narrow)


def _cut_spans(payload: PayloadRef, *, is_narrow: bool) -> tuple[Span, ...]:
    cut = span(lost_words(payload) or "", "warn")
    if is_narrow:
        return span(f"{payload.raw_payload_id.rpartition(':')[2]}  ", "muted"), cut
    return (
        span(f"{payload.raw_payload_id:<18} ", "muted"),
        span(f"{payload.kind.type.replace('_', ' '):<{EVENT_WIDTH}} ", "accent"),
        cut,
    )


def _problem_spans(problem: Problem, *, is_narrow: bool) -> tuple[Span, ...]:
    where = [f"line {problem.line}"] if problem.line is not None else []
    where += [f"seq {problem.seq}"] if problem.seq is not None else []
    if not where:
        where = ["manifest" if problem.in_manifest else problem.raw_payload_id or "at the end"]
    if is_narrow:
        return span(f"{where[-1]}  ", "muted"), span(problem.reason, "bad")
    return (
        span(f"{' '.join(where):<18} ", "muted"),
        span(f"{problem.event or '':<{EVENT_WIDTH}} ", "accent"),
        span(problem.reason, "bad"),
        span(f"  {problem.consequence}", "muted"),
    )
