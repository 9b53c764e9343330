"""What the recorder's tests share: a clock and ids that repeat, and a session with every kind of event."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from shard_reading import all_records, joined

from reducer.recorder import (
    TRACE_ROOT_VARIABLE,
    Limits,
    SessionMetadata,
    SessionTrace,
    TokenUsage,
    ToolCallTrace,
    ToolInvocation,
    TurnTrace,
    code_mode_response,
    direct_response,
    error_response,
    start_session,
)
from reducer.recorder.payload_writers import UNLIMITED
from reducer.recorder.writer import SchemaNumber
from reducer.wire.events import Mcp

START = 1_800_000_000_000
ROOT = "00000000-0000-7000-8000-0000000000aa"
CHILD = "00000000-0000-7000-8000-0000000000bb"
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def ticking_clock() -> Callable[[], int]:
    """A clock that goes on by 10 ms whenever it is looked at."""
    return itertools.count(START, 10).__next__


def counting_uuids() -> Callable[[], str]:
    """UUIDs that count from 1."""
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"


def metadata(**changes: Any) -> SessionMetadata:
    return SessionMetadata(
        **{
            "thread_id": ROOT,
            "session_source": "exec",
            "cwd": "/home/dev/project",
            "model": "gpt-5.5",
            "provider_name": "openai",
            "approval_policy": "never",
            "sandbox_policy": "DangerFullAccess",
            **changes,
        }
    )


def recorded_session(root: Path, *, schema: SchemaNumber = 3, limits: Limits = UNLIMITED) -> SessionTrace:
    """A session that records under `root`, with a clock and ids that repeat."""
    return start_session(
        metadata(),
        environ={TRACE_ROOT_VARIABLE: str(root)},
        clock=ticking_clock(),
        new_uuid=counting_uuids(),
        schema=schema,
        limits=limits,
    )


def only_bundle(root: Path) -> Path:
    """The one bundle directory under a trace root."""
    (bundle,) = root.iterdir()
    return bundle


def events(bundle: Path) -> list[dict[str, Any]]:
    """The events of a bundle, envelope and all, with the log checked for being whole lines in sequence."""
    text = (bundle / "trace.jsonl").read_text()
    assert text == "" or text.endswith("\n")
    found = [json.loads(line) for line in text.splitlines()]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    return found


def kinds(bundle: Path) -> list[str]:
    return [event["payload"]["type"] for event in events(bundle)]


def payload(bundle: Path, reference: dict[str, Any]) -> Any:
    """A payload, however its schema stores it."""
    if "path" in reference:
        return json.loads((bundle / reference["path"]).read_text())
    return json.loads(joined(all_records(bundle), reference))


def references(value: Any) -> Iterator[dict[str, Any]]:
    """All references in an event, parts after what they are parts of."""
    if isinstance(value, dict) and "raw_payload_id" in value:
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(part)


def message(role: str, text: str, item_id: str, **more: Any) -> dict[str, Any]:
    part = "output_text" if role == "assistant" else "input_text"
    return {
        "type": "message",
        "id": item_id,
        "role": role,
        "content": [{"type": part, "text": text}],
        **more,
    }


def function_call(call_id: str, name: str, arguments: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "name": name,
        "arguments": arguments,
        "call_id": call_id,
        **more,
    }


def output_of(call: dict[str, Any], output: Any) -> dict[str, Any]:
    return {
        "type": f"{call['type']}_output",
        "id": f"out_{call['call_id']}",
        "call_id": call["call_id"],
        "output": output,
    }


def finish(turn: TurnTrace, context: list[Any], call: ToolCallTrace, output: dict[str, Any]) -> None:
    """A tool call returns; what it returned is accepted and joins the context."""
    call.end(direct_response(output))
    turn.accept_item(output)
    context.append(output)


def infer(turn: TurnTrace, context: list[Any], output_items: list[dict[str, Any]]) -> None:
    """One complete inference call; its items are accepted and join the context."""
    call = turn.start_inference(model="gpt-5.5", provider_name="OpenAI", request={"input": context})
    usage = TokenUsage(
        input_tokens=1000,
        cached_input_tokens=512,
        output_tokens=50,
        reasoning_output_tokens=20,
        total_tokens=1050,
    )
    call.complete(output_items, response_id="resp_1", upstream_request_id="req_1", token_usage=usage)
    for item in output_items:
        turn.accept_item(item)
    context.extend(output_items)


def record_everything(session: SessionTrace) -> None:
    """A session with every kind of event but `other`, as the reference accepts it."""
    context: list[Any] = [message("user", "Do everything.", "msg_1")]
    session.observe_protocol_event("session_configured", {"type": "session_configured"})
    turn = session.root.start_turn("turn-1")
    turn.accept_item(context[0])
    _record_terminal(turn, context)
    _record_mcp(turn, context)
    _record_cell(turn, context)
    _record_wait(turn, context)
    _record_pictures(turn, context)
    _record_child(session, turn, context)
    _record_compaction(turn, context)
    turn.end()
    _record_cut_answers(session, context)
    session.root.end()
    session.end()
    session.complete()


def _record_terminal(turn: TurnTrace, context: list[Any]) -> None:
    opened = function_call("call_1", "exec_command", '{"cmd": "cat"}')
    infer(turn, context, [opened])
    terminal = turn.start_tool_call("call_1", ToolInvocation.function("exec_command", opened["arguments"]))
    begun = {"call_id": "call_1", "process_id": "77", "command": ["bash", "-lc", "cat"], "cwd": "/home/dev"}
    terminal.start_runtime(begun)
    finish(turn, context, terminal, output_of(opened, "Process running with session ID 77"))
    written = function_call("call_2", "write_stdin", '{"session_id": 77, "chars": "hello\\n"}')
    infer(turn, context, [written])
    write = turn.start_tool_call("call_2", ToolInvocation.function("write_stdin", written["arguments"]))
    write.resolve_stdin(terminal)
    finish(turn, context, write, output_of(written, "hello"))
    terminal.end_runtime({**begun, "aggregated_output": "hello\n", "exit_code": 0})


def _record_mcp(turn: TurnTrace, context: list[Any]) -> None:
    asked = function_call("call_3", "echo", "{}", namespace="mcp__toy")
    infer(turn, context, [asked])
    call = turn.start_tool_call("call_3", ToolInvocation.function("echo", "{}", namespace="mcp__toy"))
    call.start_runtime({"invocation": {"server": "toy", "tool": "echo"}}, kind=Mcp("toy", "echo"))
    call.assign_mcp_call()
    call.end_runtime({"result": {"Ok": {"content": []}}})
    context.append(output_of(asked, "no such word"))
    call.end(error_response("no such word"), status="failed")


def _record_cell(turn: TurnTrace, context: list[Any]) -> None:
    source = 'text((await tools.exec_command({cmd: "ls"})).output);'
    asked = {
        "type": "custom_tool_call",
        "id": "ctc_1",
        "call_id": "call_4",
        "name": "exec",
        "input": source,
    }
    infer(turn, context, [asked])
    call = turn.start_tool_call("call_4", ToolInvocation.custom("exec", source))
    cell = turn.start_code_cell("1", model_visible_call_id="call_4", source_js=source)
    nested = cell.start_tool_call(ToolInvocation.function("exec_command", '{"cmd":"ls"}'))
    nested.end(code_mode_response({"output": "a\n", "exit_code": 0}))
    response = {"Result": {"cell_id": "1", "content_items": [{"type": "input_text", "text": "a\n"}]}}
    cell.respond("completed", response)
    cell.end("completed", response)
    finish(turn, context, call, output_of(asked, "a"))


def _record_wait(turn: TurnTrace, context: list[Any]) -> None:
    source = "text(await slow());"
    asked = {"type": "custom_tool_call", "id": "ctc_2", "call_id": "call_6", "name": "exec", "input": source}
    infer(turn, context, [asked])
    call = turn.start_tool_call("call_6", ToolInvocation.custom("exec", source))
    cell = turn.start_code_cell("2", model_visible_call_id="call_6", source_js=source)
    cell.respond("yielded", {"Yielded": {"cell_id": "2", "content_items": []}})
    finish(turn, context, call, output_of(asked, "Script running with cell ID 2"))
    waits = function_call("call_7", "wait", '{"cell_id": "2"}')
    infer(turn, context, [waits])
    wait = turn.start_tool_call("call_7", ToolInvocation.function("wait", waits["arguments"]))
    cell.end("completed", {"Result": {"cell_id": "2", "content_items": []}})
    wait.resolve_wait("2")
    finish(turn, context, wait, output_of(waits, "Script completed"))


def _record_pictures(turn: TurnTrace, context: list[Any]) -> None:
    asked = message("user", "What is this?", "msg_6")
    asked["content"].append({"type": "input_image", "image_url": PICTURE})
    turn.accept_item(asked)
    context.append(asked)
    infer(turn, context, [message("assistant", "A long look. " * 40, "msg_5")])


def _record_child(session: SessionTrace, turn: TurnTrace, context: list[Any]) -> None:
    arguments = '{"task_name": "kid", "message": "count"}'
    asked = function_call("call_5", "spawn_agent", arguments, namespace="collaboration")
    infer(turn, context, [asked])
    call = turn.start_tool_call(
        "call_5", ToolInvocation.function("spawn_agent", arguments, namespace="collaboration")
    )
    child = session.root.spawn(CHILD, "kid", nickname="Kay", agent_role="worker")
    call.end_runtime(
        {"event_id": "call_5", "agent_thread_id": CHILD, "agent_path": "/root/kid", "kind": "started"}
    )
    finish(turn, context, call, output_of(asked, "{}"))
    child_turn = child.start_turn("turn-2")
    task = {
        "type": "agent_message",
        "id": "amsg_1",
        "author": "/root",
        "recipient": "/root/kid",
        "content": [{"type": "encrypted_content", "encrypted_content": "count"}],
    }
    child_turn.accept_item(task)
    infer(child_turn, [task], [message("assistant", "Three.", "msg_2", phase="final_answer")])
    child_turn.end()
    child_turn.hand_over_result(
        ROOT, child_agent_path="/root/kid", message="Three.", status={"completed": "Three."}
    )
    child.end()
    child.resume()
    child.end()
    answer = {
        "type": "agent_message",
        "id": "amsg_2",
        "author": "/root/kid",
        "recipient": "/root",
        "content": [{"type": "input_text", "text": "Three."}],
    }
    turn.accept_item(answer)
    context.append(answer)


def _record_compaction(turn: TurnTrace, context: list[Any]) -> None:
    infer(turn, context, [message("assistant", "Getting long.", "msg_3")])
    compaction = turn.start_compaction()
    body = {"input": [*context, {"type": "compaction_trigger"}]}
    compaction.start_request(model="gpt-5.5", provider_name="OpenAI", request=body).fail("overloaded")
    summary = {"type": "compaction", "id": "cmp_1", "encrypted_content": "c2VhbGVk"}
    compaction.start_request(model="gpt-5.5", provider_name="OpenAI", request=body).complete([summary])
    replacement = [context[0], summary]
    compaction.install(list(context), replacement)
    context[:] = replacement


def _record_cut_answers(session: SessionTrace, context: list[Any]) -> None:
    turn = session.root.start_turn("turn-3")
    started: dict[str, Any] = {
        "model": "gpt-5.5",
        "provider_name": "OpenAI",
        "request": {"input": context},
    }
    failing = turn.start_inference(**started)
    failing.fail("stream disconnected", upstream_request_id="req_2")
    cut = turn.start_inference(**started)
    cut.cancel("interrupted", output_items=[message("assistant", "I wi", "msg_4")])
    turn.end("cancelled")
