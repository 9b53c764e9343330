"""The run as a whole, in one line: as much of it as there is room for."""

from __future__ import annotations

from collections.abc import Iterable

from rollout_tui import glyphs
from rollout_tui.insight.certainty import MARK
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import Piece, Span, drop_to_fit, span
from rollout_tui.texts.short_forms import count, duration, plural
from rollout_tui.views.failure_spans import failures_span
from rollout_tui.views.timeline import Timelines

UNKNOWN_SCHEMA = "trace schema {} is not known to this version"
"""Said where a graph would be."""


def unknown_schema_words(index: TraceIndex) -> str:
    """Says of a bundle whose schema is not known why there is no graph of it."""
    return UNKNOWN_SCHEMA.format(index.trace.schema_version)


def overview(
    timelines: Timelines | None, name: str, state: Iterable[Span] = (), width: int | None = None
) -> list[Span]:
    """Name, state, time, how many failures, agents, calls, compactions, other rewrites, tokens and problems.

    Args:
        timelines: those of the graph; None while there is none.
        name: what the bundle is called.
        state: what is said of the reading itself.
        width: cells there are; None for as many as are wanted.
    """
    parts = [(8, span("rollout-tui", "strong")), (4, span(name, "accent")), *((0, one) for one in state)]
    if timelines is not None:
        parts += _sums(timelines) if timelines.index.is_schema_known else _events(timelines.index)
        problems = len(timelines.index.reduction.problems)
        words = f"{glyphs.active().warning} {plural(problems, 'problem')}" if problems else ""
        parts.append((3, span(words, "bad")))
    pieces = [Piece(rank, [part, span("  ")]) for rank, part in parts if part.text]
    # The gap behind the last one need not fit.
    kept = drop_to_fit(pieces, None if width is None else width + 1)
    return [span(" "), *kept[:-1]]


def _events(index: TraceIndex) -> list[tuple[int, Span]]:
    """What there is to say of a recording whose schema is not known."""
    events = plural(len(index.reduction.provenance.events), "event")
    unknown = f"schema {index.trace.schema_version} is not known"
    return [(0, span(unknown, "warn")), (6, span(_took(index))), (5, span(events))]


def _sums(timelines: Timelines) -> list[tuple[int, Span]]:
    """What there is to say of a run, each with how soon it is left out."""
    index = timelines.index
    trace, rewrites = index.trace, timelines.entries.rewrites
    cut = trace.recording_status == "closed_with_partial_payloads"
    compacted = plural(len(trace.compactions), "compaction") if trace.compactions else ""
    rewritten = plural(len(rewrites), "rewrite") if rewrites else ""
    return [
        (2, span(_source(index))),
        (2, span(_state(index), "bad" if trace.status in ("failed", "aborted") else "text")),
        (5, span("payloads cut" if cut else "", "warn")),
        (13, span("" if index.tells_end else f"schema {trace.schema_version}", "muted")),
        (6, span(_took(index))),
        (1, failures_span(timelines.failed)),
        (7, span(plural(len(trace.threads), "agent"))),
        (9, span(plural(len(trace.inference_calls), "call"))),
        (11, span(compacted)),
        (12, span(rewritten)),
        (10, span(f"{count(index.tokens)} tok" if index.tokens else "")),
    ]


def _source(index: TraceIndex) -> str:
    """Of what the graph was rebuilt, if it was not recorded."""
    rebuilt = index.reduction.rebuilt_from
    return "" if rebuilt is None else f"{MARK}{rebuilt} file"


def _state(index: TraceIndex) -> str:
    trace = index.trace
    if index.reduction.rebuilt_from is not None:
        return "unfinished" if trace.status == "running" else trace.status
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
