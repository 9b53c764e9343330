"""The context of each call, and where the cache of the provider broke, as sections of a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollout_tui import glyphs
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.contexts import CallContext, call_contexts
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data
from rollout_tui.showing.summary import tokens_data
from rollout_tui.showing.tables import table
from rollout_tui.showing.token_view import TokensView
from rollout_tui.texts.short_forms import count
from rollout_tui.views.token_words import break_words, money

CURVE = 60
"""Columns of the curve of contexts."""

_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*%#"


def tell_by_call(document: Document, view: TokensView, *, brief: bool) -> None:
    """The curve of contexts, the breaks of the cache, and, if there is room, each call."""
    contexts = {id_: call_contexts(view.index, id_, view.read) for id_ in view.thread_ids}
    drawn: list[list[str]] = []
    for id_, own in contexts.items():
        curve, marks = _curve(own)
        drawn += [[agent_label(view.index, id_), curve]] if own else []
        drawn += [["", marks]] if marks else []
    if drawn:
        heading = "context per call, v after a compaction, ! cache break"
        document.sections.append(Section(heading, table(drawn)))
    calls = [call for one in contexts.values() for call in one]
    breaks = [call for call in calls if call.cache_break is not None]
    if breaks:
        rows = [[*_call_name(view.index, call), break_words(view.index, call.cache_break)] for call in breaks]
        document.sections.append(Section("cache breaks", table(rows)))
    if not brief:
        rows = [[*_call_name(view.index, call), *_call_cells(view, call)] for call in calls]
        heading_ = ("agent", "call", "seq", "items", "in", "cached", "new", "out", "", "cost")
        lines = table(rows, heading_, right=range(2, 8))
        document.sections.append(Section("by call", lines, "by_call", head=1))
    document.data["by_call"] = [_call_data(view, call) for call in calls]


def _call_name(index: TraceIndex, call: CallContext) -> list[str]:
    return [agent_label(index, call.thread_id), f"call {call.number}"]


def _call_cells(view: TokensView, call: CallContext) -> list[str]:
    tokens = call.tokens
    told = ["?"] * 4
    if not tokens.untold:
        told = [count(one) for one in (tokens.input, tokens.cached, tokens.new, tokens.output)]
    marks = ["after a compaction"] if call.is_compacted else []
    marks += ["cache break"] if call.cache_break is not None else []
    cost = money(view.cost({call.model: tokens}))
    return [str(call.seq), str(call.items), *told, ", ".join(marks), cost]


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


def _call_data(view: TokensView, call: CallContext) -> dict[str, Any]:
    found = call.cache_break
    return {
        "object": ref_data(call.ref),
        **agent_data(view.index, call.thread_id),
        "number": call.number,
        "seq": call.seq,
        "model": encodable(call.model),
        "items": call.items,
        "tokens": tokens_data(call.tokens),
        "is_compacted": call.is_compacted,
        "cost": view.cost({call.model: call.tokens}),
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
    }
