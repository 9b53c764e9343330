"""Events that are added: tool calls, terminals, code cells, and agents that reach each other."""

from __future__ import annotations

from random import Random

from tests.fuzz.pools import all_items
from tests.fuzz.sample import Json, Sample
from tests.fuzz.scene_changes import envelope, insert, turn_event

_KINDS = (
    "exec_command",
    "write_stdin",
    "web",
    "spawn_agent",
    "send_message",
    "assign_agent_task",
    "close_agent",
)
_STATUSES = ("running", "completed", "failed", "cancelled", "aborted")
_CELL_STATUSES = ("starting", "running", "yielded", "completed", "failed", "terminated")
_NOBODY = "00000000-0000-4000-8000-00000000eeee"
_SUMMARY = {"type": "generic", "label": "tool", "input_preview": None, "output_preview": None}


def _named(sample: Sample, key: str, random: Random, fresh: str) -> str:
    """Some value that stands under this key of an event, or a new one."""
    values = [
        event["payload"][key] for event in sample.bodies() if isinstance(event["payload"].get(key), str)
    ]
    return random.choice([*values, fresh])


def _call_id(sample: Sample, random: Random, type_: str) -> str | None:
    ids = [item["call_id"] for item in all_items(sample) if item.get("type") == type_ and "call_id" in item]
    return random.choice([*ids, None, "fresh"])


def _begin(random: Random) -> Json:
    process = random.choice([None, "7", "8"])
    return {"call_id": "c", "process_id": process, "command": ["ls"], "cwd": "/w"}


def _end(random: Random) -> Json:
    return {"exit_code": 0, "process_id": random.choice([None, "7", "8"]), "aggregated_output": "done"}


def _message_event(sample: Sample, random: Random, *, ended: bool) -> Json:
    """The older form of a message between agents, which is told at the beginning and at the end."""
    sender, receiver = (_named(sample, "thread_id", random, _NOBODY) for _ in range(2))
    body = {"call_id": "c", "sender_thread_id": sender, "receiver_thread_id": receiver, "prompt": "t"}
    return {**body, "status": "running"} if ended else body


def _activity(sample: Sample, random: Random) -> Json:
    kind = random.choice(["started", "interacted", "completed", "interrupted"])
    thread, path = (
        _named(sample, "thread_id", random, _NOBODY),
        _named(sample, "agent_path", random, "/root/z"),
    )
    return {"event_id": "e", "agent_thread_id": thread, "agent_path": path, "kind": kind}


def _invocation(kind: str, random: Random) -> Json:
    arguments = {
        "write_stdin": '{"session_id":%s,"chars":"y"}' % random.choice(["7", "8", '"7"']),  # noqa: UP031
        "exec_command": '{"cmd":"ls"}',
    }.get(kind, '{"message":"t","target":"/root/a"}')
    return {
        "tool_name": kind,
        "tool_namespace": None,
        "payload": {"type": "function", "arguments": arguments},
    }


def _result(random: Random) -> Json:
    output = {
        "type": "function_call_output",
        "call_id": "k1",
        "output": random.choice(["done", "", {"a": 1}]),
    }
    forms: list[Json] = [
        {"type": "direct_response", "response_item": output},
        {"type": "error", "error": "no"},
        {"type": "code_mode_response", "value": {"a": [1, "x"]}},
    ]
    return random.choice(forms)


def add_tool(sample: Sample, random: Random) -> None:
    """Start a tool call; perhaps its runtime begins and ends, and it returns."""
    like = turn_event(sample, random)
    if like is None:
        return
    place, event = like
    kind = random.choice(_KINDS)
    call = f"tool-{len(sample.events)}"
    cell = random.random() < 0.1
    requester = {"type": "code_cell", "runtime_cell_id": _named(sample, "runtime_cell_id", random, "1")}
    start: Json = {
        "type": "tool_call_started",
        "tool_call_id": call,
        "model_visible_call_id": _call_id(sample, random, "function_call"),
        "code_mode_runtime_tool_id": None,
        "requester": requester if cell else {"type": "model"},
        "kind": {"type": kind},
        "summary": _SUMMARY,
        "invocation_payload": sample.add_payload(_invocation(kind, random), "tool_invocation"),
    }
    begun: Json = {"type": "tool_call_runtime_started", "tool_call_id": call, "kind": {"type": kind}}
    if sample.schema == 1:
        del begun["kind"]
    is_command = kind in ("exec_command", "write_stdin")
    begin = _begin(random) if is_command else _message_event(sample, random, ended=False)
    ends = [_message_event(sample, random, ended=True), _activity(sample, random)]
    end = _end(random) if is_command else random.choice(ends)
    ended = {"tool_call_id": call, "status": random.choice(_STATUSES)}
    steps = [
        start,
        {**begun, "runtime_payload": sample.add_payload(begin, "tool_runtime_event")},
        {
            "type": "tool_call_runtime_ended",
            **ended,
            "runtime_payload": sample.add_payload(end, "tool_runtime_event"),
        },
        {
            "type": "tool_call_ended",
            **ended,
            "result_payload": sample.add_payload(_result(random), "tool_result"),
        },
    ]
    kept = [start, *(one for one in steps[1:] if random.random() < 0.6)]
    for step in kept:
        place += 1 if random.random() < 0.7 else 2
        sample.events.insert(min(place, len(sample.events)), envelope(sample, event, step))


def add_cell(sample: Sample, random: Random) -> None:
    """Start a code cell, perhaps before its item is known; perhaps it answers and ends."""
    like = turn_event(sample, random)
    if like is None:
        return
    place, event = like
    name = _named(sample, "runtime_cell_id", random, f"cell-{len(sample.events)}")
    response = sample.add_payload({"response": {}}, "tool_result")
    told = {"runtime_cell_id": name, "response_payload": response if random.random() < 0.5 else None}
    steps: list[Json] = [
        {
            "type": "code_cell_started",
            "runtime_cell_id": name,
            "model_visible_call_id": _call_id(sample, random, "custom_tool_call") or "k2",
            "source_js": "1",
        },
        {"type": "code_cell_initial_response", "status": random.choice(_CELL_STATUSES), **told},
        {"type": "code_cell_ended", "status": random.choice(_CELL_STATUSES), **told},
    ]
    for step in [steps[0], *(one for one in steps[1:] if random.random() < 0.6)]:
        place += 1 if random.random() < 0.7 else 2
        sample.events.insert(min(place, len(sample.events)), envelope(sample, event, step))


def add_stdin_target(sample: Sample, random: Random) -> None:
    """Let a tool call write to the terminal of another one."""
    like = turn_event(sample, random)
    if like is not None:
        ids = {
            key: _named(sample, "tool_call_id", random, "t") for key in ("tool_call_id", "exec_tool_call_id")
        }
        insert(sample, random, like, {"type": "stdin_target_resolved", **ids})


def add_result(sample: Sample, random: Random) -> None:
    """Let an agent hand in a result."""
    like = turn_event(sample, random)
    if like is None:
        return
    child, parent = like[1]["thread_id"], _named(sample, "thread_id", random, _NOBODY)
    turn = like[1]["codex_turn_id"]
    message = random.choice(["t", "done", "oak"])
    payload = {
        "type": "agent_result_observed",
        "edge_id": f"edge:agent_result:{child}:{turn}:{parent}",
        "child_thread_id": child,
        "child_codex_turn_id": turn,
        "parent_thread_id": parent,
        "message": message,
        "carried_payload": sample.add_payload({"message": message}, "agent_result"),
    }
    insert(sample, random, like, payload)
