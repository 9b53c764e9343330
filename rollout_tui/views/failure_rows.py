"""Failures as a list: where, what, whose, how and why, one row each."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui.insight.failures.definition import Failure
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.words import cell_words, tool_label, tool_words
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import span
from rollout_tui.texts.short_forms import one_line
from rollout_tui.views.failure_spans import cause_span, verdict_span

VERDICT_WIDTH = 13
"""Cells of a verdict and the gap behind it, for all but the longest."""

WORDS = 40
"""Characters of what a tool call did."""


def failure_row(index: TraceIndex, failure: Failure, *, is_narrow: bool = False) -> Row:
    """A failure in a list. Its key is what failed.

    Args:
        index: the graph.
        failure: the failure.
        is_narrow: whether to leave out the agent, and blanks that only set columns.
    """
    gap = 2 if is_narrow else max(1, VERDICT_WIDTH - len(failure.verdict))
    return Row(
        key=failure.ref,
        spans=(
            span(f"{failure.seq:>4} " if is_narrow else f"seq {failure.seq:<5} ", "muted"),
            verdict_span(failure),
            span(" " * gap),
            span("" if is_narrow else f"{index.thread_path(failure.thread_id)}  ", "link"),
            span(failed_words(index, failure.ref), "accent"),
            cause_span(failure),
        ),
    )


def failed_words(index: TraceIndex, ref: ObjectRef) -> str:
    """What failed, in a few words: `turn 2`, `call 7`, `command pytest -q`, `error`."""
    trace = index.trace
    if ref.type == "ToolCall":
        call = trace.tool_calls[ref.id]
        return one_line(f"{tool_label(index, call)} {tool_words(index, call)}", WORDS)
    if ref.type == "CodeCell":
        return one_line(f"exec {cell_words(index, trace.code_cells[ref.id])}", WORDS)
    if ref.type == "InferenceCall":
        return f"call {index.place_of_call(trace.inference_calls[ref.id]) + 1}"
    if ref.type == "Turn":
        return f"turn {index.turn_number(ref.id)}"
    if ref.type == "Event":
        event = index.event_at(int(ref.id))
        return "event" if event is None or event.note is None else event.note
    return {"CompactionRequest": "request to compact"}.get(ref.type, ref.type)
