"""How payloads are divided: as codex does it, and so that the parts always join to the whole text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from shard_reading import all_records, joined

from reducer.recorder.encoding import compact_json
from reducer.recorder.payload_parts import DividedText, divide

PICTURE = "data:image/png;base64,iVBORw0KGgo="
LONG = "long text " * 20


def message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "user", "content": list(content)}


def text_of(words: str) -> dict[str, Any]:
    return {"type": "input_text", "text": words}


def picture(url: str = PICTURE) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url, "detail": "high"}


def outline(text: DividedText) -> Any:
    """What a payload is divided into: texts of parts that have none themselves, else kinds and outlines."""
    if not text.parts:
        return json.loads(text.text())
    return [(part.kind, outline(part)) for part in text.parts]


# Without limits


def test_a_prompt_holds_its_items_as_parts() -> None:
    items = [message(text_of("one")), {"type": "function_call", "name": "ls", "arguments": "{}"}]
    divided = divide("prepared_prompt", {"input": items, "tools": [{"name": "ls"}], "output_schema": None})
    assert outline(divided) == [("model_item", items[0]), ("model_item", items[1])]
    assert json.loads(divided.record()) == [
        '{"input":[',
        ",",
        '],"tools":[{"name":"ls"}],"output_schema":null}',
    ]


def test_pictures_are_parts_of_items_and_of_requests() -> None:
    looks = message(text_of("look"), picture(), picture("https://example.com/a.png"), picture(PICTURE + "AA"))
    output = {"type": "function_call_output", "call_id": "c", "output": [picture()]}
    pictures = [("content_value", PICTURE), ("content_value", PICTURE + "AA")]
    body = {"model": "m", "input": [looks, output]}
    assert outline(divide("inference_request", body)) == [*pictures, ("content_value", PICTURE)]
    assert outline(divide("warmup_context", {"input": [looks]})) == pictures
    assert outline(divide("prepared_prompt", body)) == [
        ("model_item", pictures),
        ("model_item", [("content_value", PICTURE)]),
    ]


@pytest.mark.parametrize(
    "kind",
    ["tool_result", "protocol_event", "inference_response", "compaction_checkpoint", "compaction_request"],
)
def test_all_other_payloads_are_stored_in_one_piece(kind: Any) -> None:
    item = message(picture(), text_of(LONG))
    value = {"input": [item], "output_items": [item], "input_history": [item], "response_item": item}
    assert divide(kind, value).record() == compact_json(value)


def test_a_value_without_items_is_stored_in_one_piece() -> None:
    for value in ([1], "x", None, {"input": "x"}, {"input": None}, {}):
        assert divide("prepared_prompt", value).record() == compact_json(value)
    odd = {"input": ["x", 7, {"content": "x"}, {"content": ["x", None]}]}
    assert divide("inference_request", odd).record() == compact_json(odd)
    assert outline(divide("prepared_prompt", odd)) == [("model_item", item) for item in odd["input"]]


def test_ready_made_json_loses_its_white_space_and_nothing_else() -> None:
    value = {"tools": Raw(b'[ {"n": 1.50,\n"s": "a  \\u0062"} ]'), "input": [message(picture())]}
    divided = divide("inference_request", value)
    assert divided.text().startswith(b'{"tools":[{"n":1.50,"s":"a  \\u0062"}],"input":[{')
    assert divide("inference_request", Raw(b"{ }")).text() == b"{}"


@pytest.mark.parametrize("raw", [b"[{]", b"", b"\0", b'"\xff"', b"[1] [2]"])
def test_ready_made_json_that_is_none_is_refused(raw: bytes) -> None:
    for value in ({"tools": Raw(raw)}, {"input": [Raw(raw)]} if raw == b"\0" else Raw(raw)):
        with pytest.raises(ValueError, match=r"JSON|truncated|utf-8"):
            divide("prepared_prompt", value)


def test_half_a_surrogate_pair_does_not_cost_the_text_around_it() -> None:
    divided = divide("prepared_prompt", {"input": [message(text_of("caf\udce9"), picture())]})
    assert json.loads(divided.text())["input"][0]["content"][0]["text"] == "caf\N{REPLACEMENT CHARACTER}"


# With a limit


def test_long_texts_of_what_the_model_is_shown_are_parts_of_their_items() -> None:
    item = message(text_of(LONG), text_of("short"), picture())
    shown = ("model_item", [("content_value", LONG), ("content_value", PICTURE)])
    reasoning = {"type": "reasoning", "summary": [{"type": "summary_text", "text": LONG}], "content": None}
    thought = ("model_item", [("content_value", LONG)])
    output = {"type": "custom_tool_call_output", "output": [text_of(LONG)]}
    for kind in ("inference_request", "prepared_prompt", "warmup_context"):
        divided = divide(kind, {"input": [item, reasoning, output]}, max_payload_bytes=100)
        assert outline(divided) == [shown, thought, thought], kind
    histories = {"input_history": [item, reasoning], "replacement_history": [output]}
    assert outline(divide("compaction_checkpoint", histories, max_payload_bytes=100)) == [
        shown,
        thought,
        thought,
    ]


def test_other_long_strings_stay_in_their_items() -> None:
    items = [
        {"type": "function_call_output", "output": LONG},
        {"type": "custom_tool_call", "input": LONG},
        {"type": "reasoning", "summary": [], "encrypted_content": LONG},
    ]
    divided = divide("prepared_prompt", {"input": items}, max_payload_bytes=100)
    assert outline(divided) == [("model_item", item) for item in items]


def test_long_base_instructions_are_a_part_of_their_prompt_wherever_they_stand() -> None:
    instructions = {"text": LONG, "provenance": {"type": "model", "model": "m"}}
    item = message(text_of("x"))
    after = divide(
        "prepared_prompt", {"input": [item], "base_instructions": instructions}, max_payload_bytes=100
    )
    assert outline(after) == [("model_item", item), ("content_value", LONG)]
    before = divide(
        "prepared_prompt", {"base_instructions": instructions, "input": [item]}, max_payload_bytes=100
    )
    assert outline(before) == [("content_value", LONG), ("model_item", item)]
    unlimited = divide("prepared_prompt", {"input": [], "base_instructions": instructions})
    assert unlimited.parts == []


def test_a_text_of_just_the_limit_is_no_part() -> None:
    body = {"input": [message(text_of("x" * 98), text_of("x" * 99))]}
    divided = divide("inference_request", body, max_payload_bytes=100)
    assert outline(divided) == [("model_item", [("content_value", "x" * 99)])]


def test_a_request_within_the_limit_is_divided_at_pictures_only() -> None:
    body = {"input": [message(text_of("one"), picture())]}
    divided = divide("inference_request", body, max_payload_bytes=len(compact_json(body)))
    assert outline(divided) == [("content_value", PICTURE)]


def test_a_response_is_divided_if_one_of_its_items_is_too_long() -> None:
    small = message(text_of("x"))
    response = {"response_id": "r" * 100, "output_items": [small, message(text_of(LONG))]}
    divided = divide("inference_response", response, max_payload_bytes=100)
    assert outline(divided) == [("model_item", small), ("model_item", [("content_value", LONG)])]
    response["output_items"] = [small, small]
    assert divide("inference_response", response, max_payload_bytes=100).parts == []


# What codex does


RECORDINGS = ["images-many", "inputs", "code-mode", "everything-ws", "mcp-audio-image", "compaction-remote"]
CAPPED = {"limit-none": None, "limit-payload-300": 300, "limit-payload-0": 0, "limit-compaction": 1500}


@pytest.mark.parametrize("name", [*RECORDINGS, "limit-none"])
def test_recorded_payloads_are_divided_again_in_the_same_way(name: str, shared_dir: Path) -> None:
    records, references = recorded(shared_dir / "bundles-v3" / name / "bundle")
    seen = set()
    for reference in references.values():
        kind = reference["kind"]["type"]
        text = joined(records, reference)
        divided = divide(kind, with_exact_numbers(text))
        if kind not in ("model_item", "content_value"):
            assert_same(divided, reference, records)
            seen.add((kind, bool(divided.parts)))
    assert {("prepared_prompt", True), ("inference_response", False)} <= seen


@pytest.mark.parametrize("name", ["limit-payload-300", "limit-payload-0", "limit-compaction"])
def test_payloads_of_a_capped_recording_are_divided_as_far_as_they_were_kept(
    name: str, shared_dir: Path
) -> None:
    """What was cut is filled up to its length, so that it is as long again as it was."""
    records, references = recorded(shared_dir / "bundles-v3" / name / "bundle")
    divided_kinds = set()
    for reference in references.values():
        kind = reference["kind"]["type"]
        if kind in ("model_item", "content_value") or reference.get("capture"):
            continue
        divided = divide(kind, with_exact_numbers(filled(records, reference)), max_payload_bytes=CAPPED[name])
        assert_same(divided, reference, None)
        divided_kinds.add((kind, bool(divided.parts)))
    assert {("prepared_prompt", True), ("inference_request", True)} <= divided_kinds


def recorded(bundle: Path) -> tuple[dict[tuple[int, str], bytes], dict[str, dict[str, Any]]]:
    references: dict[str, dict[str, Any]] = {}

    def note(value: Any) -> None:
        if isinstance(value, dict) and "raw_payload_id" in value:
            references[value["raw_payload_id"]] = value
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            note(part)

    for line in (bundle / "trace.jsonl").read_bytes().splitlines():
        note(json.loads(line)["payload"])
    return all_records(bundle), references


def with_exact_numbers(text: bytes) -> Any:
    """A JSON value in which numbers other than integers keep their spelling."""
    return json.loads(text, parse_float=lambda spelled: Raw(spelled.encode()))


def filled(records: dict[tuple[int, str], bytes], reference: dict[str, Any]) -> bytes:
    capture = reference.get("capture")
    if capture is not None:
        start, end = (b'{"x":"', b'"}') if reference["kind"]["type"] == "model_item" else (b'"data:', b'"')
        start = start[: capture["original_bytes"] - 1]
        return start + b"x" * (capture["original_bytes"] - len(start + end)) + end
    data = records[reference["shard"], reference["raw_payload_id"]]
    if not reference.get("parts"):
        return data
    first, *rest = json.loads(data)
    texts = [filled(records, part) for part in reference["parts"]]
    return first.encode() + b"".join(t + f.encode() for t, f in zip(texts, rest, strict=True))


def assert_same(
    divided: DividedText, reference: dict[str, Any], records: dict[tuple[int, str], bytes] | None
) -> None:
    assert divided.kind == reference["kind"]["type"]
    assert len(divided.parts) == len(reference.get("parts", [])), reference
    if records is not None:
        assert divided.record() == records[reference["shard"], reference["raw_payload_id"]]
    for part, its_reference in zip(divided.parts, reference.get("parts", []), strict=True):
        assert_same(part, its_reference, records)


# Whatever the value is

words = st.text(max_size=12) | st.text('ab"\\\0\udce9', min_size=20, max_size=60)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
elements = st.fixed_dictionaries(
    {"type": st.sampled_from(["input_text", "input_image"])},
    optional={
        "text": words | plain,
        "image_url": words.map("data:".__add__) | words | plain,
        "detail": plain,
    },
)
items = st.fixed_dictionaries(
    {"type": words},
    optional={
        key: st.lists(elements | plain, max_size=3) | plain for key in ("content", "output", "summary")
    },
)
lists = st.lists(items | plain, max_size=3) | plain
payloads = plain | st.permutations(
    ["input", "output_items", "input_history", "replacement_history", "base_instructions", "tools"]
).flatmap(
    lambda keys: st.fixed_dictionaries(
        {key: elements | plain if key == "base_instructions" else lists for key in keys}
    )
)
kinds = st.sampled_from(
    [
        "inference_request",
        "prepared_prompt",
        "warmup_context",
        "inference_response",
        "compaction_checkpoint",
        "tool_result",
    ]
)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(kind=kinds, value=payloads, limit=st.none() | st.integers(0, 300))
def test_the_parts_join_to_the_whole(kind: Any, value: Any, limit: int | None) -> None:
    divided = divide(kind, value, max_payload_bytes=limit)
    assert divided.text() == compact_json(value)
    assert_sound(divided)


def assert_sound(text: DividedText) -> None:
    """Each part is JSON of its own, and the record is the text or as many fragments as it must be."""
    json.loads(text.text())
    if text.parts:
        fragments = json.loads(text.record())
        assert [type(fragment) for fragment in fragments] == [str] * (len(text.parts) + 1)
        json.loads("null".join(fragments))
    else:
        assert text.record() == text.text()
    for part in text.parts:
        assert part.kind in ("model_item", "content_value")
        assert_sound(part)
