from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, BundleBuilder, message

from reducer.model import InferenceCall, Usage

Json = Any


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    builder.request("i1", [message("a")])
    return builder


def call(b: BundleBuilder, name: str = "i1") -> InferenceCall:
    return b.graph().inference_calls[name]


def ended(call_id: str = "i1", how: str = "failed", payload: Json = None, **more: Json) -> Json:
    told = {"failed": "error", "cancelled": "reason"}[how]
    return {
        "type": f"inference_{how}",
        "inference_call_id": call_id,
        told: "because",
        "partial_response_payload": payload,
        **more,
    }


def test_the_first_end_stands_but_later_ones_bring_their_answer(b: BundleBuilder) -> None:
    b.response("i1", [message("x", "assistant")], "r1")
    answer = b.payload({"output_items": [message("y", "assistant")]})
    b.raw(ended(payload=answer, upstream_request_id="up"))
    found = call(b)
    assert (found.execution.status, found.execution.ended_seq) == ("completed", 4)
    assert (found.response_id, found.upstream_request_id) == (None, "up")
    assert found.response_item_ids == ["conversation_item:3"]
    assert found.raw_response_payload_id == "raw_payload:3"
    b.raw(ended(how="cancelled"))
    found = call(b)
    assert found.upstream_request_id == "up"
    assert found.response_item_ids == ["conversation_item:3"]


@pytest.mark.parametrize(
    ("turn", "status"),
    [
        ("completed", "cancelled"),
        ("cancelled", "cancelled"),
        ("failed", "failed"),
        ("aborted", "aborted"),
        ("running", "running"),
    ],
)
def test_the_end_of_a_turn_ends_its_running_calls(b: BundleBuilder, turn: str, status: str) -> None:
    b.request("i2", [])
    b.response("i2", [])
    b.turn_ended(turn)
    assert call(b).execution.status == status
    assert call(b, "i2").execution.status == "completed"


COUNTS = {"input_tokens": 5, "cached_input_tokens": 4, "output_tokens": 3, "reasoning_output_tokens": 2}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (COUNTS, Usage(5, 4, 0, 3, 2)),
        ({**COUNTS, "cache_write_input_tokens": 7, "total_tokens": "many"}, Usage(5, 4, 7, 3, 2)),
        ({**COUNTS, "output_tokens": -3, "cache_write_input_tokens": -1}, Usage(5, 4, 0, 0, 2)),
        ({**COUNTS, "cache_write_input_tokens": 1.5}, Usage(5, 4, 0, 3, 2)),
        ({**COUNTS, "input_tokens": 2**63}, None),
        ({**COUNTS, "input_tokens": 2**63 - 1}, Usage(2**63 - 1, 4, 0, 3, 2)),
        ({**COUNTS, "input_tokens": 5.0}, None),
        ({**COUNTS, "input_tokens": True}, None),
        ({**COUNTS, "reasoning_output_tokens": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_usage_is_taken_when_all_counts_are_integers(
    b: BundleBuilder, usage: Json, expected: Usage | None
) -> None:
    b.response("i1", [], usage=usage)
    assert call(b).usage == expected


def test_usage_that_cannot_be_read_leaves_the_earlier_one(b: BundleBuilder) -> None:
    b.response("i1", [], usage=COUNTS)
    b.response("i1", [], usage=None)
    assert call(b).usage == Usage(5, 4, 0, 3, 2)


def test_a_late_answer_does_not_change_the_context_of_a_newer_call(b: BundleBuilder) -> None:
    b.request("i2", [message("a")])
    b.response("i1", [message("late", "assistant")])
    b.request("i3", [message("a"), message("late", "assistant")])
    assert call(b, "i3").request_item_ids == ["conversation_item:1", "conversation_item:3"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "has no input"),
        ([], "has no input"),
        ({"input": {}}, "is not an array"),
        ({"input": None}, "is not an array"),
    ],
)
def test_a_request_has_an_array_of_items(b: BundleBuilder, body: Json, said: str) -> None:
    b.request("i2", [])
    (b.path / "payloads/2.json").write_text(str(body).replace("'", '"').replace("None", "null"))
    assert said in b.only_problem()


def test_a_response_has_an_array_of_items(b: BundleBuilder) -> None:
    b.response("i1", {"no": "array"})  # type: ignore[arg-type]
    problem = b.only_problem()
    assert problem == (
        "trace.jsonl line 4, seq 4, inference_completed: "
        "inference response raw_payload:2 has no array output_items"
    )
    assert b.reduce().trace.inference_calls["i1"].execution.status == "running"


def test_calls_are_started_once_in_aturns_their_thread(b: BundleBuilder) -> None:
    b.request("i1", [])
    assert "inference call i1 was started before" in b.only_problem()
    b.lines.pop()
    b.thread(CHILD, "/root/a")
    b.turns[CHILD] = "turn"
    b.request("i2", [], CHILD)
    assert f"is of thread {CHILD}, but its turn turn belongs to thread" in b.only_problem()
    b.lines.pop()
    b.turns[CHILD] = "nowhere"
    b.request("i2", [], CHILD)
    assert "refers to turn nowhere, which is not known" in b.only_problem()
    b.lines.pop()
    b.raw(ended("i9"))
    assert "inference call i9 ended, but it was never started" in b.only_problem()
