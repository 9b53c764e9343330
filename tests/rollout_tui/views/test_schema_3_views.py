"""What recordings of trace schema 3 say beside the others: cut payloads, aborted calls, waits, who began."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer import ObjectRef, open_bundle
from reducer.model import ToolCall, UnknownOrigin
from reducer.wire.events import OtherTool
from rollout_tui.feed import Feed
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.timeline.turn_starts import TurnStart, read_turn_start
from rollout_tui.insight.tools.words import cell_words, tool_label
from rollout_tui.lines.spans import spans_text
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.entry_rows import EntryRows
from rollout_tui.views.filters import EntryFacts, parse_filter
from rollout_tui.views.overview import overview
from rollout_tui.views.thread_rows import ThreadRows
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeNode


@lru_cache(maxsize=64)
def read(bundle: Path) -> Timelines:
    return Feed(open_bundle(bundle)).read(lambda done, total: None).timelines


def recorded(shared: Path, name: str) -> Timelines:
    return read(shared / "bundles-v3" / name / "bundle")


def facts(timelines: Timelines, type_: str, id_: str) -> dict[str, Fact]:
    detail = describe(timelines.index, ObjectRef(type_, id_))
    assert detail is not None
    return {fact.name: fact for fact in reversed(detail.facts)}


def thread_row(timelines: Timelines, agent_path: str) -> str:
    index = timelines.index
    thread = next(one for one in index.threads if one.agent_path == agent_path)
    row = ThreadRows(timelines).row(TreeNode(thread, 0))
    return spans_text([*row.spans, *row.tail])


# How the recording stands


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("multi-agent-v2", "completed  29.9s"),
        ("limit-payload-300", "completed  payloads cut  1.2s"),
        ("exec-sigint", "completed, recording unfinished"),
        ("crash-kill9", "unfinished"),
    ],
)
def test_the_header_says_how_the_recording_stands(shared_dir: Path, name: str, words: str) -> None:
    assert words in spans_text(overview(recorded(shared_dir, name), "x"))


def test_an_agent_whose_metadata_was_cut_says_that_nobody_knows_who_started_it(shared_dir: Path) -> None:
    timelines = recorded(shared_dir, "limit-payload-0")
    unknown = [one for one in timelines.index.threads if isinstance(one.origin, UnknownOrigin)]
    assert unknown
    for thread in unknown:
        assert "(origin unknown)" in thread_row(timelines, thread.agent_path)
        assert facts(timelines, "Thread", thread.thread_id)["spawned by"].value.startswith("unknown")
    assert "origin" not in thread_row(timelines, "/root")


# Aborted calls


def test_an_aborted_call_is_one_wherever_states_are_told(shared_dir: Path) -> None:
    aborted = 0
    for name in ("interrupted-with-children", "sigterm", "multi-agent-v2", "code-mode", "everything-ws"):
        timelines = recorded(shared_dir, name)
        index, words = timelines.index, EntryRows(timelines.entries, with_thread=False)
        told = EntryFacts(timelines.entries)
        for entry in timelines.tree(None).values:
            call = index.trace.tool_calls.get(entry.ref.id) if entry.ref.type == "ToolCall" else None
            if call is None or call.execution.status != "aborted":
                continue
            aborted += 1
            assert "aborted" in spans_text(words.row(TreeNode(entry, 0)).tail)
            assert failure_of(index, entry.ref) is not None
            assert parse_filter("status:aborted status:cancelled").matches(told.of(entry))
            assert not parse_filter("status:completed").matches(told.of(entry))
            assert facts(timelines, "ToolCall", call.tool_call_id)["state"].value == "aborted"
            failed = plural(timelines.failed_of[entry.thread_id], "failure")
            assert failed in thread_row(timelines, index.thread_path(entry.thread_id))
    assert aborted == 7


# Waits


def waits(timelines: Timelines) -> list[ToolCall]:
    calls = timelines.index.trace.tool_calls.values()
    return [one for one in calls if isinstance(one.kind, OtherTool) and one.kind.name == "wait"]


def test_a_wait_leads_to_its_cell_and_the_cell_to_its_waits(shared_dir: Path) -> None:
    timelines = recorded(shared_dir, "code-mode")
    resolved = [call for call in waits(timelines) if call.resolved_wait_runtime_cell_id is not None]
    assert len(resolved) == 6
    for call in resolved:
        cell = timelines.index.cell_of_wait(call.tool_call_id)
        assert cell is not None
        assert cell.runtime_cell_id == call.resolved_wait_runtime_cell_id
        fact = facts(timelines, "ToolCall", call.tool_call_id)["waits for"]
        named = f"exec  {cell_words(timelines.index, cell)}"
        assert (fact.value, fact.link) == (named, timelines.index.entry_of_cell(cell))
        detail = describe(timelines.index, ObjectRef("CodeCell", cell.code_cell_id))
        assert detail is not None
        back = [one.link for one in detail.facts if one.name == "waited for by"]
        assert ObjectRef("ToolCall", call.tool_call_id) in back


def test_a_wait_for_a_cell_that_is_not_there_says_which(shared_dir: Path) -> None:
    timelines = read(shared_dir / "damaged-v3" / "wait-target-unknown-cell" / "bundle")
    unbound = [one for one in waits(timelines) if timelines.index.cell_of_wait(one.tool_call_id) is None]
    told = [one for one in unbound if one.resolved_wait_runtime_cell_id is not None]
    assert told
    for call in told:
        fact = facts(timelines, "ToolCall", call.tool_call_id)["waits for"]
        assert fact.value == f"runtime cell {call.resolved_wait_runtime_cell_id}, which is not in the graph"
        assert tool_label(timelines.index, call) == "wait"


# Who started a turn


def test_a_turn_says_what_set_it_off_or_which_turn_started_it(shared_dir: Path) -> None:
    timelines = recorded(shared_dir, "multi-agent-v2")
    index = timelines.index
    root, alpha = (
        next(index.contents[one.thread_id].turns[0] for one in index.threads if one.agent_path == path)
        for path in ("/root", "/root/alpha")
    )
    assert facts(timelines, "Turn", root.codex_turn_id)["started by"].value == "exec"
    started = facts(timelines, "Turn", alpha.codex_turn_id)
    assert started["started by"].value == "turn 1 of /root"
    assert started["started by"].link == ObjectRef("Turn", root.codex_turn_id)
    assert started["set off by"].value == "exec"


def test_who_started_a_turn_is_known_as_of_its_event_and_not_before_it(shared_dir: Path) -> None:
    feed = Feed(open_bundle(shared_dir / "bundles-v3" / "multi-agent-v2" / "bundle"))
    assert len(feed.as_of(4, lambda done, total: None).timelines.index.turn_starts) == 0
    assert len(feed.as_of(5, lambda done, total: None).timelines.index.turn_starts) == 1


def test_a_turn_of_which_nothing_is_told_says_nothing(shared_dir: Path) -> None:
    """Turns that compact a history tell nothing; neither did codex before schema 2."""
    timelines = recorded(shared_dir, "compaction-local")
    silent = timelines.index.trace.codex_turns.keys() - timelines.index.turn_starts.keys()
    assert silent
    for turn_id in silent:
        assert "started by" not in facts(timelines, "Turn", turn_id)
    assert read(shared_dir / "bundles" / "multi-agent-v2" / "bundle").index.turn_starts
    assert not read(shared_dir / "bundles-v1" / "codex-0.140.0-multi-agent-v2" / "bundle").index.turn_starts


def test_a_parent_of_another_bundle_is_named() -> None:
    told = {"turn_id": "t", "turn_trigger": None, "parent_turn_id": "p", "initiating_agent_path": "/root"}
    assert read_turn_start({"turn_attribution": told}) == ("t", TurnStart(None, "p", "/root"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["turn_attribution", "turn_id", "turn_trigger", "parent_turn_id"]), inner
        )
    ),
    max_leaves=8,
)


@given(_JSON)
def test_nothing_but_texts_is_taken_from_a_payload(payload: Any) -> None:
    found = read_turn_start(payload)
    if found is not None:
        turn_id, start = found
        assert isinstance(turn_id, str)
        values = (start.trigger, start.parent_turn_id, start.agent_path)
        assert all(value is None or isinstance(value, str) for value in values)
