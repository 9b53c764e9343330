"""What one state of a compaction shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from rollout_tui.insight.compaction.steps import StepView
from rollout_tui.insight.compaction.verdicts import Comparison
from rollout_tui.insight.contexts.item_sizes import total_size
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import Span, span
from rollout_tui.views.compaction import titles, verdict_words
from rollout_tui.views.compaction.facts import request_facts
from rollout_tui.views.compaction.history_rows import Line, State, first_call_lines, last_call_lines
from rollout_tui.views.detail.facts import FactRow


class Page(Struct, frozen=True):
    """Two lines about a state, and under them a list of items or of facts, or the histories of a checkpoint.

    Attributes:
        info: what it is about.
        note: more of that.
        lines: the items.
        facts: the facts; None where there is a list of items.
        empty: the sentence that stands there if there are none.
        checkpoint: the histories to show side by side.
    """

    info: Sequence[Span] = ()
    note: Sequence[Span] = ()
    lines: Sequence[Line] = ()
    facts: Sequence[FactRow] | None = None
    empty: str = ""
    checkpoint: Comparison | None = None


def page_of(index: TraceIndex, view: StepView | None, state: State) -> Page:
    """What a state of a compaction shows.

    Args:
        index: the graph.
        view: the compaction; None if the bundle has none.
        state: the state.
    """
    if view is None:
        return Page(empty=titles.nothing_found(index))
    pages = {
        State.LAST_CALL: _last_call,
        State.REQUEST: _request,
        State.CHECKPOINT: _checkpoint,
        State.FIRST_CALL: _first_call,
    }
    return pages[state](index, view)


def _last_call(index: TraceIndex, view: StepView) -> Page:
    call, lines, empty = view.step.last_before, last_call_lines(view), titles.no_call_before(view.step)
    if call is None:
        return Page(lines=lines, empty=empty)
    context = total_size(index.items(call.request_item_ids))
    sizes = verdict_words.size_lines({"context": context})
    return Page(titles.call_spans(index, call), [span(sizes[0])], lines, empty=empty)


def _request(index: TraceIndex, view: StepView) -> Page:
    return Page(facts=[FactRow(*row) for row in enumerate(request_facts(index, view))])


def _checkpoint(index: TraceIndex, view: StepView) -> Page:
    lines = [[span(f" {line}")] for line in titles.source_words(index, view.step)]
    info, note = (*lines, [], [])[:2]
    empty = titles.no_checkpoint(view.step) if view.checkpoint is None else ""
    return Page(info, note, empty=empty, checkpoint=view.checkpoint)


def _first_call(index: TraceIndex, view: StepView) -> Page:
    call, found = view.step.first_after, view.aftermath
    lines, empty = first_call_lines(view), titles.no_call_after(index, view.step)
    if call is None or found is None:
        return Page(lines=lines, empty=empty)
    return Page(titles.call_spans(index, call), verdict_words.return_spans(found), lines, empty=empty)
