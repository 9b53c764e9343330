from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bundle_builder import ROOT, BundleBuilder
from scenes import begin, call, direct, end, output, stdin_invocation

from reducer.model import (
    ExecCommandRequest,
    TerminalObservation,
    TerminalOperation,
    TerminalResult,
    TerminalSession,
    WriteStdinRequest,
)

Json = Any
FIRST = "terminal_session:terminal_operation:1"


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def command(b: BundleBuilder, name: str, process: str | None = "7") -> None:
    b.tool(name, "exec_command", call_id=name)
    b.runtime_started(name, "exec_command", begin(process))


def write(b: BundleBuilder, name: str, session: int = 7, chars: str = "y") -> None:
    b.tool(name, "write_stdin", call_id=name, invocation=stdin_invocation(session, chars))


def operation(b: BundleBuilder, number: int = 1) -> TerminalOperation:
    return b.graph().terminal_operations[f"terminal_operation:{number}"]


def sessions(b: BundleBuilder) -> dict[str, list[str]]:
    prefix = len("terminal_operation:")
    return {
        key.rpartition(":")[2]: [one[prefix:] for one in session.operation_ids]
        for key, session in b.graph().terminal_sessions.items()
    }


def test_a_command_opens_a_terminal(b: BundleBuilder) -> None:
    command(b, "c")
    found = operation(b)
    assert found.request == ExecCommandRequest(["sh", "-c", "ls"], "sh -c ls", "/w")
    assert (found.kind, found.terminal_id, found.tool_call_id) == ("exec_command", FIRST, "c")
    assert isinstance(b.graph().terminal_sessions[FIRST], TerminalSession)
    tool = b.graph().tool_calls["c"]
    assert tool.terminal_operation_id == "terminal_operation:1"
    assert tool.summary.operation_id == "terminal_operation:1"  # type: ignore[union-attr]
    b.runtime_started("c", "exec_command", begin())
    assert "already has a terminal operation" in b.only_problem()


def test_a_command_without_process_gets_its_terminal_at_its_end(b: BundleBuilder) -> None:
    command(b, "c", None)
    assert sessions(b) == {}
    b.runtime_ended("c", end("7"))
    assert sessions(b) == {"1": ["1"]}
    assert operation(b).result == TerminalResult(0, "done\n", "")


def test_commands_open_new_terminals_and_writes_join_the_newest(b: BundleBuilder) -> None:
    write(b, "w1")
    command(b, "c1")
    write(b, "w2")
    command(b, "c2")
    write(b, "w3")
    write(b, "w4", 8)
    assert sessions(b) == {"1": ["1"], "2": ["2", "3"], "4": ["4", "5"], "6": ["6"]}


def test_a_resumed_thread_has_new_terminals(b: BundleBuilder) -> None:
    command(b, "c")
    b.event("thread_ended", thread_id=ROOT, status="completed")
    b.event("thread_resumed", thread_id=ROOT)
    write(b, "w")
    assert sessions(b) == {"1": ["1"], "2": ["2"]}


def test_a_runtime_write_has_its_input(b: BundleBuilder) -> None:
    b.tool("w", "write_stdin")
    b.runtime_started("w", "write_stdin", begin(interaction_input="go"))
    assert operation(b).request == WriteStdinRequest("go")


def arguments(**fields: Json) -> Json:
    text = ",".join(f'"{name}":{value}' for name, value in fields.items())
    payload = {"type": "function", "arguments": f"{{{text}}}"}
    return {"tool_name": "write_stdin", "tool_namespace": None, "payload": payload}


@pytest.mark.parametrize(
    ("fields", "request_", "process"),
    [
        ({"session_id": "7"}, WriteStdinRequest(""), "7"),
        ({"session_id": '"7"', "chars": '"a"'}, WriteStdinRequest("a"), "7"),
        ({"session_id": "7.50"}, WriteStdinRequest(""), "7.50"),
        ({"session_id": "7.5"}, WriteStdinRequest(""), "7.5"),
        ({"session_id": "1E2"}, WriteStdinRequest(""), "1e+2"),
        ({"session_id": "-0"}, WriteStdinRequest(""), "0"),
        ({"session_id": "1e400"}, WriteStdinRequest(""), "1e+400"),
        ({"session_id": "7", "x": '"\\ud800"', "y": "[" * 300 + "]" * 300}, WriteStdinRequest(""), "7"),
        (
            {"session_id": "7", "yield_time_ms": "5", "max_output_tokens": str(2**64 - 1)},
            WriteStdinRequest("", 5, 2**64 - 1),
            "7",
        ),
        ({"session_id": "7", "yield_time_ms": "null"}, WriteStdinRequest(""), "7"),
    ],
)
def test_arguments_of_a_write(
    b: BundleBuilder, fields: Json, request_: WriteStdinRequest, process: str
) -> None:
    b.tool("w", "write_stdin", invocation=arguments(**fields))
    assert operation(b).request == request_
    command(b, "c", process)
    write_again = arguments(session_id=json.dumps(process))
    b.tool("again", "write_stdin", invocation=write_again)
    assert sessions(b) == {"1": ["1"], "2": ["2", "3"]}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"session_id": "null"},
        {"session_id": '""'},
        {"session_id": "true"},
        {"session_id": "7", "chars": "null"},
        {"session_id": "7", "yield_time_ms": "-1"},
        {"session_id": "7", "yield_time_ms": "1.0"},
        {"session_id": "7", "max_output_tokens": "-0"},
        {"session_id": "7", "max_output_tokens": str(2**64)},
        {"session_id": "7", "chars": '"a","chars":"b"'},
        {"session_id": "7,"},
    ],
)
def test_arguments_that_tell_no_write_make_no_operation(b: BundleBuilder, fields: Json) -> None:
    b.tool("w", "write_stdin", invocation=arguments(**fields))
    graph = b.graph()
    assert graph.terminal_operations == {}
    assert graph.tool_calls["w"].terminal_operation_id is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tool_name": "other"}, "is for other"),
        ({"payload": {"type": "custom", "input": "x"}}, "has a payload of type custom, not function"),
        ({"payload": {"type": "function"}}, "has no arguments"),
        ({"payload": {"type": "function", "arguments": {}}}, "expected text or null, got object"),
        ({"tool_namespace": 5}, "expected text or null, got integer at tool_namespace"),
    ],
)
def test_an_invocation_of_a_write_is_one(b: BundleBuilder, change: Json, said: str) -> None:
    b.tool("w", "write_stdin", invocation={**stdin_invocation(7, "x"), **change})
    assert said in b.only_problem()


def test_a_write_of_another_namespace_is_none_of_a_terminal(b: BundleBuilder) -> None:
    b.tool("w", "write_stdin", invocation={**stdin_invocation(7, "x"), "tool_namespace": "mine"})
    assert b.graph().terminal_operations == {}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (direct("text"), TerminalResult(None, "text", "", "text")),
        (direct([{"text": "a"}, {"x": 1}, 5, {"text": "b"}]), TerminalResult(None, "a\nb", "", "a\nb")),
        (direct({"b": 1, "a": 2}), TerminalResult(None, '{"b":1,"a":2}', "", '{"b":1,"a":2}')),
        ({"type": "direct_response", "response_item": 5}, TerminalResult(None, "5", "", "5")),
        ({"type": "code_mode_response", "value": []}, TerminalResult(None, "[]", "", "[]")),
        ({"type": "code_mode_response", "value": None}, TerminalResult(None, "null", "", "null")),
        (
            {"type": "code_mode_response", "value": {"output": "o", "exit_code": 1, "chunk_id": "c"}},
            TerminalResult(1, "o", "", "o", None, "c"),
        ),
        (
            {"type": "code_mode_response", "value": {"output": "o", "exit_code": 2**31}},
            TerminalResult(
                None, '{"output":"o","exit_code":2147483648}', "", '{"output":"o","exit_code":2147483648}'
            ),
        ),
        ({"type": "error", "error": "no"}, TerminalResult(None, "", "no", "no")),
        (end(output="o", exit_code=-1), TerminalResult(-1, "o", "")),
    ],
)
def test_results_of_a_write(b: BundleBuilder, result: Json, expected: TerminalResult) -> None:
    write(b, "w")
    b.tool_ended("w", result)
    assert operation(b).result == expected
    assert operation(b).execution.status == "completed"


def test_a_result_that_is_none_is_refused(b: BundleBuilder) -> None:
    write(b, "w")
    b.tool_ended("w", {"type": "unheard_of"})
    assert "nor the end of a command" in b.only_problem()
    assert operation_is_open(b)


def test_an_integer_of_more_than_64_bits_spoils_a_result(b: BundleBuilder) -> None:
    write(b, "w")
    b.tool_ended("w", direct({"n": 2**64}))
    assert "an integer of more than 64 bits" in b.only_problem()
    assert operation_is_open(b)


def operation_is_open(b: BundleBuilder) -> bool:
    found = b.reduce().trace.terminal_operations["terminal_operation:1"]
    return found.execution.status == "running" and found.result is None


def test_the_result_of_a_call_with_runtime_events_is_not_its_operations(b: BundleBuilder) -> None:
    command(b, "c")
    b.tool_ended("c", direct("x"))
    assert operation(b).execution.status == "running"
    b.runtime_ended("c", end(), "failed")
    assert operation(b).execution.status == "failed"
    assert operation(b).raw_payload_ids == ["raw_payload:1", "raw_payload:3"]


def test_the_end_of_a_command_has_an_exit_code(b: BundleBuilder) -> None:
    command(b, "c")
    b.runtime_ended("c", direct("x"))
    assert "the end of a command in payload raw_payload:2: object missing required field exit_code" in (
        b.only_problem()
    )
    assert operation_is_open(b)


def test_an_operation_stays_with_its_process(b: BundleBuilder) -> None:
    command(b, "c")
    b.runtime_ended("c", end("8"))
    assert "terminal_operation:1 belongs to process 7, but its end names process 8" in b.only_problem()
    assert operation_is_open(b)


def resolve(b: BundleBuilder, write_: str, exec_: str) -> None:
    b.event("stdin_target_resolved", ROOT, "turn", tool_call_id=write_, exec_tool_call_id=exec_)


def test_a_resolved_write_moves_to_the_terminal_it_wrote_to(b: BundleBuilder) -> None:
    command(b, "c1")
    command(b, "c2", "8")
    write(b, "w")
    resolve(b, "w", "c2")
    assert sessions(b) == {"1": ["1"], "2": ["2", "3"]}
    resolve(b, "w", "c2")
    resolve(b, "w", "c1")
    resolve(b, "c2", "c1")
    assert sessions(b) == {"1": ["1", "3", "2"]}
    write(b, "w2", 8)
    assert sessions(b) == {"1": ["1", "3", "2"], "2": ["4"]}
    assert b.graph().terminal_sessions[FIRST.replace(":1", ":2")].created_by_operation_id.endswith(":4")


def test_a_target_that_is_not_there_yet_changes_nothing(b: BundleBuilder) -> None:
    command(b, "c", None)
    write(b, "w")
    b.tool("plain")
    for target in ("c", "plain"):
        resolve(b, "w", target)
    resolve(b, "plain", "w")
    b.runtime_ended("c", end("7"))
    assert sessions(b) == {"1": ["1"], "2": ["2"]}


def test_the_model_sees_an_operation_through_its_items(b: BundleBuilder) -> None:
    b.request("i1", [call("c")])
    command(b, "c")
    assert operation(b).model_observations == [TerminalObservation(["conversation_item:1"], [])]
    b.request("i2", [call("c"), output("c")])
    assert operation(b).model_observations == [
        TerminalObservation(["conversation_item:1"], ["conversation_item:2"])
    ]


@pytest.mark.parametrize("missing", ["command", "cwd"])
def test_a_start_tells_command_and_place(b: BundleBuilder, missing: str) -> None:
    b.tool("c", "exec_command")
    b.runtime_started("c", "exec_command", {k: v for k, v in begin().items() if k != missing})
    assert f"object missing required field {missing}" in b.only_problem()
    assert b.reduce().trace.tool_calls["c"].raw_runtime_payload_ids == []
