"""The texts of a step of a code cell, and what the model saw of its results. What has to be read blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rollout_tui import glyphs
from rollout_tui.insight.cells.js_calls import CallSite, thrown_at
from rollout_tui.insight.cells.steps import CellSteps, Step
from rollout_tui.insight.cells.texts import thrown_text
from rollout_tui.insight.cells.what_was_seen import (
    SeenRow,
    cell_outputs,
    more_rows,
    result_row,
    results_to_judge,
)
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.blobs import without_data_urls
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.lines.spans import Span, StyleName
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session

_SITE_MARKS: dict[str, tuple[str, StyleName]] = {"call": ("right", "strong"), "result": ("left", "strong")}
"""The mark of the current call by the kind of its step, as the glyph set names it."""


class Content(NamedTuple):
    """What a step brought.

    Attributes:
        text: its texts.
        thrown: where in the source it was thrown; None if it was not.
    """

    text: str
    thrown: int | None = None


def content_title(step: Step) -> str:
    """What the texts of a step are; the heading of one that has no other beside it."""
    if len(step.sections) == 1:
        return step.sections[0].heading or step.sections[0].title
    return " and ".join(dict.fromkeys(section.title for section in step.sections))


def marks_in_source(steps: CellSteps, step: Step) -> tuple[tuple[int, int] | None, dict[int, Span]]:
    """Where in the source the call of a step is, and the marks of that one and of those that are open.

    Args:
        steps: the steps of the cell.
        step: one of them.

    Returns:
        First and last place of the call; marks by the place of their call, the first one of a line counts.
    """
    shapes = glyphs.active()
    marks: dict[int, Span] = {}
    for call in step.open_calls:
        site = steps.sites[call.tool_call_id]
        if isinstance(site, CallSite):
            marks[site.start] = Span(safe_text(shapes.running), "accent")
    if step.site is None:
        return None, marks
    mark, style = _SITE_MARKS.get(step.kind, ("running", "accent"))
    # The mark of the current call comes first: another call may be open in the same line.
    current = {step.site.start: Span(safe_text(getattr(shapes, mark)), style)}
    return (step.site.start, step.site.end), current | marks | current


def known_text(step: Step) -> str:
    """What a step brought, as far as it is known without reading payloads."""
    return "\n".join(section.text or "" for section in step.sections)


def known_content(step: Step) -> Content | None:
    """What a step brought; None if payloads have to be read for that."""
    if step.error_payload is not None or any(section.payload is not None for section in step.sections):
        return None
    return Content(_joined((section, section.text or "") for section in step.sections))


def read_content(session: Session, step: Step, source: str) -> Content:
    """What a step brought.

    Args:
        session: reads payloads.
        step: the step.
        source: the JavaScript of its cell.
    """
    text = _joined((section, without_data_urls(session.text(section))) for section in step.sections)
    error = None if step.error_payload is None else thrown_text(session.json(step.error_payload))
    return Content(text, None if error is None else thrown_at(source, error))


def judge_results(
    session: Session, index: TraceIndex, steps: CellSteps, is_cancelled: Callable[[], bool]
) -> list[SeenRow] | None:
    """What the model saw of the results of a cell's calls; None if nobody waits for it any more."""
    outputs = cell_outputs(index, steps)
    rows = []
    for call, ref in results_to_judge(index, steps):
        if is_cancelled():
            return None
        payload = None if ref is None else session.json(ref)
        rows.append(result_row(index, call, payload, outputs))
    return [*rows, *more_rows(steps)]


def _joined(texts: Iterable[tuple[TextSection, str]]) -> str:
    """Texts one after the other, each under its heading if there are several."""
    known = list(texts)
    if len(known) == 1:
        return known[0][1]
    rule = glyphs.active().rule * 2
    return "\n\n".join(f"{rule} {section.heading or section.title} {rule}\n{text}" for section, text in known)
