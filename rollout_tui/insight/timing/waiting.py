"""Who waited for whom, how long, and what ended it; and what never ended."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import ExecutionWindow, ToolCall
from reducer.wire.events import WaitAgentSummary
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.agents.waits import WaitEnd, wait_end, wait_targets
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import WAITING, Kind, kind_of
from rollout_tui.insight.tools.words import argument


class Wait(Struct, frozen=True):
    """A tool call that did nothing but wait.

    Attributes:
        thread_id: who waited.
        ref: the tool call.
        kind: for what.
        target: the agent that it named, the cell or the terminal that it waited for; None for any agent or
            the user. It is evidence.
        seq: with which event it began.
        last_seq: with which it ended; None if it never did.
        ms: how long it took, up to the end of the log if it has no end.
        end: of a wait for agents, what ended it; None where nothing tells, and for other waits.
        status: how the tool call itself ended.
    """

    thread_id: str
    ref: ObjectRef
    kind: Kind
    target: str | None
    seq: int
    last_seq: int | None
    ms: int
    end: WaitEnd | None
    status: str


class Unended(Struct, frozen=True):
    """Something that has no end.

    Attributes:
        ref: what.
        thread_id: the agent that it is of.
        seq: with which event it began.
        ms: from then to the end of the log, in milliseconds.
    """

    ref: ObjectRef
    thread_id: str
    seq: int
    ms: int


def waits(index: TraceIndex, clock: Clock | None = None) -> list[Wait]:
    """All waits of a run, the longest first."""
    clock = clock or Clock(index.reduction.provenance.events)
    found = (
        _wait(index, clock, call)
        for thread in index.threads
        for call in index.contents[thread.thread_id].tool_calls
    )
    return sorted((one for one in found if one is not None), key=lambda one: (-one.ms, one.seq))


def _wait(index: TraceIndex, clock: Clock, call: ToolCall) -> Wait | None:
    kind = kind_of(index, call)
    if kind not in WAITING:
        return None
    window = call.execution
    last = clock.last_seq if window.ended_seq is None else window.ended_seq
    return Wait(
        call.thread_id,
        ObjectRef("ToolCall", call.tool_call_id),
        kind,
        _target(index, call, kind),
        window.started_seq,
        window.ended_seq,
        clock.between(window.started_seq, last),
        wait_end(index, call),
        window.status,
    )


def _target(index: TraceIndex, call: ToolCall, kind: Kind) -> str | None:
    if kind == "wait for tool":
        cell = index.cell_of_wait(call.tool_call_id)
        operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
        if cell is not None:
            return cell.code_cell_id
        return None if operation is None else operation.terminal_id
    summary = call.summary
    if isinstance(summary, WaitAgentSummary):
        return summary.target_agent_path
    named = ", ".join(agent_label(index, one) for one in wait_targets(call))
    return argument(call, "target") or named or None


def unended(index: TraceIndex, clock: Clock | None = None) -> list[Unended]:
    """What began and has no end, in the order of the log; agents are not counted, what they did is.

    Whether it never ended or only runs still, `TraceIndex.is_over` tells.
    """
    clock = clock or Clock(index.reduction.provenance.events)
    return sorted(
        (
            Unended(ref, thread_id, window.started_seq, clock.between(window.started_seq, clock.last_seq))
            for ref, thread_id, window in _windows(index)
            if window.ended_seq is None
        ),
        key=lambda one: one.seq,
    )


def _windows(index: TraceIndex) -> Iterator[tuple[ObjectRef, str, ExecutionWindow]]:
    trace = index.trace
    for turn in trace.codex_turns.values():
        yield ObjectRef("Turn", turn.codex_turn_id), turn.thread_id, turn.execution
    for call in trace.inference_calls.values():
        yield ObjectRef("InferenceCall", call.inference_call_id), call.thread_id, call.execution
    for tool in trace.tool_calls.values():
        yield ObjectRef("ToolCall", tool.tool_call_id), tool.thread_id, tool.execution
    for cell in trace.code_cells.values():
        # A cell that a tool call started is told of by that, unless only the cell is left.
        if index.entry_of_cell(cell).type == "CodeCell" or _is_left(index, cell.code_cell_id):
            yield ObjectRef("CodeCell", cell.code_cell_id), cell.thread_id, cell.execution
    for request in trace.compaction_requests.values():
        ref = ObjectRef("CompactionRequest", request.compaction_request_id)
        yield ref, request.thread_id, request.execution


def _is_left(index: TraceIndex, cell_id: str) -> bool:
    call = index.trace.tool_calls.get(index.lookups.exec_of_cell.get(cell_id, ""))
    return call is not None and call.execution.ended_seq is not None
