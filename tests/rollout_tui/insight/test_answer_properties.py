"""What holds for the answers of any recording: cut off anywhere, events missing, clocks gone wrong."""

from __future__ import annotations

import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from answer_laws import (
    assert_path_is_one,
    assert_seen_is_in_contexts,
    assert_time_is_divided,
    assert_tokens_add_up,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import REPOSITORY
from session_cases import case_named, case_names, files_of_runs

from reducer import BundleError, EventRecord, ObjectRef, open_bundle, reduce_bundle
from reducer.wire.json_text import JsonDocument
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.table import run_summary
from rollout_tui.insight.compaction.forgotten import forgotten
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.failures.definition import failures
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import _KIND_OF_RANK, _Intervals, _sweep
from rollout_tui.insight.timing.path import critical_path
from rollout_tui.insight.timing.waiting import unended, waits
from rollout_tui.insight.tokens.repeats import repeats
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


TEXTS = ("the", "Exit", "result", "echo", "a", "{", "Wall time")


@ANY_RECORDING
@given(**CHANGES, text=st.sampled_from(TEXTS))
def test_the_laws_hold_for_any_recording(
    shared_dir: Path,
    tmp_path: Path,
    base: str,
    last: float,
    missing: set[int],
    shifts: dict[int, int],
    text: str,
) -> None:
    it = changed(shared_dir, tmp_path, base, last=last, missing=missing, shifts=shifts)
    assert_time_is_divided(it.index)
    assert_path_is_one(it.links)
    assert_tokens_add_up(it.links, it.read)
    assert_seen_is_in_contexts(it.links, it.read, text)


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
    ran = [(rank, min(one, other), max(one, other)) for one, other, rank in some if one != other]
    intervals = _Intervals(has_refs=True)
    for place, (rank, first, last) in enumerate(ran):
        intervals.add(rank, first, last, "ToolCall", str(place))
    swept = [*_sweep(intervals, 0, 40)]
    assert [begin for _, begin, _ in swept] == [0, *(end for _, _, end in swept[:-1])]
    assert swept[-1][2] == 40
    for top, begin, end in swept:
        running = [(rank, last) for rank, first, last in ran if first <= begin and end <= last]
        least = min((rank for rank, _ in running), default=None)
        assert (None if top is None else ran[top][0]) == least
        if top is not None:
            assert ran[top][1] <= begin
            assert ran[top][2] == max(last for rank, last in running if rank == least)
    assert intervals.refs == [ObjectRef("ToolCall", str(place)) for place in range(len(ran))]
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


GROUPS = (
    *("bundles", "bundles-v1", "bundles-v3", "damaged-v3", "vectors", "vectors-v1", "vectors-v3"),
    *("sessions", "demo_traces"),
)


def recordings_of(shared: Path, group: str) -> list[Path]:
    if group == "sessions":
        return [file for name in case_names() for file in files_of_runs(case_named(shared, name))]
    if group == "demo_traces":
        return sorted(path.parent for path in (REPOSITORY / group).glob("*/manifest.json"))
    return [path.parent for path in sorted((shared / group).glob("*/bundle/manifest.json"))]


@pytest.mark.parametrize("group", GROUPS)
def test_the_laws_hold_for_every_recording(shared_dir: Path, group: str) -> None:
    asked = 0
    for path in recordings_of(shared_dir, group):
        try:
            session = Session(path)
            links = session.load(lambda _done, _total: None).links
        except BundleError:
            continue
        assert_time_is_divided(links.index)
        assert_path_is_one(links)
        assert_tokens_add_up(links, session.json)
        assert_seen_is_in_contexts(links, session.json, "e")
        asked += 1
    assert asked


@pytest.mark.parametrize("group", GROUPS)
def test_every_recording_can_be_asked_everything(shared_dir: Path, group: str) -> None:
    """Every ninth: what is told is told to programs as well, and adds up."""
    asked = 0
    for path in recordings_of(shared_dir, group)[::9]:
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
