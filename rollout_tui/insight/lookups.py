"""What a graph is looked up by: ids by ids. It grows with the graph, and all views of a bundle share it.

A graph that is followed becomes a new view several times a second, with objects that are copies of their
moment. Ids do not change, so what leads from one to another is found once, when an object is new; a view asks
for the objects themselves in its own graph. Only turns and cells are kept as objects, in lists that are
copied before they change.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from msgspec import structs

from reducer import EventRecord, ObjectRef, Problem, Reduction
from reducer.model import (
    CodeCell,
    ConversationItem,
    InferenceCall,
    InferenceProducer,
    RolloutTrace,
    Thread,
    ToolCall,
    Turn,
)
from reducer.model.objects import GraphType, RefType
from reducer.wire.events import AssignAgentTask, SendMessage
from reducer.wire.payload_refs import ShardRef, common_parts
from rollout_tui.insight.thread_contents import GrowingContents, ObjectsById, ThreadContents

RESULT_EVENT = "agent_result_observed"
"""The event by which an agent hands its result to its parent: the near end of that edge."""

_RESULT_EDGE = re.compile(r"edge:agent_result:(?P<child>[^:]+):(?P<turn>[^:]+):[^:]+")


class Reports:
    """The events by which agents handed on their results.

    Attributes:
        rebuilt: those of a session, by sequence number: what noted in the parent that the result is there,
            told of the child and its turn.
    """

    def __init__(self) -> None:
        self.rebuilt: dict[int, EventRecord] = {}
        self.by_turn: dict[str, EventRecord] = {}
        self.turn_of_seq: dict[int, str] = {}
        self.turn_of_payload: dict[str, str] = {}
        self.turn_at: dict[tuple[str | None, int], str] = {}

    def add(self, event: EventRecord) -> None:
        """Note an event, if it is one of these."""
        turn_id = event.codex_turn_id
        if event.kind != RESULT_EVENT or turn_id is None:
            return
        self.by_turn.setdefault(turn_id, event)
        self.turn_of_seq[event.seq] = turn_id
        self.turn_at.setdefault((event.thread_id, event.at_unix_ms), turn_id)
        for payload in event.payloads:
            self.turn_of_payload.setdefault(payload.raw_payload_id, turn_id)

    def add_result(self, edge_id: str, event: EventRecord) -> None:
        """Note that an edge, which a session tells of by an event, brought a result."""
        named = _RESULT_EDGE.fullmatch(edge_id)
        if named is not None and event.seq not in self.rebuilt:
            report = structs.replace(
                event, kind=RESULT_EVENT, thread_id=named["child"], codex_turn_id=named["turn"], payloads=()
            )
            self.rebuilt[event.seq] = report
            self.add(report)


class Lookups:
    """Ids by ids, and where something stands. What is not in a graph yet may be known here already.

    Attributes:
        place_of_call: which call of its thread a call is, from 0.
        number_of_turn: which turn of its thread a turn is, from 1.
        calls_of_turn: the calls of a turn, in order.
        tool_of_call_id: the tool call that the model asked for with a call id.
        exec_of_cell: the tool call that started a cell.
        cell_of_wait: the cell that a tool call waits for.
        said: the messages of each turn: when each was first seen, and its id, in order. See `_note_said`.
        installs: the compactions that were installed in each thread: sequence number and id, in order.
        sends: the tool calls that sent an agent a message or a task.
        seen: for each item the places of calls from which on it was in requests, and from which on it was
            not, by turns. An item belongs to one thread, and so do the calls that see it.
        carried: for each payload that prompts of a thread have as a part, by thread and id, the places of
            calls as in `seen`. Calls without a prompt do not count.
        parts_of: for each payload that is a part of parts, the ids of these.
        reports: how results were handed on.
        in_order: whether the sequence numbers of all events go up.
        problem_ids: an id for each problem: its place in the list is another one in another view.
        place_of_problem: the place of each problem in the list, by its id.
    """

    def __init__(self) -> None:
        self._contents: dict[str, GrowingContents] = {}
        self.place_of_call: dict[str, int] = {}
        self.number_of_turn: dict[str, int] = {}
        self.calls_of_turn: dict[str, list[str]] = {}
        self.tool_of_call_id: dict[str, str] = {}
        self.exec_of_cell: dict[str, str] = {}
        self.cell_of_wait: dict[str, str] = {}
        self.said: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.installs: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.sends: dict[str, None] = {}
        self.seen: dict[str, tuple[int, ...]] = {}
        self.carried: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.parts_of: dict[str, dict[str, None]] = defaultdict(dict)
        self.reports = Reports()
        self.in_order = True
        self.problem_ids: list[str] = []
        self.place_of_problem: dict[str, int] = {}
        self._place_of_tool_call: dict[str, int] = {}
        self._cells: set[str] = set()
        self._copied: set[str] = set()
        self._last_request: dict[str, Sequence[str]] = {}
        self._last_prompt: dict[str, tuple[ShardRef, ...]] = {}
        self._last_seq = -1

    @classmethod
    def of(cls, reduction: Reduction) -> Lookups:
        """Those of a whole graph, whatever the order of its log."""
        made = cls()
        made.grow(reduction, all_refs(reduction.trace), reduction.provenance.events)
        return made

    def grow(self, reduction: Reduction, changed: Iterable[ObjectRef], events: Iterable[EventRecord]) -> bool:
        """Add what is new in a graph.

        Args:
            reduction: the graph as it is now.
            changed: what was made or changed in it since the last time, in order.
            events: the events that were applied since.

        Returns:
            Whether that was possible: not if a turn or call began before one that is known, is gone, or is
            another agent's now. Then nothing else is of use, and everything is to be looked up anew.
        """
        self._copied = set()
        for event in events:
            self.in_order &= event.seq > self._last_seq
            self._last_seq = event.seq
            self.reports.add(event)
        self._add_problems(reduction.problems)
        for ref in changed:
            add = _ADDERS.get(ref.type)
            if add is not None and not add(self, reduction, ref.id):
                return False
        return True

    def _add_problems(self, problems: Sequence[Problem]) -> None:
        for place in range(len(self.problem_ids), len(problems)):
            found = problem_id = _problem_id(problems[place])
            same = 1
            while problem_id in self.place_of_problem:
                same += 1
                problem_id = f"{found}-{same}"
            self.place_of_problem[problem_id] = place
            self.problem_ids.append(problem_id)

    def contents_in(self, trace: RolloutTrace) -> dict[str, ThreadContents]:
        """What happened in each thread of the graph that was told of last; it does not change."""
        return {thread_id: contents.of(trace) for thread_id, contents in self._contents.items()}

    def _of_thread(self, thread_id: str) -> GrowingContents:
        """The contents of a thread, to be changed: views have the lists from before."""
        if thread_id not in self._copied:
            self._copied.add(thread_id)
            known = self._contents.get(thread_id)
            self._contents[thread_id] = GrowingContents() if known is None else known.copy()
        return self._contents[thread_id]

    def _add_edge(self, reduction: Reduction, edge_id: str) -> bool:
        """Sessions have no event for the near end of a result: what made the edge stands for that."""
        events = reduction.provenance.of("InteractionEdge", edge_id) if reduction.rebuilt_from else ()
        for event in events[:1]:
            self.reports.add_result(edge_id, event)
        return True

    def _add_turn(self, reduction: Reduction, turn_id: str) -> bool:
        turn = reduction.trace.codex_turns[turn_id]
        turns, number = self._of_thread(turn.thread_id).turns, self.number_of_turn.get(turn_id)
        if number is not None:
            if len(turns) < number or turns[number - 1].codex_turn_id != turn_id:
                return False
            turns[number - 1] = turn
            return True
        turns.append(turn)
        self.number_of_turn[turn_id] = len(turns)
        return _is_last(turns)

    def _add_call(self, reduction: Reduction, call_id: str) -> bool:
        call = reduction.trace.inference_calls.get(call_id)
        if call is None:
            # What was taken for a call made the summary of a compaction. It may be gone before it was known.
            return call_id not in self.place_of_call
        contents = self._of_thread(call.thread_id)
        ids, known = contents.call_ids, self.place_of_call.get(call_id)
        place = len(ids) if known is None else known
        if known is not None and ids[known : known + 1] != [call_id]:
            return False
        contents.count(place, call)
        if known is not None:
            return True
        self.place_of_call[call_id] = place
        ids.append(call_id)
        self.see(call.thread_id, place, call.request_item_ids)
        prompt = reduction.trace.raw_payloads.get(str(call.prepared_prompt_payload_id))
        if isinstance(prompt, ShardRef):
            self._carry(call.thread_id, place, prompt.parts)
        self.calls_of_turn.setdefault(call.codex_turn_id, []).append(call_id)
        return _is_last(ObjectsById(ids, reduction.trace.inference_calls))

    def see(self, thread_id: str, place: int, now: Sequence[str]) -> None:
        """Note what a request shows; it mostly continues the one before, so only the rest is looked at."""
        before: Sequence[str] = self._last_request.get(thread_id, [])
        fresh = now[len(before) :]
        if now[: len(before)] != before:
            ended: dict[tuple[int, ...], tuple[int, ...]] = {}
            for item_id in set(before).difference(now):
                since = self.seen[item_id]
                self.seen[item_id] = ended.setdefault(since, (*since, place))
            fresh = now
        here = (place,)  # one for all that came and went at the same calls: these are very many
        for item_id in fresh:
            places = self.seen.get(item_id)
            if places is None:
                self.seen[item_id] = here
            elif len(places) % 2 == 0:
                self.seen[item_id] = (*places, place)
        self._last_request[thread_id] = now

    def _carry(self, thread_id: str, place: int, now: tuple[ShardRef, ...]) -> None:
        """Note of which parts a prompt consists; it mostly continues the one before, too."""
        before = self._last_prompt.get(thread_id, ())
        known = common_parts(now, before)
        if len(before) > known:
            kept = {part.raw_payload_id for part in now}
            for part_id in {part.raw_payload_id for part in before[known:]} - kept:
                self.carried[thread_id, part_id].append(place)
        for part in now[known:]:
            places = self.carried[thread_id, part.raw_payload_id]
            if len(places) % 2 == 0:
                places.append(place)
            self._note_parts_of(part)
        self._last_prompt[thread_id] = now

    def _note_parts_of(self, part: ShardRef) -> None:
        waiting = [part]
        while waiting:
            one = waiting.pop()
            for inner in one.parts:
                if one.raw_payload_id not in self.parts_of[inner.raw_payload_id]:
                    self.parts_of[inner.raw_payload_id][one.raw_payload_id] = None
                    waiting.append(inner)

    def calls_carrying(self, payload_id: str) -> list[tuple[str, int]]:
        """The calls whose prompts have a payload as a part, at any depth: threads and places in them."""
        ids, waiting = {payload_id}, [payload_id]
        while waiting:
            around = [*self.parts_of.get(waiting.pop(), ())]
            waiting += [one for one in around if one not in ids]
            ids.update(around)
        found: set[tuple[str, int]] = set()
        for thread_id, contents in [*self._contents.items()]:
            for one in ids:
                ends = [*self.carried.get((thread_id, one), ()), len(contents.call_ids)]
                for first, end in zip(ends[::2], ends[1::2], strict=False):
                    found.update((thread_id, place) for place in range(first, end))
        return sorted(found)

    def _add_tool_call(self, reduction: Reduction, call_id: str) -> bool:
        call = reduction.trace.tool_calls[call_id]
        if call.started_code_cell_id is not None:
            self.exec_of_cell[call.started_code_cell_id] = call_id
        if is_send(call):
            self.sends[call_id] = None
        ids, place = self._of_thread(call.thread_id).tool_call_ids, self._place_of_tool_call.get(call_id)
        if place is not None:
            return ids[place : place + 1] == [call_id]
        self._place_of_tool_call[call_id] = len(ids)
        ids.append(call_id)
        visible = call.model_visible_call_id
        if visible is not None:
            self.tool_of_call_id[call_id if visible == call_id else visible] = call_id  # mostly one string
        return _is_last(ObjectsById(ids, reduction.trace.tool_calls))

    def _add_cell(self, reduction: Reduction, cell_id: str) -> bool:
        """Note a cell. One that waited for its item began before others that are known."""
        cell = reduction.trace.code_cells[cell_id]
        for call_id in reversed(cell.wait_tool_call_ids):
            if call_id in self.cell_of_wait:
                break
            self.cell_of_wait[call_id] = cell_id
        cells = self._of_thread(cell.thread_id).cells
        if cell_id in self._cells:
            place = bisect_left(cells, started_seq(cell), key=started_seq)
            while cells[place].code_cell_id != cell_id:
                place += 1
            cells[place] = cell
        else:
            self._cells.add(cell_id)
            insort(cells, cell, key=started_seq)
        return True

    def _add_compaction(self, reduction: Reduction, compaction_id: str) -> bool:
        events = reduction.provenance.of("Compaction", compaction_id)
        entry = (events[0].seq if events else 0, compaction_id)
        installs = self.installs[reduction.trace.compactions[compaction_id].thread_id]
        place = bisect_left(installs, entry)
        if installs[place : place + 1] != [entry]:
            installs.insert(place, entry)
        return True

    def _note_said(self, reduction: Reduction, item_id: str) -> bool:
        """Note a message of a turn, by the rule from which the reference takes the source of a result.

        That is the one with the greatest time of first sight, and among equals the greatest id as a string.
        Messages that a child inherited carry its turn, too, so only what a call produced counts here.
        """
        item = reduction.trace.conversation_items[item_id]
        if item.codex_turn_id is not None and _is_said(item):
            said, entry = self.said[item.codex_turn_id], (item.first_seen_at_unix_ms, item_id)
            place = bisect_left(said, entry)
            if said[place : place + 1] != [entry]:
                said.insert(place, entry)
        return True


def started_seq(window: Thread | Turn | InferenceCall | ToolCall | CodeCell) -> int:
    """The sequence number with which something began."""
    return window.execution.started_seq


def _problem_id(problem: Problem) -> str:
    """What tells a problem from others in every view of a bundle: what it is about, and what is wrong."""
    about = (problem.line, problem.seq, problem.event, problem.raw_payload_id, problem.in_manifest)
    return f"problem:{hashlib.sha256(repr((*about, problem.reason)).encode()).hexdigest()[:12]}"


def _is_last(started: Sequence[Turn | InferenceCall | ToolCall]) -> bool:
    """Whether what was added last began last."""
    return len(started) < 2 or started_seq(started[-2]) <= started_seq(started[-1])


def all_refs(trace: RolloutTrace) -> list[ObjectRef]:
    """All that a graph has, by kind, turns and calls in order of their start."""
    turns = sorted(trace.codex_turns.values(), key=started_seq)
    calls = sorted(trace.inference_calls.values(), key=started_seq)
    tool_calls = sorted(trace.tool_calls.values(), key=started_seq)
    ids: dict[GraphType, Iterable[str]] = {
        "Turn": (turn.codex_turn_id for turn in turns),
        "InferenceCall": (call.inference_call_id for call in calls),
        "ToolCall": (call.tool_call_id for call in tool_calls),
        "CodeCell": trace.code_cells,
        "CompactionRequest": trace.compaction_requests,
        "Compaction": trace.compactions,
        "ConversationItem": trace.conversation_items,
    }
    return [ObjectRef(type_, object_id) for type_, some in ids.items() for object_id in some]


def is_send(call: ToolCall) -> bool:
    """Whether a tool call sends an agent that is there already something."""
    return isinstance(call.kind, SendMessage | AssignAgentTask)


def _is_said(item: ConversationItem) -> bool:
    if item.kind != "message" or item.role != "assistant" or item.agent_message is not None:
        return False
    return any(isinstance(producer, InferenceProducer) for producer in item.produced_by)


_ADDERS: dict[RefType, Callable[[Lookups, Reduction, str], bool]] = {
    "Turn": Lookups._add_turn,
    "InferenceCall": Lookups._add_call,
    "ToolCall": Lookups._add_tool_call,
    "CodeCell": Lookups._add_cell,
    "Compaction": Lookups._add_compaction,
    "ConversationItem": Lookups._note_said,
    "InteractionEdge": Lookups._add_edge,
}
