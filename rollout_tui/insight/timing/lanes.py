"""What each agent did at every moment of a run: model, tool, waiting or nothing.

At one moment several things may run; what counts is the first of these: a call of the model, a tool that
works, a tool that is waited for, a person, another agent, a script that waits for its calls, and the turn
itself, in which codex does what the log does not tell. Outside of all that an agent is idle. Approvals are
not recorded: the time in which a tool call waits for one is in the time of the tool.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from msgspec import Struct, field

from reducer import ObjectRef
from reducer.model import ExecutionWindow, Thread, ToolCall, WriteStdinRequest
from reducer.model.objects import RefType
from reducer.wire.events import GenericSummary, OtherTool, WaitAgent
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock

Kind = Literal["model", "tool", "wait for tool", "wait for person", "wait for agent", "between", "idle"]
"""What an agent does. `between` is time of a turn in which nothing that the log tells of runs."""

ACTIVE: frozenset[Kind] = frozenset({"model", "tool", "between"})
WAITING: frozenset[Kind] = frozenset({"wait for tool", "wait for person", "wait for agent"})
KINDS: tuple[Kind, ...] = (
    "model", "tool", "wait for tool", "wait for person", "wait for agent", "between", "idle",
)  # fmt: skip
ASKS_A_PERSON = "request_user_input"
"""Name of the tool by which a model asks the user and waits for the answer."""

WAITS_FOR_A_CELL = "wait"
"""Name of the tool by which a model waits for a code cell, whether or not there is such a cell."""

_SCRIPT, _TURN = 5, 6
_RANKS: dict[Kind, int] = {
    "model": 0, "tool": 1, "wait for tool": 2, "wait for person": 3, "wait for agent": 4,
}  # fmt: skip
_KIND_OF_RANK: tuple[Kind, ...] = (
    "model", "tool", "wait for tool", "wait for person", "wait for agent", "tool", "between",
)  # fmt: skip


class Segment(NamedTuple):
    """A stretch in which an agent did one thing.

    Attributes:
        kind: what.
        first_seq: with which event it began.
        last_seq: with which event it ended.
        ms: how long it took, in milliseconds.
        ref: the call, request, tool call or turn; None where the agent was idle.
    """

    kind: Kind
    first_seq: int
    last_seq: int
    ms: int
    ref: ObjectRef | None


class Lane(Struct, frozen=True):
    """What an agent did from its start to its end, or to the end of the log.

    Attributes:
        thread_id: the agent.
        segments: without gaps, in order.
        times: milliseconds of each kind.
    """

    thread_id: str
    segments: Sequence[Segment]
    times: Counter[Kind] = field(default_factory=Counter)

    @property
    def active_ms(self) -> int:
        """How long it worked."""
        return sum(self.times[kind] for kind in ACTIVE)

    @property
    def waiting_ms(self) -> int:
        """How long it waited in a turn, for a tool, for a person or for another agent."""
        return sum(self.times[kind] for kind in WAITING)

    @property
    def idle_ms(self) -> int:
        """How long it had nothing to do."""
        return self.times["idle"]

    @property
    def span_ms(self) -> int:
        """From its start to its end: the sum of the three."""
        return sum(self.times.values())

    def before(self, seq: int) -> Segment | None:
        """The segment that reaches up to a sequence number, or across it."""
        place = bisect_left(self.segments, seq, key=lambda one: one.first_seq) - 1
        return self.segments[place] if place >= 0 else None


class _Intervals:
    """What ran in an agent, in columns: of a long run this is very much."""

    def __init__(self, *, has_refs: bool) -> None:
        """Nothing ran yet; refs are kept only if they are wanted."""
        self.ranks = array("B")
        self.firsts = array("Q")
        self.lasts = array("Q")
        self.refs: list[ObjectRef] | None = [] if has_refs else None

    def add(self, rank: int, first: int, last: int, type_: RefType, id_: str) -> None:
        """Something ran from one sequence number to another."""
        self.ranks.append(rank)
        self.firsts.append(first)
        self.lasts.append(last)
        if self.refs is not None:
            self.refs.append(ObjectRef(type_, id_))


def lanes(index: TraceIndex, clock: Clock | None = None) -> dict[str, Lane]:
    """What every agent did, by thread id, a parent before its children.

    Args:
        index: the graph.
        clock: that of its log, if it was made already.
    """
    clock = clock or Clock(index.reduction.provenance.events)
    return {thread.thread_id: lane(index, thread, clock) for thread in index.threads}


def lane(index: TraceIndex, thread: Thread, clock: Clock) -> Lane:
    """What an agent did; the cost is that of sorting what ran in it."""
    segments = _Merged(clock)
    times: Counter[Kind] = Counter()
    first, last = _span(thread, clock)
    intervals = _intervals(index, thread, first, last, has_refs=True)
    for place, start, end in _sweep(intervals, first, last):
        kind = _kind(intervals, place)
        segments.add(kind, start, end, None if place is None or not intervals.refs else intervals.refs[place])
        times[kind] += clock.between(start, end)
    return Lane(thread.thread_id, segments.made, times)


def lane_in_sum(index: TraceIndex, thread: Thread, clock: Clock) -> Lane:
    """What an agent did for how long, without the segments: of a long run these are very many."""
    times: Counter[Kind] = Counter()
    first, last = _span(thread, clock)
    intervals = _intervals(index, thread, first, last, has_refs=False)
    for place, start, end in _sweep(intervals, first, last):
        times[_kind(intervals, place)] += clock.between(start, end)
    return Lane(thread.thread_id, (), times)


def _kind(intervals: _Intervals, place: int | None) -> Kind:
    return "idle" if place is None else _KIND_OF_RANK[intervals.ranks[place]]


def _span(thread: Thread, clock: Clock) -> tuple[int, int]:
    return thread.execution.started_seq, _end_of(thread.execution, clock.last_seq)


def _end_of(window: ExecutionWindow, otherwise: int) -> int:
    return otherwise if window.ended_seq is None else window.ended_seq


def _intervals(index: TraceIndex, thread: Thread, first: int, last: int, *, has_refs: bool) -> _Intervals:
    """All that ran in an agent; what never ended ends with its turn, for nobody works on it any more."""
    contents, trace = index.contents[thread.thread_id], index.trace
    ends = {turn.codex_turn_id: _end_of(turn.execution, last) for turn in contents.turns}
    found = _Intervals(has_refs=has_refs)

    def add(rank: int, window: ExecutionWindow, turn_id: str | None, type_: RefType, id_: str) -> None:
        begin = max(first, window.started_seq)
        end = min(last, _end_of(window, ends.get(turn_id or "", last)))
        if begin < end:
            found.add(rank, begin, end, type_, id_)

    for turn in contents.turns:
        add(_TURN, turn.execution, None, "Turn", turn.codex_turn_id)
    for call in contents.calls:
        add(_RANKS["model"], call.execution, call.codex_turn_id, "InferenceCall", call.inference_call_id)
    for request in index.requests_of(thread.thread_id):
        id_ = request.compaction_request_id
        add(_RANKS["model"], request.execution, request.codex_turn_id, "CompactionRequest", id_)
    for tool in contents.tool_calls:
        rank = _SCRIPT if tool.started_code_cell_id in trace.code_cells else _RANKS[kind_of(index, tool)]
        add(rank, tool.execution, tool.started_by_codex_turn_id, "ToolCall", tool.tool_call_id)
    return found


def kind_of(index: TraceIndex, call: ToolCall) -> Kind:
    """Whether a tool call works, or only waits: for an agent, for what runs already, or for a person."""
    if isinstance(call.kind, WaitAgent):
        return "wait for agent"
    if isinstance(call.kind, OtherTool) and call.kind.name == WAITS_FOR_A_CELL:
        return "wait for tool"
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is not None and isinstance(operation.request, WriteStdinRequest):
        return "tool" if operation.request.stdin else "wait for tool"
    if isinstance(call.summary, GenericSummary) and call.summary.label == ASKS_A_PERSON:
        return "wait for person"
    return "tool"


def _sweep(intervals: _Intervals, first: int, last: int) -> Iterator[tuple[int | None, int, int]]:
    """The place of what counts between each two sequence numbers at which anything begins or ends.

    Of several things of one rank it is the one that ends last: that is what holds up what comes after.
    """
    if first >= last:
        return
    ranks, firsts, lasts = intervals.ranks, intervals.firsts, intervals.lasts
    starts = array("L", sorted(range(len(firsts)), key=firsts.__getitem__))
    bounds = array("Q", sorted([first, *firsts, *lasts, last]))
    running: list[list[tuple[int, int]]] = [[] for _ in _KIND_OF_RANK]
    waiting = 0
    for begin, end in pairwise(bounds):
        if begin == end:
            continue
        while waiting < len(starts) and firsts[starts[waiting]] == begin:
            place = starts[waiting]
            heapq.heappush(running[ranks[place]], (-lasts[place], place))
            waiting += 1
        top: int | None = None
        for heap in running:
            while heap and -heap[0][0] <= begin:
                heapq.heappop(heap)
            if heap:
                top = heap[0][1]
                break
        yield top, begin, end


class _Merged:
    """Segments, of which those that go on with the same thing are one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.made: list[Segment] = []

    def add(self, kind: Kind, first: int, last: int, ref: ObjectRef | None) -> None:
        if self.made and (self.made[-1].kind, self.made[-1].ref) == (kind, ref):
            first = self.made.pop().first_seq
        self.made.append(Segment(kind, first, last, self._clock.between(first, last), ref))
