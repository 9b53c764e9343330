"""What a tool call did, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import index_of, recorded

from reducer import ObjectRef
from reducer.model import ToolCall
from reducer.wire.events import WaitAgent
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.results import timed_out
from rollout_tui.insight.tools.words import cell_words, tool_words
from rollout_tui.views.detail.describe import describe


def tool_at(index: TraceIndex, seq: int) -> ToolCall:
    """The tool call that started at a sequence number."""
    return next(call for call in index.trace.tool_calls.values() if call.execution.started_seq == seq)


@pytest.mark.parametrize("seq", [116, 240])
def test_a_wait_that_timed_out_says_so(shared_dir: Path, seq: int) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    call = tool_at(index, seq)
    assert call.execution.status == "completed"
    assert tool_words(index, call).startswith("timed out: for any agent, 1")
    detail = describe(index, ObjectRef("ToolCall", call.tool_call_id))
    assert detail is not None
    assert "timed out" in detail.title
    assert [fact.value for fact in detail.facts if fact.name == "result"] == ["timed out"]


def test_no_other_call_timed_out(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    calls = index.trace.tool_calls.values()
    assert [call.execution.started_seq for call in calls if timed_out(index, call)] == [116, 240]
    waited = [call for call in calls if isinstance(call.kind, WaitAgent)]
    assert len(waited) == 7
    call = tool_at(index, 64)
    assert tool_words(index, call) == "/root/alpha's result: for any agent, 15.0s at most"
    detail = describe(index, ObjectRef("ToolCall", call.tool_call_id))
    assert detail is not None
    (result,) = (fact.value for fact in detail.facts if fact.name == "result")
    assert result.startswith("/root/alpha's result")


def test_a_cell_that_waits_for_itself_is_told(shared_dir: Path) -> None:
    index = index_of(shared_dir / "vectors-v3/821-wait-any-tool/bundle")
    (cell,) = index.trace.code_cells.values()
    waiting = [
        call for call in index.trace.tool_calls.values() if index.cell_of_wait(call.tool_call_id) is cell
    ]
    assert any(call.tool_call_id in cell.nested_tool_call_ids for call in waiting)
    assert cell_words(index, cell).startswith("wait")
    assert {tool_words(index, call) for call in waiting} == {f"for {cell_words(index, cell)}"}
