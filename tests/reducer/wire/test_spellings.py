from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Struct

from reducer.errors import Inconsistent, Malformed
from reducer.schemas import SCHEMAS
from reducer.wire.events import (
    AgentSummary,
    CellRequester,
    Event,
    GenericSummary,
    Mcp,
    ModelRequester,
    OtherTool,
    TerminalSummary,
    WaitAgentSummary,
    Web,
)
from reducer.wire.log import decode_event
from reducer.wire.payload_refs import Omitted, PayloadKind, ShardedKind, ShardRef, Truncated
from reducer.wire.spellings import spelled_plainly
from reducer.wire.tool_kinds import AnyToolKind
from reducer.wire.typed_json import convert

Json = Any

REF = {"raw_payload_id": "raw_payload:1", "kind": {"type": "tool_invocation"}, "path": "payloads/1.json"}
RECORD = {"raw_payload_id": "raw_payload:1", "kind": {"type": "tool_invocation"}, "shard": 1}
CALL = {
    "type": "tool_call_started",
    "tool_call_id": "t",
    "model_visible_call_id": None,
    "code_mode_runtime_tool_id": None,
    "requester": {"type": "model"},
    "kind": {"type": "web"},
    "summary": {"type": "generic", "label": "l"},
    "invocation_payload": None,
}


def line(payload: Json, schema: int = 2) -> bytes:
    envelope = {"schema_version": schema, "seq": 1, "wall_time_unix_ms": 5, "rollout_id": "r"}
    return json.dumps({**envelope, "payload": payload}).encode()


def read(payload: Json, schema: int = 2) -> Any:
    return decode_event(line(payload, schema), SCHEMAS[schema].line).payload


def is_refused(payload: Json, schema: int = 2) -> bool:
    try:
        read(payload, schema)
    except Malformed:
        return True
    return False


def call(**changed: Json) -> Event:
    event: Event = read({**CALL, **changed})
    return event


# Numbers of variants


@pytest.mark.parametrize(("number", "kind"), [*enumerate(AnyToolKind.__args__)])
def test_a_number_stands_for_the_kind_of_a_tool(number: int, kind: type[Struct]) -> None:
    fields = {"server": "s", "tool": "t", "name": "n"}
    told = call(kind={"type": number, **fields})
    assert told == call(kind={"type": kind.__struct_config__.tag, **fields})


@pytest.mark.parametrize(
    ("key", "spelled", "plain"),
    [
        ("requester", {"type": 0}, ModelRequester()),
        ("requester", {"type": 1, "runtime_cell_id": "1"}, CellRequester("1")),
        ("summary", {"type": 0, "operation_id": "o"}, TerminalSummary("o")),
        (
            "summary",
            {"type": 1, "target_agent_path": "/root/a", "message_preview": "m"},
            AgentSummary(target_agent_path="/root/a", message_preview="m"),
        ),
        ("summary", {"type": 2}, WaitAgentSummary()),
        ("summary", {"type": 3, "label": "l"}, GenericSummary("l")),
    ],
    ids=str,
)
def test_a_number_stands_for_requester_and_summary(key: str, spelled: Json, plain: Struct) -> None:
    assert getattr(call(**{key: spelled}), key) == plain


@pytest.mark.parametrize("tag", [12, -1, 1.0, 2**64, True, None, {"web": None}, ["web"]], ids=str)
def test_what_is_no_number_of_a_kind(tag: Json) -> None:
    assert is_refused({**CALL, "kind": {"type": tag, "server": "s", "tool": "t", "name": "n"}})


def test_minus_zero_is_a_zero_but_no_number_of_a_kind() -> None:
    text = line({**CALL, "summary": {"type": "wait_agent", "timeout_ms": 71}, "kind": {"type": 72}})
    sound = text.replace(b"72", b"4")
    event: Any = decode_event(sound.replace(b"71", b"-0"), SCHEMAS[2].line).payload
    assert (event.summary.timeout_ms, event.kind) == (0, Web())
    for wrong in (sound.replace(b"71", b"-0.0"), text.replace(b"71", b"1").replace(b"72", b"-0")):
        with pytest.raises(Malformed):
            decode_event(wrong, SCHEMAS[2].line)


def test_the_event_itself_is_told_by_its_name() -> None:
    assert is_refused({**CALL, "type": 10})
    assert is_refused([10, *list(CALL.values())[1:]])


def test_a_tag_stands_once_whatever_its_spelling() -> None:
    text = line(CALL).replace(b'{"type": "web"}', b'{"type":4,"type":4}')
    with pytest.raises(Malformed, match="repeats the key type"):
        decode_event(text, SCHEMAS[2].line)


# Arrays


@pytest.mark.parametrize(
    ("key", "spelled", "plain"),
    [
        ("kind", ["web"], Web()),
        ("kind", [4], Web()),
        ("kind", ["mcp", "s", "t"], Mcp("s", "t")),
        ("kind", [11, "n"], OtherTool("n")),
        ("requester", ["model"], ModelRequester()),
        ("requester", [1, "c"], CellRequester("c")),
        ("summary", ["generic", "l", None, "o"], GenericSummary("l", None, "o")),
        ("summary", ["wait_agent", None, 5], WaitAgentSummary(None, 5)),
    ],
    ids=str,
)
def test_an_array_stands_for_an_object(key: str, spelled: Json, plain: Struct) -> None:
    assert getattr(call(**{key: spelled}), key) == plain


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("kind", []),
        ("kind", ["web", None]),
        ("kind", [["web"]]),
        ("kind", ["mcp", "s"]),
        ("kind", ["mcp", "s", "t", None]),
        ("summary", ["generic", "l"]),
        ("summary", ["generic", "l", None]),
        ("summary", ["wait_agent"]),
        ("requester", ["code_cell", 5]),
    ],
    ids=str,
)
def test_an_array_has_all_values(key: str, spelled: Json) -> None:
    assert is_refused({**CALL, key: spelled})


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_array_stands_for_an_event(schema: int) -> None:
    values = ["thread_ended", "t", "completed"]
    assert read(values, schema) == read(
        {"type": "thread_ended", "thread_id": "t", "status": "completed"}, schema
    )
    assert is_refused(values[:2], schema)
    assert is_refused([*values, None], schema)


def test_what_is_left_out_at_times_may_be_missing_at_the_end() -> None:
    assert read(["history_item_accepted", "i"]) == read({"type": "history_item_accepted", "item_id": "i"})
    assert is_refused(["tool_call_ended", "t", "completed"])  # its payload is null, and never left out


@pytest.mark.parametrize("count", [3, 4, 5])
def test_an_array_stands_for_a_reference(count: int) -> None:
    values = ["raw_payload:1", {"type": "tool_invocation"}, 1, {"status": "complete"}, []]
    event = ["protocol_event_observed", "e", values[:count]]
    assert read(event, 3).event_payload == ShardRef("raw_payload:1", ShardedKind("tool_invocation"), 1)
    assert is_refused(["protocol_event_observed", "e", values[:2]], 3)
    assert is_refused(["protocol_event_observed", "e", [*values, None]], 3)


def test_parts_and_captures_of_references_are_spelled_as_freely() -> None:
    part = ["raw_payload:2", ["model_item", None], None, [2, 9]]
    ref = {**RECORD, "capture": {"status": 1, "original_bytes": 5, "retained_bytes": 2}, "parts": [part]}
    found = read({"type": "protocol_event_observed", "event_type": "e", "event_payload": ref}, 3)
    inner = ShardRef("raw_payload:2", ShardedKind("model_item"), None, Omitted(9))
    assert found.event_payload.capture == Truncated(5, 2)
    assert found.event_payload.parts == (inner,)


# Names


@pytest.mark.parametrize("content", [None, {}])
def test_a_name_may_be_the_key_of_an_object(content: Json) -> None:
    event = {"type": "tool_call_ended", "tool_call_id": "t", "status": {"failed": content}}
    assert read(event).status == "failed"


@pytest.mark.parametrize("status", [{"failed": []}, {"failed": 1}, {"x": None}, {}, 2, ["failed"]], ids=str)
def test_what_is_no_name(status: Json) -> None:
    assert is_refused({"type": "tool_call_ended", "tool_call_id": "t", "status": status})


@pytest.mark.parametrize(
    "kind",
    [
        {"type": {"tool_invocation": None}},
        {"type": {"tool_invocation": {}}, "value": None},
        ["tool_invocation", None],
        [5, None],
    ],
    ids=str,
)
def test_the_kind_of_a_payload_has_a_name_or_in_an_array_a_number(kind: Json) -> None:
    told: Any = call(invocation_payload={**REF, "kind": kind})
    assert told.invocation_payload.kind == PayloadKind("tool_invocation")


@pytest.mark.parametrize(
    "kind",
    [
        {"type": 5},
        {"type": "tool_invocation", "value": {}},
        ["tool_invocation"],
        ["tool_invocation", None, None],
        ["tool_invocation", {}],
        [{"tool_invocation": None}, None],
        [99, None],
        "tool_invocation",
    ],
    ids=str,
)
def test_what_is_no_kind_of_a_payload(kind: Json) -> None:
    assert is_refused({**CALL, "invocation_payload": {**REF, "kind": kind}})


# Payloads


class Size(Struct, tag_field="type", tag="size"):
    bytes: int


class Told(Struct, tag_field="type", tag="told"):
    size: Size


def test_a_payload_is_read_as_freely_from_its_first_tag_on() -> None:
    assert convert({"type": "told", "size": [0, 5]}, Told, "the thing") == Told(Size(5))
    assert convert(["told", {"type": 0, "bytes": 5}], Told, "the thing") == Told(Size(5))
    with pytest.raises(Inconsistent):
        convert({"type": 0, "size": {"type": "size", "bytes": 5}}, Told, "the thing")


def test_a_payload_stays_as_it_was_parsed() -> None:
    value = {"type": "told", "size": {"type": 0, "bytes": 5}}
    assert spelled_plainly(value, Told) == {"type": "told", "size": {"type": "size", "bytes": 5}}
    assert value == {"type": "told", "size": {"type": 0, "bytes": 5}}
