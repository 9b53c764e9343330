"""What the handles write, and that they never get in the way of the host program."""

from __future__ import annotations

import errno
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from recorder_fixtures import (
    CHILD,
    ROOT,
    events,
    function_call,
    kinds,
    message,
    metadata,
    only_bundle,
    output_of,
    payload,
    record_everything,
    recorded_session,
    references,
)

from reducer.recorder import (
    TRACE_ROOT_VARIABLE,
    SessionTrace,
    ToolInvocation,
    prepared_prompt,
    start_session,
    tool_kind,
)
from reducer.recorder.writer import SchemaNumber
from reducer.wire.events import (
    ApplyPatch,
    AssignAgentTask,
    CloseAgent,
    ExecCommand,
    ImageGeneration,
    OtherTool,
    WaitAgentSummary,
    Web,
)

REQUEST: dict[str, Any] = {
    "model": "gpt-5.5",
    "provider_name": "OpenAI",
    "request": {"model": "gpt-5.5", "input": []},
}


SCHEMAS: list[SchemaNumber] = [2, 3]


@pytest.fixture(params=SCHEMAS)
def session(tmp_path: Path, request: pytest.FixtureRequest) -> SessionTrace:
    return recorded_session(tmp_path, schema=request.param)


def bodies(root: Path, kind: str) -> list[dict[str, Any]]:
    """Bodies of the events of one kind, without their `type`."""
    found = [event["payload"] for event in events(only_bundle(root))]
    return [{k: v for k, v in body.items() if k != "type"} for body in found if body["type"] == kind]


def test_a_session_begins_like_codex_s(session: SessionTrace, tmp_path: Path) -> None:
    assert session.recording
    assert kinds(only_bundle(tmp_path)) == ["rollout_started", "thread_started"]
    (started,) = bodies(tmp_path, "thread_started")
    assert (started["thread_id"], started["agent_path"]) == (ROOT, "/root")
    assert list(payload(only_bundle(tmp_path), started["metadata_payload"]).items()) == [
        ("thread_id", ROOT),
        ("agent_path", "/root"),
        ("task_name", None),
        ("nickname", None),
        ("agent_role", None),
        ("session_source", "exec"),
        ("cwd", "/home/dev/project"),
        ("rollout_path", None),
        ("model", "gpt-5.5"),
        ("provider_name", "openai"),
        ("approval_policy", "never"),
        ("sandbox_policy", "DangerFullAccess"),
    ]


def test_a_spawned_thread_says_who_spawned_it(session: SessionTrace, tmp_path: Path) -> None:
    child = session.root.spawn(CHILD, "repro", nickname="Ada", agent_role="worker")
    grandchild = child.spawn("grandchild", "stress")
    assert (child.agent_path, grandchild.agent_path) == ("/root/repro", "/root/repro/stress")
    _, first, second = (
        payload(only_bundle(tmp_path), body["metadata_payload"])
        for body in bodies(tmp_path, "thread_started")
    )
    assert first["session_source"] == {
        "subagent": {
            "thread_spawn": {
                "parent_thread_id": ROOT,
                "depth": 1,
                "agent_path": "/root/repro",
                "agent_nickname": "Ada",
                "agent_role": "worker",
            }
        }
    }
    assert (first["task_name"], first["nickname"], first["model"]) == ("repro", "Ada", "gpt-5.5")
    spawn = second["session_source"]["subagent"]["thread_spawn"]
    assert (spawn["parent_thread_id"], spawn["depth"]) == (CHILD, 2)


def test_context_stands_in_the_envelope_of_a_turn_s_events_only(tmp_path: Path) -> None:
    record_everything(recorded_session(tmp_path))
    without = {
        "rollout_started",
        "rollout_ended",
        "thread_started",
        "thread_ended",
        "thread_resumed",
        "protocol_event_observed",
        "mcp_tool_call_correlation_assigned",
        "recording_completed",
    }
    for event in events(only_bundle(tmp_path)):
        has_context = event["thread_id"] is not None
        assert has_context == (event["codex_turn_id"] is not None)
        assert has_context == (event["payload"]["type"] not in without)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_payload_is_there_before_its_event(
    schema: SchemaNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.write
    seen = set()

    def checking(descriptor: int, data: bytes) -> int:
        text = bytes(data)
        if text.startswith(b'{"schema_version"'):
            for reference in references(json.loads(text)):
                seen.add(reference["raw_payload_id"])
                assert payload(only_bundle(tmp_path), reference) is not None
        return whole(descriptor, data)

    monkeypatch.setattr(os, "write", checking)
    record_everything(recorded_session(tmp_path, schema=schema))
    assert seen == {f"raw_payload:{number}" for number in range(1, len(seen) + 1)}
    assert len(seen) > 30


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_same_session_gives_the_same_bytes(schema: SchemaNumber, tmp_path: Path) -> None:
    for name in ("one", "two"):
        record_everything(recorded_session(tmp_path / name, schema=schema))
    one, two = only_bundle(tmp_path / "one"), only_bundle(tmp_path / "two")
    assert one.name == two.name
    files = sorted(path.relative_to(one) for path in one.rglob("*"))
    assert files == sorted(path.relative_to(two) for path in two.rglob("*"))
    for file in files:
        assert (one / file).is_dir() or (one / file).read_bytes() == (two / file).read_bytes()


def test_an_inference_call_ends_once(session: SessionTrace, tmp_path: Path) -> None:
    call = session.root.start_turn("turn").start_inference(**REQUEST)
    call.cancel("the user changed their mind")
    call.complete([])
    call.fail("too late")
    assert kinds(only_bundle(tmp_path))[-2:] == ["inference_started", "inference_cancelled"]


def test_a_partial_answer_is_kept(session: SessionTrace, tmp_path: Path) -> None:
    turn = session.root.start_turn("turn")
    item = message("assistant", "I wi", "msg_1")
    turn.start_inference(**REQUEST).fail("cut", upstream_request_id="req_1", output_items=[item])
    turn.start_inference(**REQUEST).cancel("dropped")
    (failed,) = bodies(tmp_path, "inference_failed")
    assert payload(only_bundle(tmp_path), failed["partial_response_payload"]) == {
        "response_id": None,
        "upstream_request_id": "req_1",
        "token_usage": None,
        "output_items": [item],
    }
    (cancelled,) = bodies(tmp_path, "inference_cancelled")
    assert cancelled["partial_response_payload"] is None
    assert cancelled["reason"] == "dropped"


def test_only_an_agent_message_is_accepted_with_its_contents(session: SessionTrace, tmp_path: Path) -> None:
    turn = session.root.start_turn("turn")
    sent = {"type": "agent_message", "id": "amsg_1", "author": "/root/a", "recipient": "/root", "content": []}
    turn.accept_item(sent)
    turn.accept_item(message("user", "hello", "msg_1"))
    turn.accept_item({"type": "message", "role": "user", "content": []})
    first, second = bodies(tmp_path, "history_item_accepted")
    assert payload(only_bundle(tmp_path), first["agent_message_payload"]) == sent
    assert second == {"item_id": "msg_1"}


def test_in_schema_3_a_tool_output_is_accepted_with_its_contents(tmp_path: Path) -> None:
    outputs = [
        output_of(call, "done")
        for call in (function_call("1", "ls", "{}"), {"type": "custom_tool_call", "call_id": "2"})
    ]
    schemas: list[SchemaNumber] = [2, 3]
    for schema in schemas:
        turn = recorded_session(tmp_path / str(schema), schema=schema).root.start_turn("turn")
        for output in outputs:
            turn.accept_item(output)
    assert bodies(tmp_path / "2", "history_item_accepted") == [{"item_id": "out_1"}, {"item_id": "out_2"}]
    receipts = bodies(tmp_path / "3", "history_item_accepted")
    bundle = only_bundle(tmp_path / "3")
    assert [payload(bundle, receipt["tool_output_payload"]) for receipt in receipts] == outputs
    assert receipts[0]["tool_output_payload"]["kind"] == {"type": "protocol_event"}


def test_in_schema_3_a_wait_tells_its_cell(tmp_path: Path) -> None:
    schemas: list[SchemaNumber] = [2, 3]
    for schema in schemas:
        turn = recorded_session(tmp_path / str(schema), schema=schema).root.start_turn("turn")
        turn.start_tool_call("c", ToolInvocation.function("wait", '{"cell_id": "7"}')).resolve_wait("7")
    assert kinds(only_bundle(tmp_path / "2"))[-1] == "tool_call_started"
    (resolved,) = bodies(tmp_path / "3", "code_cell_wait_target_resolved")
    assert resolved == {"tool_call_id": "c", "runtime_cell_id": "7"}


def test_in_schema_3_a_call_tells_its_prompt_and_what_its_request_lacks(tmp_path: Path) -> None:
    asked = message("user", "hello", "msg_1")
    prompt = prepared_prompt([asked], tools=[{"name": "ls"}], base_instructions="Be brief.")
    schemas: list[SchemaNumber] = [2, 3]
    for schema in schemas:
        turn = recorded_session(tmp_path / str(schema), schema=schema).root.start_turn("turn")
        turn.start_inference(
            model="m",
            provider_name="p",
            request={"previous_response_id": "warm", "input": []},
            prompt=prompt,
            warmup_context=[asked],
            stripped_tool_output_ids=[(0, "out_1")],
        )
    (older,) = bodies(tmp_path / "2", "inference_started")
    (newer,) = bodies(tmp_path / "3", "inference_started")
    bundle = only_bundle(tmp_path / "3")
    assert set(newer) - set(older) == {
        "prepared_prompt_payload",
        "warmup_context_payload",
        "stripped_tool_output_ids",
    }
    assert payload(bundle, newer["prepared_prompt_payload"]) == prompt
    assert payload(bundle, newer["warmup_context_payload"]) == {"input": [asked]}
    assert newer["stripped_tool_output_ids"] == [[0, "out_1"]]


def test_without_a_prompt_the_request_tells_it(tmp_path: Path) -> None:
    asked = message("user", "hello", "msg_1")
    turn = recorded_session(tmp_path).root.start_turn("turn")
    turn.start_inference(
        model="m",
        provider_name="p",
        request={
            "input": [message("developer", "Be brief.", "msg_0"), asked],
            "tools": [{"name": "ls"}],
            "parallel_tool_calls": False,
            "text": {"format": {"type": "json_schema", "strict": False, "schema": {"type": "object"}}},
        },
    )
    turn.start_inference(model="m", provider_name="p", request={"instructions": "Go.", "input": [asked]})
    first, second = (
        payload(only_bundle(tmp_path), started["prepared_prompt_payload"])
        for started in bodies(tmp_path, "inference_started")
    )
    assert list(first.items()) == [
        ("input", [asked]),
        ("tools", [{"name": "ls"}]),
        ("parallel_tool_calls", False),
        ("base_instructions", {"text": "Be brief."}),
        ("output_schema", {"type": "object"}),
        ("output_schema_strict", False),
        ("prompt_cache_ttl", None),
        ("cyber_access_program", None),
    ]
    assert (second["input"], second["base_instructions"]) == ([asked], {"text": "Go."})


def test_prompts_of_all_threads_share_their_items(tmp_path: Path) -> None:
    session = recorded_session(tmp_path)
    body = {"input": [message("user", "hello", "msg_1"), message("user", "again", "msg_2")]}
    for thread in (session.root, session.root.spawn(CHILD, "kid")):
        thread.start_turn(f"turn of {thread.thread_id}").start_inference(
            model="m", provider_name="p", request=body
        )
    first, second = (started["prepared_prompt_payload"] for started in bodies(tmp_path, "inference_started"))
    assert first["parts"] == second["parts"]
    assert len(first["parts"]) == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("exec_command", ExecCommand()),
        ("local_shell", ExecCommand()),
        ("apply_patch", ApplyPatch()),
        ("web_search_preview", Web()),
        ("image_query", ImageGeneration()),
        ("followup_task", AssignAgentTask()),
        ("interrupt_agent", CloseAgent()),
        ("exec", OtherTool("exec")),
        ("update_plan", OtherTool("update_plan")),
    ],
)
def test_the_kind_of_a_tool_comes_from_its_name(name: str, kind: object) -> None:
    assert tool_kind(name) == kind


@pytest.mark.parametrize(
    ("invocation", "label", "input_preview"),
    [
        (ToolInvocation.function("exec_command", "{}"), "exec_command", "{}"),
        (ToolInvocation.function("echo", "{}", namespace="mcp__toy"), "mcp__toy.echo", "{}"),
        (ToolInvocation.custom("apply_patch", "é" * 160), "apply_patch", "é" * 160),
        (ToolInvocation.custom("apply_patch", "é" * 161), "apply_patch", "é" * 160 + "..."),
        (ToolInvocation.tool_search({"query": "echo", "limit": 8}), "tool_search", "echo"),
        (ToolInvocation("local_shell", None, {"type": "local_shell"}), "local_shell", None),
    ],
)
def test_a_call_is_described_like_codex_s(
    invocation: ToolInvocation, label: str, input_preview: str | None, session: SessionTrace, tmp_path: Path
) -> None:
    session.root.start_turn("turn").start_tool_call("call_1", invocation)
    (started,) = bodies(tmp_path, "tool_call_started")
    assert started["summary"] == {
        "type": "generic",
        "label": label,
        "input_preview": input_preview,
        "output_preview": None,
    }
    assert payload(only_bundle(tmp_path), started["invocation_payload"]) == {
        "tool_name": invocation.tool_name,
        "tool_namespace": invocation.tool_namespace,
        "payload": invocation.payload,
    }


def test_a_host_may_describe_a_call_itself(session: SessionTrace, tmp_path: Path) -> None:
    invocation = ToolInvocation.function("wait_agent", "{}")
    turn = session.root.start_turn("turn")
    turn.start_tool_call("call_1", invocation, summary=WaitAgentSummary("/root/a", 500))
    (started,) = bodies(tmp_path, "tool_call_started")
    assert started["summary"] == {"type": "wait_agent", "target_agent_path": "/root/a", "timeout_ms": 500}


def test_nested_calls_are_the_cell_s(session: SessionTrace, tmp_path: Path) -> None:
    cell = session.root.start_turn("turn").start_code_cell("7", model_visible_call_id="c", source_js="1")
    for _ in range(2):
        cell.start_tool_call(ToolInvocation.function("exec_command", "{}"))
    for number, started in enumerate(bodies(tmp_path, "tool_call_started"), 1):
        assert started["tool_call_id"].startswith("exec-00000000-")
        assert started["model_visible_call_id"] is None
        assert started["code_mode_runtime_tool_id"] == f"tool-{number}"
        assert started["requester"] == {"type": "code_cell", "runtime_cell_id": "7"}


def test_an_optional_payload_that_cannot_be_written_is_null(session: SessionTrace, tmp_path: Path) -> None:
    turn = session.root.start_turn("turn")
    call = turn.start_tool_call("c", ToolInvocation("exec_command", None, {"type": object()}))
    call.end(object(), status="failed")
    assert bodies(tmp_path, "tool_call_started")[0]["invocation_payload"] is None
    assert bodies(tmp_path, "tool_call_ended") == [
        {"tool_call_id": "c", "status": "failed", "result_payload": None}
    ]


def test_an_event_that_needs_its_payload_is_dropped_with_all_that_follows_from_it(
    session: SessionTrace, tmp_path: Path
) -> None:
    turn = session.root.start_turn("turn")
    call = turn.start_inference(model="m", provider_name="p", request=object())
    call.complete([message("assistant", "x", "msg_1")])
    compaction = turn.start_compaction()
    compaction.start_request(model="m", provider_name="p", request=object()).fail("no")
    compaction.install([object()], [])
    tool = turn.start_tool_call("c", ToolInvocation.function("exec_command", "{}"))
    tool.start_runtime(object())
    tool.end_runtime(object())
    session.observe_protocol_event("error", object())
    turn.end()
    assert kinds(only_bundle(tmp_path))[2:] == ["codex_turn_started", "tool_call_started", "codex_turn_ended"]


def test_nobody_speaks_of_what_was_never_seen_to_begin(
    session: SessionTrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = session.root.start_turn("turn")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", _full_disk)
        lost_turn = session.root.start_turn("lost")
        lost_thread = session.root.spawn(CHILD, "lost")
        lost_call = turn.start_tool_call("lost", ToolInvocation.function("exec_command", "{}"))
        lost_cell = turn.start_code_cell("1", model_visible_call_id="c", source_js="1")
    lost_turn.accept_item(message("user", "x", "msg_1"))
    lost_turn.end()
    lost_thread.start_turn("its turn").end()
    lost_thread.end()
    write = turn.start_tool_call("write", ToolInvocation.function("write_stdin", "{}"))
    write.resolve_stdin(lost_call)
    lost_call.assign_mcp_call()
    lost_call.end(None)
    lost_cell.start_tool_call(ToolInvocation.function("exec_command", "{}")).end(None)
    lost_cell.end("completed", None)
    turn.end()
    assert kinds(only_bundle(tmp_path))[2:] == ["codex_turn_started", "tool_call_started", "codex_turn_ended"]


def _full_disk(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_full_disk_costs_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = recorded_session(tmp_path)
    monkeypatch.setattr(os, "write", _full_disk)
    record_everything(session)
    (warning,) = _warnings(caplog)
    assert "No space left on device" in warning
    assert kinds(only_bundle(tmp_path)) == ["rollout_started", "thread_started"]


def test_a_root_that_cannot_be_written_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "a file"
    root.write_text("not a directory")
    session = recorded_session(root)
    record_everything(session)
    assert not session.recording
    assert len(_warnings(caplog)) == 1
    assert root.read_text() == "not a directory"


def test_a_read_only_root_costs_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read_only(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", read_only)
    record_everything(recorded_session(tmp_path))
    (warning,) = _warnings(caplog)
    assert "Read-only file system" in warning
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("environ", [{}, {TRACE_ROOT_VARIABLE: ""}])
def test_without_the_variable_nothing_is_recorded(
    environ: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    session = start_session(metadata(), environ=environ)
    record_everything(session)
    assert not session.recording
    assert list(tmp_path.iterdir()) == []
    assert _warnings(caplog) == []


def test_the_variable_of_the_process_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRACE_ROOT_VARIABLE, raising=False)
    assert not start_session(metadata()).recording
    monkeypatch.setenv(TRACE_ROOT_VARIABLE, str(tmp_path))
    record_everything(start_session(metadata()))
    assert kinds(only_bundle(tmp_path))[-1] == "recording_completed"


def test_what_comes_after_the_recording_is_dropped(session: SessionTrace, tmp_path: Path) -> None:
    turn = session.root.start_turn("turn")
    session.complete()
    turn.end()
    session.complete()
    assert kinds(only_bundle(tmp_path))[-2:] == ["codex_turn_started", "recording_completed"]
