"""What is a failure, kind by kind, how it is called, and what its cause is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, exec_item, message
from recorded import index_of
from scenes import begin, call, end, output, stdin_invocation
from session_builder import SessionWriter

from reducer import ObjectRef
from rollout_tui.insight.failures.definition import (
    NO_CAUSE,
    Failure,
    failure_of,
    failures,
    plain_error,
    session_verdict,
)
from rollout_tui.insight.index import TraceIndex
from rollout_tui.session import Session

Json = Any


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def index_of_session(b: BundleBuilder, *, ended: bool = True) -> TraceIndex:
    """The graph of what was built, with the end of the session behind it, as it is loaded."""
    if ended:
        b.event("rollout_ended", status="completed")
        b.event("recording_completed")
    return Session(b.write()).load(lambda _done, _total: None).index


def found(b: BundleBuilder, *, ended: bool = True) -> list[tuple[str, str, str]]:
    """Id, verdict and cause of all failures."""
    return [(one.ref.id, one.verdict, one.cause) for one in failures(index_of_session(b, ended=ended))]


def one(b: BundleBuilder, *, ended: bool = True) -> Failure:
    (failure,) = failures(index_of_session(b, ended=ended))
    return failure


# Inference calls


def failed_call(b: BundleBuilder, error: str, name: str = "i") -> None:
    b.request(name, [message("hello")])
    b.event("inference_failed", inference_call_id=name, error=error)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        ("exceeded retry limit, last status: 429 Too Many Requests", "429"),
        ("unexpected status 401 Unauthorized: no key", "401"),
        ("stream disconnected before completion", "failed"),
        ("the 500 of us gave up", "failed"),
    ],
)
def test_a_failed_call_has_the_status_of_the_response_and_says_why(
    b: BundleBuilder, error: str, verdict: str
) -> None:
    failed_call(b, error)
    b.request("again", [message("hello")])
    b.response("again", [])
    b.turn_ended()
    assert found(b) == [("i", verdict, error)]


def test_the_sentence_of_an_error_in_json_is_its_cause() -> None:
    assert plain_error('{"error": {"message": "cannot", "type": "x"}}') == "cannot"
    assert plain_error('Error: {"error": {"message": "cannot"}}') == "Error: cannot"
    for other in ("no {json", '{"error": 1}', '{"error": {"message": 3}}', "[]", '{"message": "no"}'):
        assert plain_error(other) == other


def test_a_cancelled_call_is_a_failure(b: BundleBuilder) -> None:
    b.request("i", [message("hello")])
    b.event("inference_cancelled", inference_call_id="i", reason="dropped")
    b.turn_ended()
    failure = one(b)
    assert (failure.manner, failure.verdict, failure.cause) == ("aborted", "cancelled", "dropped")


def test_what_still_runs_never_ended_once_the_session_is_over(b: BundleBuilder) -> None:
    b.request("i", [message("hello")])
    assert found(b, ended=False) == []
    b.turn_ended()
    # The end of a turn ends its calls.
    assert [(id_, verdict) for id_, verdict, _ in found(b)] == [("i", "cancelled")]


def test_a_turn_and_a_tool_that_never_ended(b: BundleBuilder) -> None:
    b.tool("t")
    assert [(id_, verdict) for id_, verdict, _ in found(b)] == [
        ("turn", "never ended"),
        ("t", "never ended"),
    ]


# Turns


def test_a_turn_fails_as_its_last_call_does(b: BundleBuilder) -> None:
    failed_call(b, "last status: 503 Service Unavailable")
    b.turn_ended("failed")
    assert found(b) == [
        ("turn", "503", "last status: 503 Service Unavailable"),
        ("i", "503", "last status: 503 Service Unavailable"),
    ]


def test_a_turn_that_is_said_to_be_completed_fails_with_its_last_call(b: BundleBuilder) -> None:
    failed_call(b, "gone")
    b.turn_ended("completed")
    assert found(b) == [("turn", "failed", "gone"), ("i", "failed", "gone")]


def test_a_turn_that_went_on_after_a_failed_call_is_none(b: BundleBuilder) -> None:
    failed_call(b, "gone")
    b.request("again", [message("hello")])
    b.response("again", [])
    b.turn_ended()
    assert found(b) == [("i", "failed", "gone")]


def test_a_turn_that_failed_to_compact_says_so(b: BundleBuilder) -> None:
    ids = {"compaction_id": "z", "compaction_request_id": "r"}
    place = {"thread_id": ROOT, "codex_turn_id": "turn", "model": "m", "provider_name": "p"}
    b.event("compaction_request_started", ROOT, "turn", **ids, **place, request_payload=b.payload({}))
    b.event("compaction_request_failed", **ids, error="busy")
    b.turn_ended("failed")
    assert found(b) == [("turn", "failed", "busy"), ("r", "failed", "busy")]


def protocol(b: BundleBuilder, event_type: str, **content: Json) -> None:
    ref = b.payload({"type": event_type, **content})
    b.event("protocol_event_observed", event_type=event_type, event_payload=ref)


def test_an_interrupted_turn_is_a_failure_and_the_event_that_reports_it_is_none(b: BundleBuilder) -> None:
    protocol(b, "turn_aborted", turn_id="turn", reason="interrupted")
    b.turn_ended("cancelled")
    assert found(b) == [("turn", "cancelled", "interrupted")]


def test_an_error_counts_once(b: BundleBuilder) -> None:
    protocol(b, "error", message="out of room")
    b.turn_ended("failed")
    assert found(b) == [("turn", "failed", "out of room")]


def test_an_error_that_no_failed_turn_accounts_for_counts(b: BundleBuilder) -> None:
    b.turn_ended()
    protocol(b, "error", message="out of room")
    failure = one(b)
    assert (failure.ref.type, failure.verdict, failure.cause) == ("Event", "failed", "out of room")
    assert failure.thread_id == ROOT


@pytest.mark.parametrize("event_type", ["warning", "stream_error", "thread_rolled_back", "turn_started"])
def test_other_events_of_the_protocol_are_no_failures(b: BundleBuilder, event_type: str) -> None:
    protocol(b, event_type, message="so it is")
    b.turn_ended()
    assert found(b) == []


# Tools


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_tool_that_failed_says_what_the_model_was_told(b: BundleBuilder, status: str) -> None:
    b.tool("t", "apply_patch", call_id="c")
    b.tool_ended("t", status=status)
    told = "Wall time: 0.1 seconds\nOutput:\n\nno such file\nnor another"
    b.request("i", [call("c"), output("c", told)])
    b.response("i", [])
    b.turn_ended()
    assert found(b) == [("t", status, "no such file")]


def test_a_tool_without_a_result_has_no_cause(b: BundleBuilder) -> None:
    b.tool("t", "apply_patch")
    b.tool_ended("t", status="failed")
    b.turn_ended()
    assert found(b) == [("t", "failed", NO_CAUSE)]


def command(b: BundleBuilder, exit_code: int, said: str, status: str = "completed") -> None:
    b.tool("t", "exec_command", call_id="c")
    b.runtime_started("t", "exec_command", begin())
    b.runtime_ended("t", end(output=said, exit_code=exit_code), "failed" if exit_code else "completed")
    b.tool_ended("t", status=status)


def test_a_command_with_an_exit_status_failed_though_its_call_completed(b: BundleBuilder) -> None:
    command(b, 127, "looking\nsh: no-such: command not found\n\n")
    b.turn_ended()
    failure = one(b)
    assert failure.verdict == "127"
    assert failure.manner == "failed"
    assert failure.cause == "exit 127: sh: no-such: command not found"


def test_a_command_with_exit_status_0_is_none(b: BundleBuilder) -> None:
    command(b, 0, "error: none\nProcess exited with code 3\n")
    b.turn_ended()
    assert found(b) == []


def test_where_the_runtime_tells_no_exit_status_the_header_of_the_output_does(b: BundleBuilder) -> None:
    b.tool("t", "exec_command", call_id="c")
    b.runtime_started("t", "exec_command", begin())
    b.tool_ended("t")
    told = "Chunk ID: a\nWall time: 1.0 seconds\nProcess exited with code 2\nOutput:\nno luck\n"
    b.request("i", [call("c"), output("c", told)])
    b.response("i", [])
    b.turn_ended()
    assert found(b) == [("t", "2", "exit 2: no luck")]


def test_the_exit_status_of_a_process_belongs_to_its_command(b: BundleBuilder) -> None:
    b.tool("t", "exec_command", call_id="c")
    b.runtime_started("t", "exec_command", begin())
    b.tool_ended("t")
    b.tool("w", "write_stdin", call_id="d", invocation=stdin_invocation(7, "q"))
    b.tool_ended("w")
    b.request("i", [call("d"), output("d", "Process exited with code 2\nOutput:\nbye")])
    b.response("i", [])
    b.turn_ended()
    b.runtime_ended("t", end(exit_code=2, output="bye"), "failed")
    assert found(b) == [("t", "2", "exit 2: bye")]


def test_a_process_that_still_runs_at_the_end_never_ended(b: BundleBuilder) -> None:
    b.tool("t", "exec_command", call_id="c")
    b.runtime_started("t", "exec_command", begin())
    b.tool_ended("t")
    b.turn_ended()
    assert found(b, ended=False) == []
    assert [(id_, verdict) for id_, verdict, _ in found(b)] == [("t", "never ended")]


def test_an_aborted_call_is_aborted_whatever_its_process_says(tmp_path: Path) -> None:
    from sharded_builder import ShardedBuilder

    b = ShardedBuilder(tmp_path / "bundle")
    b.thread()
    b.turn()
    command(b, -1, "", "aborted")
    b.turn_ended("cancelled")
    index = index_of_session(b)
    failure = failure_of(index, ObjectRef("ToolCall", "t"))
    assert failure is not None
    assert (failure.manner, failure.verdict, failure.cause) == ("aborted", "aborted", "its turn was ended")


def test_a_wait_for_agents_whose_time_was_over_is_a_failure(shared_dir: Path) -> None:
    index = index_of(shared_dir / "bundles/multi-agent-v2/bundle")
    timeouts = [one.seq for one in failures(index) if one.verdict == "timeout"]
    assert timeouts == [116, 240]


# Cells


def test_a_script_that_threw_is_one_failure_that_of_its_call(b: BundleBuilder) -> None:
    b.request("i", [message("go")])
    b.response("i", [exec_item("c")])
    b.tool("t", {"type": "other", "name": "exec"}, call_id="c")
    b.cell("c")
    b.cell_ended("failed")
    b.tool_ended("t")
    told = [
        {"type": "input_text", "text": text} for text in ("Script failed\nOutput:\n", "Script error:\nboom")
    ]
    result = {"type": "custom_tool_call_output", "call_id": "c", "output": told}
    b.request("i2", [message("go"), exec_item("c"), result])
    b.response("i2", [])
    b.turn_ended()
    assert found(b) == [("t", "failed", "boom")]


def test_a_script_that_was_terminated_is_a_failure(b: BundleBuilder) -> None:
    b.request("i", [message("go")])
    b.response("i", [exec_item("c")])
    b.cell("c")
    b.cell_ended("terminated")
    b.turn_ended()
    failure = one(b)
    assert (failure.ref.type, failure.manner, failure.verdict) == ("CodeCell", "aborted", "terminated")


# Session files, which tell only what ended a turn


def cut_short(home: Path) -> SessionWriter:
    """A session whose model has begun to answer."""
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.assistant("Ha")
    return writer


def test_what_ended_a_turn_is_what_its_last_call_failed_with(tmp_path: Path) -> None:
    writer = cut_short(tmp_path)
    writer.count(more=False)
    writer.count(more=False)
    writer.end_turn(None, error={"message": "gave up the second time"})
    index = Session(writer.path).load(lambda _done, _total: None).index
    causes = [one.cause for one in failures(index)]
    assert [one.ref.type for one in failures(index)] == ["Turn", "InferenceCall", "InferenceCall"]
    assert causes == ["gave up the second time", NO_CAUSE, "gave up the second time"]
    first, second = index.trace.inference_calls.values()
    assert first.execution.ended_seq < second.execution.started_seq < index.last_seq  # type: ignore[operator]


def test_who_interrupted_a_turn_interrupted_its_last_call(tmp_path: Path) -> None:
    writer = cut_short(tmp_path)
    writer.abort_turn()
    index = Session(writer.path).load(lambda _done, _total: None).index
    assert [(one.verdict, one.cause) for one in failures(index)] == [("cancelled", "interrupted")] * 2


# Agents and the session


def test_an_agent_fails_as_its_last_turn_does_and_is_not_counted(b: BundleBuilder) -> None:
    b.thread(CHILD, "/root/child")
    b.turn("first", CHILD)
    b.turn_ended("failed", "first", CHILD)
    b.event("thread_ended", thread_id=CHILD, status="completed")
    b.turn_ended()
    index = index_of_session(b)
    agent = failure_of(index, ObjectRef("Thread", CHILD))
    assert agent is not None
    assert agent.verdict == "failed"
    assert [one.ref.id for one in failures(index)] == ["first"]


def test_an_agent_that_did_better_later_is_none(b: BundleBuilder) -> None:
    b.turn_ended("failed")
    b.turn("better")
    b.turn_ended("completed", "better")
    b.event("thread_ended", thread_id=ROOT, status="completed")
    assert failure_of(index_of_session(b), ObjectRef("Thread", ROOT)) is None


@pytest.mark.parametrize(
    ("status", "verdict"), [("completed", None), ("failed", "failed"), ("aborted", "aborted")]
)
def test_a_session_fails_as_the_log_says(b: BundleBuilder, status: str, verdict: str | None) -> None:
    b.turn_ended()
    b.event("rollout_ended", status=status)
    assert session_verdict(TraceIndex(b.reduce())) == verdict


def test_what_is_not_there_and_what_cannot_fail_is_none(team: TraceIndex) -> None:
    for type_ in ("Turn", "InferenceCall", "ToolCall", "CodeCell", "CompactionRequest", "Thread", "Event"):
        assert failure_of(team, ObjectRef(type_, "9999999")) is None
    assert failure_of(team, ObjectRef("ConversationItem", next(iter(team.trace.conversation_items)))) is None
