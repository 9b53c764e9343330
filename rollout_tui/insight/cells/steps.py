"""The steps of a code cell in order: what its JavaScript did, what came back, and who waited for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import chain, islice
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from reducer import ObjectRef
from reducer.model import CodeCell, ToolCall
from reducer.wire.events import (
    ApplyPatch,
    CellStatus,
    ExecCommand,
    ExecutionStatus,
    GenericSummary,
    Mcp,
    OtherTool,
    WriteStdin,
)
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.cells.js_calls import CallSite, IssuedCall, match_calls
from rollout_tui.insight.cells.texts import (
    argument_sections,
    body_words,
    call_items,
    error_words,
    exec_call,
    exec_items,
    output_sections,
    output_words,
    result_sections,
    shown_sections,
    wait_words,
)
from rollout_tui.insight.certainty import MARK, is_there_rebuilt
from rollout_tui.insight.failures.definition import Failure, failure_of
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.tools.words import tool_label, tool_words
from rollout_tui.texts.short_forms import one_line, plural, window_ms

MAX_LANES = 5
"""Calls at once that are drawn side by side; a script that makes more shows their number."""

NAMED_OPEN_CALLS = 8
"""Open calls that a step knows by name."""

StepKind = Literal[
    "started",
    "call",
    "result",
    "yield",
    "response",
    "wait",
    "waited",
    "ended",
    "turn end",
    "no end",
]
LaneMark = Literal["begin", "open", "end", ""]

_RUNTIME_NUMBER = re.compile(r"tool-(\d{1,9})\Z")
_NOT_IN_NAMES = re.compile(r"[^\w$]", re.ASCII)


class Step(Struct, frozen=True):
    """One step of a cell.

    Attributes:
        place: which step it is, from 0.
        kind: `call` and `result` are a nested call begun and returned, `yield` and `response` the first
            answer to the model while the script goes on and at its end, `wait` and `waited` a wait begun and
            returned, `turn end` an end that came with the turn's, `no end` an end that nobody recorded.
        seq: sequence number of the event; None for `no end`.
        at_unix_ms: when it was logged.
        since_ms: the time since the cell started, in ms; clocks may go backwards.
        words: what happened, in a line.
        status: how what ended here ended.
        failure: what ended here as a failure, such as a command with an exit status though it completed.
        took_ms: how long what ended here took, in ms.
        call: the nested call or the wait that the step is about.
        ref: what the step leads to.
        sections: the texts that belong to the step.
        lanes: the nested calls drawn side by side: begun here, open, returned here.
        open_count: nested calls that are open after the step.
        open_calls: the first of them.
        site: where in the source the call stands.
        doubt: why that is not known; empty where it is, and where there is no call.
        error_payload: what says where the script threw.
    """

    place: int
    kind: StepKind
    seq: int | None
    at_unix_ms: int | None
    since_ms: int | None
    words: str
    status: ExecutionStatus | None = None
    failure: Failure | None = None
    took_ms: int | None = None
    call: ToolCall | None = None
    ref: ObjectRef | None = None
    sections: tuple[TextSection, ...] = ()
    lanes: tuple[LaneMark, ...] = ()
    open_count: int = 0
    open_calls: tuple[ToolCall, ...] = ()
    site: CallSite | None = None
    doubt: str = ""
    error_payload: PayloadRef | None = None


class CellSteps(Struct, frozen=True):
    """A cell and its steps.

    Attributes:
        cell: the cell.
        steps: in the order of the log.
        calls: its nested calls, in the order in which they began.
        issued: the same calls, as far as it matters to where they stand in the source.
        sites: where each of them stands in the source, or why that is not known, by id of the call.
        most_open: how many of them were open at once at most.
    """

    cell: CodeCell
    steps: tuple[Step, ...]
    calls: tuple[ToolCall, ...]
    issued: tuple[IssuedCall, ...]
    sites: dict[str, CallSite | str]
    most_open: int


def cell_steps(index: TraceIndex, cell: CodeCell) -> CellSteps:
    """Everything that happened to a cell, step by step.

    The two events at the end of a script without a pause, its first response and its end, are one step.
    """
    calls = index.calls_in_order(cell.nested_tool_call_ids)
    issued = [_issued(call) for call in calls]
    matches = match_calls(cell.source_js, issued)
    sites = {call.tool_call_id: match for call, match in zip(calls, matches, strict=True)}
    steps = [_started(cell), *_answers(index, cell)]
    for call in calls:
        steps += _nested(index, cell, call)
    for number, call in enumerate(index.calls_in_order(cell.wait_tool_call_ids), start=1):
        steps += _wait(index, cell, call, number)
    steps.sort(key=lambda step: step.seq or 0)
    if cell.execution.ended_seq is None:
        steps.append(_no_end(index, cell))
    ordered, most_open = _with_lanes(steps, sites)
    return CellSteps(cell, tuple(ordered), tuple(calls), tuple(issued), sites, most_open)


def cells_in_order(index: TraceIndex) -> list[CodeCell]:
    """All cells of a bundle: agent by agent, and in each as they started."""
    return [cell for thread in index.threads for cell in index.contents[thread.thread_id].cells]


def cell_near(index: TraceIndex, ref: ObjectRef | None, thread_id: str, seq: int) -> CodeCell | None:
    """The cell a reader means: that of the object, or else the nearest one.

    Args:
        index: the graph.
        ref: what the cursor is on: a cell, its `exec` call, a nested call, a wait, or anything else.
        thread_id: the agent to look in first.
        seq: the sequence number to look near.

    Returns:
        None if the bundle has no cell at all.
    """
    trace = index.trace
    if ref is not None and ref.type == "CodeCell" and ref.id in trace.code_cells:
        return trace.code_cells[ref.id]
    call = trace.tool_calls.get(ref.id) if ref is not None and ref.type == "ToolCall" else None
    if call is not None:
        own = index.cell_of_call(call) or index.cell_around(call) or index.cell_of_wait(call.tool_call_id)
        if own is not None:
            return own
    contents = index.contents.get(thread_id)
    nearby = contents.cells if contents is not None and contents.cells else cells_in_order(index)
    return min(nearby, key=lambda cell: abs(cell.execution.started_seq - seq), default=None)


def cell_before(index: TraceIndex, ref: ObjectRef | None, thread_id: str, seq: int) -> CodeCell | None:
    """The last cell that began before the one at the cursor, or before the cursor.

    Args:
        index: the graph.
        ref: what the cursor is on; in a cell, that cell does not count.
        thread_id: the agent to prefer; cells of others count only if it has none before.
        seq: the sequence number of the cursor.

    Returns:
        None if there is none before.
    """
    near = cell_near(index, ref, thread_id, seq)
    if near is not None and _is_of_cell(index, ref, near):
        seq = near.execution.started_seq
    before = (cell for cell in cells_in_order(index) if cell.execution.started_seq < seq)
    return max(
        before, key=lambda cell: (cell.thread_id == thread_id, cell.execution.started_seq), default=None
    )


def _is_of_cell(index: TraceIndex, ref: ObjectRef | None, cell: CodeCell) -> bool:
    """Whether an object is a cell, its `exec` call, a nested call of it, or a wait for it."""
    if ref is None or ref.type != "ToolCall":
        return ref == ObjectRef("CodeCell", cell.code_cell_id)
    call = index.trace.tool_calls.get(ref.id)
    around = (
        ()
        if call is None
        else (index.cell_of_call(call), index.cell_around(call), index.cell_of_wait(call.tool_call_id))
    )
    return any(one is cell for one in around)


def _issued(call: ToolCall) -> IssuedCall:
    number = _RUNTIME_NUMBER.match(call.code_mode_runtime_tool_id or "")
    return IssuedCall(
        script_names(call),
        None if number is None else int(number[1]),
        call.execution.started_seq,
        call.execution.ended_seq,
    )


def script_names(call: ToolCall) -> frozenset[str]:
    """How a script may spell the tool of a nested call: `exec_command`, `mcp__server__tool`."""
    kind = call.kind
    if isinstance(kind, ExecCommand):
        names = {"exec_command", "shell_command", "local_shell", "shell"}
    elif isinstance(kind, WriteStdin | ApplyPatch):
        names = {kind.name_of_type}
    elif isinstance(kind, Mcp):
        names = {f"mcp__{kind.server}__{kind.tool}"}
    elif isinstance(kind, OtherTool):
        names = {kind.name}
    else:
        names = {kind.name_of_type}
    if isinstance(call.summary, GenericSummary):
        namespace, dot, name = call.summary.label.rpartition(".")
        if dot and isinstance(kind, OtherTool):
            # A tool of a namespace is not spelled by its bare name.
            names = set()
        names |= {f"{namespace}__{name}", f"{namespace}{name}"} if dot else {name}
    return frozenset(_NOT_IN_NAMES.sub("_", name) for name in names)


def _step(cell: CodeCell, kind: StepKind, seq: int | None, at_unix_ms: int | None, words: str) -> Step:
    since = None if at_unix_ms is None else at_unix_ms - cell.execution.started_at_unix_ms
    return Step(0, kind, seq, at_unix_ms, since, words, ref=ObjectRef("CodeCell", cell.code_cell_id))


def _started(cell: CodeCell) -> Step:
    window = cell.execution
    words = plural(len(cell.source_js.strip().splitlines()), "line") + " of JavaScript"
    step = _step(cell, "started", window.started_seq, window.started_at_unix_ms, words)
    source = ObjectRef("ConversationItem", cell.source_item_id)
    return replace(step, ref=source, sections=(TextSection("the script", "javascript", cell.source_js),))


def _answers(index: TraceIndex, cell: CodeCell) -> list[Step]:
    """The first response and the end of a cell, as far as there were any."""
    window, status = cell.execution, cell.initial_response_status
    responded, ended = cell.initial_response_seq, window.ended_seq
    steps = []
    # An end without a first response counts as one in the graph, but has no status as such.
    if status is not None and responded is not None:
        is_end = status != "yielded" and ended is not None and responded < ended and not _cut_off(index, cell)
        if not is_end:
            steps.append(_response(index, cell, status))
    if ended is not None:
        answers_model = status != "yielded" and not steps
        steps.append(_end(index, cell, answers_model))
    return steps


def _response(index: TraceIndex, cell: CodeCell, status: CellStatus) -> Step:
    yielded = status == "yielded"
    items = exec_items(index, cell)
    words = "the script goes on, the model does not wait" if yielded else f"answers: {status}"
    step = _step(
        cell,
        "yield" if yielded else "response",
        cell.initial_response_seq,
        cell.initial_response_at_unix_ms,
        "; ".join(filter(None, (words, body_words(items)))),
    )
    return _with_output(index, cell, step, cell.raw_initial_response_payload_id, shows=True)


def _end(index: TraceIndex, cell: CodeCell, answers_model: bool) -> Step:
    """The end of a cell.

    Args:
        index: the graph.
        cell: the cell.
        answers_model: whether the end was the answer to the `exec` call, and not to a wait.
    """
    window, cut_off = cell.execution, _cut_off(index, cell)
    words = _END_WORDS.get(cell.runtime_status, cell.runtime_status)
    if cut_off:
        turn = index.trace.codex_turns[cell.codex_turn_id]
        state = state_words(index, ObjectRef("Turn", cell.codex_turn_id), turn.execution)
        words = f"{cell.runtime_status} with its turn ({state})"
    elif cell.runtime_status == "failed":
        waits = (call_items(index, call) for call in index.calls_in_order(cell.wait_tool_call_ids))
        error = error_words([*exec_items(index, cell), *chain.from_iterable(waits)])
        words = ": ".join(filter(None, (words, error)))
    still_open = sum(
        _is_open_at(call, window.ended_seq) for call in index.calls_in_order(cell.nested_tool_call_ids)
    )
    if still_open:
        words += f"; {plural(still_open, 'call')} had not returned"
    step = _step(cell, "turn end" if cut_off else "ended", window.ended_seq, window.ended_at_unix_ms, words)
    failed = cell.runtime_status == "failed"
    payload = index.trace.raw_payloads.get(cell.raw_result_payload_id or "") if failed else None
    failure = failure_of(index, ObjectRef("CodeCell", cell.code_cell_id))
    step = replace(step, status=window.status, failure=failure, took_ms=step.since_ms, error_payload=payload)
    return _with_output(index, cell, step, cell.raw_result_payload_id, shows=answers_model)


def _with_output(
    index: TraceIndex, cell: CodeCell, step: Step, payload_id: str | None, *, shows: bool
) -> Step:
    """A step with what the script had put out, and what the `exec` call showed of it to the model."""
    items = exec_items(index, cell)
    shown = shown_sections(index, items, exec_call(index, cell)) if shows else ()
    ref = ObjectRef("ConversationItem", items[-1].item_id) if shows and items else step.ref
    sections = (*output_sections(index, payload_id), *shown)
    if not sections:
        sections = (TextSection("put out by the script", "text", "(the log has no output of this end)"),)
    return replace(step, ref=ref, sections=sections)


def _cut_off(index: TraceIndex, cell: CodeCell) -> bool:
    """Whether a cell ended only because its turn did."""
    trail = index.reduction.provenance.of("Turn", cell.codex_turn_id)
    return any(one.kind == "codex_turn_ended" and one.seq == cell.execution.ended_seq for one in trail)


def _is_open_at(call: ToolCall, seq: int | None) -> bool:
    """Whether a call had begun and not returned at a sequence number."""
    if seq is None or call.execution.started_seq > seq:
        return False
    return call.execution.ended_seq is None or call.execution.ended_seq > seq


def _no_end(index: TraceIndex, cell: CodeCell) -> Step:
    words = "never ended: the recording stops first" if index.is_over else "still running"
    step = _step(cell, "no end", None, None, words)
    return replace(step, sections=(TextSection("the end", "text", f"({words})"),))


def _nested(index: TraceIndex, cell: CodeCell, call: ToolCall) -> list[Step]:
    """A nested call begun, and returned if it did."""
    window = call.execution
    words = f"{tool_label(index, call)}  {one_line(tool_words(index, call))}"
    if is_there_rebuilt(index, ObjectRef("ToolCall", call.tool_call_id)):
        words = f"{MARK} {words}"  # which cell it belongs to
    ref = ObjectRef("ToolCall", call.tool_call_id)
    begun = _step(cell, "call", window.started_seq, window.started_at_unix_ms, words)
    steps = [replace(begun, call=call, ref=ref, sections=argument_sections(index, call))]
    if window.ended_seq is not None:
        returned = _step(cell, "result", window.ended_seq, window.ended_at_unix_ms, words)
        steps.append(_returned(index, returned, call, result_sections(index, call)))
    return steps


def _returned(index: TraceIndex, step: Step, call: ToolCall, sections: tuple[TextSection, ...]) -> Step:
    """The step at which a call returned: how it ended, after how long, and what it brought."""
    window, ref = call.execution, ObjectRef("ToolCall", call.tool_call_id)
    return replace(
        step,
        call=call,
        ref=ref,
        sections=sections,
        status=window.status,
        failure=failure_of(index, ref),
        took_ms=window_ms(window),
    )


def _wait(index: TraceIndex, cell: CodeCell, call: ToolCall, number: int) -> list[Step]:
    """A wait begun, with which the model takes the script up again, and returned if it did."""
    window, ref = call.execution, ObjectRef("ToolCall", call.tool_call_id)
    words = "  ".join(filter(None, (f"{number}", wait_words(call))))
    begun = _step(cell, "wait", window.started_seq, window.started_at_unix_ms, words)
    steps = [replace(begun, call=call, ref=ref, sections=argument_sections(index, call))]
    if window.ended_seq is not None:
        items = call_items(index, call)
        words = "  ".join(filter(None, (f"{number}", output_words(items) or state_words(index, ref, window))))
        returned = _step(cell, "waited", window.ended_seq, window.ended_at_unix_ms, words)
        steps.append(_returned(index, returned, call, shown_sections(index, items, call)))
    return steps


def _with_lanes(steps: Iterable[Step], sites: dict[str, CallSite | str]) -> tuple[list[Step], int]:
    """Steps with their places, sites and open calls, and how many calls were open at most."""
    lane_of: dict[str, int] = {}
    free = list(range(MAX_LANES))
    open_calls: dict[str, ToolCall] = {}
    ordered: list[Step] = []
    most = 0
    for place, step in enumerate(steps):
        call_id = (
            step.call.tool_call_id if step.call is not None and step.kind in ("call", "result") else None
        )
        if call_id is not None and step.call is not None and step.kind == "call":
            open_calls[call_id] = step.call
            if free:
                lane_of[call_id] = heappop(free)
        lanes: list[LaneMark] = [""] * MAX_LANES
        for one, lane in lane_of.items():
            lanes[lane] = "open" if one != call_id else "begin" if step.kind == "call" else "end"
        if call_id is not None and step.kind == "result":
            open_calls.pop(call_id, None)
            if call_id in lane_of:
                heappush(free, lane_of.pop(call_id))
        most = max(most, len(open_calls))
        site = sites.get(call_id or "", "")
        ordered.append(
            replace(
                step,
                place=place,
                lanes=tuple(lanes),
                open_count=len(open_calls),
                open_calls=tuple(islice(open_calls.values(), NAMED_OPEN_CALLS)),
                site=site if isinstance(site, CallSite) else None,
                doubt=site if isinstance(site, str) else "",
            )
        )
    return ordered, most


_END_WORDS = {"completed": "the script is done", "failed": "the script threw", "terminated": "terminated"}
