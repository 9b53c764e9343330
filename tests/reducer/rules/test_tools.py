from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, message, state
from scenes import call, output

from reducer.model import InferenceProducer, ToolCall, ToolProducer

Json = Any


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def tool(b: BundleBuilder, name: str = "T") -> ToolCall:
    return b.graph().tool_calls[name]


def test_a_tool_call_is_stored_as_told(b: BundleBuilder) -> None:
    b.raw(
        {
            "type": "tool_call_started",
            "tool_call_id": "T",
            "code_mode_runtime_tool_id": "rt",
            "requester": {"type": "model", "extra": 1},
            "kind": {"type": "mcp", "tool": "t", "server": "s", "extra": 1},
            "summary": {"timeout_ms": 5, "type": "wait_agent"},
        },
        codex_turn_id="turn",
    )
    found = state(b.graph())["tool_calls"]["T"]
    assert found["kind"] == {"type": "mcp", "server": "s", "tool": "t"}
    assert found["requester"] == {"type": "model"}
    assert found["summary"] == {"type": "wait_agent", "target_agent_path": None, "timeout_ms": 5}
    assert found["thread_id"] == ROOT
    assert found["started_by_codex_turn_id"] == "turn"
    assert found["code_mode_runtime_tool_id"] == "rt"
    assert "started_code_cell_id" not in found


def test_the_runtime_says_what_a_call_really_is(b: BundleBuilder) -> None:
    b.tool("T", {"type": "other", "name": "echo"})
    b.runtime_started("T", {"type": "mcp", "server": "s", "tool": "t"}, {})
    b.runtime_ended("T", {}, "failed")
    b.event("mcp_tool_call_correlation_assigned", tool_call_id="T", mcp_call_id="m")
    found = tool(b)
    assert found.kind.name_of_type == "mcp"
    assert found.execution.status == "running"
    assert found.raw_runtime_payload_ids == ["raw_payload:1", "raw_payload:2"]
    assert found.mcp_call_id == "m"
    b.event("mcp_tool_call_correlation_assigned", tool_call_id="T", mcp_call_id="m")
    assert "already has an MCP correlation" in b.only_problem()


def test_the_runtime_end_of_an_mcp_call_is_not_read(b: BundleBuilder) -> None:
    b.tool("T", {"type": "mcp", "server": "s", "tool": "t"})
    b.runtime_ended("T", b"[" * 300 + b"]" * 300)
    assert b.graph()
    b.tool("U", "web")
    b.runtime_ended("U", b"[" * 300 + b"]" * 300)
    assert "nests more than 127 levels" in b.only_problem()


def test_items_before_and_after_the_call_are_linked(b: BundleBuilder) -> None:
    b.request("i1", [message("go"), call("c", "old")])
    b.tool("T", call_id="c")
    b.request("i2", [message("go"), call("c", "old"), output("c"), output("c", "again")])
    found = tool(b)
    assert found.model_visible_call_item_ids == ["conversation_item:2"]
    assert found.model_visible_output_item_ids == ["conversation_item:3", "conversation_item:4"]
    assert b.graph().conversation_items["conversation_item:3"].produced_by == [ToolProducer("T")]


def test_sightings_link_across_threads_but_a_start_looks_in_its_own(b: BundleBuilder) -> None:
    b.thread(CHILD, "/root/a")
    b.turn("tc", CHILD)
    b.request("i1", [call("c"), output("c")], CHILD)
    b.tool("T", call_id="c")
    assert tool(b).model_visible_call_item_ids == tool(b).model_visible_output_item_ids == []
    b.request("i2", [call("c"), output("c")], CHILD)
    assert tool(b).model_visible_call_item_ids == ["conversation_item:1"]
    assert tool(b).model_visible_output_item_ids == ["conversation_item:2"]


def test_an_inference_is_linked_when_its_call_item_is_stored(b: BundleBuilder) -> None:
    b.request("i1", [])
    b.tool("early", call_id="c1")
    b.response("i1", [call("c1"), call("c2")])
    b.tool("late", call_id="c2")
    started = b.graph().inference_calls["i1"].tool_call_ids_started_by_response
    assert started == ["late"]
    b.request("i2", [call("c1"), call("c2")])
    graph = b.graph()
    assert graph.inference_calls["i1"].tool_call_ids_started_by_response == ["late", "early"]
    assert graph.conversation_items["conversation_item:1"].produced_by == [InferenceProducer("i1")]


def test_the_last_end_of_a_call_counts(b: BundleBuilder) -> None:
    b.tool("T")
    b.tool_ended("T", {"type": "error", "error": "x"}, "failed")
    b.tool_ended("T", None, "completed")
    found = tool(b)
    assert (found.execution.status, found.raw_result_payload_id) == ("completed", None)


@pytest.mark.parametrize(
    ("fields", "envelope", "said"),
    [
        ({"tool_call_id": "T"}, {}, "tool call T was started before"),
        ({"model_visible_call_id": "c"}, {}, "call id c already belongs to tool call T"),
        ({}, {"thread_id": None, "codex_turn_id": None}, "names neither a thread nor a turn"),
        ({}, {"thread_id": None, "codex_turn_id": "x"}, "refers to turn x, which is not known"),
        ({}, {"thread_id": "x", "codex_turn_id": None}, "thread x is not known"),
        ({}, {"codex_turn_id": "x"}, "refers to turn x, which is not known"),
        ({}, {"thread_id": CHILD}, "belongs to thread"),
        ({"requester": {"type": "code_cell", "runtime_cell_id": "1"}}, {}, "refers to runtime cell 1"),
    ],
)
def test_a_call_starts_once_and_in_place(b: BundleBuilder, fields: Json, envelope: Json, said: str) -> None:
    b.thread(CHILD, "/root/a")
    b.tool("T", call_id="c")
    usual = {
        "type": "tool_call_started",
        "tool_call_id": "U",
        "requester": {"type": "model"},
        "kind": {"type": "web"},
        "summary": {"type": "generic", "label": "l"},
    }
    b.raw({**usual, **fields}, **{"thread_id": ROOT, "codex_turn_id": "turn", **envelope})
    assert said in b.only_problem()
    assert list(b.reduce().trace.tool_calls) == ["T"]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "mcp_tool_call_correlation_assigned", "mcp_call_id": "m"},
        {"type": "stdin_target_resolved", "exec_tool_call_id": "T"},
        {"type": "tool_call_ended", "status": "completed"},
    ],
)
def test_events_of_unknown_calls_are_refused(b: BundleBuilder, event: Json) -> None:
    b.raw({**event, "tool_call_id": "T"})
    assert "refers to tool call T, which was never started" in b.only_problem()


def test_runtime_events_of_unknown_calls_leave_no_payload(b: BundleBuilder) -> None:
    b.runtime_started("T", "web", {})
    b.runtime_ended("T", {})
    reduction = b.reduce()
    assert [problem.seq for problem in reduction.problems] == [3, 4]
    assert reduction.trace.raw_payloads == {}
