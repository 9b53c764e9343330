"""The context of each call, and where the cache of the provider broke, as sections of a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollout_tui import glyphs
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.certainty import data_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.contexts import CallContext
from rollout_tui.insight.tokens.prices import Prices, cost_of
from rollout_tui.insight.tokens.run_tokens import TokensPart
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data
from rollout_tui.showing.tables import table
from rollout_tui.showing.token_data import tokens_data
from rollout_tui.texts.short_forms import count
from rollout_tui.views.figures import cost_words, figure
from rollout_tui.views.token_words import break_words, items_words

CURVE = 60
"""Columns of the curve of contexts."""

_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*%#"


def tell_by_call(document: Document, part: TokensPart, prices: Prices | None, *, brief: bool) -> None:
    """The curve of contexts, the breaks of the cache, and, if there is room, each call."""
    index = part.run.index
    drawn: list[list[str]] = []
    for id_ in part.thread_ids:
        own = part.run.calls[id_]
        curve, marks = _curve(own)
        drawn += [[agent_label(index, id_), curve]] if own else []
        drawn += [["", marks]] if marks else []
    if drawn:
        heading = "context per call, v after a compaction, ! cache break"
        document.sections.append(Section(heading, table(drawn)))
    if part.breaks:
        rows = [[*_call_name(index, call), break_words(index, call.cache_break)] for call in part.breaks]
        document.sections.append(Section("cache breaks", table(rows)))
    if not brief:
        rows = [[*_call_name(index, call), *_call_cells(index, call, prices)] for call in part.calls]
        heading_ = ("agent", "call", "seq", "items", "in", "cached", "new", "out", "", "cost")
        lines = table(rows, heading_, right=range(2, 8))
        document.sections.append(Section("by call", lines, "by_call", head=1))
    document.data["by_call"] = [_call_data(index, call, prices) for call in part.calls]


def _call_name(index: TraceIndex, call: CallContext) -> list[str]:
    return [agent_label(index, call.thread_id), f"call {call.number}"]


def _call_cells(index: TraceIndex, call: CallContext, prices: Prices | None) -> list[str]:
    tokens = call.tokens
    figures = (tokens.input, tokens.cached, tokens.new, tokens.output)
    told = [figure(tokens, count(one)) for one in figures]
    marks = ["after a compaction"] if call.is_compacted else []
    marks += ["cache break"] if call.cache_break is not None else []
    cost = cost_words({call.model: tokens}, prices)
    return [str(call.seq), items_words(index, call), *told, ", ".join(marks), cost]


def _curve(calls: Sequence[CallContext]) -> tuple[str, str]:
    """The contexts of calls as bars, and marks below them; of more calls than columns the largest of each."""
    bars = _ASCII_BARS if glyphs.active().ascii_only else _BARS
    most = max((call.tokens.input for call in calls), default=0) or 1
    columns = min(CURVE, len(calls))
    drawn, marks = [], []
    for place in range(columns):
        some = calls[place * len(calls) // columns : (place + 1) * len(calls) // columns]
        tallest = max(call.tokens.input for call in some)
        drawn.append(bars[-(-tallest * (len(bars) - 1) // most)])
        is_compacted = any(call.is_compacted for call in some)
        is_broken = any(call.cache_break is not None for call in some)
        marks.append("v" if is_compacted else "!" if is_broken else " ")
    return "".join(drawn), "".join(marks).rstrip()


def _call_data(index: TraceIndex, call: CallContext, prices: Prices | None) -> dict[str, Any]:
    found = call.cache_break
    return {
        "object": ref_data(call.ref),
        **agent_data(index, call.thread_id),
        "number": call.number,
        "seq": call.seq,
        "model": encodable(call.model),
        "items": call.items,
        "tokens": tokens_data(call.tokens),
        "is_compacted": call.is_compacted,
        "cost": cost_of({call.model: call.tokens}, prices),
        "cache_break": None
        if found is None
        else {
            "lost": found.lost,
            "cause": found.cause,
            "item": found.place,
            "before": found.before,
            "now": found.now,
            "object": ref_data(found.ref),
            "since_ms": found.since_ms,
        },
        **data_of(index, call.ref),
    }
