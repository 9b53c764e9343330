from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, state

from reducer import reduce_bundle
from reducer.model import RootOrigin, SpawnedOrigin

Json = Any


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    return BundleBuilder(tmp_path / "bundle")


def spawn(**fields: Json) -> Json:
    return {"subagent": {"thread_spawn": {"parent_thread_id": ROOT, **fields}}}


def test_an_empty_log_gives_the_manifest(b: BundleBuilder) -> None:
    graph = state(b.graph())
    assert graph["status"] == "running"
    assert (graph["trace_id"], graph["rollout_id"], graph["root_thread_id"]) == ("trace", "rollout", ROOT)
    assert graph["recording_complete"] is False
    assert graph["ended_at_unix_ms"] is None
    assert [name for name, value in graph.items() if value == {}] == list(graph)[8:]


def test_the_session_has_the_ids_of_its_first_event_and_the_last_status(b: BundleBuilder) -> None:
    b.event("rollout_started", trace_id="other", root_thread_id="root")
    b.event("rollout_ended", status="failed")
    b.event("rollout_ended", status="aborted")
    graph = b.graph()
    assert (graph.trace_id, graph.root_thread_id, graph.rollout_id) == ("other", "root", "rollout")
    assert (graph.status, graph.ended_at_unix_ms) == ("aborted", 1003)


def test_nothing_comes_after_the_end_of_the_recording(b: BundleBuilder) -> None:
    b.event("recording_completed")
    assert b.graph().recording_complete
    b.thread()
    said = "trace.jsonl line 2, seq 2, thread_started: the recording was completed before this event"
    assert b.only_problem() == said
    assert ROOT in b.reduce().trace.threads


def test_an_unended_line_does_not_complete_the_recording(b: BundleBuilder) -> None:
    b.event("recording_completed")
    b.write(ending=b"")
    reduction = reduce_bundle(b.path, strict=True)
    assert not reduction.trace.recording_complete
    assert reduction.problems == []


@pytest.mark.parametrize(
    ("metadata", "path", "origin"),
    [
        (None, "/root/event", RootOrigin()),
        ({"session_source": "exec", "agent_path": "/root/meta"}, "/root/meta", RootOrigin()),
        ({"session_source": {"subagent": "review"}}, "/root/event", RootOrigin()),
        (
            {"session_source": spawn(agent_path="/root/spawn"), "agent_path": "/root/meta"},
            "/root/spawn",
            SpawnedOrigin(ROOT, f"edge:spawn:{ROOT}:{CHILD}", "spawn", ""),
        ),
        (
            {"session_source": spawn(task_name="told", agent_role="r"), "task_name": "x", "agent_role": "y"},
            "/root/event",
            SpawnedOrigin(ROOT, f"edge:spawn:{ROOT}:{CHILD}", "told", "r"),
        ),
        (
            {"session_source": spawn(agent_path="//"), "agent_role": "y"},
            "//",
            SpawnedOrigin(ROOT, f"edge:spawn:{ROOT}:{CHILD}", "//", "y"),
        ),
        ({"session_source": spawn(parent_thread_id=5, agent_path="/x")}, "/root/event", RootOrigin()),
    ],
)
def test_metadata_says_where_a_thread_comes_from(
    b: BundleBuilder, metadata: Json, path: str, origin: RootOrigin | SpawnedOrigin
) -> None:
    b.thread(CHILD, "/root/event", metadata)
    thread = b.graph().threads[CHILD]
    assert thread.agent_path == path
    assert thread.origin == origin


def test_metadata_of_a_wrong_type_is_refused(b: BundleBuilder) -> None:
    b.thread(metadata={"nickname": 5})
    assert "thread metadata raw_payload:1: expected text or null, got integer at nickname" in b.only_problem()


def test_an_ended_thread_is_resumed_from_its_start(b: BundleBuilder) -> None:
    b.thread()
    b.event("thread_ended", thread_id=ROOT, status="failed")
    assert state(b.graph())["threads"][ROOT]["execution"] == {
        "started_at_unix_ms": 1001,
        "started_seq": 1,
        "ended_at_unix_ms": 1002,
        "ended_seq": 2,
        "status": "failed",
    }
    b.event("thread_resumed", thread_id=ROOT)
    execution = b.graph().threads[ROOT].execution
    assert (execution.started_seq, execution.ended_seq, execution.status) == (1, None, "running")
    b.event("thread_resumed", thread_id=ROOT)
    assert "was resumed, but it had not ended" in b.only_problem()


def test_a_turn_ends_as_told(b: BundleBuilder) -> None:
    b.thread()
    b.turn()
    b.turn_ended("aborted")
    b.turn_ended("completed")
    turn = b.graph().codex_turns["turn"]
    assert (turn.execution.status, turn.execution.ended_seq, turn.input_item_ids) == ("completed", 4, [])


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([("thread_started", {"thread_id": ROOT, "agent_path": "/root"})], "was started before"),
        ([("thread_ended", {"thread_id": "x", "status": "failed"})], "thread x is not known"),
        ([("thread_resumed", {"thread_id": "x"})], "it was not started in this recording"),
        ([("codex_turn_started", {"codex_turn_id": "u", "thread_id": "x"})], "thread x is not known"),
        ([("codex_turn_started", {"codex_turn_id": "turn", "thread_id": ROOT})], "was started before"),
        ([("codex_turn_ended", {"codex_turn_id": "u", "status": "failed"})], "it was never started"),
        ([("other", {"kind": "k", "summary": "s", "payloads": [], "metadata": 1})], "have no meaning"),
    ],
)
def test_contradictions_are_refused(b: BundleBuilder, events: list[Any], said: str) -> None:
    b.thread()
    b.turn()
    for type_, fields in events:
        b.event(type_, **fields)
    problem = b.only_problem()
    assert problem.startswith(f"trace.jsonl line 3, seq 3, {events[0][0]}: ")
    assert said in problem


def test_a_turn_ends_in_its_own_thread(b: BundleBuilder) -> None:
    b.thread()
    b.turn()
    b.event("codex_turn_ended", CHILD, "turn", codex_turn_id="turn", status="failed")
    assert f"ended in thread {CHILD}, but it belongs to thread {ROOT}" in b.only_problem()
