"""From entry to entry by kind, turn, call and failure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting

from reducer import ObjectRef
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.timeline.stepping import entry_kind
from rollout_tui.views.timeline import Timelines

Demo = Callable[[str], Path]


def root_entries(timelines: Timelines) -> list[Entry]:
    root = timelines.index.trace.root_thread_id
    return [*timelines.tree(root).values]


def test_the_next_wanted_entry_is_the_nearest_on_that_side(team_timelines: Timelines) -> None:
    steps = team_timelines.stepping(team_timelines.index.trace.root_thread_id)
    turns = [entry for entry in root_entries(team_timelines) if entry.ref.type == "Turn"]
    assert steps.next_of_kind(turns[0], 1, "Turn") == turns[1]
    assert steps.next_of_kind(turns[1], -1, "Turn") == turns[0]
    assert steps.next_of_kind(turns[0], -1, "Turn") is None
    assert steps.next_of_kind(turns[-1], 1, "Turn") is None
    assert steps.next_of_kind(turns[0], 1, "no such kind") is None


def test_steps_visit_every_entry_of_a_kind_in_order(team_timelines: Timelines) -> None:
    index = team_timelines.index
    for thread_id in (index.trace.root_thread_id, None):
        entries = team_timelines.tree(thread_id).values
        steps = team_timelines.stepping(thread_id)
        for kind in {entry_kind(index, entry) for entry in entries}:
            of_kind = [entry for entry in entries if entry_kind(index, entry) == kind]
            for before, after in pairwise(of_kind):
                assert steps.next_of_kind(before, 1, kind) == after
                assert steps.next_of_kind(after, -1, kind) == before


def test_an_entry_of_another_timeline_counts_by_its_sequence_number(team_timelines: Timelines) -> None:
    steps = team_timelines.stepping(team_timelines.index.trace.root_thread_id)
    stranger = next(
        entry
        for entry in team_timelines.tree(None).values
        if entry.thread_id != team_timelines.index.trace.root_thread_id and entry.seq > 150
    )
    after = steps.next_of_kind(stranger, 1, "InferenceCall")
    before = steps.next_of_kind(stranger, -1, "InferenceCall")
    assert after is not None
    assert before is not None
    assert before.seq <= stranger.seq < after.seq


def test_failures_are_what_went_wrong(team_timelines: Timelines) -> None:
    index = team_timelines.index
    failed = {
        entry.seq: entry_kind(index, entry)
        for entry in root_entries(team_timelines)
        if failure_of(index, entry.ref) is not None
    }
    # A rejected patch, the turn that was interrupted and the call it ended, the compaction request that
    # failed, and the script that threw. The events that report an error and an interruption are none.
    assert failed == {
        228: "patch",
        313: "Turn",
        324: "InferenceCall",
        331: "CompactionRequest",
        340: "exec",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "seqs"),
    [
        (("}", "}", "{"), (213, 313, 213)),
        ((")", ")", "("), (9, 19, 9)),
        (("j", "J", "J", "K"), (9, 19, 40, 19)),
    ],
)
async def test_keys_step_through_the_timeline(
    demo_trace: Demo, keys: tuple[str, ...], seqs: tuple[int, ...]
) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        for key, seq in zip(keys, seqs, strict=True):
            await inspection.press(key)
            assert _seq(inspection) == seq


@pytest.mark.slow
async def test_a_failure_is_shown_whichever_pane_has_the_keys(shared_dir: Path) -> None:
    async with inspecting(shared_dir / "bundles/multi-agent-v2/bundle") as inspection:
        screen = inspection.screen
        await inspection.press("1", "g", "e")
        entry = screen.timeline.entry
        assert entry is not None
        assert screen.detail.ref == entry.ref
        assert screen.threads.list.cursor_key == entry.thread_id
        await inspection.press("k")
        assert screen.detail.ref == ObjectRef("Thread", str(screen.threads.list.cursor_key))
        await inspection.press("j")
        assert screen.detail.ref == ObjectRef("Thread", entry.thread_id), "moving there shows the agent"


@pytest.mark.slow
async def test_failures_are_found_in_any_agent(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("e")
        first = _seq(inspection)
        assert (
            inspection.screen.timeline.thread_id
            != inspection.screen.session.timelines.index.trace.root_thread_id
        )  # type: ignore[union-attr]
        await inspection.press("e")
        assert _seq(inspection) > first
        await inspection.press("E")
        assert _seq(inspection) == first
        await inspection.press("E")
        assert "no failure before this" in inspection.screen_text()[-1]


def _seq(inspection: Inspection) -> int:
    entry = inspection.screen.timeline.entry
    assert entry is not None
    return entry.seq
