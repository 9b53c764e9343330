"""The run as a whole, in one line."""

from __future__ import annotations

from collections.abc import Iterable

from rollout_tui import glyphs
from rollout_tui.views.entries import Entries
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.words import count, duration, plural
from rollout_tui.widgets.spans import Span, span


def overview(entries: Entries, name: str, state: Iterable[Span] = ()) -> list[Span]:
    """Name, state, time, and how many agents, calls, compactions, other rewrites, tokens and problems.

    Args:
        entries: those of the graph.
        name: what the bundle is called.
        state: what is said of the reading itself.
    """
    index = entries.index
    trace = index.trace
    parts = [
        span(" rollout-tui ", "strong"),
        span(name, "accent"),
        *state,
        span(_state(index), "bad" if trace.status in ("failed", "aborted") else "text"),
        span("" if index.tells_end else f"schema {trace.schema_version}", "muted"),
        span(_took(index)),
        span(plural(len(trace.threads), "agent")),
        span(plural(len(trace.inference_calls), "call")),
    ]
    if trace.compactions:
        parts.append(span(plural(len(trace.compactions), "compaction")))
    if entries.rewrites:
        parts.append(span(plural(len(entries.rewrites), "rewrite")))
    if index.tokens:
        parts.append(span(f"{count(index.tokens)} tok"))
    if index.reduction.problems:
        marks = glyphs.active()
        parts.append(span(f"{marks.warning} {plural(len(index.reduction.problems), 'problem')}", "bad"))
    gap = span("  ")
    return [piece for part in parts if part.text for piece in (part, gap)]


def _state(index: TraceIndex) -> str:
    trace = index.trace
    if not index.tells_end:
        return "unfinished" if trace.status == "running" else trace.status
    if trace.status == "running":
        return "unfinished" if not trace.is_recorded_whole else "ended without a status"
    return trace.status if trace.is_recorded_whole else f"{trace.status}, recording unfinished"


def _took(index: TraceIndex) -> str:
    events = index.reduction.provenance.events
    if not events:
        return ""
    return duration(events[-1].at_unix_ms - index.trace.started_at_unix_ms)
