from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, compact, letter, message

from reducer.model import ConversationItem, EncodedPart, RolloutTrace, SummaryPart, TextPart

Json = Any


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def numbers(ids: list[str]) -> list[int]:
    return [int(one.rpartition(":")[2]) for one in ids]


def shown(graph: RolloutTrace, call: str) -> list[int]:
    return numbers(graph.inference_calls[call].request_item_ids)


def listed(graph: RolloutTrace, thread: str = ROOT) -> list[int]:
    return numbers(graph.threads[thread].conversation_item_ids)


def item(graph: RolloutTrace, number: int) -> ConversationItem:
    return graph.conversation_items[f"conversation_item:{number}"]


def test_a_repeated_history_is_the_same_items(b: BundleBuilder) -> None:
    b.request("i1", [message("a"), message("b")])
    b.request("i2", [message("a"), message("b"), message("c")])
    graph = b.graph()
    assert shown(graph, "i1") == [1, 2]
    assert shown(graph, "i2") == [1, 2, 3]
    assert item(graph, 3).first_seen_at_unix_ms == 1004


def test_moved_items_are_found_and_each_is_used_once(b: BundleBuilder) -> None:
    b.request("i1", [message("a"), message("a"), message("b")])
    b.request("i2", [message("b"), message("a"), message("a"), message("a")])
    assert shown(b.graph(), "i2") == [3, 2, 1, 4]


def test_what_left_the_context_does_not_come_back(b: BundleBuilder) -> None:
    b.request("i1", [message("a"), message("b")])
    b.request("i2", [message("a")])
    b.request("i3", [message("a"), message("b")])
    assert shown(b.graph(), "i3") == [1, 3]


def test_contradicting_ids_keep_equal_content_apart(b: BundleBuilder) -> None:
    b.request("i1", [message("a", id="x"), message("a", id="y")])
    b.request("i2", [message("a", id="y"), message("a"), message("a", id="z")])
    assert shown(b.graph(), "i2") == [2, 1, 3]


def test_an_item_adopts_the_id_it_is_seen_with(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.accepted("x")
    b.request("i2", [message("a", id="x")])
    found = item(b.graph(), 1)
    assert (found.responses_item_id, found.accepted_seq, found.accepted_at_unix_ms) == ("x", 4, 1004)


def test_only_the_first_receipt_counts(b: BundleBuilder) -> None:
    b.accepted("x")
    b.accepted("x")
    b.request("i1", [message("a", id="x"), message("b", id="x")])
    b.accepted("x")
    assert [one.accepted_seq for one in b.graph().conversation_items.values()] == [3, 3]


def test_receipts_are_of_one_thread(b: BundleBuilder) -> None:
    b.thread(CHILD, "/root/a")
    b.turn("tc", CHILD)
    b.accepted("x", thread=CHILD)
    b.request("i1", [message("a", id="x")])
    assert item(b.graph(), 1).accepted_seq is None


def test_a_response_item_is_listed_when_it_is_accepted_or_sent_back(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    answers = [message("x", "assistant", id="x"), message("y", "assistant", id="y")]
    b.response("i1", [*answers, message("z", "assistant")])
    assert listed(b.graph()) == [1]
    b.accepted("y")
    assert listed(b.graph()) == [1, 3]
    b.request("i2", [message("a"), answers[0]])
    graph = b.graph()
    assert listed(graph) == [1, 2, 3]
    assert shown(graph, "i2") == [1, 2]
    assert item(graph, 2).produced_by == item(graph, 3).produced_by != []


def test_a_letter_is_made_by_its_receipt_and_completed_by_its_sighting(b: BundleBuilder) -> None:
    first = letter("early", "/root/a", "/root", id="x")
    b.accepted("x", first)
    graph = b.graph()
    assert item(graph, 1).codex_turn_id == "turn"
    assert item(graph, 1).accepted_seq == 3
    assert listed(graph) == [1]
    b.request("i1", [letter("late", "/other", "/elsewhere", id="x")])
    graph = b.graph()
    assert shown(graph, "i1") == [1]
    assert item(graph, 1).body.parts == [TextPart("late")]
    assert item(graph, 1).agent_message == item(graph, 1).agent_message
    assert item(graph, 1).agent_message is not None
    assert item(graph, 1).first_seen_at_unix_ms == 1003
    assert "/root/a" in str(item(graph, 1).agent_message)


def test_a_letter_that_is_known_is_not_read_again(b: BundleBuilder) -> None:
    b.request("i1", [message("a", id="x")])
    b.accepted("x", b'{"type":"nonsense"}')
    assert item(b.graph(), 1).accepted_seq == 4


@pytest.mark.parametrize(
    ("announced", "said"),
    [
        (letter("x", "/root/a", "/root", id="y"), "is not the one of receipt x"),
        (letter("x", "/root/a", "/root"), "is not the one of receipt x"),
        (message("x", "assistant", id="x"), "is not the one of receipt x"),
        (
            {"type": "function_call_output", "call_id": "c", "output": "x", "id": "x"},
            "is not the one of receipt x",
        ),
        ({"type": "additional_tools"}, "unsupported type"),
        (b"{", "payload raw_payload:1 (payloads/1.json): "),
    ],
)
def test_a_receipt_announces_its_own_letter(b: BundleBuilder, announced: Json, said: str) -> None:
    b.accepted("x", announced)
    assert said in b.refusal()
    assert b.reduce().trace.conversation_items == {}


def test_of_known_items_with_its_id_a_response_repeats_the_first_of_the_thread(b: BundleBuilder) -> None:
    """Not the first as text, in which `conversation_item:10` is before `conversation_item:2`."""
    said = message("said", "assistant", id="x")
    b.request("i1", [message("a"), said, *(message(str(number)) for number in range(7)), said])
    b.response("i1", [said])
    assert b.graph().inference_calls["i1"].response_item_ids == ["conversation_item:2"]


def test_a_receipt_is_for_a_known_thread(b: BundleBuilder) -> None:
    b.event("history_item_accepted", item_id="x")
    assert "has no thread" in b.refusal()
    b.lines.pop()
    b.event("history_item_accepted", CHILD, item_id="x")
    assert f"thread {CHILD} is not known" in b.only_problem()


def reasoning(sealed: str | None = "e", text: str | None = None, summary: str | None = None) -> Json:
    fields: Json = {"type": "reasoning"}
    if text is not None:
        fields["content"] = [{"type": "reasoning_text", "text": text}]
    if summary is not None:
        fields["summary"] = [{"type": "summary_text", "text": summary}]
    return {**fields, "encrypted_content": sealed}


def test_reasoning_is_completed_by_its_other_copies(b: BundleBuilder) -> None:
    b.request("i1", [reasoning()])
    b.request("i2", [reasoning(summary="s")])
    b.request("i3", [reasoning(text="t", summary="other")])
    b.request("i4", [reasoning(text="u", summary="v")])
    graph = b.graph()
    assert len(graph.conversation_items) == 1
    sealed = EncodedPart("encrypted_content", "e")
    assert item(graph, 1).body.parts == [TextPart("t"), SummaryPart("s"), sealed]


def test_the_text_that_was_stored_first_stays(b: BundleBuilder) -> None:
    b.request("i1", [reasoning(text="t")])
    b.request("i2", [reasoning(text="u", summary="s")])
    sealed = EncodedPart("encrypted_content", "e")
    assert item(b.graph(), 1).body.parts == [TextPart("t"), SummaryPart("s"), sealed]


def test_a_call_id_names_one_call(b: BundleBuilder) -> None:
    call = {"type": "function_call", "call_id": "c", "arguments": "{}"}
    b.request("i1", [call, {**call, "type": "custom_tool_call", "input": "x"}])
    b.thread(CHILD, "/root/a")
    b.turn("tc", CHILD)
    b.request("i2", [{**call, "arguments": "[]"}], CHILD)
    b.request("i3", [{**call, "arguments": "[]"}])
    problem = b.only_problem()
    assert "trace.jsonl line 7" in problem
    assert "call id c was used before with different content" in problem


def test_outputs_of_one_call_may_differ(b: BundleBuilder) -> None:
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    b.request("i1", [output, {**output, "output": "y"}])
    assert shown(b.graph(), "i1") == [1, 2]


# Incremental requests


def test_an_incremental_request_shows_what_came_before(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.response("i1", [message("b", "assistant")], "r1")
    b.request("i2", [message("c")], previous_response_id="r1")
    graph = b.graph()
    assert shown(graph, "i2") == [1, 2, 3]
    assert listed(graph) == [1, 2, 3]


def test_an_older_response_is_continued_along_the_snapshot(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.response("i1", [], "r1")
    b.request("i2", [message("b")], previous_response_id="r1")
    b.request("i3", [message("b"), message("c")], previous_response_id="r1")
    assert shown(b.graph(), "i3") == [1, 2, 3]
    b.request("i4", [message("x")], previous_response_id="r1")
    problem = b.only_problem()
    assert "item 1 of the context" in problem
    assert "is not conversation_item:2, which stood there before" in problem


def test_what_stands_in_the_snapshot_has_no_other_id(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.response("i1", [], "r1")
    b.request("i2", [{**message("b"), "id": "m1"}], previous_response_id="r1")
    b.request("i3", [message("b")], previous_response_id="r1")
    assert shown(b.graph(), "i3") == [1, 2]
    b.request("i4", [{**message("b"), "id": "m2"}], previous_response_id="r1")
    assert "is not conversation_item:2, which stood there before" in b.only_problem()


def test_a_response_is_looked_up_in_the_same_thread_only(b: BundleBuilder) -> None:
    b.thread(CHILD, "/root/a")
    b.turn("tc", CHILD)
    b.request("i1", [message("a")], CHILD)
    b.response("i1", [], "r1")
    b.request("i2", [message("b")], previous_response_id="r1")
    problem = b.only_problem()
    assert "trace.jsonl line 7, seq 7, inference_started" in problem
    assert "continues response r1, which no call of its thread gave" in problem
    b.lines.pop()
    b.request("i2", [message("b")], CHILD, previous_response_id="r1")
    assert shown(b.graph(), "i2") == [1, 2]


def test_of_calls_with_the_same_response_id_the_smallest_is_continued(b: BundleBuilder) -> None:
    for call, said in (("i9", "a"), ("i10", "b")):
        b.request(call, [message(said)])
        b.response(call, [], "r1")
    b.request("i3", [], previous_response_id="r1")
    assert shown(b.graph(), "i3") == [2]


@pytest.mark.parametrize("previous", [None, 5, ["r1"]])
def test_a_previous_response_that_is_no_text_is_none(b: BundleBuilder, previous: Json) -> None:
    b.request("i1", [message("a")], previous_response_id=previous)
    assert shown(b.graph(), "i1") == [1]


def test_a_response_repeats_items_by_their_ids(b: BundleBuilder) -> None:
    b.request("i1", [message("a", "assistant", id="x"), message("b", "assistant", id="y")])
    b.response(
        "i1", [message("a", "assistant", id="x"), message("b", "assistant"), message("c", "assistant")]
    )
    graph = b.graph()
    assert numbers(graph.inference_calls["i1"].response_item_ids) == [1, 3, 4]
    b.response("i1", [message("b", "assistant"), message("z", "assistant", id="y")])
    assert numbers(b.graph().inference_calls["i1"].response_item_ids) == [2, 5]


def test_a_deep_request_is_refused_and_a_deep_unread_payload_is_not(b: BundleBuilder) -> None:
    b.event("protocol_event_observed", event_type="x", event_payload=b.payload(b"[" * 500 + b"]" * 500))
    assert b.graph()
    b.request("i1", [message("a")], x=None)
    (b.path / "payloads/2.json").write_bytes(
        compact({"input": []})[:-1] + b',"x":' + b"[" * 127 + b"]" * 127 + b"}"
    )
    assert "nests more than 127 levels" in b.only_problem()
