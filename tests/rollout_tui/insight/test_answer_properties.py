"""What holds for the answers of any recording: cut off anywhere, events missing, clocks gone wrong."""

from __future__ import annotations

import json
import os
import shutil
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import REPOSITORY

from reducer import BundleError, EventRecord, ObjectRef, open_bundle, reduce_bundle
from reducer.wire.json_text import JsonDocument
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.table import run_summary
from rollout_tui.insight.compaction.forgotten import forgotten
from rollout_tui.insight.contexts.seen import seen_item, seen_text
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.failures.definition import failures
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import _KIND_OF_RANK, KINDS, _Interval, _sweep, lanes
from rollout_tui.insight.timing.path import critical_path
from rollout_tui.insight.timing.waiting import unended, waits
from rollout_tui.insight.tokens.contexts import call_contexts
from rollout_tui.insight.tokens.filling import by_group, filling
from rollout_tui.insight.tokens.repeats import repeats
from rollout_tui.insight.tokens.sums import TokenSum, tokens_by_agent, tokens_by_turn
from rollout_tui.language.asking import Answer, AnswerTo
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document

pytestmark = pytest.mark.slow

BASES = ("multi-agent-v2", "compaction-remote", "compaction-local", "code-mode", "interrupted-with-children")


@cache
def lines_of(bundle: Path) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in (bundle / "trace.jsonl").read_text().splitlines())


class Changed:
    """A recording of which some events are missing, and some clocks are wrong."""

    def __init__(
        self, base: Path, into: Path, last: float, missing: set[int], shifts: dict[int, int]
    ) -> None:
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(base, into, copy_function=os.link)
        events = lines_of(base)
        kept = []
        for place, event in enumerate(events[: max(1, int(last * len(events)))]):
            if place not in missing or place < 2:
                shifted = event["wall_time_unix_ms"] + shifts.get(place, 0)
                kept.append(json.dumps({**event, "wall_time_unix_ms": shifted}))
        (into / "trace.jsonl").unlink()
        (into / "trace.jsonl").write_text("\n".join(kept) + "\n")
        self.bundle = open_bundle(into)
        self.index = TraceIndex(reduce_bundle(into))
        self.links = AgentLinks(Sightings(self.index))

    def read(self, ref: Any) -> Any:
        return JsonDocument(self.bundle.read_payload(ref)).value


CHANGES = {
    "base": st.sampled_from(BASES),
    "last": st.floats(0.02, 1),
    "missing": st.sets(st.integers(0, 300), max_size=6),
    "shifts": st.dictionaries(st.integers(0, 300), st.integers(-60_000, 60_000), max_size=6),
}
ANY_RECORDING = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def changed(shared: Path, tmp_path: Path, base: str, **changes: Any) -> Changed:
    return Changed(shared / "bundles" / base / "bundle", tmp_path / "bundle", **changes)


@ANY_RECORDING
@given(**CHANGES)
def test_active_waiting_and_idle_are_all_of_an_agents_time(
    shared_dir: Path, tmp_path: Path, base: str, last: float, missing: set[int], shifts: dict[int, int]
) -> None:
    it = changed(shared_dir, tmp_path, base, last=last, missing=missing, shifts=shifts)
    clock = Clock(it.index.reduction.provenance.events)
    for id_, lane in lanes(it.index, clock).items():
        window = it.index.trace.threads[id_].execution
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


@ANY_RECORDING
@given(**CHANGES)
def test_the_critical_path_is_a_path_and_its_end_is_that_of_the_run(
    shared_dir: Path, tmp_path: Path, base: str, last: float, missing: set[int], shifts: dict[int, int]
) -> None:
    it = changed(shared_dir, tmp_path, base, last=last, missing=missing, shifts=shifts)
    clock = Clock(it.index.reduction.provenance.events)
    found = critical_path(it.links, clock)
    assert found.ms == clock.between(clock.first_seq, clock.last_seq) or not it.index.threads
    if not found.links:
        assert not it.index.threads or clock.first_seq == clock.last_seq
        return
    assert (found.links[0].first_seq, found.links[-1].last_seq) == (clock.first_seq, clock.last_seq)
    made = lanes(it.index, clock)
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


@ANY_RECORDING
@given(**CHANGES)
def test_shares_of_tokens_add_up(
    shared_dir: Path, tmp_path: Path, base: str, last: float, missing: set[int], shifts: dict[int, int]
) -> None:
    it = changed(shared_dir, tmp_path, base, last=last, missing=missing, shifts=shifts)
    index = it.index
    agents = tokens_by_agent(index)
    told = [call.usage for call in index.trace.inference_calls.values()]
    whole = sum((one.own for one in agents.values()), TokenSum())
    assert whole.input == sum(one.input_tokens for one in told if one is not None)
    assert (whole.calls, whole.untold) == (len(told), told.count(None))
    assert sum((one.tokens for one in tokens_by_turn(index, agents)), TokenSum()) == whole
    roots = [one for one in index.threads if index.depth[one.thread_id] == 0]
    assert sum((agents[one.thread_id].with_children for one in roots), TokenSum()) == whole
    calls = [one for id_ in agents for one in call_contexts(index, id_, it.read)]
    assert sum((one.tokens for one in calls), TokenSum()) == whole
    fillings = filling(it.links.sightings, agents, it.read)
    assert sum(one.paid for one in fillings) == pytest.approx(whole.input)
    groups = by_group(index, fillings)
    assert sum(one.paid for one in groups) == pytest.approx(whole.input)
    assert sum(one.items for one in groups) == len(fillings)
    for one in fillings:
        if one.ref.type == "ConversationItem":
            assert one.calls == sum(
                one.ref.id in call.request_item_ids for call in index.contents[one.thread_id].calls
            )


@ANY_RECORDING
@given(**CHANGES, text=st.sampled_from(["the", "Exit", "result", "echo", "a", "{", "Wall time"]))
def test_what_is_seen_agrees_with_the_contexts(
    shared_dir: Path,
    tmp_path: Path,
    base: str,
    last: float,
    missing: set[int],
    shifts: dict[int, int],
    text: str,
) -> None:
    it = changed(shared_dir, tmp_path, base, last=last, missing=missing, shifts=shifts)
    for one in seen_text(it.links.sightings, text, it.read):
        ids = {ref.id for ref in one.items}
        calls = it.index.contents[one.thread_id].calls
        assert one.calls == len(calls)
        for place, call in enumerate(calls):
            assert one.sees(place) == (not ids.isdisjoint(call.request_item_ids))
        assert (one.ending is None) == (not one.runs)
        assert bool(one.unseen) == (bool(one.items) and not one.runs)
        for before, after in pairwise(one.runs):
            assert before.last + 1 < after.first, "runs that touch are one"
    some = [*it.index.trace.conversation_items.values()][::7]
    for item in some:
        own = next(one for one in seen_item(it.links.sightings, item) if one.thread_id == item.thread_id)
        for place, call in enumerate(it.index.contents[item.thread_id].calls):
            if item.item_id in call.request_item_ids:
                assert own.sees(place)


@ANY_RECORDING
@given(**CHANGES)
def test_whatever_is_missing_everything_is_told(
    shared_dir: Path, tmp_path: Path, base: str, last: float, missing: set[int], shifts: dict[int, int]
) -> None:
    it = changed(shared_dir, tmp_path, base, last=last, missing=missing, shifts=shifts)
    index = it.index
    run = run_summary(it.links, it.read)
    assert [one.thread_id for one in run.agents] == [one.thread_id for one in index.threads]
    assert run.failures == failures(index)[::-1]
    assert sum(one.failures for one in run.agents) <= len(run.failures)
    assert all(bool(one.no_answer) or one.answer is not None for one in run.agents)
    longest = waits(index)
    assert [one.ms for one in longest] == sorted((one.ms for one in longest), reverse=True)
    assert all(one.ms >= 0 for one in unended(index))
    for gone in forgotten(it.links.sightings):
        for again in gone.again:
            first, second = (index.first_seq(ref) for ref in (again.first, again.again))
            assert first is not None
            assert second is not None
            assert first < gone.seq < second
    for one in repeats(index, it.read):
        assert len(one.calls) > 1
        assert set(one.agents) == {index.trace.tool_calls[ref.id].thread_id for ref in one.calls}


# The parts


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 6)), max_size=12))
def test_at_each_moment_the_first_kind_counts_and_of_it_what_ends_last(some: list[Any]) -> None:
    intervals = [
        _Interval(rank, min(one, other), max(one, other), ObjectRef("ToolCall", str(place)))
        for place, (one, other, rank) in enumerate(some)
        if one != other
    ]
    swept = [*_sweep(intervals, 0, 40)]
    assert [begin for _, begin, _, _ in swept] == [0, *(end for _, _, end, _ in swept[:-1])]
    assert swept[-1][2] == 40
    for rank, begin, end, ref in swept:
        running = [one for one in intervals if one.first <= begin and end <= one.last]
        assert rank == min((one.rank for one in running), default=None)
        if ref is not None:
            (top,) = (one for one in running if one.ref == ref)
            assert top.last == max(one.last for one in running if one.rank == rank)
    assert len(_KIND_OF_RANK) == 7


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_a_clock_never_goes_back_and_says_where_it_did(times: list[int]) -> None:
    events = [EventRecord(seq, seq, 0, at, "x", None, None) for seq, at in enumerate(times, 1)]
    clock = Clock(reversed(events))
    shown = [clock.at(seq) for seq in range(1, len(times) + 1)]
    assert shown == [max(times[:place]) for place in range(1, len(times) + 1)]
    assert [one.seq for one in clock.back_steps] == [
        seq for seq, at in enumerate(times, 1) if at < max(times[:seq])
    ]
    assert clock.between(1, len(times)) >= 0
    for one in clock.back_steps:
        assert one.ms == max(times[: one.seq]) - times[one.seq - 1]


def test_the_demo_is_cut_off_anywhere(tmp_path: Path) -> None:
    base = REPOSITORY / "demo_traces/team"
    for number in range(1, 12):
        it = Changed(base, tmp_path / "bundle", number / 11, set(), {})
        run = run_summary(it.links, it.read)
        assert run.ms == sum(link.ms for link in critical_path(it.links).links)


@pytest.mark.parametrize(
    "group",
    ["bundles", "bundles-v1", "bundles-v3", "damaged-v3", "vectors", "vectors-v1", "vectors-v3", "sessions"],
)
def test_every_recording_can_be_asked_everything(shared_dir: Path, group: str) -> None:
    """Every ninth: the answers add up, whatever is wrong with it."""
    if group == "sessions":
        paths = sorted((shared_dir / group).rglob("rollout-*.jsonl"))
    else:
        paths = [path.parent for path in sorted((shared_dir / group).glob("*/bundle/manifest.json"))]
    asked = 0
    for path in paths[::9]:
        try:
            session = Session(path)
            links = session.load(lambda _done, _total: None).links
        except BundleError:
            continue
        for what in get_args(Answer):
            document = answer_document(session, links, AnswerTo(what, text="e"))
            assert [*document.lines()]
            assert json.loads(json.dumps(document.data)) == document.data
            if what == "path" and document.data["links"]:
                assert sum(link["ms"] for link in document.data["links"]) == document.data["ms"]
            asked += 1
    assert asked
