from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, exec_item, message
from scenes import output

from reducer.model import CellProducer, CodeCell, ToolProducer

Json = Any
WAIT = {"tool_name": "wait", "payload": {"type": "function", "arguments": '{"cell_id":"1"}'}}


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    for thread, path, turn in ((ROOT, "/root", "turn"), (CHILD, "/root/a", "tc")):
        builder.thread(thread, path)
        builder.turn(turn, thread)
    return builder


def cell(b: BundleBuilder, call_id: str = "x") -> CodeCell:
    return b.graph().code_cells[f"code_cell:{call_id}"]


def seen(b: BundleBuilder, *call_ids: str, thread: str = ROOT) -> None:
    name = f"i{len(b.lines)}"
    b.request(name, [exec_item(call_id) for call_id in call_ids], thread)


def cell_output(call_id: str, value: str = "out") -> Json:
    return {**output(call_id, value), "type": "custom_tool_call_output"}


def test_a_cell_starts_with_its_item(b: BundleBuilder) -> None:
    seen(b, "x")
    b.cell("x", source="await 1")
    found = cell(b)
    assert (found.source_item_id, found.source_js, found.runtime_status) == (
        "conversation_item:1",
        "await 1",
        "starting",
    )
    assert (found.execution.started_seq, found.execution.status) == (6, "running")


def test_a_cell_waits_for_its_item_with_what_happens_to_it(b: BundleBuilder) -> None:
    b.cell("x")
    b.tool("nested", cell="1")
    b.cell_ended("failed")
    b.cell_response("completed")
    b.tool("wait", invocation=WAIT)
    assert b.graph().code_cells == {}
    seen(b, "x", thread=CHILD)
    assert b.graph().code_cells == {}
    seen(b, "x")
    found = cell(b)
    assert (found.execution.started_seq, found.execution.ended_seq) == (5, 7)
    assert (found.execution.status, found.runtime_status) == ("failed", "completed")
    assert (found.initial_response_seq, found.initial_response_status) == (8, "completed")
    assert found.nested_tool_call_ids == ["nested"]
    assert found.wait_tool_call_ids == []


def test_cells_that_waited_start_in_order_of_their_ids(b: BundleBuilder) -> None:
    for number, call_id in enumerate(("c", "a", "b")):
        b.cell(call_id, runtime_id=str(number))
    seen(b, "b", "c", "a")
    assert list(b.graph().code_cells) == ["code_cell:a", "code_cell:b", "code_cell:c"]


@pytest.mark.parametrize(
    ("status", "execution"),
    [("completed", "completed"), ("failed", "failed"), ("terminated", "cancelled"), ("yielded", "running")],
)
def test_the_status_of_an_end(b: BundleBuilder, status: str, execution: str) -> None:
    seen(b, "x")
    b.cell("x")
    b.cell_ended(status)
    found = cell(b)
    assert (found.runtime_status, found.execution.status) == (status, execution)
    assert found.execution.ended_seq == found.initial_response_seq == 7
    assert found.initial_response_status is None
    b.cell_response("running")
    found = cell(b)
    assert (found.initial_response_seq, found.initial_response_status) == (8, "running")
    assert (found.runtime_status, found.execution.ended_seq) == ("running", 7)
    b.cell_response("failed")
    assert cell(b).initial_response_seq == 8


def test_every_yield_is_noted(b: BundleBuilder) -> None:
    seen(b, "x")
    b.cell("x")
    b.cell_response("yielded")
    b.cell_response("yielded")
    found = cell(b)
    assert (found.initial_response_seq, found.yielded_seq, found.yielded_at_unix_ms) == (7, 8, 1008)
    assert found.raw_initial_response_payload_id == "raw_payload:2"


@pytest.mark.parametrize(
    ("turn", "status", "execution"),
    [
        ("failed", "failed", "failed"),
        ("cancelled", "terminated", "cancelled"),
        ("aborted", "terminated", "cancelled"),
        ("completed", "starting", "running"),
    ],
)
def test_a_turn_that_did_not_complete_ends_its_cells(
    b: BundleBuilder, turn: str, status: str, execution: str
) -> None:
    seen(b, "x", "y")
    b.cell("x")
    b.cell("y", runtime_id="2")
    b.cell_ended("completed", runtime_id="2")
    b.turn_ended(turn)
    assert (cell(b).runtime_status, cell(b).execution.status) == (status, execution)
    assert cell(b, "y").runtime_status == "completed"


def test_outputs_nested_calls_and_waits_are_linked(b: BundleBuilder) -> None:
    b.request("i1", [exec_item("x"), cell_output("x", "before")])
    b.tool("exec", {"type": "other", "name": "exec"}, call_id="x")
    b.cell("x")
    b.tool("nested", cell="1")
    b.tool("wait", invocation=WAIT)
    b.request("i2", [exec_item("x"), cell_output("x", "before"), cell_output("x", "after")])
    graph = b.graph()
    found = graph.code_cells["code_cell:x"]
    assert found.output_item_ids == ["conversation_item:2", "conversation_item:3"]
    assert found.nested_tool_call_ids == ["nested"]
    assert found.wait_tool_call_ids == ["wait"]
    assert graph.tool_calls["exec"].started_code_cell_id == "code_cell:x"
    producers = graph.conversation_items["conversation_item:3"].produced_by
    assert producers == [ToolProducer("exec"), CellProducer("code_cell:x")]


@pytest.mark.parametrize(
    ("thread", "kind", "linked"),
    [
        (ROOT, {"type": "other", "name": "exec"}, True),
        (ROOT, {"type": "other", "name": "run"}, False),
        (CHILD, {"type": "other", "name": "exec"}, False),
    ],
)
def test_only_an_exec_call_of_the_same_thread_started_the_cell(
    b: BundleBuilder, thread: str, kind: Json, linked: bool
) -> None:
    seen(b, "x")
    b.tool("exec", kind, thread, call_id="x")
    b.cell("x")
    assert (b.graph().tool_calls["exec"].started_code_cell_id is not None) is linked


def test_a_resumed_thread_counts_its_cells_anew(b: BundleBuilder) -> None:
    seen(b, "x", "y")
    b.cell("x")
    b.cell("y", runtime_id="1", thread=ROOT)
    assert "is both code_cell:x and code_cell:y" in b.only_problem()
    b.lines.pop()
    b.event("thread_ended", thread_id=ROOT, status="completed")
    b.event("thread_resumed", thread_id=ROOT)
    b.cell_response("yielded")
    assert "refers to runtime cell 1" in b.only_problem()
    b.lines.pop()
    b.cell("y", runtime_id="1")
    b.cell_response("yielded")
    assert cell(b, "y").runtime_status == "yielded"
    assert cell(b, "x").runtime_status == "starting"


def test_a_cell_started_in_another_thread_takes_over_what_waited(b: BundleBuilder) -> None:
    """Cells are known by their call id alone, whatever the thread."""
    b.cell("x", runtime_id="2", thread=CHILD, source="first")
    b.cell_response("yielded", runtime_id="2", thread=CHILD)
    seen(b, "x")
    b.cell("x", runtime_id="3", source="second")
    found = cell(b)
    assert (found.thread_id, found.source_js) == (ROOT, "second")
    assert (found.runtime_cell_id, found.runtime_status) == ("2", "yielded")
    b.cell_response("running", runtime_id="3")
    assert cell(b).runtime_cell_id == "3"


def test_a_late_failure_names_the_line_of_the_start(b: BundleBuilder) -> None:
    b.event("code_cell_started", ROOT, "gone", runtime_cell_id="1", model_visible_call_id="x", source_js="1")
    b.cell_response("running")
    seen(b, "x")
    problem = b.only_problem()
    assert problem.startswith("trace.jsonl line 5, seq 5, code_cell_started: ")
    assert "refers to turn gone, which is not known" in problem
    assert list(b.reduce().trace.inference_calls) == ["i6"]
    b.cell_ended()
    assert [problem.seq for problem in b.reduce().problems] == [5, 8]
    assert "the start of code_cell:x could not be applied" in b.reduce().problems[1].reason


def test_two_threads_that_want_the_same_cell(b: BundleBuilder) -> None:
    b.cell("x", runtime_id="2", thread=CHILD)
    seen(b, "x")
    b.cell("x", runtime_id="3")
    seen(b, "x", thread=CHILD)
    problem = b.only_problem()
    assert problem == ("trace.jsonl line 5, seq 5, code_cell_started: code_cell:x was started before")


@pytest.mark.parametrize(
    ("thread", "turn", "said"),
    [
        (None, None, "names neither a thread nor a turn"),
        (None, "gone", "refers to turn gone, which is not known"),
        (ROOT, None, "names no turn"),
        (ROOT, "tc", "belongs to thread"),
    ],
)
def test_a_cell_has_its_place(b: BundleBuilder, thread: str | None, turn: str | None, said: str) -> None:
    seen(b, "x")
    b.event("code_cell_started", thread, turn, runtime_cell_id="1", model_visible_call_id="x", source_js="1")
    assert said in b.only_problem()


def test_starting_twice_is_refused(b: BundleBuilder) -> None:
    b.cell("q")
    b.cell("q")
    assert "code_cell:q was started before" in b.only_problem()
    b.lines.pop()
    seen(b, "q")
    b.cell("q")
    assert "code_cell:q was started before" in b.only_problem()


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "has no function arguments"),
        ({"arguments": {}}, "has no function arguments"),
        ({"arguments": "{"}, "cannot be read: not valid JSON"),
        ({"arguments": "[" * 128 + "]" * 128}, "cannot be read: nests more than 127 levels"),
        ({"arguments": "{}"}, "names no cell_id"),
        ({"arguments": '{"cell_id":1}'}, "names no cell_id"),
    ],
)
def test_a_wait_names_its_cell(b: BundleBuilder, payload: Json, said: str) -> None:
    b.tool("wait", invocation={"tool_name": "wait", "tool_namespace": "any", "payload": payload})
    assert said in b.only_problem()


def test_messages_start_no_cell(b: BundleBuilder) -> None:
    b.cell("x")
    b.request("i1", [message("x"), output("x"), {**exec_item("x"), "type": "function_call"}])
    assert b.graph().code_cells == {}
