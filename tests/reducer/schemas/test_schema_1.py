"""Rules of trace schema 1 where they are not those of schema 2, one test per rule of `reducer/schemas.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, Json, exec_item, letter, message, state, text
from scenes import activity, begin, call, direct, end, output, stdin_invocation

from reducer.schemas import SCHEMAS, Schema


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    return begun(tmp_path / "bundle", 1)


@pytest.fixture
def newer(tmp_path: Path) -> BundleBuilder:
    return begun(tmp_path / "newer", 2)


def begun(path: Path, schema: int) -> BundleBuilder:
    builder = BundleBuilder(path, schema)
    for thread, agent, turn in ((ROOT, "/root", "turn"), (CHILD, "/root/a", "tc")):
        builder.thread(thread, agent)
        builder.turn(turn, thread)
    return builder


def refused(b: BundleBuilder) -> str:
    """What the reference says to a bundle that lenient replay finds exactly one problem in."""
    (problem,) = b.reduce().problems
    assert problem.reference_says is not None
    assert problem.where() in b.refusal()
    return problem.reference_says


def request_ids(b: BundleBuilder, call_id: str) -> list[str]:
    ids = b.graph().inference_calls[call_id].request_item_ids
    return [one.rpartition(":")[2] for one in ids]


def picture(**more: Json) -> Json:
    content = [{"type": "input_image", "image_url": "data:,"}, text("look")]
    return {"type": "message", "role": "user", "content": content, **more}


def test_every_rule_is_one_in_which_schemas_differ() -> None:
    for name in Schema.__struct_fields__:
        of_each = [getattr(schema, name) for schema in SCHEMAS.values()]
        assert any(rule != of_each[0] for rule in of_each), name


# The log


def test_numbers_rollouts_and_payloads_that_nobody_reads_do_not_matter_to_the_reference(
    b: BundleBuilder,
) -> None:
    b.event("protocol_event_observed", event_type="x", event_payload=b.payload(b"no JSON"))
    for envelope in ({"seq": 9}, {"seq": 9}, {"seq": 0}, {"rollout_id": "other"}):
        b.raw({"type": "rollout_ended", "status": "failed"}, **envelope)
    b.event("rollout_ended", status="aborted")
    assert b.graph().status == "aborted"
    problems = b.reduce().problems
    assert [problem.reference_says for problem in problems] == [None] * len(problems)
    said = [problem.reason for problem in problems]
    assert said[:2] == [
        "the event with seq 6 to 8 is missing here",
        "this seq was there before: 10 should come here",
    ]
    assert "the event belongs to rollout other, the bundle to rollout" in said
    assert "payload raw_payload:1 (payloads/1.json): not valid JSON" in said[-1]
    assert b.reduce().trace == b.graph()


@pytest.mark.parametrize("kind", ["recording_completed", "history_item_accepted", "thread_resumed"])
def test_kinds_of_events_that_only_schema_2_has_are_not_applied(b: BundleBuilder, kind: str) -> None:
    b.raw({"type": kind, "item_id": "m", "thread_id": ROOT}, thread_id=ROOT)
    assert refused(b) == "parse trace event line 5"


def test_the_graph_does_not_say_what_the_log_does_not_tell(b: BundleBuilder) -> None:
    b.request("i1", [exec_item("x"), message("a", id="m")])
    b.tool("x", {"type": "other", "name": "exec"}, call_id="x")
    b.cell("x")
    graph = state(b.graph())
    assert graph["schema_version"] == 1
    assert "recording_complete" not in graph
    assert "started_code_cell_id" not in graph["tool_calls"]["x"]
    assert "responses_item_id" not in graph["conversation_items"]["conversation_item:2"]


# Items


def test_phases_and_content_of_which_nothing_is_taken(b: BundleBuilder) -> None:
    b.request("i1", [message("a", "assistant", phase="partial_answer"), {**message(""), "content": []}])
    items = b.graph().conversation_items
    assert items["conversation_item:1"].channel == "final"
    (part,) = state(b.graph())["conversation_items"]["conversation_item:2"]["body"]["parts"]
    assert part == {"type": "payload_ref", "label": "empty_content", "raw_payload_id": "raw_payload:1"}


def test_a_picture_is_the_same_only_within_one_payload(b: BundleBuilder, newer: BundleBuilder) -> None:
    for builder, seen in ((b, ["2"]), (newer, ["1"])):
        builder.request("i1", [picture()])
        builder.request("i2", [picture()])
        assert request_ids(builder, "i2") == seen
    b.event(
        "compaction_installed",
        ROOT,
        "turn",
        compaction_id="z",
        checkpoint_payload=b.payload({"input_history": [picture()], "replacement_history": []}),
    )
    assert b.graph().compactions["z"].input_item_ids == ["conversation_item:3"]


def test_responses_ids_are_not_looked_at(b: BundleBuilder) -> None:
    b.request("i1", [message("a", id="m1"), message("a", id="m2")])
    b.request("i2", [message("a", id="m2"), message("a", id="m1")])
    assert request_ids(b, "i2") == ["1", "2"]


def test_a_call_id_names_one_output_too(b: BundleBuilder, newer: BundleBuilder) -> None:
    for builder in (b, newer):
        builder.request("i1", [output("c", "one")])
        builder.request("i2", [output("c", "two")])
    assert refused(b) == "model-visible call id c was reused with different content"
    assert request_ids(newer, "i2") == ["2"]


def test_items_of_a_call_come_in_order_of_their_ids_as_text(b: BundleBuilder) -> None:
    b.request("i1", [message(str(number)) for number in range(8)])
    b.request("i2", [call("c"), output("c")])
    b.response("i2", [call("c"), output("c")])
    b.tool("T", call_id="c")
    found = b.graph().tool_calls["T"]
    assert found.model_visible_call_item_ids == ["conversation_item:11", "conversation_item:9"]
    assert found.model_visible_output_item_ids == ["conversation_item:10", "conversation_item:12"]


def test_the_source_of_a_cell_is_the_first_item_as_text(b: BundleBuilder) -> None:
    b.request("i1", [*[message(str(number)) for number in range(8)], exec_item("x")])
    b.response("i1", [exec_item("x")])
    b.cell("x")
    assert b.graph().code_cells["code_cell:x"].source_item_id == "conversation_item:10"


# Lists


def test_position_counts_even_for_an_item_that_was_used(b: BundleBuilder, newer: BundleBuilder) -> None:
    for builder in (b, newer):
        builder.request("i1", [message("a"), message("b")])
        builder.request("i2", [message("b"), message("b")])
    assert request_ids(b, "i2") == ["2", "2"]
    assert request_ids(newer, "i2") == ["2", "3"]


def test_an_item_that_was_used_again_leaves_the_others_to_be_found(b: BundleBuilder) -> None:
    one, two, three = message("1"), message("2"), message("3")
    b.request("i1", [one, two, three])
    b.request("i2", [two, two, one, three])
    found = b.graph().inference_calls["i2"].request_item_ids
    assert found == [f"conversation_item:{number}" for number in (2, 2, 1, 3)]


def test_a_response_is_new_and_follows_the_newest_snapshot(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.request("i2", [message("a"), message("b")])
    b.response("i1", [message("x", "assistant", id="m")], "r1")
    b.response("i2", [message("x", "assistant", id="m")], "r2")
    graph = b.graph()
    assert graph.inference_calls["i2"].response_item_ids == ["conversation_item:4"]
    assert graph.threads[ROOT].conversation_item_ids == [f"conversation_item:{n}" for n in (1, 2, 3, 4)]
    answers = [message("x", "assistant"), message("x", "assistant")]
    b.request("i3", [message("a"), message("b"), *answers, message("c")])
    assert request_ids(b, "i3") == ["1", "2", "3", "4", "5"]


def test_an_answer_after_a_compaction_follows_the_old_snapshot(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.installed("z", [message("a")], [message("short")])
    b.response("i1", [message("x", "assistant")], "r1")
    b.request("i2", [message("c")], previous_response_id="r1")
    assert request_ids(b, "i2") == ["1", "4", "5"]
    b.request("i3", [message("short")])
    assert request_ids(b, "i3") == ["3"]


def test_responses_leave_the_request_of_their_call_alone(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.response("i1", [message("x", "assistant")])
    b.response("i1", [message("y", "assistant")])
    assert request_ids(b, "i1") == ["1"]


def test_an_incremental_request_that_contradicts_the_snapshot(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.response("i1", [], "r1")
    b.request("i2", [message("a"), message("b")])
    b.request("i3", [message("c")], previous_response_id="r1")
    assert refused(b) == (
        f"model conversation mismatch while reducing turn turn for thread {ROOT} at item index 1: existing "
        f"item conversation_item:2 does not match the current model payload item"
    )


# Tools, terminals and agents


def test_the_payload_of_the_runtime_tells_an_mcp_call(b: BundleBuilder) -> None:
    b.tool("T", "exec_command")
    b.runtime_started("T", None, {"invocation": {"server": "s", "tool": "t", "arguments": 1}})
    found = b.graph().tool_calls["T"]
    assert state(b.graph())["tool_calls"]["T"]["kind"] == {"type": "mcp", "server": "s", "tool": "t"}
    assert found.terminal_operation_id is None
    b.runtime_started("T", None, {"invocation": None})
    assert refused(b) == "parse MCP runtime invocation in raw_payload:2"


def test_the_runtime_start_of_any_call_is_read(b: BundleBuilder) -> None:
    b.tool("T", "web")
    b.runtime_started("T", None, b"no JSON")
    assert "parse payload raw_payload:1" in [problem.reference_says for problem in b.reduce().problems]
    assert b.reduce().trace.tool_calls["T"].raw_runtime_payload_ids == []


def test_a_kind_in_the_runtime_start_is_an_unknown_field(b: BundleBuilder) -> None:
    b.tool("T", "exec_command")
    ref = b.payload(begin())
    b.event("tool_call_runtime_started", tool_call_id="T", kind=5, runtime_payload=ref)
    assert b.graph().tool_calls["T"].terminal_operation_id == "terminal_operation:1"


@pytest.mark.parametrize("arguments", ["{", "{}", '{"session_id":true}', '{"session_id":1,"chars":null}'])
def test_a_write_must_be_sound(b: BundleBuilder, arguments: str) -> None:
    payload = {"type": "function", "arguments": arguments}
    b.tool("w", "write_stdin", invocation={"tool_name": "write_stdin", "payload": payload})
    assert refused(b) == "parse terminal invocation payload raw_payload:1 as dispatch payload"


def test_a_write_with_a_namespace_is_a_write(b: BundleBuilder, newer: BundleBuilder) -> None:
    for builder in (b, newer):
        invocation = {**stdin_invocation(7, "x"), "tool_namespace": "n"}
        builder.tool("w", "write_stdin", invocation=invocation)
    assert b.graph().tool_calls["w"].terminal_operation_id == "terminal_operation:1"
    assert newer.graph().tool_calls["w"].terminal_operation_id is None


def test_the_end_of_an_mcp_call_is_read_too(b: BundleBuilder) -> None:
    b.tool("T", {"type": "mcp", "server": 's"', "tool": "t"})
    b.runtime_ended("T", activity("started", CHILD, "/root/a"))
    says = r'sub-agent activity Started does not match tool call kind Mcp { server: "s\"", tool: "t" }'
    assert refused(b) == says


def test_a_letter_that_only_a_response_held_delivers(b: BundleBuilder) -> None:
    b.request("ia", [], CHILD)
    b.response("ia", [letter("hurry", "/root", "/root/a")])
    b.tool("send", "send_message")
    older = {"call_id": "c", "sender_thread_id": ROOT, "receiver_thread_id": CHILD, "prompt": "hurry"}
    b.runtime_started("send", None, older)
    (edge,) = b.graph().interaction_edges.values()
    assert edge.carried_item_ids == ["conversation_item:1"]


def test_the_end_of_a_command_names_its_process_or_the_one_it_moved_to(b: BundleBuilder) -> None:
    b.tool("c", "exec_command")
    b.runtime_started("c", None, begin("1"))
    b.tool("w", "write_stdin", invocation=stdin_invocation(2, "x"))
    b.event("stdin_target_resolved", ROOT, "turn", tool_call_id="w", exec_tool_call_id="c")
    b.runtime_ended("w", end("1"))
    graph = b.graph()
    assert list(graph.terminal_sessions) == ["terminal_session:terminal_operation:1"]
    b.tool_ended("c", direct("done"))
    assert b.graph().terminal_operations["terminal_operation:1"].result is None
