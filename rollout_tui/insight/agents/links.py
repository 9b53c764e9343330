"""What went between agents, whether it arrived, and if not, why. Pure.

An edge of the graph has its far end only when an item delivered it. Of an undelivered result nothing is
left but its event in the log, of an undelivered message nothing but the tool call. Why neither arrived is
told from the states and sequence numbers of agents, turns and calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from reducer import EventRecord, ObjectRef
from reducer.model import (
    ConversationItem,
    InferenceCall,
    InteractionEdge,
    ItemAnchor,
    SpawnedOrigin,
    Thread,
    ThreadAnchor,
    ToolCall,
    ToolCallAnchor,
    Turn,
)
from reducer.model.agents import Anchor
from reducer.wire.events import AgentSummary, ExecutionStatus, SpawnAgent
from rollout_tui.insight.contexts.visibility import Sightings, after_arrival, not_ended
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.lookups import is_send
from rollout_tui.insight.output.items import output_item, own_items
from rollout_tui.insight.tools.words import argument, tool_label
from rollout_tui.texts.short_forms import one_line

NOBODY = "delivered to nobody"
"""Begins each reason why a task or message reached no item of the agent that it was for."""

_NOT_DONE = frozenset({"failed", "cancelled", "aborted"})


class AgentLinks:
    """Look-ups over what went between agents, made once for a graph.

    Attributes:
        index: the graph.
        sightings: which calls saw each item.
        edge_to: the edge that an item delivered, by the item's id.
    """

    def __init__(self, sightings: Sightings) -> None:
        self.index = index = sightings.index
        self.sightings = sightings
        self.edge_to = index.edge_to
        self._edges_out: dict[str, list[InteractionEdge]] = defaultdict(list)
        self._results: dict[str, InteractionEdge] = {}
        self._closes: dict[str, list[ToolCall]] = defaultdict(list)
        self._reports = index.lookups.reports
        self._by_path: dict[str, list[Thread]] = defaultdict(list)
        for thread in index.threads:
            self._by_path[thread.agent_path].append(thread)
        for edge in index.trace.interaction_edges.values():
            self._add_edge(edge)
        self._lost_sends = self._find_lost_sends()

    def _add_edge(self, edge: InteractionEdge) -> None:
        thread_id = self.index.thread_of_anchor(edge.source)
        if thread_id is not None:
            self._edges_out[thread_id].append(edge)
        if edge.kind == "agent_result":
            turn_id = self._turn_of_result(edge)
            if turn_id is not None:
                self._results[turn_id] = edge
        elif edge.kind == "close_agent" and isinstance(edge.source, ToolCallAnchor):
            call = self.index.trace.tool_calls.get(edge.source.tool_call_id)
            if call is not None and isinstance(edge.target, ThreadAnchor):
                self._closes[edge.target.thread_id].append(call)

    def _turn_of_result(self, edge: InteractionEdge) -> str | None:
        """The turn whose result an edge carries: that of its source item, or of the event that told of it."""
        if isinstance(edge.source, ItemAnchor):
            item = self.index.trace.conversation_items.get(edge.source.item_id)
            return None if item is None else item.codex_turn_id
        for payload_id in edge.carried_raw_payload_ids:
            if payload_id in self._reports.turn_of_payload:
                return self._reports.turn_of_payload[payload_id]
        return self._reports.turn_at.get((self.index.thread_of_anchor(edge.source), edge.started_at_unix_ms))

    def _find_lost_sends(self) -> dict[str, list[ToolCall]]:
        lost: dict[str, list[ToolCall]] = defaultdict(list)
        for call_id in [*self.index.lookups.sends]:
            call = self.index.trace.tool_calls.get(call_id)
            if call is not None and is_send(call) and not self.edges_of(call):
                target = self.addressed_thread(call)
                if target is not None:
                    lost[target.thread_id].append(call)
        return lost

    # What there is

    def edges_of(self, call: ToolCall) -> list[InteractionEdge]:
        """The edges that leave a tool call."""
        return self.index.edges_from(ToolCallAnchor(call.tool_call_id))

    def edges_out(self, thread_id: str) -> list[InteractionEdge]:
        """The edges that leave an agent, its items or its tool calls."""
        return self._edges_out.get(thread_id, [])

    def closes_of(self, thread_id: str) -> list[ToolCall]:
        """The tool calls that closed an agent."""
        return self._closes.get(thread_id, [])

    def lost_sends_to(self, thread_id: str) -> list[ToolCall]:
        """The tool calls that sent an agent something of which no edge came."""
        return self._lost_sends.get(thread_id, [])

    def parent_of(self, thread_id: str) -> str | None:
        """The id of the agent that spawned an agent; None for one that nobody spawned."""
        thread = self.index.trace.threads.get(thread_id)
        origin = None if thread is None else thread.origin
        return origin.parent_thread_id if isinstance(origin, SpawnedOrigin) else None

    def answer_of(self, turn: Turn) -> ConversationItem | None:
        """The answer of a turn: what its result came from, or the last message of a turn that completed."""
        edge = self._results.get(turn.codex_turn_id)
        if edge is not None and isinstance(edge.source, ItemAnchor):
            return self.index.trace.conversation_items.get(edge.source.item_id)
        return self.last_said(turn) if self._ending(turn) == "completed" else None

    def _ending(self, turn: Turn) -> ExecutionStatus:
        """How a turn ended: failed, if it is said to be completed though its last call failed."""
        status = turn.execution.status
        if (
            status == "completed"
            and failure_of(self.index, ObjectRef("Turn", turn.codex_turn_id)) is not None
        ):
            return "failed"
        return status

    def last_said(self, turn: Turn) -> ConversationItem | None:
        """The last message that the model said in a turn, whether or not the turn came to an answer."""
        items = self.index.trace.conversation_items
        said = self.index.lookups.said.get(turn.codex_turn_id, ())
        return next((items[item_id] for _, item_id in reversed(said) if item_id in items), None)

    def result_of(self, turn: Turn) -> InteractionEdge | None:
        """The edge that brought the result of a turn to the parent."""
        return self._results.get(turn.codex_turn_id)

    def report_of(self, turn: Turn) -> EventRecord | None:
        """The event by which the result of a turn was handed to the parent, whether or not it arrived."""
        return self._report(turn.codex_turn_id)

    def _report(self, turn_id: str) -> EventRecord | None:
        found = self._reports.by_turn.get(turn_id)
        return found if found is not None and self.index.has_happened(found.seq) else None

    def turn_of_report(self, seq: int) -> Turn | None:
        """The turn whose result the event with this sequence number handed to the parent."""
        turn_id = self._reports.turn_of_seq.get(seq)
        return None if turn_id is None else self.index.trace.codex_turns.get(turn_id)

    def calls_of_turn(self, turn_id: str) -> Sequence[InferenceCall]:
        """The inference calls of a turn, in order."""
        calls = self.index.trace.inference_calls
        call_ids = self.index.lookups.calls_of_turn.get(turn_id, ())
        return [calls[call_id] for call_id in call_ids if call_id in calls]

    def addressed_thread(self, call: ToolCall) -> Thread | None:
        """The agent that a tool call addresses, by the beginning of its arguments; None if they do not tell.

        A name without a slash in front belongs below the caller. Where several agents had one path, one after
        the other, the last that had begun is meant.
        """
        summary = call.summary
        name = summary.target_agent_path if isinstance(summary, AgentSummary) else None
        name = name or argument(call, "target") or argument(call, "task_name")
        if not name:
            return None
        path = name if name.startswith("/") else f"{self.index.thread_path(call.thread_id)}/{name}"
        threads = self._by_path.get(path, [])
        begun = [one for one in threads if one.execution.started_seq < call.execution.started_seq]
        return next(reversed(begun or threads), None)

    # Why something is missing

    def why_not_sent(self, call: ToolCall) -> str:
        """Why no edge leaves a tool call that addresses an agent."""
        execution = call.execution
        if execution.status in _NOT_DONE:
            outputs = own_items(self.index, call, call.model_visible_output_item_ids)
            output = output_item(self.index, outputs[0]) if outputs else None
            told = f": {one_line(output.output.line, 200)}" if output and output.output.line else ""
            return f"the {tool_label(self.index, call)} call {_ended(execution.status)}{told}"
        if execution.ended_seq is None:
            return f"the call {not_ended(self.index)}"
        thread = self.addressed_thread(call)
        if thread is not None:
            return f"{NOBODY}: {after_arrival(self.index, thread.thread_id, execution.started_seq)}"
        if isinstance(call.kind, SpawnAgent):
            return "the call started no agent that is in this bundle"
        return f"{NOBODY}: the agent it is for is not in this bundle"

    def why_undelivered(self, edge: InteractionEdge) -> str:
        """Why an edge that leads to an agent as a whole was delivered to it by no item."""
        target = self.index.thread_of_anchor(edge.target)
        if target is None:
            return f"{NOBODY}: the agent is not in this bundle"
        return f"{NOBODY}: {after_arrival(self.index, target, self.seq_of(edge))}"

    def seq_of(self, edge: InteractionEdge) -> int:
        """When an edge began: the start of its tool call, the report of its result, or else its delivery."""
        if isinstance(edge.source, ToolCallAnchor):
            call = self.index.trace.tool_calls.get(edge.source.tool_call_id)
            if call is not None:
                return call.execution.started_seq
        turn_id = self._turn_of_result(edge) if edge.kind == "agent_result" else None
        report = None if turn_id is None else self._report(turn_id)
        if report is not None:
            return report.seq
        return self.index.first_seq(ObjectRef("InteractionEdge", edge.edge_id)) or 0

    def why_no_answer(self, turn: Turn) -> str:
        """Why a turn came to no answer."""
        calls, execution, ending = self.calls_of_turn(turn.codex_turn_id), turn.execution, self._ending(turn)
        if ending in _NOT_DONE:
            closed = self._close_during(turn)
            by = "" if closed is None else f", closed by {self.index.thread_path(closed.thread_id)}"
            reason = self._reason_of_failure(calls)
            when = f"(seq {execution.ended_seq}{by})"
            return f"the turn {_ended(ending)} before it answered {when}{reason}"
        if execution.ended_seq is not None:
            return f"the turn ended without a message (seq {execution.ended_seq})"
        if not self.index.is_over:
            return f"the turn {not_ended(self.index)}"
        where = "before its first call"
        if calls:
            during = "during" if calls[-1].execution.ended_seq is None else "after"
            where = f"{during} call {self.index.place_of_call(calls[-1]) + 1}"
        return f"the agent died before it answered: the recording ends {where}"

    def _close_during(self, turn: Turn) -> ToolCall | None:
        """The tool call that closed an agent while its turn ran."""
        began, ended = turn.execution.started_seq, turn.execution.ended_seq
        for call in self.closes_of(turn.thread_id):
            closed = call.execution.started_seq
            if began < closed and (ended is None or closed < ended):
                return call
        return None

    def _reason_of_failure(self, calls: Sequence[InferenceCall]) -> str:
        if not calls or calls[-1].execution.status != "failed":
            return ""
        for event in self.index.reduction.provenance.of("InferenceCall", calls[-1].inference_call_id):
            if event.note:
                return f": {one_line(event.note, 200)}"
        return ""

    def why_no_result(self, turn: Turn) -> str:
        """Why no item brought the result of a turn to the parent."""
        parent = self.parent_of(turn.thread_id)
        if parent is None:
            return f"{self.index.thread_path(turn.thread_id)} answers to the user, not to another agent"
        report, execution = self.report_of(turn), turn.execution
        if report is not None:
            return f"reported at seq {report.seq}, but {after_arrival(self.index, parent, report.seq)}"
        if execution.ended_seq is None:
            return f"no result: the turn {not_ended(self.index)}"
        ending = self._ending(turn)
        if ending == "completed":
            return "no event reported a result of the turn"
        return f"no result: a turn that {_ended(ending)} reported none"


def anchor_ref(anchor: Anchor) -> ObjectRef:
    """The object at an end of an edge."""
    if isinstance(anchor, ItemAnchor):
        return ObjectRef("ConversationItem", anchor.item_id)
    if isinstance(anchor, ToolCallAnchor):
        return ObjectRef("ToolCall", anchor.tool_call_id)
    return ObjectRef("Thread", anchor.thread_id)


def _ended(status: ExecutionStatus) -> str:
    return "failed" if status == "failed" else f"was {status}"
