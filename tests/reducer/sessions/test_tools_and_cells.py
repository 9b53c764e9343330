"""Tools, terminals and code cells, by what the outputs say and codex noted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from session_builder import SessionWriter

from reducer.model import CodeCellRequester, TerminalOperation
from reducer.sessions import SessionReduction, read_session
from reducer.wire.events import GenericSummary, Mcp


def begun(home: Path, *, legacy: bool = False) -> SessionWriter:
    writer = SessionWriter(home, first_ordinal=None if legacy else 0)
    writer.meta()
    writer.start_turn(new=not legacy)
    writer.user("go")
    writer.sees()
    return writer


def command_of(session: SessionReduction, call_id: str) -> TerminalOperation:
    tool = session.trace.tool_calls[call_id]
    assert tool.terminal_operation_id is not None
    return session.trace.terminal_operations[tool.terminal_operation_id]


def ran(writer: SessionWriter, call_id: str, code: int, said: str, **fields: Any) -> None:
    item = {
        "type": "CommandExecution",
        "id": call_id,
        "process_id": "77",
        "command": ["/bin/bash", "-lc", fields.pop("command", "ls")],
        "cwd": "file:///w%20s",
        "status": "completed" if code == 0 else "failed",
        "aggregated_output": said,
        "exit_code": code,
    }
    writer.event("item_completed", turn_id=writer.turn, item=item, **fields)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Process exited with code 3\nOutput:\n", "completed"),
        ("unsupported call: nothing", "failed"),
        ("failed to parse function arguments: x", "failed"),
        ("exec_command failed: rejected", "failed"),
        ("request_user_input is unavailable in Default mode", "failed"),
        ("aborted by user after 1.2s", "aborted"),
        ("Wall time: 1.2 seconds\naborted by user", "aborted"),
        ("they were aborted by user error, it seems", "completed"),
    ],
)
def test_how_a_call_went_is_read_from_its_output(home: Path, said: str, status: str) -> None:
    writer = begun(home)
    writer.call("call_1")
    writer.output("call_1", said)
    session = read_session(writer.path)
    assert session.trace.tool_calls["call_1"].execution.status == status
    assert "status (read from the output's text)" in session.certainty.of("call_1").rebuilt


def test_what_codex_noted_is_exact(home: Path) -> None:
    writer = begun(home)
    writer.call("call_1", "apply_patch")
    item = {"type": "FileChange", "id": "call_1", "status": "failed"}
    writer.event("item_completed", turn_id=writer.turn, item=item)
    writer.output("call_1", "Exit code: 1")
    session = read_session(writer.path)
    assert session.trace.tool_calls["call_1"].execution.status == "failed"
    assert session.certainty.of("call_1").rebuilt == ()


def test_a_command_with_its_code_and_output_as_run(home: Path) -> None:
    writer = begun(home)
    writer.call("call_1", cmd="ls")
    ran(writer, "call_1", 2, "as run", started_at_ms=1000, completed_at_ms=1500)
    writer.output(
        "call_1", "Chunk ID: a1\nProcess exited with code 2\nOriginal token count: 7\nOutput:\nshown"
    )
    session = read_session(writer.path)
    operation = command_of(session, "call_1")
    assert operation.result is not None
    assert (operation.result.exit_code, operation.result.stdout) == (2, "as run")
    assert (operation.result.chunk_id, operation.result.original_token_count) == ("a1", 7)
    assert operation.request.cwd == "/w s"
    assert session.certainty.of(operation.operation_id).grade == "exact"
    assert session.trace.tool_calls["call_1"].execution.status == "completed"


def test_a_terminal_that_is_written_to_until_it_ends(home: Path) -> None:
    writer = begun(home, legacy=True)
    writer.call("call_1", cmd="python3")
    writer.output("call_1", "Process running with session ID 4711\nOutput:\n>>> ")
    writer.call("call_2", "write_stdin", session_id=4711, chars="exit()\n")
    writer.output("call_2", "Process exited with code 5\nOutput:\n")
    session = read_session(writer.path)
    operation = command_of(session, "call_1")
    assert operation.result is not None
    assert operation.result.exit_code == 5
    certainty = session.certainty.of(operation.operation_id)
    assert "result.exit_code" in certainty.rebuilt
    assert "result.stdout (the output as run)" in certainty.not_recorded
    [terminal] = session.trace.terminal_sessions.values()
    assert len(terminal.operation_ids) == 2


def test_a_command_that_ends_after_its_turn(home: Path) -> None:
    writer = begun(home)
    writer.call("call_1", cmd="sleep 3")
    writer.output("call_1", "Process running with session ID 77\nOutput:\n")
    writer.end_turn()
    ran(writer, "call_1", 0, "late")
    session = read_session(writer.path)
    operation = command_of(session, "call_1")
    assert operation.result is not None
    assert operation.result.stdout == "late"
    assert operation.execution.status == "completed"


def cell(writer: SessionWriter, call_id: str, source: str, said: str | None) -> None:
    writer.item({"type": "custom_tool_call", "name": "exec", "input": source, "call_id": call_id})
    if said is not None:
        output = [{"type": "input_text", "text": said}, {"type": "input_text", "text": "result"}]
        writer.item({"type": "custom_tool_call_output", "call_id": call_id, "output": output})


def test_cells_waits_and_what_they_called(home: Path) -> None:
    writer = begun(home)
    cell(
        writer,
        "call_1",
        "// @exec: {}\nawait tools.exec_command({cmd: 'slow'})",
        "Script running with cell ID 7\n",
    )
    cell(writer, "call_2", "await tools.exec_command({cmd: 'quick'})", None)
    now = round(writer._time.timestamp() * 1000)
    for command, call_id in (("slow", "exec-1"), ("quick", "exec-2")):
        ran(writer, call_id, 0, command, command=command, started_at_ms=now, completed_at_ms=now + 5)
    writer.output("call_2", "Script completed\n")
    writer.call("call_3", "wait", cell_id="7")
    writer.output("call_3", "Script terminated\n")
    graph = read_session(writer.path).trace
    slow, quick = graph.code_cells.values()
    assert slow.source_js == "await tools.exec_command({cmd: 'slow'})"
    assert (slow.runtime_cell_id, slow.runtime_status, slow.wait_tool_call_ids) == (
        "7",
        "terminated",
        ["call_3"],
    )
    assert slow.yielded_at_unix_ms is not None
    assert quick.runtime_status == "completed"
    assert slow.nested_tool_call_ids == ["exec-1"]
    assert quick.nested_tool_call_ids == ["exec-2"]
    assert graph.tool_calls["exec-2"].requester == CodeCellRequester(quick.code_cell_id)


def test_a_nested_call_is_marked_and_what_is_missing_is_said(home: Path) -> None:
    writer = begun(home)
    cell(writer, "call_1", "await tools.exec_command({cmd: 'x'})", None)
    ran(writer, "exec-1", -1, "", command="x")
    writer.abort_turn()
    session = read_session(writer.path)
    [found] = session.trace.code_cells.values()
    assert found.runtime_status == "terminated"
    assert session.trace.tool_calls["exec-1"].execution.status == "aborted"
    assert session.certainty.of("exec-1").grade == "rebuilt"
    assert any("write_stdin" in one for one in session.certainty.of(found.code_cell_id).not_recorded)


@pytest.mark.parametrize(
    ("item", "label", "asked", "given"),
    [
        (
            {"type": "McpToolCall", "server": "toy", "tool": "echo", "arguments": {"text": "é"},
             "status": "completed", "result": {"content": [{"type": "text", "text": "ECHO"}, {"x": 1}]}},
            "mcp__toy.echo", '{"text":"é"}', "ECHO",
        ),
        (
            {"type": "McpToolCall", "server": "toy", "tool": "fail", "arguments": {}, "status": "failed"},
            "mcp__toy.fail", "{}", None,
        ),
        (
            {"type": "DynamicToolCall", "tool": "mine", "arguments": {"x": "y" * 200}, "status": "completed",
             "content_items": [{"type": "inputText", "text": "one"}, {"type": "inputText", "text": "two"}]},
            "mine", '{"x":"' + "y" * 154 + "...", "one\ntwo",
        ),
        (
            {"type": "FileChange", "changes": {}, "status": "completed", "stdout": "Updated"},
            "apply_patch", None, "Updated",
        ),
        ({"type": "McpToolCall", "server": "toy", "tool": "odd", "arguments": None, "result": []},
         "mcp__toy.odd", None, None),
    ],
)  # fmt: skip
def test_a_nested_call_says_what_it_was_asked_and_what_it_gave(
    home: Path, item: dict[str, Any], label: str, asked: str | None, given: str | None
) -> None:
    writer = begun(home)
    cell(writer, "call_1", "await tools.x()", None)
    writer.event("item_completed", turn_id=writer.turn, item={"id": "exec-1", **item})
    writer.output("call_1", "Script completed\n")
    session = read_session(writer.path)
    assert session.trace.tool_calls["exec-1"].summary == GenericSummary(label, asked, given)


def test_tools_of_servers_and_what_the_provider_does(home: Path) -> None:
    writer = begun(home)
    writer.item({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}})
    writer.item(
        {
            "type": "function_call",
            "name": "echo",
            "namespace": "mcp__toy",
            "arguments": "{}",
            "call_id": "call_1",
        }
    )
    session = read_session(writer.path)
    assert [*session.trace.tool_calls] == ["call_1"]
    kind = session.trace.tool_calls["call_1"].kind
    assert kind == Mcp("toy", "echo")


def test_what_is_not_known_is_counted(home: Path) -> None:
    writer = begun(home)
    writer.line("new_record", {"x": 1})
    writer.line("new_record", {"x": 1})
    writer.event("new_event", x=1)
    writer.event("task_started", turn_id="t", new_field=1)
    writer.item({"type": "new_item", "text": "?"})
    writer.event("item_completed", turn_id="t", item={"type": "NewItem", "id": "x"})
    session = read_session(writer.path)
    found = {one.what: one.count for one in session.drift.unknown.values()}
    assert found["record type new_record"] == 2
    assert found["event new_event"] == 1
    assert found["item new_item"] == 1
    assert found["thread item NewItem"] == 1
    assert found["field task_started.new_field"] == 1
    [problem] = session.problems  # an item that nobody knows leaves a gap in what calls saw
    assert "new_item" in problem.reason
