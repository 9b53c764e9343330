"""The critical path: the chain of calls, tools and waits that the end of a run had to wait for.

It is walked from the end to the beginning. What an agent did just before is a link; a wait that was ended by
another agent leads on in that agent, from where it sent what ended the wait; the beginning of a turn leads on
in the agent that asked for it. What ran beside the path could have taken longer without moving the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct, field

from reducer import ObjectRef
from reducer.model import InteractionEdge, SpawnedOrigin, ToolCallAnchor
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.waits import wait_end
from rollout_tui.insight.lookups import is_send
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import Kind, Lane, Segment, lanes


class Link(NamedTuple):
    """A part of the critical path.

    Attributes:
        thread_id: the agent in which it lies.
        kind: what the agent did.
        ref: the call, tool call or turn; None where it was idle.
        first_seq: with which event it begins: that with which the link before ends.
        last_seq: with which event it ends.
        ms: how long it took, in milliseconds.
    """

    thread_id: str
    kind: Kind
    ref: ObjectRef | None
    first_seq: int
    last_seq: int
    ms: int


class CriticalPath(Struct, frozen=True):
    """What the end of a run had to wait for, from its first event to its last.

    Attributes:
        links: without gaps, from the beginning to the end.
        times: milliseconds of each kind.
        of_agents: milliseconds of each agent, by thread id.
    """

    links: list[Link]
    times: Counter[Kind] = field(default_factory=Counter)
    of_agents: Counter[str] = field(default_factory=Counter)

    @property
    def ms(self) -> int:
        """How long the run took: the sum of all links."""
        return sum(link.ms for link in self.links)


SMALL_SHARE = 0.01
"""Links of the critical path that are shorter than this share of it are told together."""


class Part(NamedTuple):
    """A link that matters, or short ones of one agent between two of these.

    Attributes:
        links: without gaps, at least one.
        is_short: whether they are short.
    """

    links: tuple[Link, ...]
    is_short: bool

    @property
    def ms(self) -> int:
        """How long they took, in milliseconds."""
        return sum(link.ms for link in self.links)


def parts_of(path: CriticalPath) -> list[Part]:
    """The critical path in parts that are worth a line each, in its order."""
    smallest = SMALL_SHARE * path.ms

    def sort(link: Link) -> tuple[bool, object]:
        is_short = link.ms < smallest
        return is_short, link.thread_id if is_short else link

    grouped = groupby(path.links, key=sort)
    return [Part(tuple(links), is_short) for (is_short, _), links in grouped]


def critical_path(
    links: AgentLinks, clock: Clock | None = None, made: Mapping[str, Lane] | None = None
) -> CriticalPath:
    """The critical path of a run; empty for a log without agents.

    Args:
        links: the graph, with what went between its agents.
        clock: that of its log, if it was made already.
        made: what its agents did, likewise.
    """
    clock = clock or Clock(links.index.reduction.provenance.events)
    walk = _Walk(links, clock, made if made is not None else lanes(links.index, clock))
    found = walk.from_end()
    times: Counter[Kind] = Counter()
    of_agents: Counter[str] = Counter()
    for link in found:
        times[link.kind] += link.ms
        of_agents[link.thread_id] += link.ms
    return CriticalPath(found, times, of_agents)


class _Trigger(NamedTuple):
    """What made an agent go on: which agent did it, and up to when that was at it."""

    seq: int
    thread_id: str
    until: int


class _Walk:
    """From the end of a run to its beginning."""

    def __init__(self, links: AgentLinks, clock: Clock, made: Mapping[str, Lane]) -> None:
        self._links, self._index = links, links.index
        self._clock, self._lanes = clock, made
        self._triggers: dict[str, list[_Trigger]] = {}
        self._found: list[Link] = []

    def from_end(self) -> list[Link]:
        """The links in the order of the log."""
        start = self._last_at_work()
        if start is None:
            return []
        thread_id, seq = start
        self._add(thread_id, "idle", None, seq, self._clock.last_seq)
        visited: set[tuple[str, int]] = set()
        while seq > self._clock.first_seq:
            is_new = (thread_id, seq) not in visited
            visited.add((thread_id, seq))
            thread_id, seq = self._step(thread_id, seq, may_jump=is_new)
        self._found.reverse()
        return self._found

    def _last_at_work(self) -> tuple[str, int] | None:
        """The agent that worked last, and until when: the root if it still does."""
        root = self._index.trace.root_thread_id
        ends: list[tuple[int, bool, str]] = []
        for thread in self._index.threads:
            turns = self._index.contents[thread.thread_id].turns
            is_root = thread.thread_id == root
            if is_root and turns and turns[-1].execution.ended_seq is None:
                return root, self._clock.last_seq
            ended = (turn.execution.ended_seq or 0 for turn in turns)
            ends.append((max(ended, default=0), is_root, thread.thread_id))
        if not ends:
            return None
        seq, _, thread_id = max(ends)
        return thread_id, max(seq, self._clock.first_seq)

    def _add(self, thread_id: str, kind: Kind, ref: ObjectRef | None, first: int, last: int) -> None:
        if first < last:
            ms = self._clock.between(first, last)
            self._found.append(Link(thread_id, kind, ref, first, last, ms))

    def _step(self, thread_id: str, seq: int, *, may_jump: bool) -> tuple[str, int]:
        """One step back from a moment of an agent; gives the agent and the moment to go on with."""
        lane = self._lanes.get(thread_id)
        segment = None if lane is None else lane.before(seq)
        if segment is None or segment.kind == "idle":
            return self._from_beginning(thread_id, seq, segment, may_jump=may_jump)
        if segment.last_seq < seq:  # the agent had ended, even if its turn never did
            self._add(thread_id, "idle", None, segment.last_seq, seq)
            return thread_id, segment.last_seq
        first, kind = segment.first_seq, segment.kind
        if kind == "wait for agent" and may_jump and segment.ref is not None:
            sender = self._sender(segment.ref.id, seq)
            if sender is not None and first < sender.until < seq:
                self._add(thread_id, kind, segment.ref, sender.until, seq)
                return sender.thread_id, sender.until
        self._add(thread_id, kind, segment.ref, first, seq)
        return thread_id, first

    def _from_beginning(
        self, thread_id: str, seq: int, idle: Segment | None, *, may_jump: bool
    ) -> tuple[str, int]:
        """Before a turn: what asked for it, or else that nothing was to be done."""
        trigger = self._trigger(thread_id, seq, idle) if may_jump else None
        if trigger is not None:
            until = min(seq, trigger.until)
            self._add(thread_id, "idle", None, until, seq)
            return trigger.thread_id, until
        first = self._clock.first_seq if idle is None else idle.first_seq
        self._add(thread_id, "idle", None, first, seq)
        return thread_id, first

    def _trigger(self, thread_id: str, seq: int, idle: Segment | None) -> _Trigger | None:
        """The last thing that came to an agent while it was idle; of a new agent also what started it."""
        lane = self._lanes.get(thread_id)
        is_new = idle is None or (lane is not None and idle.first_seq == lane.segments[0].first_seq)
        triggers = self._triggers_of(thread_id)
        place = bisect_right(triggers, seq, key=lambda one: one.seq)
        found = triggers[place - 1] if place else None
        if found is not None and (is_new or idle is None or found.until >= idle.first_seq):
            return found
        thread = self._index.trace.threads.get(thread_id)
        origin = None if thread is None else thread.origin
        if not isinstance(origin, SpawnedOrigin) or origin.parent_thread_id not in self._lanes:
            return None
        if is_new or self._sends_at(origin.parent_thread_id, seq):
            return _Trigger(seq, origin.parent_thread_id, seq)
        return None

    def _sends_at(self, thread_id: str, seq: int) -> bool:
        """Whether an agent was sending something just before an event: before v2 no edge tells of that."""
        segment = self._lanes[thread_id].before(seq)
        ref = None if segment is None or segment.last_seq < seq else segment.ref
        call = None if ref is None or ref.type != "ToolCall" else self._index.trace.tool_calls.get(ref.id)
        return call is not None and is_send(call)

    def _triggers_of(self, thread_id: str) -> list[_Trigger]:
        if thread_id not in self._triggers:
            edges = self._index.edges_into(thread_id)
            found = (self._trigger_of(edge) for edge in edges if edge.kind != "close_agent")
            self._triggers[thread_id] = sorted(one for one in found if one is not None)
        return self._triggers[thread_id]

    def _trigger_of(self, edge: InteractionEdge) -> _Trigger | None:
        sender = self._index.thread_of_anchor(edge.source)
        if sender is None or sender not in self._lanes:
            return None
        seq = self._links.seq_of(edge)
        if isinstance(edge.source, ToolCallAnchor):
            call = self._index.trace.tool_calls[edge.source.tool_call_id]
            return _Trigger(seq, sender, call.execution.ended_seq or seq)
        return _Trigger(seq, sender, self._end_of_work(sender, seq))

    def _end_of_work(self, thread_id: str, seq: int) -> int:
        """Until when an agent worked that was done by a moment; the moment itself if it still worked."""
        segment = self._lanes[thread_id].before(seq)
        return segment.first_seq if segment is not None and segment.kind == "idle" else seq

    def _sender(self, tool_call_id: str, seq: int) -> _Trigger | None:
        """Which agent ended a wait, and until when it was at it; None if none did, or the wait went on."""
        call = self._index.trace.tool_calls[tool_call_id]
        ended = call.execution.ended_seq
        end = wait_end(self._index, call)
        if ended is None or ended > seq or end is None or end.ref is None:
            return None
        if end.ref.type == "ConversationItem":
            edge = self._index.edge_to.get(end.ref.id)
            found = None if edge is None else self._trigger_of(edge)
            # A message is sent when its tool call begins; what that call does then ends no wait.
            return None if found is None else found._replace(until=min(found.until, max(found.seq, 0)))
        return self._turn_end(end.ref, seq)

    def _turn_end(self, ref: ObjectRef, seq: int) -> _Trigger | None:
        """The end of a turn, or of the last turn that an agent had ended by a moment."""
        turn = self._index.trace.codex_turns.get(ref.id) if ref.type == "Turn" else None
        thread_id = ref.id if turn is None else turn.thread_id
        if thread_id not in self._lanes:
            return None
        turns = self._index.contents[thread_id].turns if turn is None else [turn]
        ended = [one.execution.ended_seq or 0 for one in turns]
        last = max((one for one in ended if 0 < one < seq), default=None)
        return None if last is None else _Trigger(last, thread_id, last)
