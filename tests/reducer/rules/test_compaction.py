from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, letter, message

from reducer.model import CompactionProducer, TextPart

Json = Any


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def items(*numbers: int) -> list[str]:
    return [f"conversation_item:{number}" for number in numbers]


def test_a_compaction_replaces_the_history(b: BundleBuilder) -> None:
    b.request("i1", [message("a"), message("b")])
    b.installed("z", [message("b"), message("new")], [message("a"), message("sum")])
    graph = b.graph()
    found = graph.compactions["z"]
    assert found.input_item_ids == items(2, 3)
    assert found.marker_item_id == "conversation_item:4"
    assert found.replacement_item_ids == items(5, 6)
    assert graph.threads[ROOT].conversation_item_ids == items(1, 2, 3, 4, 5, 6)
    marker = graph.conversation_items["conversation_item:4"]
    assert (marker.kind, marker.role, marker.channel, marker.body.parts) == (
        "compaction_marker",
        "assistant",
        None,
        [],
    )
    for number in (4, 5, 6):
        made = graph.conversation_items[f"conversation_item:{number}"]
        assert made.produced_by == [CompactionProducer("z")]
    assert graph.conversation_items["conversation_item:3"].produced_by == []


def test_the_next_full_request_is_compared_with_the_replacement_only(b: BundleBuilder) -> None:
    b.request("i1", [message("a"), message("b")])
    b.response("i1", [message("c", "assistant")], "r1")
    b.installed("z", [message("a")], [message("a"), message("sum")])
    b.request("i2", [message("x")], previous_response_id="r1")
    b.response("i2", [message("y", "assistant")])
    b.request("i3", [message("a"), message("b"), message("sum")])
    b.request("i4", [message("a"), message("b"), message("sum")])
    graph = b.graph()
    assert graph.inference_calls["i2"].request_item_ids == items(1, 2, 3, 7)
    assert graph.inference_calls["i3"].request_item_ids == items(5, 9, 6)
    assert graph.inference_calls["i4"].request_item_ids == items(5, 9, 6)


def test_a_letter_announced_by_a_receipt_survives_the_compaction(b: BundleBuilder) -> None:
    b.accepted("x", letter("early", "/root/a", "/root", id="x"))
    b.installed("z", [], [letter("late", "/root/a", "/root", id="x")])
    graph = b.graph()
    assert graph.compactions["z"].replacement_item_ids == items(1)
    assert graph.conversation_items["conversation_item:1"].body.parts == [TextPart("late")]


def request_event(kind: str, request: str, compaction: str = "z", **fields: Json) -> Json:
    ids = {"compaction_id": compaction, "compaction_request_id": request}
    return {"type": f"compaction_request_{kind}", **ids, **fields}


def start(b: BundleBuilder, request: str, **fields: Json) -> None:
    place = {"thread_id": ROOT, "codex_turn_id": "turn", "model": "m", "provider_name": "p"}
    b.raw(request_event("started", request, **{**place, "request_payload": b.payload({}), **fields}))


def test_requests_are_counted_with_their_compaction(b: BundleBuilder) -> None:
    start(b, "q10")
    start(b, "q9")
    b.raw(request_event("completed", "q10", response_payload=b.payload({})))
    b.raw(request_event("failed", "q9", error="busy"))
    b.installed("z", [], [])
    start(b, "q1")
    graph = b.graph()
    assert graph.compactions["z"].request_ids == ["q10", "q9"]
    ends = {key: one.execution.status for key, one in graph.compaction_requests.items()}
    assert ends == {"q10": "completed", "q9": "failed", "q1": "running"}
    assert graph.compaction_requests["q10"].raw_response_payload_id == "raw_payload:3"
    b.raw(request_event("failed", "q10", error="after all"))
    assert b.graph().compaction_requests["q10"].raw_response_payload_id is None


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (request_event("failed", "q9", error="e"), "request q9 ended, but it was never started"),
        (request_event("failed", "q1", "y", error="e"), "ended for compaction y, but started for z"),
    ],
)
def test_ends_of_requests_fit(b: BundleBuilder, event: Json, said: str) -> None:
    start(b, "q1")
    b.raw(event)
    assert said in b.only_problem()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "was started before"),
        ({"compaction_request_id": "q2", "thread_id": "x"}, "thread x is not known"),
        ({"compaction_request_id": "q2", "codex_turn_id": "x"}, "refers to turn x"),
        ({"compaction_request_id": "q2", "thread_id": CHILD}, "belongs to thread"),
    ],
)
def test_starts_of_requests_fit(b: BundleBuilder, fields: Json, said: str) -> None:
    b.thread(CHILD, "/root/a")
    start(b, "q1")
    start(b, "q1", **fields)
    assert said in b.only_problem()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"input_history": []}, "has no array replacement_history"),
        ({"input_history": {}, "replacement_history": []}, "has no array input_history"),
        ([], "has no array input_history"),
        ({"input_history": [message("a")], "replacement_history": [{"type": "x"}]}, "unsupported type x"),
    ],
)
def test_a_checkpoint_has_two_histories(b: BundleBuilder, body: Json, said: str) -> None:
    checkpoint = b.payload(body, "compaction_checkpoint")
    b.event("compaction_installed", ROOT, "turn", compaction_id="z", checkpoint_payload=checkpoint)
    assert said in b.only_problem()
    assert b.reduce().trace.conversation_items == {}


@pytest.mark.parametrize(
    ("thread", "turn", "said"),
    [
        (None, "turn", "names no thread"),
        (ROOT, None, "names no turn"),
        ("x", "turn", "thread x is not known"),
        (ROOT, "x", "refers to turn x"),
        (CHILD, "turn", "belongs to thread"),
    ],
)
def test_a_compaction_has_its_place(
    b: BundleBuilder, thread: str | None, turn: str | None, said: str
) -> None:
    b.thread(CHILD, "/root/a")
    checkpoint = b.payload({"input_history": [], "replacement_history": []})
    b.event("compaction_installed", thread, turn, compaction_id="z", checkpoint_payload=checkpoint)
    assert said in b.only_problem()


def test_a_compaction_is_installed_once(b: BundleBuilder) -> None:
    b.installed("z", [], [])
    b.installed("z", [], [])
    assert "compaction z was installed before" in b.only_problem()
