"""The run as a whole, in one line."""

from __future__ import annotations

from collections.abc import Iterable

from rollout_tui import glyphs
from rollout_tui.views.failure_words import failures_span
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.words import count, duration, plural
from rollout_tui.widgets.spans import Span, span

UNKNOWN_SCHEMA = "trace schema {} is not known to this version"
"""Said where a graph would be."""


def unknown_schema_words(index: TraceIndex) -> str:
    """Says of a bundle whose schema is not known why there is no graph of it."""
    return UNKNOWN_SCHEMA.format(index.trace.schema_version)


def overview(timelines: Timelines, name: str, state: Iterable[Span] = ()) -> list[Span]:
    """Name, state, time, how many failures, agents, calls, compactions, other rewrites, tokens and problems.

    Args:
        timelines: those of the graph.
        name: what the bundle is called.
        state: what is said of the reading itself.
    """
    index = timelines.index
    parts = [span(" rollout-tui ", "strong"), span(name, "accent"), *state]
    if index.is_schema_known:
        parts += _sums(timelines)
    else:
        events = plural(len(index.reduction.provenance.events), "event")
        parts += [
            span(f"schema {index.trace.schema_version} is not known", "warn"),
            span(_took(index)),
            span(events),
        ]
    if index.reduction.problems:
        marks = glyphs.active()
        parts.append(span(f"{marks.warning} {plural(len(index.reduction.problems), 'problem')}", "bad"))
    gap = span("  ")
    return [piece for part in parts if part.text for piece in (part, gap)]


def _sums(timelines: Timelines) -> list[Span]:
    index = timelines.index
    trace = index.trace
    cut = trace.recording_status == "closed_with_partial_payloads"
    parts = [
        span(_state(index), "bad" if trace.status in ("failed", "aborted") else "text"),
        span("payloads cut" if cut else "", "warn"),
        span("" if index.tells_end else f"schema {trace.schema_version}", "muted"),
        span(_took(index)),
        failures_span(timelines.failed),
        span(plural(len(trace.threads), "agent")),
        span(plural(len(trace.inference_calls), "call")),
    ]
    if trace.compactions:
        parts.append(span(plural(len(trace.compactions), "compaction")))
    if timelines.entries.rewrites:
        parts.append(span(plural(len(timelines.entries.rewrites), "rewrite")))
    if index.tokens:
        parts.append(span(f"{count(index.tokens)} tok"))
    return parts


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
