"""What holds for the answers about any recording, whatever is missing of it or wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.contexts.seen import seen_item, seen_text
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import KINDS, lanes
from rollout_tui.insight.timing.path import critical_path
from rollout_tui.insight.tokens.run_tokens import RunTokens
from rollout_tui.insight.tokens.sums import TokenSum

Read = Callable[[Any], Any]


def assert_time_is_divided(index: TraceIndex) -> None:
    """Active, waiting and idle are all of an agent's span, in stretches that follow each other."""
    clock = Clock(index.reduction.provenance.events)
    for id_, lane in lanes(index, clock).items():
        window = index.trace.threads[id_].execution
        end = clock.last_seq if window.ended_seq is None else window.ended_seq
        assert lane.active_ms + lane.waiting_ms + lane.idle_ms == lane.span_ms
        assert lane.span_ms == clock.between(window.started_seq, end)
        assert set(lane.times) <= set(KINDS)
        for before, after in pairwise(lane.segments):
            assert before.last_seq == after.first_seq
            assert (before.kind, before.ref) != (after.kind, after.ref)
        if lane.segments:
            assert (lane.segments[0].first_seq, lane.segments[-1].last_seq) == (window.started_seq, end)
        assert all(one.ms >= 0 and one.first_seq < one.last_seq for one in lane.segments)


def assert_path_is_one(links: AgentLinks) -> None:
    """The critical path goes from the first event to the last, each link through what its agent did then."""
    index = links.index
    clock = Clock(index.reduction.provenance.events)
    found = critical_path(links, clock)
    assert found.ms == clock.between(clock.first_seq, clock.last_seq) or not index.threads
    if not found.links:
        assert not index.threads or clock.first_seq == clock.last_seq
        return
    assert (found.links[0].first_seq, found.links[-1].last_seq) == (clock.first_seq, clock.last_seq)
    made = lanes(index, clock)
    for before, after in pairwise(found.links):
        assert before.last_seq == after.first_seq
    for link in found.links:
        assert link.first_seq < link.last_seq
        assert link.ms == clock.between(link.first_seq, link.last_seq)
        if link.kind != "idle":
            segment = made[link.thread_id].before(link.last_seq)
            assert segment is not None
            assert (segment.kind, segment.ref) == (link.kind, link.ref)
            assert segment.first_seq <= link.first_seq
            assert link.last_seq <= segment.last_seq
    assert sum(found.times.values()) == sum(found.of_agents.values()) == found.ms


def assert_tokens_add_up(links: AgentLinks, read: Read) -> None:
    """Agents, turns, calls, items and groups of items have the same sum: what the provider told."""
    index, run = links.index, RunTokens(links, read, lambda _event: None)
    told = [call.usage for call in index.trace.inference_calls.values()]
    whole = sum((one.own for one in run.agents.values()), TokenSum())
    assert whole.input == sum(one.input_tokens for one in told if one is not None)
    assert (whole.calls, whole.untold) == (len(told), told.count(None))
    roots = [one for one in index.threads if index.depth[one.thread_id] == 0]
    assert sum((run.agents[one.thread_id].with_children for one in roots), TokenSum()) == whole
    part = run.part(list(run.agents))
    assert part.whole == sum(part.by_model.values(), TokenSum()) == whole
    assert sum((one.tokens for one in part.turns), TokenSum()) == whole
    assert sum((one.tokens for one in part.calls), TokenSum()) == whole
    assert sum(one.paid for one in part.fillings) == pytest.approx(whole.input)
    assert sum(one.paid for one in part.groups) == pytest.approx(whole.input)
    assert sum(one.items for one in part.groups) == len(part.fillings)
    for one in part.fillings:
        calls = index.contents[one.thread_id].calls
        if one.ref.type == "ConversationItem":
            calls = [call for call in calls if one.ref.id in call.request_item_ids]
        assert one.calls == len(calls)
        assert one.told == sum(call.usage is not None for call in calls)
        assert one.tokens * one.told == pytest.approx(one.paid)


def assert_seen_is_in_contexts(links: AgentLinks, read: Read, text: str) -> None:
    """What a bar shows as seen is in the context of just these calls."""
    index, sightings = links.index, links.sightings
    for one in seen_text(sightings, text, read):
        ids = {ref.id for ref in one.items}
        calls = index.contents[one.thread_id].calls
        assert one.calls == len(calls)
        for place, call in enumerate(calls):
            assert one.sees(place) == (not ids.isdisjoint(call.request_item_ids))
        assert (one.ending is None) == (not one.runs)
        assert bool(one.unseen) == (bool(one.items) and not one.runs)
        for before, after in pairwise(one.runs):
            assert before.last + 1 < after.first, "runs that touch are one"
    some = [*index.trace.conversation_items.values()]
    for item in some[:: max(1, len(some) // 8)]:
        own = next(one for one in seen_item(sightings, item) if one.thread_id == item.thread_id)
        for place, call in enumerate(index.contents[item.thread_id].calls):
            if item.item_id in call.request_item_ids:
                assert own.sees(place)
