"""What was done more than once: tool calls with the same arguments, of one agent or of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import orjson
from msgspec import Struct

from reducer import ObjectRef
from reducer.model import ExecCommandRequest, ToolCall
from reducer.wire.events import GenericSummary
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.lookups import started_seq
from rollout_tui.insight.output.outputs import read_output
from rollout_tui.insight.timing.lanes import WAITING, kind_of
from rollout_tui.insight.tools.results import result_texts

Read = Callable[[PayloadRef], Any]
"""Gives a payload parsed; None where it cannot be read."""

_CUT = "..."
"""Ends the beginning of arguments of which the trace keeps no more."""


class Repeat(Struct, frozen=True):
    """Tool calls with the same arguments.

    Attributes:
        calls: they, in the order of the log.
        agents: the agents that made them, each once.
        is_same_result: whether all gave the same; None where that cannot be told.
    """

    calls: list[ObjectRef]
    agents: list[str]
    is_same_result: bool | None


class _Asked(NamedTuple):
    """What a tool call was asked; `rest` tells apart what the trace keeps only the beginning of."""

    what: Hashable
    rest: Hashable = None


def repeats(index: TraceIndex, read: Read) -> list[Repeat]:
    """Tool calls with the same arguments, those that were made most often first.

    What only waits is none: a wait is not done once more, it goes on.

    Args:
        index: the graph.
        read: reads the arguments of calls of which the trace keeps only the same beginning.
    """
    groups: dict[Hashable, list[ToolCall]] = defaultdict(list)
    for call in index.trace.tool_calls.values():
        if kind_of(index, call) not in WAITING:
            what = _asked(index, call)
            if what is not None:
                groups[what].append(call)
    found: list[list[ToolCall]] = []
    for what, calls in groups.items():
        if len(calls) < 2:
            continue
        is_cut = isinstance(what, _Asked) and what.rest == _CUT
        alike = _told_apart(index, calls, read) if is_cut else [calls]
        found += [sorted(same, key=started_seq) for same in alike if len(same) > 1]
    found.sort(key=lambda same: (-len(same), started_seq(same[0])))
    return [_repeat(index, same) for same in found]


def _asked(index: TraceIndex, call: ToolCall) -> Hashable:
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is not None:
        request = operation.request
        if not isinstance(request, ExecCommandRequest):
            return None  # keys that are written to a terminal go on with what runs in it
        # Some sessions have the command line, but not the words that were run.
        command = tuple(request.command) or request.display_command
        return _Asked((command, request.cwd)) if command else None
    cell = index.cell_of_call(call)
    if cell is not None:
        return _Asked(("exec", cell.source_js))
    if isinstance(call.summary, GenericSummary) and call.summary.input_preview is not None:
        preview = call.summary.input_preview
        return _Asked((call.summary.label, preview), _CUT if preview.endswith(_CUT) else None)
    return None


def _told_apart(index: TraceIndex, calls: list[ToolCall], read: Read) -> list[list[ToolCall]]:
    """Calls that begin alike, by all of their arguments; what cannot be read is like nothing else."""
    groups: dict[Hashable, list[ToolCall]] = defaultdict(list)
    for call in calls:
        ref = index.trace.raw_payloads.get(call.raw_invocation_payload_id or "")
        value = None if ref is None or ref.is_lost else read(ref)
        body = value.get("payload") if isinstance(value, dict) else None
        whole = call.tool_call_id if body is None else orjson.dumps(body, default=str)
        groups[whole].append(call)
    return list(groups.values())


def _repeat(index: TraceIndex, calls: list[ToolCall]) -> Repeat:
    results = [_result(index, call) for call in calls]
    is_same = None if None in results else len(set(results)) == 1
    agents = list(dict.fromkeys(call.thread_id for call in calls))
    return Repeat([ObjectRef("ToolCall", call.tool_call_id) for call in calls], agents, is_same)


def _result(index: TraceIndex, call: ToolCall) -> Hashable:
    """What a call gave back, without what codex puts around it; None where the trace keeps nothing."""
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is not None and operation.result is not None:
        return operation.result.exit_code, operation.result.stdout, operation.result.stderr
    texts = tuple(_said(text) for text in result_texts(index, call))
    return texts or None


def _said(text: str) -> tuple[int | None, str, int]:
    """What an output says by which two are told to be the same: status, telling line, and how many lines."""
    output = read_output([text])
    return output.exit_code, output.line, output.line_count
