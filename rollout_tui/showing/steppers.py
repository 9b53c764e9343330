"""Compactions and code cells as documents: all the states and steps that the inspector goes through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.insight.cells.steps import Step, cell_steps, cells_in_order
from rollout_tui.insight.cells.what_was_seen import (
    SeenRow,
    cell_outputs,
    more_rows,
    result_row,
    results_to_judge,
    shown_rows,
)
from rollout_tui.insight.certainty import data_of
from rollout_tui.insight.compaction.steps import StepView
from rollout_tui.insight.compaction.verdicts import Judged
from rollout_tui.insight.index import TraceIndex
from rollout_tui.language.asking import OneOf
from rollout_tui.lines.spans import spans_text
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import compaction_asked_for
from rollout_tui.showing.document import Document
from rollout_tui.showing.naming import encodable, graph_object
from rollout_tui.views.cell_rows import cell_header, lanes_drawn, seen_row, step_row
from rollout_tui.views.compaction.facts import request_facts
from rollout_tui.views.compaction.history_rows import (
    HistoryRows,
    column_lines,
    first_call_lines,
    last_call_lines,
)
from rollout_tui.views.compaction.titles import call_spans, no_call_after, no_call_before, title_spans
from rollout_tui.views.compaction.verdict_words import count_spans, return_spans, size_lines

_ROW_WIDTH = 1000
"""Rows are not cut: everything that a row has room for on a wide screen is in it."""


def compaction_document(index: TraceIndex, wish: OneOf) -> Document:
    """A compaction in its four states, with the verdicts on every item and the totals.

    Raises:
        InputRefused: there is no such compaction.
    """
    steps, place = compaction_asked_for(index, wish)
    step = steps[place]
    view = StepView(index, step)
    document = Document(spans_text(title_spans(index, steps, place)).strip())
    document.facts = [(fact.name, fact.value) for fact in request_facts(index, view)]
    words = HistoryRows(index, _ROW_WIDTH)
    _add_call(document, index, "1 last call before", step.last_before, no_call_before(step))
    document.add_rows("its context", map(words.row, last_call_lines(view)))
    found = view.checkpoint
    if found is not None:
        document.add_rows("3 before", map(words.row, column_lines(found.before)))
        document.add_rows("3 after", map(words.row, column_lines(found.after)))
        document.add_spans("verdicts", [count_spans(found.before), count_spans(found.after)])
        before, after = view.sizes
        document.add_text("totals", "\n".join(size_lines({"before": before, "after": after})))
    _add_call(document, index, "4 first call after", step.first_after, no_call_after(index, step))
    if view.aftermath is not None:
        document.add_rows("its context and what is gone", map(words.row, first_call_lines(view)))
        document.add_spans("what came back", [return_spans(view.aftermath)])
    document.data = _compaction_data(view, place)
    return document


def _add_call(
    document: Document, index: TraceIndex, heading: str, call: InferenceCall | None, otherwise: str
) -> None:
    document.add_text(heading, otherwise if call is None else spans_text(call_spans(index, call)).strip())


def _compaction_data(view: StepView, place: int) -> dict[str, Any]:
    step, found, later = view.step, view.checkpoint, view.aftermath
    return {
        "number": place + 1,
        "thread_id": step.thread_id,
        "outcome": step.outcome,
        "start_seq": step.start_seq,
        "seq": step.seq,
        "compaction": step.compaction,
        "requests": step.requests,
        "last_call_before": _id_of(step.last_before),
        "first_call_after": _id_of(step.first_after),
        "before": [] if found is None else _judged(found.before),
        "after": [] if found is None else _judged(found.after),
        "first_call_context": [] if later is None else _judged(later.after),
        "gone_for_good": [] if later is None else [one.item_id for one in later.gone],
    }


def _judged(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    return [
        {
            "item_id": one.item_id,
            "verdict": one.verdict,
            "because": one.basis,
            "is_judged": one.is_judged,
            "partner": one.partner,
        }
        for one in judged
    ]


def _id_of(call: InferenceCall | None) -> str | None:
    return None if call is None else call.inference_call_id


def cell_document(session: Session, index: TraceIndex, ref: ObjectRef) -> Document:
    """A code cell: its script, its steps with their texts, and what the model saw of them."""
    cells = cells_in_order(index)
    cell = index.trace.code_cells[ref.id]
    steps = cell_steps(index, cell)
    place = next(place for place, one in enumerate(cells) if one.code_cell_id == ref.id)
    document = Document(spans_text(cell_header(index, steps, place, len(cells))).strip())
    lines = cell.source_js.split("\n")
    width = len(str(len(lines)))
    numbered = (f"{number:>{width}}  {line}" for number, line in enumerate(lines, 1))
    document.add_text("script", "\n".join(numbered))
    lanes = lanes_drawn(steps)
    document.add_rows("steps", (step_row(step, lanes) for step in steps.steps))
    read = session.reader()
    texts: list[list[dict[str, str]]] = []
    for step in steps.steps:
        sections = () if step.kind == "started" else step.sections  # the script stands above already
        found = [(section.heading or section.title, read(section)) for section in sections]
        for heading, text in found:
            document.add_text(f"step {step.place + 1}, {step.kind}: {heading}", text)
        texts.append([{"heading": heading, "text": encodable(text)} for heading, text in found])
    outputs = cell_outputs(index, steps)
    seen: list[SeenRow] = shown_rows(index, steps)
    for call, payload in results_to_judge(index, steps):
        seen.append(result_row(index, call, None if payload is None else session.json(payload), outputs))
    seen += more_rows(steps)
    document.add_rows("what the model saw", map(seen_row, enumerate(seen)))
    document.data = {
        "number": place + 1,
        "type": ref.type,
        "id": ref.id,
        "object": graph_object(index, ref),
        **data_of(index, ref),
        "steps": [_step_data(step, found) for step, found in zip(steps.steps, texts, strict=True)],
        "seen": [
            {"seen": one.seen, "what": one.what, "words": one.words, "first_seen_by_call": one.by_call}
            for one in seen
        ],
    }
    return document


def _step_data(step: Step, texts: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "seq": step.seq,
        "since_ms": step.since_ms,
        "took_ms": step.took_ms,
        "status": step.status,
        "verdict": None if step.failure is None else step.failure.verdict,
        "tool_call_id": None if step.call is None else step.call.tool_call_id,
        "words": encodable(step.words),
        "texts": texts,
    }
