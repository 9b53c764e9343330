"""Of whom an event tells: its own fields say it; the envelope may be silent, or name somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, letter, message

from reducer import EventRecord, state_json
from rollout_tui.lines.spans import spans_text
from rollout_tui.session import Session
from rollout_tui.views.entry_rows import EntryRows
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeNode

SPAWNED = {
    "session_source": {
        "subagent": {
            "thread_spawn": {
                "parent_thread_id": ROOT,
                "depth": 1,
                "agent_path": "/root/child",
                "task_name": "t",
                "agent_nickname": None,
                "agent_role": None,
            }
        }
    }
}

ENVELOPES: dict[str, tuple[str | None, str | None]] = {
    "of the child": (CHILD, "child-turn"),
    "of nobody": (None, None),
    "of the child without a turn": (CHILD, None),
    "of the parent": (ROOT, "turn"),
}


def recorded(path: Path, envelope: tuple[str | None, str | None]) -> BundleBuilder:
    """A child that answers, and hands its answer to its parent by an event with some envelope."""
    builder = BundleBuilder(path)
    builder.thread()
    builder.turn()
    builder.request("i1", [message("go")])
    builder.thread(CHILD, "/root/child", metadata=SPAWNED)
    builder.turn("child-turn", CHILD)
    builder.request("c1", [message("task")], CHILD)
    builder.response("c1", [message("done", "assistant", id="answer")])
    builder.turn_ended(turn="child-turn", thread=CHILD)
    builder.event(
        "agent_result_observed",
        *envelope,
        edge_id="edge:result",
        child_thread_id=CHILD,
        child_codex_turn_id="child-turn",
        parent_thread_id=ROOT,
        message="done",
        carried_payload=None,
    )
    builder.request("i2", [message("go"), letter("done", "/root/child", "/root")])
    return builder


def result_event(timelines: Timelines) -> EventRecord:
    events = timelines.index.reduction.provenance.events
    return next(event for event in events if event.kind == "agent_result_observed")


def shown(timelines: Timelines) -> list[tuple[Any, ...]]:
    """What the timelines say of the result: in whose it stands, in which turn, and its row."""
    event, found = result_event(timelines), []
    for entry in timelines.tree(None).values:
        if entry.ref.type == "Event" and entry.seq == event.seq:
            row = EntryRows(timelines.entries, with_thread=True).row(TreeNode(entry, 0))
            found.append((entry.thread_id, entry.turn_id, spans_text(row.spans)))
    return found


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_a_result_is_of_the_child_whatever_its_envelope_says(
    tmp_path: Path, envelope: tuple[str | None, str | None]
) -> None:
    usual = recorded(tmp_path / "usual", ENVELOPES["of the child"])
    other = recorded(tmp_path / "other", envelope)
    timelines = Session(other.write()).load(lambda done, total: None)
    event = result_event(timelines)
    assert (event.thread_id, event.codex_turn_id) == (CHILD, "child-turn")
    [(thread_id, turn_id, row)] = shown(timelines)
    assert (thread_id, turn_id) == (CHILD, "child-turn")
    assert "not in the graph" not in row
    assert shown(timelines) == shown(Session(usual.write()).load(lambda done, total: None))
    # What the reference makes of it does not depend on the envelope, and neither does our graph.
    assert state_json(other.graph()) == state_json(usual.graph())


def test_a_turn_is_of_the_thread_that_it_names(tmp_path: Path) -> None:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.event("codex_turn_started", None, None, codex_turn_id="turn", thread_id=ROOT)
    events = builder.reduce().provenance.events
    assert [(event.thread_id, event.codex_turn_id) for event in events] == [(ROOT, None), (ROOT, "turn")]


def test_events_of_an_unknown_schema_are_of_whom_they_name(tmp_path: Path) -> None:
    builder = BundleBuilder(tmp_path / "bundle", schema=99)
    builder.event("anything", None, None, child_thread_id=CHILD, child_codex_turn_id="t")
    builder.event("anything", ROOT, "u", codex_turn_id=7)
    events = builder.reduce().provenance.events
    told = [(event.thread_id, event.codex_turn_id) for event in events]
    assert told == [(CHILD, "t"), (ROOT, "u")]


def test_the_objects_of_an_event_are_those_that_it_made_or_changed(tmp_path: Path) -> None:
    builder = recorded(tmp_path / "bundle", ENVELOPES["of nobody"])
    provenance = builder.reduce().provenance
    for event in provenance.events:
        for ref in provenance.objects_of(event):
            assert event in provenance.of(ref.type, ref.id)
    trails = {ref for event in provenance.events for ref in provenance.objects_of(event)}
    assert all(provenance.of(ref.type, ref.id)[0] is not None for ref in trails)
    completed = next(event for event in provenance.events if event.kind == "inference_completed")
    assert "InferenceCall" in {ref.type for ref in provenance.objects_of(completed)}
