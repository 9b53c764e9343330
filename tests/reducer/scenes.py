"""One bundle in which every kind of event happens and every kind of object is made."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bundle_builder import CHILD, OTHER, ROOT, BundleBuilder, Json, compact, exec_item, letter, message
from sharded_builder import ShardedBuilder

HOLE = "a value that is lost"

SPAWN_INVOCATION = {
    "tool_name": "spawn_agent",
    "tool_namespace": None,
    "payload": {"type": "function", "arguments": '{"message":"look around"}'},
}


def metadata(path: str, parent: str | None = None) -> Json:
    spawn = {"thread_spawn": {"parent_thread_id": parent, "depth": 1, "agent_path": path}}
    source = "exec" if parent is None else {"subagent": spawn}
    return {"agent_path": path, "nickname": path.rpartition("/")[2], "model": "m", "session_source": source}


def begin(process: str | None = "7", **more: Json) -> Json:
    return {"call_id": "c", "process_id": process, "command": ["sh", "-c", "ls"], "cwd": "/w", **more}


def end(process: str | None = "7", output: str = "done\n", exit_code: int = 0) -> Json:
    return {"exit_code": exit_code, "process_id": process, "aggregated_output": output}


def stdin_invocation(session: int, chars: str) -> Json:
    arguments = f'{{"session_id":{session},"chars":"{chars}"}}'
    payload = {"type": "function", "arguments": arguments}
    return {"tool_name": "write_stdin", "tool_namespace": None, "payload": payload}


def activity(kind: str, thread: str, path: str) -> Json:
    return {"event_id": "e", "agent_thread_id": thread, "agent_path": path, "kind": kind}


def direct(output: Json) -> Json:
    item = {"type": "function_call_output", "call_id": "c", "output": output}
    return {"type": "direct_response", "response_item": item}


def call(call_id: str, name: str = "tool", arguments: str = "{}") -> Json:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def output(call_id: str, value: Json = "ok") -> Json:
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def started(b: ShardedBuilder, call_id: str, request: Json, **more: Json) -> int:
    """A request of schema 3 by the reference to its payload, with a prepared prompt that says nothing."""
    turn = b.turns[ROOT]
    return b.event(
        "inference_started",
        ROOT,
        turn,
        inference_call_id=call_id,
        thread_id=ROOT,
        codex_turn_id=turn,
        model="m",
        provider_name="p",
        request_payload=request,
        **{"prepared_prompt_payload": b.payload({"input": []}, "prepared_prompt"), **more},
    )


def accepted_output(b: ShardedBuilder, item: Json) -> int:
    """The receipt of a tool's output, which it brings along."""
    turn = b.turns[ROOT]
    return b.event(
        "history_item_accepted", ROOT, turn, item_id=item["id"], tool_output_payload=b.payload(item)
    )


def with_holes(b: ShardedBuilder, value: Json, kind: str = "inference_request", kept: bytes = b"{") -> Json:
    """A payload whose every `HOLE` is a part of its own, cut after a few bytes; gives the reference to it."""
    fragments = compact(value).decode().split(f'"{HOLE}"')
    parts = [lost(b.payload(kept, "content_value"), len(kept)) for _ in fragments[1:]]
    return b.payload(fragments if parts else value, kind, parts=parts)


def lost(ref: Json, retained: int | None = None) -> Json:
    """The reference to a payload that was cut to this many bytes, or left out."""
    if retained is None:
        return {**ref, "shard": None, "capture": {"status": "omitted", "original_bytes": 99}}
    capture = {"status": "truncated", "original_bytes": retained + 99, "retained_bytes": retained}
    return {**ref, "capture": capture}


def everything(path: Path, schema: int = 2, unfinished: Collection[int] = ()) -> BundleBuilder:
    """A session with two children, terminals, cells, compaction, letters, failures, and what was lost.

    In schema 3, the payloads are in shards 1 and 2, of which some may be unfinished.
    """
    b = ShardedBuilder(path) if schema == 3 else BundleBuilder(path, schema)
    if isinstance(b, ShardedBuilder):
        b.unfinished.update(unfinished)
    b.event("rollout_started", trace_id="trace", root_thread_id=ROOT)
    b.thread(metadata=metadata("/root"))
    b.turn("t1")
    b.accepted("m1")
    history = [message("please look", id="m1")]
    b.request("i1", history)
    _terminals(b)
    answer = [
        {"type": "reasoning", "id": "r1", "summary": [], "encrypted_content": "sealed"},
        call("c1", "exec_command"),
        call("c2", "write_stdin"),
        {**exec_item("x1", "await tools.ls()"), "id": "x"},
    ]
    usage = dict.fromkeys(
        ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens"), 5
    )
    b.response("i1", answer, "resp-1", usage)
    _cell(b)
    outputs = [output("c1"), output("c2"), {**output("x1"), "type": "custom_tool_call_output"}]
    b.request("i2", outputs, previous_response_id="resp-1")
    b.response("i2", [message("on it", "assistant", id="m2")], "resp-2")
    b.accepted("m2")
    _children(b)
    _compaction(b, [*history, *answer, *outputs, message("on it", "assistant", id="m2")])
    if isinstance(b, ShardedBuilder):
        _outputs_and_holes(b)
    b.event("protocol_event_observed", event_type="warning", event_payload=b.payload({"careful": True}))
    b.request("i9", [message("more")])
    b.event(
        "inference_cancelled",
        inference_call_id="i9",
        reason="interrupted",
        partial_response_payload=b.payload({"output_items": [message("half", "assistant")]}),
    )
    b.cell("x9", runtime_id="9")
    b.cell_response("yielded", runtime_id="9")
    b.request("i10", [exec_item("x9")])
    b.turn_ended("failed", "t1")
    b.event("thread_ended", thread_id=ROOT, status="completed")
    b.event("rollout_ended", status="completed")
    b.event("recording_completed")
    return b


def _terminals(b: BundleBuilder) -> None:
    b.tool("c1", "exec_command", call_id="c1")
    b.runtime_started("c1", "exec_command", begin())
    b.tool("c2", "write_stdin", call_id="c2", invocation=stdin_invocation(8, "y"))
    b.event("stdin_target_resolved", ROOT, "t1", tool_call_id="c2", exec_tool_call_id="c1")
    b.tool_ended("c2", direct("written"))
    b.runtime_ended("c1", end())
    b.tool_ended("c1", direct("done"))
    b.tool("c3", call_id="c3")
    b.event("mcp_tool_call_correlation_assigned", tool_call_id="c3", mcp_call_id="mcp-1")
    b.runtime_started(
        "c3", {"type": "mcp", "server": "s", "tool": "t"}, {"invocation": {"server": "s", "tool": "t"}}
    )
    b.runtime_ended("c3", {"end": 1})
    b.tool_ended("c3", {"type": "error", "error": "no"}, "failed")
    b.tool("c4", "exec_command")
    b.runtime_started("c4", "exec_command", begin(None))
    b.runtime_ended("c4", end("9"))


def _cell(b: BundleBuilder) -> None:
    b.tool("x1", {"type": "other", "name": "exec"}, call_id="x1")
    b.cell("x1")
    b.tool("nested", cell="1")
    b.cell_response("yielded")
    b.tool(
        "waiting",
        invocation={"tool_name": "wait", "payload": {"type": "function", "arguments": '{"cell_id":"1"}'}},
    )
    if b.schema == 3:
        b.event("code_cell_wait_target_resolved", ROOT, "t1", tool_call_id="waiting", runtime_cell_id="1")
    b.tool_ended("waiting")
    b.cell_ended()
    b.tool_ended("x1", direct("out"))


def _children(b: BundleBuilder) -> None:
    for thread, path, message_text in ((CHILD, "/root/a", "look around"), (OTHER, "/root/b", "look around")):
        name = path[-1]
        b.tool(f"spawn-{name}", "spawn_agent", call_id=f"s{name}", invocation=SPAWN_INVOCATION)
        b.thread(thread, path, metadata(path, ROOT))
        b.turn(f"t{name}", thread)
        b.runtime_ended(f"spawn-{name}", activity("started", thread, path))
        b.tool_ended(f"spawn-{name}", direct("started"))
        if thread == CHILD:
            task = letter(message_text, "/root", path, id="task")
            b.accepted("task", task, thread)
            b.request("ia", [task], thread)
            b.response("ia", [message("found it", "assistant", id="m1")], "resp-1")
    b.tool("send", "send_message")
    older = {"call_id": "c", "sender_thread_id": ROOT, "receiver_thread_id": CHILD, "prompt": "hurry"}
    b.runtime_started("send", "send_message", older)
    b.runtime_ended("send", {**older, "status": "running"})
    b.request("ia2", [letter("hurry", "/root", "/root/a")], CHILD, previous_response_id="resp-1")
    b.event("inference_failed", inference_call_id="ia2", error="gone")
    b.event(
        "agent_result_observed",
        CHILD,
        "ta",
        edge_id=f"edge:agent_result:{CHILD}:ta:{ROOT}",
        child_thread_id=CHILD,
        child_codex_turn_id="ta",
        parent_thread_id=ROOT,
        message="found it",
        carried_payload=b.payload({"message": "found it"}, "agent_result"),
    )
    b.turn_ended("completed", "ta", CHILD)
    b.event("thread_ended", thread_id=CHILD, status="completed")
    b.event("thread_resumed", thread_id=CHILD)
    b.tool("close", "close_agent")
    closing = {"call_id": "c", "sender_thread_id": ROOT, "receiver_thread_id": OTHER, "status": "shutdown"}
    b.runtime_ended("close", closing)


def _compaction(b: BundleBuilder, history: list[Json]) -> None:
    ids = {"compaction_id": "z1", "compaction_request_id": "compaction_request:1"}
    place = {"thread_id": ROOT, "codex_turn_id": "t1", "model": "m", "provider_name": "p"}
    b.event("compaction_request_started", ROOT, "t1", **ids, **place, request_payload=b.payload({}))
    b.event("compaction_request_completed", **ids, response_payload=b.payload({"output_items": []}))
    second = {"compaction_id": "z1", "compaction_request_id": "compaction_request:2"}
    b.event("compaction_request_started", ROOT, "t1", **second, **place, request_payload=b.payload({}))
    b.event("compaction_request_failed", **second, error="busy")
    found = letter("found it", "/root/a", "/root", id="answer")
    b.accepted("answer", found)
    summary = {"type": "compaction", "encrypted_content": "all of it"}
    b.installed("z1", history, [message("please look"), summary])
    b.request("i3", [message("please look"), summary, found])


def _outputs_and_holes(b: ShardedBuilder) -> None:
    """What only schema 3 has: accepted outputs, before which items move, lost texts and payloads."""
    first, second = {**output("c7", "7"), "id": "o7"}, {**output("c8", "8"), "id": "o8"}
    accepted_output(b, first)
    accepted_output(b, second)
    body = {"input": [message(HOLE), call("c7"), first, call("c8"), output("c8", HOLE)]}
    started(b, "i4", with_holes(b, body), stripped_tool_output_ids=[[4, "o8"]])
    b.response("i4", [message("seen", "assistant", id="m4")], "resp-4")
    # What follows a call with holes is all new.
    b.request("i5", [message("and?")], previous_response_id="resp-4")
    context = {"input": [message("warm"), call("c9")]}
    cold = b.payload({"input": [call("c9")], "previous_response_id": "unknown"}, "inference_request")
    started(b, "i6", cold, warmup_context_payload=b.payload(context, "warmup_context", shard=2))
    b.event(
        "inference_completed",
        inference_call_id="i6",
        response_payload=lost(b.payload({"output_items": []}, "inference_response")),
    )
    b.tool("c9", "exec_command", call_id="c9")
    b.event(
        "tool_call_runtime_started",
        tool_call_id="c9",
        kind={"type": "exec_command"},
        runtime_payload=lost(b.payload(b"{", "tool_runtime_event"), 1),
    )
    started(b, "i7", lost(b.payload({}, "inference_request")))
    b.event(
        "compaction_installed",
        ROOT,
        "t1",
        compaction_id="z2",
        checkpoint_payload=lost(b.payload(b"{", "compaction_checkpoint"), 1),
    )
    b.request("i8", [message("after it")])
