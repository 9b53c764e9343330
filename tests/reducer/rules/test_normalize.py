from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from bundle_builder import compact, letter, message, text

from reducer.errors import Inconsistent
from reducer.model import AgentMessage, CodePart, EncodedPart, JsonPart, PayloadRefPart, SummaryPart, TextPart
from reducer.rules.normalize import NormalItem, normalize_document, normalize_list, summarize
from reducer.schemas import Schema
from reducer.schemas.v1 import SCHEMA_1
from reducer.schemas.v2 import SCHEMA_2
from reducer.schemas.v3 import SCHEMA_3
from reducer.wire.json_text import JsonDocument

Json = Any


def normal(item: Json | bytes) -> NormalItem:
    data = item if isinstance(item, bytes) else compact(item)
    return normalize_document(JsonDocument(data), "p", SCHEMA_2)


def part(item: Json | bytes) -> Any:
    (found,) = normal(item).parts
    return found


def reason(item: Json) -> str:
    with pytest.raises(Inconsistent) as caught:
        normal(item)
    return str(caught.value)


@pytest.mark.parametrize(
    ("type_", "role", "channel", "kind", "has_call_id"),
    [
        ("function_call", "assistant", "commentary", "function_call", True),
        ("function_call_output", "tool", "commentary", "function_call_output", True),
        ("custom_tool_call", "assistant", "commentary", "custom_tool_call", True),
        ("custom_tool_call_output", "tool", "commentary", "custom_tool_call_output", True),
        ("tool_search_call", "assistant", "commentary", "function_call", True),
        ("web_search_call", "assistant", "commentary", "function_call", True),
        ("image_generation_call", "assistant", "commentary", "function_call", True),
        ("local_shell_call", "assistant", "commentary", "function_call", True),
        ("tool_search_output", "tool", "commentary", "function_call_output", True),
        ("mcp_tool_call_output", "tool", "commentary", "function_call_output", True),
        ("compaction", "assistant", "summary", "message", False),
        ("compaction_summary", "assistant", "summary", "message", False),
        ("context_compaction", "assistant", "summary", "message", False),
        ("reasoning", "assistant", "analysis", "reasoning", False),
    ],
)
def test_the_type_tells_role_channel_and_kind(
    type_: str, role: str, channel: str, kind: str, has_call_id: bool
) -> None:
    item = normal({"type": type_, "call_id": "c", "id": "i", "encrypted_content": "e"})
    assert (item.role, item.channel, item.kind) == (role, channel, kind)
    assert item.call_id == ("c" if has_call_id else None)
    assert item.responses_item_id == "i"


def test_ids_that_are_no_text_count_as_none() -> None:
    item = normal({"type": "function_call", "call_id": 1, "id": None})
    assert (item.call_id, item.responses_item_id) == (None, None)
    item = normal({"type": "function_call", "call_id": "", "id": ""})
    assert (item.call_id, item.responses_item_id) == ("", "")


@pytest.mark.parametrize(
    ("phase", "channel"),
    [
        ("commentary", "commentary"),
        ("final_answer", "final"),
        ("partial_answer", "final"),
        ("summary", "summary"),
        ("x", None),
        (3, None),
    ],
)
def test_a_message_has_the_channel_of_its_phase(phase: Json, channel: str | None) -> None:
    assert normal(message("hi", "assistant", phase=phase)).channel == channel


def test_message_content_becomes_texts_and_references() -> None:
    picture = {"type": "input_image", "url": "u", "detail": 1}
    texts = [text("a"), {"type": "output_text", "text": "b"}, {"type": "text", "text": "c"}]
    nothing = [{"type": "text"}, {"type": "input_text", "text": 4}]
    item = normal({"type": "message", "role": "user", "content": [*texts, *nothing, picture, 5, {"type": 3}]})
    assert item.parts[:3] == [TextPart("a"), TextPart("b"), TextPart("c")]
    assert [(one.label, one.content_sha256) for one in item.parts[3:] if isinstance(one, PayloadRefPart)] == [
        ("input_image", digest('{"detail":1,"type":"input_image","url":"u"}')),
        ("content", digest("5")),
        ("content", digest('{"type":3}')),
    ]


def digest(canonical: str) -> str:
    return hashlib.sha256(canonical.encode()).hexdigest()


def test_the_hash_of_an_element_keeps_the_spelling_of_numbers() -> None:
    data = b'{"type":"message","role":"user","content":[{"b":1.0,"a":1E5}]}'
    assert part(data).content_sha256 == digest('{"a":1e+5,"b":1.0}')


def test_content_that_is_no_array_is_one_reference_without_hash() -> None:
    assert part({"type": "message", "role": "user"}) == PayloadRefPart("content", "p")
    assert part({"type": "message", "role": "user", "content": "x"}) == PayloadRefPart("content", "p")
    assert normal({"type": "message", "role": "user", "content": []}).parts == []


def test_reasoning_has_content_then_summary_then_the_sealed_part() -> None:
    item = {
        "type": "reasoning",
        "encrypted_content": "",
        "summary": [{"type": "summary_text", "text": "s"}],
        "content": [{"type": "reasoning_text", "text": "r"}, {"type": "text", "text": "t"}],
    }
    sealed = EncodedPart("encrypted_content", "")
    assert normal(item).parts == [TextPart("r"), TextPart("t"), SummaryPart("s"), sealed]
    assert normal({"type": "reasoning", "content": None, "encrypted_content": "e"}).parts == [
        EncodedPart("encrypted_content", "e")
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "neither content nor summary nor encrypted_content"),
        ({"summary": [], "content": []}, "neither content nor summary nor encrypted_content"),
        ({"summary": None, "encrypted_content": "e"}, "non-array summary"),
        ({"content": "x"}, "non-array content"),
        ({"content": [{"text": "x"}]}, "a content entry without string type"),
        ({"content": [{"type": "summary_text", "text": "x"}]}, "unsupported content type summary_text"),
        ({"summary": [{"type": "text", "text": "x"}]}, "unsupported summary type text"),
        ({"summary": [{"type": "summary_text"}]}, "a summary entry without string text"),
        ({"summary": [5]}, "a summary entry without string type"),
        ({"encrypted_content": 5}, "non-string encrypted_content"),
    ],
)
def test_unsound_reasoning_is_refused(fields: Json, said: str) -> None:
    assert reason({"type": "reasoning", **fields}) == f"a reasoning item in payload p has {said}"


def test_arguments_are_json_when_they_can_be() -> None:
    def arguments(value: Json) -> Any:
        return part({"type": "function_call", "arguments": value})

    assert arguments('{"b": 1.50, "a": [1]}') == JsonPart('{"b":1.50,"a":[1]}', "p")
    assert arguments('"text"') == JsonPart('"text"', "p")
    for other in ("", "not json", "NaN", '"\\ud800"', "[" * 128 + "]" * 128):
        assert arguments(other) == TextPart(other)
    assert arguments({"a": 1}) == JsonPart('{"a":1}', "p")
    assert arguments(None) == JsonPart("null", "p")
    assert part({"type": "function_call"}) == PayloadRefPart("payload", "p")


def test_outputs_are_text_content_or_json() -> None:
    def outputs(value: Json) -> Any:
        return normal({"type": "function_call_output", "output": value}).parts

    assert outputs("x") == [TextPart("x")]
    assert outputs([text("a"), text("b")]) == [TextPart("a"), TextPart("b")]
    assert outputs([]) == []
    assert outputs({"a": 1}) == [JsonPart('{"a":1}', "p")]
    assert outputs(None) == [JsonPart("null", "p")]
    assert normal({"type": "custom_tool_call_output"}).parts == [PayloadRefPart("tool_output", "p")]


def test_only_exec_sends_javascript() -> None:
    custom = {"type": "custom_tool_call", "input": "1"}
    assert part({**custom, "name": "exec"}) == CodePart("javascript", "1")
    assert part({**custom, "name": "other"}) == TextPart("1")
    assert part({**custom, "input": 5}) == JsonPart('{"type":"custom_tool_call","input":5}', "p")


def test_the_last_key_takes_the_place_of_the_metadata() -> None:
    key = '"internal_chat_message_metadata_passthrough"'
    start = '{"type":"web_search_call","a":1.0,'
    assert part(f'{start}{key}:{{"x":1}},"b":{{{key}:2}},"c":3}}'.encode()).summary == (
        f'{start}"c":3,"b":{{{key}:2}}}}'
    )
    assert part(f'{start}"b":2,{key}:1}}'.encode()).summary == f'{start}"b":2}}'
    assert part(f"{{{key}:1,".encode() + start[1:].encode() + b'"c":3}').summary == (
        '{"c":3,"type":"web_search_call","a":1.0}'
    )


@pytest.mark.parametrize("size", [238, 239])
def test_a_summary_is_cut_at_240_bytes_between_characters(size: int) -> None:
    assert summarize("x" * 240) == "x" * 240
    assert summarize("x" * 241) == "x" * 240 + "..."
    assert summarize("x" * size + "é" * 5) == "x" * size + ("é..." if size == 238 else "...")
    assert summarize("😀" * 60) == "😀" * 60
    assert summarize("😀" * 61) == "😀" * 60 + "..."


def test_agent_messages_have_author_recipient_and_parts() -> None:
    content = [text("a"), {"type": "encrypted_content", "encrypted_content": "e"}]
    item = normal({**letter("", "anyone", "any one"), "content": content, "id": "i", "phase": 3})
    assert item.agent_message == AgentMessage("anyone", "any one")
    assert item.parts == [TextPart("a"), EncodedPart("encrypted_content", "e")]
    assert (item.role, item.channel, item.kind) == ("assistant", "analysis", "message")


@pytest.mark.parametrize(
    "fields",
    [
        {"author": None},
        {"recipient": 5},
        {"content": []},
        {"content": "x"},
        {"content": [{"type": "output_text", "text": "x"}]},
        {"content": [{"type": "input_text"}]},
        {"id": 5},
        {"x": 2**64},
        {"x": {"y": [-(2**63) - 1]}},
    ],
)
def test_unsound_agent_messages_are_refused(fields: Json) -> None:
    assert reason({**letter("x", "a", "b"), **fields}).startswith("an agent_message item in payload p")


@pytest.mark.parametrize(
    ("passed", "sound"),
    [
        (None, True),
        ({}, True),
        ({"turn_id": None, "create_time": None, "content_item_kinds": 5, "x": 1}, True),
        ({"turn_id": "t", "create_time": 1.5}, True),
        ([], True),
        (["t", None, 5, {}, "x"], True),
        (5, False),
        ("x", False),
        ([5], False),
        (["t", "x"], False),
        (["t", 1, 2, 3, 4, 5], False),
        ({"x": 2**64}, False),
        ({"turn_id": 5}, False),
        ({"create_time": "x"}, False),
        ({"create_time": True}, False),
    ],
)
def test_metadata_that_an_agent_message_passes_through_is_typed(passed: Json, sound: bool) -> None:
    item = {**letter("x", "a", "b"), "internal_chat_message_metadata_passthrough": passed}
    if sound:
        assert normal(item).agent_message is not None
    else:
        assert reason(item).startswith("an agent_message item in payload p")


@pytest.mark.parametrize("schema", [SCHEMA_1, SCHEMA_2, SCHEMA_3], ids=lambda schema: str(schema.version))
@pytest.mark.parametrize("passed", [5, {"turn_id": 5}, {"create_time": "x"}, {"x": 2**64}], ids=str)
def test_in_lists_nobody_looks_at_what_an_agent_message_passes_through(schema: Schema, passed: Json) -> None:
    item = {**letter("x", "a", "b"), "internal_chat_message_metadata_passthrough": passed}
    (found,) = normalize_list(JsonDocument(compact({"input": [item]})), "p", "input", schema)
    assert found.agent_message == AgentMessage("a", "b")


@pytest.mark.parametrize("schema", [SCHEMA_1, SCHEMA_2], ids=lambda schema: str(schema.version))
@pytest.mark.parametrize(
    "content", [["input_text", "x"], [0, "x"], {"type": 0, "text": "x"}, {"type": 0, "text": "x", "y": 1}]
)
def test_content_of_agent_messages_is_spelled_as_freely_as_events(schema: Schema, content: Json) -> None:
    item = {**letter("", "a", "b"), "content": [content, [1, "e"]]}
    (found,) = normalize_list(JsonDocument(compact({"input": [item]})), "p", "input", schema)
    assert found.parts == [TextPart("x"), EncodedPart("encrypted_content", "e")]


@pytest.mark.parametrize("content", [[0, "x"], {"type": 0, "text": "x"}], ids=str)
def test_content_that_is_read_by_itself_is_told_by_name(content: Json) -> None:
    items = {"input": [{**letter("", "a", "b"), "content": [["input_text", "x"], content]}]}
    with pytest.raises(Inconsistent) as caught:
        normalize_list(JsonDocument(compact(items)), "p", "input", SCHEMA_3)
    assert caught.value.reference_says == "invalid type: number, expected variant identifier"


def test_items_nobody_knows_are_refused() -> None:
    assert reason({"type": "other"}) == "payload p has an item of unsupported type other"
    assert reason({"type": 5}) == "a model item in payload p has no string type"
    assert reason([]) == "a model item in payload p has no string type"
    assert reason({"type": "message"}) == "a message item in payload p has no string role"
    assert reason(message("x", "robot")) == "payload p has a message of unsupported role robot"
    assert "no encrypted_content" in reason({"type": "compaction", "encrypted_content": None})


def test_additional_tools_are_left_out_of_lists_only() -> None:
    body = json.dumps({"input": [message("a"), {"type": "additional_tools"}, message("b")]})
    assert len(normalize_list(JsonDocument(body.encode()), "p", "input", SCHEMA_2)) == 2
    assert "unsupported type additional_tools" in reason({"type": "additional_tools"})
