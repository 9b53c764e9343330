"""Where the time of a run went, as documents: lanes, waits, and the critical path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollout_tui import glyphs
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.certainty import (
    Figure,
    figures_data,
    is_stretch_rebuilt,
    marked,
    rebuilt_figures,
    stretch_data,
)
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import KINDS, Lane, lanes
from rollout_tui.insight.timing.path import CriticalPath, Link, critical_path, parts_of
from rollout_tui.insight.timing.run_time import timed, whole_of
from rollout_tui.insight.timing.waiting import Unended, Wait, unended, waits
from rollout_tui.lines.spans import spans_text
from rollout_tui.showing.asked_for import thread_asked_for
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data, unended_data
from rollout_tui.showing.tables import table
from rollout_tui.texts.short_forms import duration, plural
from rollout_tui.views.naming import named, percent
from rollout_tui.views.summary_words import (
    clock_words,
    target_words,
    wait_words,
)
from rollout_tui.views.time_lanes import legend_words, picture, time_label
from rollout_tui.views.time_rows import APPROVALS

COLUMNS = 80
"""Columns of the picture of what agents did."""


def _clock_data(clock: Clock) -> dict[str, Any]:
    return {
        "first_seq": clock.first_seq,
        "last_seq": clock.last_seq,
        "ms": clock.between(clock.first_seq, clock.last_seq),
        "clock_goes_back": [{"seq": one.seq, "ms": one.ms} for one in clock.back_steps],
    }


# What agents did


def time_document(index: TraceIndex, agent: str | None) -> Document:
    """What each agent did, as a picture and in figures.

    Args:
        index: the graph.
        agent: the agent, as typed; None for all.

    Raises:
        InputRefused: there is no such agent.
    """
    wanted = None if agent is None else thread_asked_for(index, agent)
    clock = Clock(index.reduction.provenance.events)
    made = {id_: one for id_, one in lanes(index, clock).items() if wanted in (None, id_)}
    found, window = [*made.values()], whole_of(clock)
    columns = window.columns(COLUMNS)
    step = max(1, window.ms // columns)
    words = f"time {duration(window.ms - 1)}, 1 column is {time_label(step, min(step, 999))}"
    document = Document(words)
    if clock.back_steps:
        document.facts.append(("clocks", clock_words(clock)))
    paths = [agent_label(index, one.thread_id) for one in found]
    pictures = (picture(one.columns(window, columns)) for one in timed(index, clock, made).values())
    drawn = [[path, spans_text(one).rstrip()] for path, one in zip(paths, pictures, strict=True)]
    document.sections.append(Section(legend_words(), table(drawn)))
    heading = ("", "active", "waiting", "idle", "span", *KINDS[:-1])
    rows = [
        [path, *_figures(index, one), *_times(index, one)] for path, one in zip(paths, found, strict=True)
    ]
    figures = table(rows, heading, right=range(1, len(heading)))
    document.sections.append(Section("how long", figures, "agents", head=1))
    document.add_text("what is not told", APPROVALS)
    document.data = {**_clock_data(clock), "agents": [_lane_data(index, one) for one in found]}
    return document


def _figures(index: TraceIndex, lane: Lane) -> list[str]:
    rebuilt = rebuilt_figures(index, lane.thread_id)
    told: dict[Figure, int] = {
        "active_ms": lane.active_ms,
        "waiting_ms": lane.waiting_ms,
        "idle_ms": lane.idle_ms,
        "span_ms": lane.span_ms,
    }
    return [marked(duration(ms), name in rebuilt) for name, ms in told.items()]


def _times(index: TraceIndex, lane: Lane) -> list[str]:
    rebuilt = {one.kind for one in lane.segments if is_stretch_rebuilt(index, lane.thread_id, one.ref)}
    return [
        marked(duration(lane.times[kind]) if lane.times[kind] else "", kind in rebuilt) for kind in KINDS[:-1]
    ]


def _lane_data(index: TraceIndex, lane: Lane) -> dict[str, Any]:
    return {
        **agent_data(index, lane.thread_id),
        "active_ms": lane.active_ms,
        "waiting_ms": lane.waiting_ms,
        "idle_ms": lane.idle_ms,
        "span_ms": lane.span_ms,
        **figures_data(index, lane.thread_id, "active_ms", "waiting_ms", "idle_ms", "span_ms"),
        "ms_by_kind": {kind: lane.times[kind] for kind in KINDS},
        "segments": [
            {
                "kind": one.kind,
                "first_seq": one.first_seq,
                "last_seq": one.last_seq,
                "ms": one.ms,
                "object": ref_data(one.ref),
                **stretch_data(index, lane.thread_id, one.ref),
            }
            for one in lane.segments
        ],
    }


# Waits


def waits_document(index: TraceIndex, agent: str | None) -> Document:
    """Who waited for whom, the longest first; and what never ended.

    Args:
        index: the graph.
        agent: the agent, as typed; None for all.

    Raises:
        InputRefused: there is no such agent.
    """
    wanted = None if agent is None else thread_asked_for(index, agent)
    clock = Clock(index.reduction.provenance.events)
    found = [one for one in waits(index, clock) if wanted in (None, one.thread_id)]
    open_ = [one for one in unended(index, clock) if wanted in (None, one.thread_id)]
    document = Document(f"{plural(len(found), 'wait')}, {duration(sum(one.ms for one in found))} in all")
    if clock.back_steps:
        document.facts.append(("clocks", clock_words(clock)))
    rows = [
        [
            marked(duration(one.ms), is_stretch_rebuilt(index, one.thread_id, one.ref)),
            f"seq {one.seq}",
            agent_label(index, one.thread_id),
            target_words(index, one),
            wait_words(index, one),
        ]
        for one in found
    ]
    if rows:
        document.sections.append(Section("the longest first", table(rows, right=(0,)), "waits"))
    if open_:
        heading = "never ended" if index.is_over else "not ended, as far as the log goes"
        rows = unended_rows(index, open_)
        document.sections.append(Section(heading, table(rows, right=(0,)), "never_ended"))
    document.data = {
        **_clock_data(clock),
        "is_over": index.is_over,
        "waits": [_wait_data(index, one) for one in found],
        "never_ended": [unended_data(index, one) for one in open_],
    }
    return document


def unended_rows(index: TraceIndex, found: Sequence[Unended]) -> list[list[str]]:
    """What has no end: since when, whose, and what."""
    return [
        [duration(one.ms), f"seq {one.seq}", agent_label(index, one.thread_id), named(index, one.ref)]
        for one in found
    ]


def _wait_data(index: TraceIndex, wait: Wait) -> dict[str, Any]:
    end = wait.end
    return {
        "object": ref_data(wait.ref),
        **agent_data(index, wait.thread_id),
        "kind": wait.kind,
        "target": None if wait.target is None else encodable(wait.target),
        "seq": wait.seq,
        "last_seq": wait.last_seq,
        "ms": wait.ms,
        **stretch_data(index, wait.thread_id, wait.ref),
        "status": wait.status,
        "ended_by": None
        if end is None
        else {
            "kind": end.kind,
            "sender": encodable(end.sender),
            "object": ref_data(end.ref),
            "is_told": end.is_told,
        },
    }


# The critical path


def path_document(links: AgentLinks) -> Document:
    """What the end of the run had to wait for, link by link."""
    index = links.index
    clock = Clock(index.reduction.provenance.events)
    found = critical_path(links, clock)
    document = Document(f"critical path {duration(found.ms)}")
    kinds = ", ".join(
        f"{kind} {duration(ms)} ({percent(ms, found.ms)})" for kind, ms in found.times.most_common() if ms
    )
    agents = ", ".join(
        f"{agent_label(index, id_)} {duration(ms)} ({percent(ms, found.ms)})"
        for id_, ms in found.of_agents.most_common()
        if ms
    )
    document.facts = [("by kind", kinds or "nothing took any time"), ("by agent", agents or "none")]
    if clock.back_steps:
        document.facts.append(("clocks", clock_words(clock)))
    rows = table(_path_rows(index, found), right=(0, 1))
    document.sections.append(Section("from the beginning to the end", rows, "rows"))
    document.data = {
        **_clock_data(clock),
        "ms_by_kind": dict(found.times),
        "ms_by_agent": [{**agent_data(index, id_), "ms": ms} for id_, ms in found.of_agents.items()],
        "links": [_link_data(index, one) for one in found.links],
    }
    return document


def _path_rows(index: TraceIndex, path: CriticalPath) -> list[list[str]]:
    """A row for each link that matters; short ones between two of these are told together."""
    rows = []
    for part in parts_of(path):
        first, last = part.links[0], part.links[-1]
        where = f"seq {first.first_seq} {glyphs.active().becomes} {last.last_seq}"
        agent = agent_label(index, first.thread_id)
        what = plural(len(part.links), "short link") if part.is_short else first.kind
        name = "" if part.is_short or first.kind in ("between", "idle") else named(index, first.ref)
        rows.append([duration(part.ms), percent(part.ms, path.ms), agent, what, name, where])
    return rows


def _link_data(index: TraceIndex, link: Link) -> dict[str, Any]:
    return {
        **agent_data(index, link.thread_id),
        "kind": link.kind,
        "object": ref_data(link.ref),
        "first_seq": link.first_seq,
        "last_seq": link.last_seq,
        "ms": link.ms,
        **stretch_data(index, link.thread_id, link.ref),
    }
