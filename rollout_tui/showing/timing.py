"""Where the time of a run went, as documents: lanes, waits, and the critical path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rollout_tui import glyphs
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import KINDS, Kind, Lane, lanes
from rollout_tui.insight.timing.path import CriticalPath, Link, critical_path
from rollout_tui.insight.timing.waiting import Unended, Wait, unended, waits
from rollout_tui.showing.asked_for import thread_asked_for
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, ref_data
from rollout_tui.showing.objects import encodable
from rollout_tui.showing.tables import table
from rollout_tui.texts.short_forms import duration, plural
from rollout_tui.views.naming import named, percent
from rollout_tui.views.summary_words import (
    clock_words,
    target_words,
    wait_words,
)

COLUMNS = 80
"""Columns of the picture of what agents did."""

SMALL_SHARE = 0.01
"""Links of the critical path that are shorter than this share of it are told together."""

LETTERS: Mapping[Kind, str] = {
    "model": "m",
    "tool": "t",
    "wait for tool": "w",
    "wait for person": "P",
    "wait for agent": "W",
    "between": "-",
    "idle": ".",
}
"""The letter of each kind in the picture."""

LEGEND = "m model  t tool  w waits for a tool  W waits for an agent  P waits for a person  - between  . idle"
APPROVALS = "approvals are not recorded: what a tool call waits for one counts as the tool's"


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
    found = [one for one in lanes(index, clock).values() if wanted in (None, one.thread_id)]
    whole = clock.between(clock.first_seq, clock.last_seq)
    document = Document(f"time {duration(whole)}, 1 column is {duration(max(1, whole // COLUMNS))}")
    if clock.back_steps:
        document.facts.append(("clocks", clock_words(clock)))
    paths = [agent_label(index, one.thread_id) for one in found]
    drawn = [[path, _picture(one, clock)] for path, one in zip(paths, found, strict=True)]
    document.sections.append(Section(LEGEND, table(drawn)))
    heading = ("", "active", "waiting", "idle", "span", *KINDS[:-1])
    rows = [
        [path, *map(duration, (one.active_ms, one.waiting_ms, one.idle_ms, one.span_ms)), *_times(one)]
        for path, one in zip(paths, found, strict=True)
    ]
    figures = table(rows, heading, right=range(1, len(heading)))
    document.sections.append(Section("how long", figures))
    document.add_text("what is not told", APPROVALS)
    document.data = {**_clock_data(clock), "agents": [_lane_data(index, one) for one in found]}
    return document


def _times(lane: Lane) -> list[str]:
    return [duration(lane.times[kind]) if lane.times[kind] else "" for kind in KINDS[:-1]]


def _picture(lane: Lane, clock: Clock) -> str:
    """A letter for each column: what the agent did for the longest part of it."""
    begin, whole = clock.at(clock.first_seq), clock.between(clock.first_seq, clock.last_seq)
    if not whole or not lane.segments:
        return ""
    shares: list[Counter[Kind]] = [Counter() for _ in range(COLUMNS)]
    for segment in lane.segments:
        first, last = (clock.at(seq) - begin for seq in (segment.first_seq, segment.last_seq))
        place = min(COLUMNS - 1, first * COLUMNS // whole)
        while place < COLUMNS and place * whole < last * COLUMNS:
            until = min(last * COLUMNS, (place + 1) * whole)
            shares[place][segment.kind] += until - max(first * COLUMNS, place * whole)
            place += 1
    letters = (LETTERS[one.most_common(1)[0][0]] if one else " " for one in shares)
    return "".join(letters).rstrip()


def _lane_data(index: TraceIndex, lane: Lane) -> dict[str, Any]:
    return {
        **agent_data(index, lane.thread_id),
        "active_ms": lane.active_ms,
        "waiting_ms": lane.waiting_ms,
        "idle_ms": lane.idle_ms,
        "span_ms": lane.span_ms,
        "ms_by_kind": {kind: lane.times[kind] for kind in KINDS},
        "segments": [
            {
                "kind": one.kind,
                "first_seq": one.first_seq,
                "last_seq": one.last_seq,
                "ms": one.ms,
                "object": ref_data(one.ref),
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
            duration(one.ms),
            f"seq {one.seq}",
            agent_label(index, one.thread_id),
            target_words(index, one),
            wait_words(index, one),
        ]
        for one in found
    ]
    if rows:
        document.sections.append(Section("the longest first", table(rows, right=(0,))))
    if open_:
        heading = "never ended" if index.is_over else "not ended, as far as the log goes"
        document.sections.append(Section(heading, table(unended_rows(index, open_), right=(0,))))
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


def unended_data(index: TraceIndex, one: Unended) -> dict[str, Any]:
    """The same for programs."""
    return {
        "object": ref_data(one.ref),
        **agent_data(index, one.thread_id),
        "seq": one.seq,
        "ms": one.ms,
    }


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
    document.sections.append(Section("from the beginning to the end", rows))
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
    smallest = SMALL_SHARE * path.ms

    def sort(link: Link) -> tuple[bool, object]:
        is_small = link.ms < smallest
        return is_small, link.thread_id if is_small else link

    for (is_small, _), group in groupby(path.links, key=sort):
        links = list(group)
        ms = sum(one.ms for one in links)
        where = f"seq {links[0].first_seq} {glyphs.active().becomes} {links[-1].last_seq}"
        agent = agent_label(index, links[0].thread_id)
        what = plural(len(links), "short link") if is_small else links[0].kind
        name = "" if is_small or links[0].kind in ("between", "idle") else named(index, links[0].ref)
        rows.append([duration(ms), percent(ms, path.ms), agent, what, name, where])
    return rows


def _link_data(index: TraceIndex, link: Link) -> dict[str, Any]:
    return {
        **agent_data(index, link.thread_id),
        "kind": link.kind,
        "object": ref_data(link.ref),
        "first_seq": link.first_seq,
        "last_seq": link.last_seq,
        "ms": link.ms,
    }
