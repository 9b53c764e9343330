"""Rules of trace schema 3 where they are not those of schema 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, Json, letter, message, state
from scenes import (
    HOLE,
    SPAWN_INVOCATION,
    accepted_output,
    activity,
    call,
    lost,
    output,
    started,
    with_holes,
)
from sharded_builder import ShardedBuilder


@pytest.fixture
def b(tmp_path: Path) -> ShardedBuilder:
    builder = ShardedBuilder(tmp_path / "bundle")
    for thread, agent, turn in ((ROOT, "/root", "turn"), (CHILD, "/root/a", "tc")):
        builder.thread(thread, agent)
        builder.turn(turn, thread)
    return builder


def refused(b: BundleBuilder) -> str | None:
    """What the reference says to a bundle whose first problem refuses it."""
    first = b.reduce().problems[0]
    assert b.refusal() == f"{first.where()}: {first.reason}"
    return first.reference_says


def parts_of(b: ShardedBuilder, number: int = 1) -> list[Json]:
    return state(b.graph())["conversation_items"][f"conversation_item:{number}"]["body"]["parts"]


def order(b: ShardedBuilder) -> list[int]:
    """Numbers of the root thread's items, in the order of the thread."""
    ids = b.graph().threads[ROOT].conversation_item_ids
    return [int(one.rpartition(":")[2]) for one in ids]


# The log


@pytest.mark.parametrize("schema", [2, 3])
@pytest.mark.parametrize(
    "envelope", [{}, {"seq": 9}, {"seq": 1}, {"rollout_id": "other"}, {"schema_version": 1}], ids=str
)
def test_of_a_line_after_the_end_nothing_else_is_looked_at(
    schema: int, envelope: Json, tmp_path: Path
) -> None:
    b = ShardedBuilder(tmp_path / "bundle") if schema == 3 else BundleBuilder(tmp_path / "bundle", schema)
    b.event("recording_completed")
    b.raw({"type": "rollout_ended", "status": "failed"}, **envelope)
    assert refused(b) == "trace event after recording completed"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"no JSON", "trace event after recording completed"),
        (b"\xff", "read trace event line 6"),
    ],
)
def test_a_broken_line_after_the_end(b: ShardedBuilder, line: bytes, said: str) -> None:
    b.event("recording_completed")
    b.line(line)
    assert refused(b) == said


# References


def test_of_parts_that_conflict_the_last_is_named(b: ShardedBuilder) -> None:
    known = [b.payload({"n": number}) for number in range(4)]
    b.observe(*known)
    first, second, third, fourth = ({**ref, "kind": {"type": "model_item"}} for ref in known)
    inner = b.payload(["[", ",", "]"], parts=[first, second])
    b.observe(b.payload(["[", ",", "]"], parts=[inner, third]), fourth)
    problems = [problem.reference_says for problem in b.reduce().problems]
    conflicts = [f"conflicting references for payload {ref['raw_payload_id']}" for ref in known]
    assert problems == [conflicts[2], conflicts[1], conflicts[0], conflicts[3]]
    assert refused(b) == conflicts[2]


# Holes


def test_a_payload_with_holes_that_is_no_json_is_refused_in_words_that_are_not_known(
    b: ShardedBuilder,
) -> None:
    part = lost(b.payload(b"{", "model_item"), 1)
    started(b, "i1", b.payload(['{"input":[', ",Infinity]}"], "inference_request", parts=[part]))
    assert refused(b) is None
    assert "not valid JSON" in b.reduce().problems[0].reason


LOST_TEXTS = [
    {"type": "input_text", "text": HOLE},
    {"type": "encrypted_content", "text": HOLE, "encrypted_content": "sealed"},
    {"type": "hologram", "text": HOLE},
    {"type": HOLE, "text": HOLE},
    {"text": HOLE, "more": 2**70},
]


@pytest.mark.parametrize("element", LOST_TEXTS, ids=str)
def test_a_letter_may_have_lost_its_text_whatever_the_type(b: ShardedBuilder, element: Json) -> None:
    item = {**letter("", "/root", "/root/a"), "content": [element]}
    started(b, "i1", with_holes(b, {"input": [item]}))
    (part,) = parts_of(b)
    assert (part["type"], part["label"]) == ("payload_ref", "text")
    lost_ids = [one for one, ref in state(b.graph())["raw_payloads"].items() if "capture" in ref]
    assert part["raw_payload_id"] in lost_ids


@pytest.mark.parametrize("element", [["input_text", HOLE], {"type": HOLE, "text": "x"}, HOLE], ids=str)
def test_what_else_a_letter_may_not_have_lost(b: ShardedBuilder, element: Json) -> None:
    item = {**letter("", "/root", "/root/a"), "content": [element]}
    started(b, "i1", with_holes(b, {"input": [item]}))
    assert "an agent_message item in payload" in b.refusal()


# Requests


def test_ids_of_outputs_are_given_to_outputs_only(b: ShardedBuilder) -> None:
    request = b.payload({"input": [call("c"), output("c"), output("c")]}, "inference_request")
    started(b, "i1", request, stripped_tool_output_ids=[[2, "o2"], [1, "o1"]])
    items = b.graph().conversation_items
    assert [items[f"conversation_item:{n}"].responses_item_id for n in (1, 2, 3)] == [None, "o1", "o2"]


@pytest.mark.parametrize("item", [call("c"), {**output("c"), "id": None}, {"type": HOLE}, {"type": ["x"]}, 5])
def test_ids_of_outputs_that_fit_nothing(b: ShardedBuilder, item: Json) -> None:
    started(b, "i1", with_holes(b, {"input": [item]}), stripped_tool_output_ids=[[0, "o"]])
    assert refused(b) == "stripped tool output ID does not refer to an ID-less output at input 0"


def test_positions_of_outputs_have_64_bits(b: ShardedBuilder) -> None:
    request = b.payload({"input": [output("c")]}, "inference_request")
    started(b, "i1", request, stripped_tool_output_ids=[[2**64 - 1, "o"]])
    assert refused(b) == "stripped tool output index outside request"
    b.lines[-1] = b.lines[-1].replace(b"%d" % (2**64 - 1), b"%d" % 2**64)
    assert refused(b) == "parse trace event line 5"


def test_a_context_stands_for_the_request(b: ShardedBuilder) -> None:
    request = b.payload({"input": [], "previous_response_id": "unknown"}, "inference_request")
    context = b.payload({"input": [message("warm")]}, "warmup_context")
    started(b, "i1", request, warmup_context_payload=context)
    assert b.graph().inference_calls["i1"].request_item_ids == ["conversation_item:1"]


def test_after_a_hole_all_that_follows_is_new(b: ShardedBuilder) -> None:
    started(b, "i1", with_holes(b, {"input": [message(HOLE)]}))
    b.response("i1", [message("a", "assistant")], "resp")
    for call_id in ("i2", "i3"):
        b.request(call_id, [message("more")], previous_response_id="resp")
    calls = b.graph().inference_calls
    new = [calls[call_id].request_item_ids[2:] for call_id in ("i2", "i3")]
    assert new == [["conversation_item:3"], ["conversation_item:4"]]


def test_a_hole_in_the_response_counts_too_but_only_in_the_call_before(b: ShardedBuilder) -> None:
    b.request("i1", [message("a")])
    answer = {"output_items": [message(HOLE, "assistant")]}
    b.event(
        "inference_completed",
        inference_call_id="i1",
        response_id="r1",
        response_payload=with_holes(b, answer, "inference_response"),
    )
    b.request("i2", [message("b")], previous_response_id="r1")
    b.request("i3", [message("b")], previous_response_id="r1")
    b.response("i3", [], "r3")
    for call_id in ("i4", "i5"):
        b.request(call_id, [message("c")], previous_response_id="r3")
    calls = b.graph().inference_calls
    last = [calls[call_id].request_item_ids[-1] for call_id in ("i2", "i3", "i4", "i5")]
    assert last == [f"conversation_item:{number}" for number in (3, 4, 5, 5)]


def test_a_lost_request_leaves_the_context_as_it_is(b: ShardedBuilder) -> None:
    b.request("i1", [message("a")])
    started(b, "i2", lost(b.payload(b"{", "inference_request"), 1))
    b.request("i3", [message("a")])
    calls = b.graph().inference_calls
    assert calls["i2"].request_item_ids == []
    assert calls["i3"].request_item_ids == calls["i1"].request_item_ids
    assert b.graph().recording_status == "unclosed"
    b.event("recording_completed")
    assert b.graph().recording_status == "closed_with_partial_payloads"


def test_the_payloads_of_a_request_are_what_their_names_say(b: ShardedBuilder) -> None:
    started(b, "i1", b.payload({"input": []}, "warmup_context"))
    assert refused(b) == "inference i1 has mislabeled request evidence"


def test_a_warmup_context_is_labelled_as_one(b: ShardedBuilder) -> None:
    request = b.payload({"input": [], "previous_response_id": "gone"}, "inference_request")
    started(b, "i1", request, warmup_context_payload=b.payload({"input": []}, "inference_request"))
    assert refused(b) == "inference i1 has mislabeled request evidence"


def test_reasoning_that_can_be_read_keeps_what_it_lost(b: ShardedBuilder) -> None:
    """Another copy completes it only where a text or a summary is missing."""
    thought = {
        "type": "reasoning",
        "content": [{"type": "reasoning_text", "text": "a"}],
        "summary": [{"type": "summary_text", "text": HOLE}, {"type": "summary_text", "text": "s"}],
        "encrypted_content": "e",
    }
    for name in ("i1", "i2"):
        started(b, name, with_holes(b, {"input": [thought]}))
    assert [part["type"] for part in parts_of(b)] == ["text", "payload_ref", "summary", "encoded"]
    assert order(b) == [1]


# Receipts


JSON_OUTPUT = {**output("c", {"b": 1}), "id": "o"}


def test_new_items_move_before_an_accepted_output(b: ShardedBuilder) -> None:
    accepted_output(b, JSON_OUTPUT)
    b.request("i1", [message("a"), call("c"), JSON_OUTPUT, message("z")])
    assert order(b) == [2, 3, 1, 4]


def test_each_accepted_output_ends_a_run_of_new_items(b: ShardedBuilder) -> None:
    accepted_output(b, JSON_OUTPUT)
    accepted_output(b, {**output("d"), "id": "p"})
    b.request("i1", [message("a"), JSON_OUTPUT, message("b"), {**output("d"), "id": "p"}])
    assert order(b) == [3, 1, 4, 2]


@pytest.mark.parametrize("waits", [True, False], ids=["the edge first", "the letters first"])
def test_a_letter_that_moves_delivers_at_its_new_place(b: ShardedBuilder, waits: bool) -> None:
    def sent() -> None:
        b.tool("T", "send_message", CHILD)
        told = {"call_id": "c", "sender_thread_id": CHILD, "receiver_thread_id": ROOT, "prompt": "hello"}
        b.runtime_ended("T", {**told, "status": "running"})

    accepted_output(b, JSON_OUTPUT)
    if waits:
        sent()
    new, accepted = (letter("hello", "/root/a", "/root", id=name) for name in ("new", "accepted"))
    if not waits:
        b.accepted("accepted", accepted)
    b.request("i1", [new, JSON_OUTPUT])
    if not waits:
        sent()
    graph = b.graph()
    assert order(b) == ([2, 1] if waits else [3, 1, 2])
    first = graph.threads[ROOT].conversation_item_ids[0]
    assert graph.interaction_edges["edge:tool:T"].carried_item_ids == [first]


def test_new_items_do_not_move_before_an_accepted_letter(b: ShardedBuilder) -> None:
    sent = letter("hello", "/root/a", "/root", id="l")
    b.accepted("l", sent)
    b.request("i1", [message("a"), sent])
    assert order(b) == [1, 2]


def test_of_two_payloads_of_a_receipt_the_letter_counts(b: ShardedBuilder) -> None:
    sent = letter("hello", "/root/a", "/root", id="o")
    payloads = {"agent_message_payload": b.payload(sent), "tool_output_payload": b.payload(JSON_OUTPUT)}
    b.event("history_item_accepted", ROOT, "turn", item_id="o", **payloads)
    assert b.graph().conversation_items["conversation_item:1"].agent_message is not None


def test_a_message_with_its_id_does_not_stand_for_an_accepted_output(b: ShardedBuilder) -> None:
    b.request("i1", [message("a", id="o"), {"type": "configuration_update"}])
    accepted_output(b, JSON_OUTPUT)
    accepted_output(b, {**JSON_OUTPUT, "output": "not read any more"})
    kinds = [item.kind for item in b.graph().conversation_items.values()]
    assert kinds == ["message", "function_call_output"]


def seen_in(b: ShardedBuilder, how: str) -> None:
    """An accepted output is shown in the request, or in the response, where it is found by its id."""
    b.request("i1", [JSON_OUTPUT] if how == "request" else [])
    if how == "response":
        b.response("i1", [JSON_OUTPUT])


@pytest.mark.parametrize("how", ["request", "response"])
def test_an_accepted_output_has_the_body_of_its_first_sighting(b: ShardedBuilder, how: str) -> None:
    accepted_output(b, JSON_OUTPUT)
    seen_in(b, how)
    (call_,) = state(b.graph())["inference_calls"].values()
    payload = call_["raw_request_payload_id" if how == "request" else "raw_response_payload_id"]
    (part,) = parts_of(b)
    assert (part["type"], part["raw_payload_id"]) == ("json", payload)


def test_only_the_first_sighting_with_the_id_gives_the_body(b: ShardedBuilder) -> None:
    accepted_output(b, JSON_OUTPUT)
    b.request("i1", [])
    without_id = {key: value for key, value in JSON_OUTPUT.items() if key != "id"}
    b.response("i1", [without_id, message("brings the id", id="o")])
    receipt = parts_of(b)[0]["raw_payload_id"]
    assert receipt == "raw_payload:1"
    b.request("i2", [JSON_OUTPUT])
    second = b.graph().inference_calls["i2"].raw_request_payload_id
    b.request("i3", [JSON_OUTPUT])
    assert parts_of(b)[0]["raw_payload_id"] == second


# Deliveries, cells and waits


def test_mail_in_json_is_an_ordinary_message(b: ShardedBuilder) -> None:
    b.tool("T", "spawn_agent", invocation=SPAWN_INVOCATION)
    b.runtime_ended("T", activity("started", CHILD, "/root/a"))
    mail = '{"author":"/root","recipient":"/root/a","content":"look around"}'
    b.request("i1", [message(mail, "assistant")], CHILD)
    b.request("i2", [letter("look around", "/root", "/root/a")], CHILD)
    (edge,) = state(b.graph())["interaction_edges"].values()
    assert edge["target"]["item_id"] == "conversation_item:2"


def test_events_of_cells_name_the_thread(b: ShardedBuilder) -> None:
    b.raw(
        {"type": "code_cell_started", "runtime_cell_id": "1", "model_visible_call_id": "x", "source_js": "1"},
        codex_turn_id="turn",
    )
    assert refused(b) == "code cell start 1 did not include a thread id"


def test_what_a_wait_waits_for_is_told_by_an_event(b: ShardedBuilder) -> None:
    b.request("i1", [{"type": "custom_tool_call", "call_id": "x", "name": "exec", "input": "1"}])
    b.cell("x")
    b.tool("w")
    b.event("code_cell_wait_target_resolved", ROOT, "turn", tool_call_id="w", runtime_cell_id="1")
    graph = b.graph()
    assert graph.tool_calls["w"].resolved_wait_runtime_cell_id == "1"
    assert graph.code_cells["code_cell:x"].wait_tool_call_ids == ["w"]
    b.event("code_cell_wait_target_resolved", ROOT, "turn", tool_call_id="w", runtime_cell_id="2")
    assert refused(b) == "duplicate confirmed wait target for w"


@pytest.mark.parametrize("kind", ["write_stdin", "exec_command"])
def test_a_second_start_in_a_terminal_is_refused_even_if_it_is_lost(b: ShardedBuilder, kind: str) -> None:
    arguments = {"type": "function", "arguments": '{"session_id":7,"chars":"y"}'}
    b.tool("t", "write_stdin", invocation={"tool_name": "write_stdin", "payload": arguments})
    ref = lost(b.payload(b"{", "tool_runtime_event"), 1)
    b.event("tool_call_runtime_started", tool_call_id="t", kind={"type": kind}, runtime_payload=ref)
    assert refused(b) == "tool runtime start would create a second terminal operation for t"


def test_a_start_that_is_lost_makes_no_operation_and_so_is_no_second_one(b: ShardedBuilder) -> None:
    b.tool("t", "exec_command")
    for _ in range(2):
        ref = lost(b.payload(b"{", "tool_runtime_event"), 1)
        b.event(
            "tool_call_runtime_started", tool_call_id="t", kind={"type": "exec_command"}, runtime_payload=ref
        )
    b.runtime_started("t", "exec_command", {"process_id": "7", "command": ["ls"], "cwd": "/"})
    assert len(b.graph().terminal_operations) == 1
