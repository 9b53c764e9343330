"""Where the objects of a graph lead. Pure.

Edges between agents come first: where one leaves an object, nothing else is offered, so that a chain from
agent to agent is one step each. All else leads along the way of a tool call: response, call, output, first
inference call that saw it.
"""

from __future__ import annotations

from collections.abc import Iterable

from reducer import ObjectRef
from reducer.model import (
    CALL_KINDS,
    ConversationItem,
    EdgeKind,
    InteractionEdge,
    ItemAnchor,
    ThreadAnchor,
    ToolCall,
    Turn,
)
from reducer.wire.events import AssignAgentTask, CloseAgent, SendMessage, SpawnAgent
from rollout_tui.insight.agents.links import AgentLinks, anchor_ref
from rollout_tui.insight.compaction.rewrites import install_seq
from rollout_tui.insight.contexts.visibility import not_ended, why_unseen
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.following.steps import NoStep, Step, Steps, Way
from rollout_tui.insight.output.items import own_items

_AGENT_TOOLS = (SpawnAgent, SendMessage, AssignAgentTask, CloseAgent)

_ASKING = frozenset({"spawn_agent", "assign_agent_task", "send_message"})
"""Edges to whose items an agent answers."""

_DELIVERED: dict[EdgeKind, str] = {
    "spawn_agent": "task delivered as",
    "assign_agent_task": "task delivered as",
    "send_message": "message delivered as",
    "agent_result": "result delivered as",
    "close_agent": "closed",
}


class Forward:
    """Finds where an object leads; each method takes the id of one, which must be in the graph."""

    def __init__(self, links: AgentLinks) -> None:
        self._links = links
        self._index = links.index
        self._sightings = links.sightings
        self._to = Steps(links.index)

    def edge(self, edge_id: str) -> Way:
        """The far end of an edge."""
        return self._far_end(self._index.trace.interaction_edges[edge_id])

    def _far_end(self, edge: InteractionEdge) -> Way:
        item = self._index.target_item(edge)
        if item is not None:
            return [self._to.item(item, _DELIVERED[edge.kind])]
        if edge.kind == "close_agent" and isinstance(edge.target, ThreadAnchor):
            return [self._to.thread(edge.target.thread_id, "closed")]
        return NoStep(self._links.why_undelivered(edge), anchor_ref(edge.target))

    def _along(self, edges: Iterable[InteractionEdge]) -> Way:
        """The far ends of several edges; why one is missing, if all are."""
        steps: list[Step] = []
        missing = NoStep("no edge leaves here")
        for edge in edges:
            way = self._far_end(edge)
            if isinstance(way, NoStep):
                missing = way
            else:
                steps += way
        return steps or missing

    def thread(self, thread_id: str) -> Way:
        """What an agent sent to others, in order: tasks, messages, closes, and results to its parent."""
        edges = sorted(self._links.edges_out(thread_id), key=self._links.seq_of)
        if edges:
            return self._along(edges)
        turns = self._index.contents[thread_id].turns
        if not turns:
            return NoStep(f"{self._index.thread_path(thread_id)} never began a turn")
        last = turns[-1]
        if self._links.answer_of(last) is None and self._links.parent_of(thread_id) is not None:
            return NoStep(self._links.why_no_answer(last), ObjectRef("Turn", last.codex_turn_id))
        return NoStep(self._links.why_no_result(last), self._event_of(last))

    def turn(self, turn_id: str) -> Way:
        """The answer of a turn; the item that told the parent of its failure if there is no answer."""
        turn = self._index.trace.codex_turns[turn_id]
        answer = self._links.answer_of(turn)
        if answer is not None:
            return [self._to.item(answer, "answered with")]
        edge = self._links.result_of(turn)
        if edge is not None:
            return self._far_end(edge)
        return NoStep(self._links.why_no_answer(turn))

    def call(self, call_id: str) -> Way:
        """The answer to what other agents sent, if the call was the first to see it; else its tool calls."""
        call = self._index.trace.inference_calls[call_id]
        arrived = map(self._links.edge_to.get, self._sightings.first_seen_by(call))
        if any(edge is not None and edge.kind in _ASKING for edge in arrived):
            turn = self._index.trace.codex_turns.get(call.codex_turn_id)
            if turn is not None:
                return self.turn(turn.codex_turn_id)
        calls = [self._index.trace.tool_calls[one] for one in call.tool_call_ids_started_by_response]
        if calls:
            return [self._to.tool(one, "started") for one in calls]
        said = [item for item in self._index.items(call.response_item_ids) if item.kind == "message"]
        if said:
            return [self._to.item(item, "answered with") for item in said]
        if call.execution.status == "completed":
            return NoStep("the response started no tool call and said nothing")
        state = state_words(self._index, ObjectRef("InferenceCall", call_id), call.execution)
        return NoStep(f"no response was recorded: the call is {state}")

    def tool(self, call_id: str) -> Way:
        """The far ends of the edges of a tool call; else the items in which the model saw its output."""
        call = self._index.trace.tool_calls[call_id]
        edges = self._links.edges_of(call)
        if edges:
            return self._along(edges)
        outputs = own_items(self._index, call, call.model_visible_output_item_ids)
        if isinstance(call.kind, _AGENT_TOOLS):
            return NoStep(self._links.why_not_sent(call), self._nearest(call, outputs))
        waited = self._index.cell_of_wait(call_id)
        steps = [] if waited is None else [self._to.cell(waited, "waits for")]
        steps += [self._to.item(item, "output") for item in outputs]
        cell = self._index.cell_around(call)
        if not steps and cell is not None:
            steps = [self._to.cell(cell, "its result went to the JavaScript of")]
        return steps or NoStep(self._why_no_output(call))

    def _nearest(self, call: ToolCall, outputs: list[ConversationItem]) -> ObjectRef | None:
        """What to look at when an agent was not reached: the agent, or what the model was told instead."""
        thread = self._links.addressed_thread(call)
        if thread is not None:
            return ObjectRef("Thread", thread.thread_id)
        return ObjectRef("ConversationItem", outputs[0].item_id) if outputs else None

    def _why_no_output(self, call: ToolCall) -> str:
        if call.execution.ended_seq is None:
            return f"no output: the call {not_ended(self._index)}"
        path = self._index.thread_path(call.thread_id)
        return f"its output is in no item: {path} made no call after it"

    def item(self, item_id: str) -> Way:
        """Where an edge takes an item; the tool call that it asks for; else the first call that saw it."""
        item = self._index.trace.conversation_items[item_id]
        edges = self._index.edges_from(ItemAnchor(item_id))
        if edges:
            return self._along(edges)
        turn = self._index.trace.codex_turns.get(item.codex_turn_id or "")
        if turn is not None and self._links.answer_of(turn) is item and self._links.parent_of(item.thread_id):
            return NoStep(self._links.why_no_result(turn), self._event_of(turn))
        if item.kind in CALL_KINDS:
            tool = self._index.tool_of_item(item)
            if tool is not None:
                return [self._to.tool(tool, "asks for")]
        call = self._sightings.first_call(item)
        if call is not None:
            return [self._to.call(call, "first seen by")]
        return NoStep(f"no call saw it: {why_unseen(self._sightings, item)}")

    def _event_of(self, turn: Turn) -> ObjectRef | None:
        """The event that reported the result of a turn."""
        report = self._links.report_of(turn)
        return None if report is None else ObjectRef("Event", str(report.seq))

    def cell(self, cell_id: str) -> Way:
        """The calls that a cell's JavaScript made; its output if it made none."""
        cell = self._index.trace.code_cells[cell_id]
        nested = self._index.calls_in_order(cell.nested_tool_call_ids)
        if nested:
            return [self._to.tool(call, "ran") for call in nested]
        outputs = self._index.items(cell.output_item_ids)
        steps = [self._to.item(item, "output") for item in outputs if item.thread_id == cell.thread_id]
        return steps or NoStep("the cell ran no tool and has no output")

    def compaction(self, compaction_id: str) -> Way:
        """The first call after a compaction."""
        compaction = self._index.trace.compactions[compaction_id]
        calls = self._index.contents[compaction.thread_id].calls
        seq = install_seq(self._index, compaction)
        after = next((call for call in calls if call.execution.started_seq > seq), None)
        if after is None:
            path = self._index.thread_path(compaction.thread_id)
            return NoStep(f"{path} made no call after the compaction")
        return [self._to.call(after, "first call after")]

    def request(self, request_id: str) -> Way:
        """The compaction that a request was for."""
        request = self._index.trace.compaction_requests[request_id]
        compaction = self._index.trace.compactions.get(request.compaction_id)
        if compaction is None:
            ref = ObjectRef("CompactionRequest", request_id)
            state = state_words(self._index, ref, request.execution)
            return NoStep(f"no compaction was installed: the request is {state}")
        return [self._to.compaction(compaction, "installed as")]

    def rewrite(self, call_id: str) -> Way:
        """The call whose request has the rewritten history."""
        return [self._to.call(self._index.trace.inference_calls[call_id], "first call after")]

    def event(self, seq: str) -> Way:
        """Of an event that reported a result: what brought it to the parent, or why nothing did."""
        turn = self._links.turn_of_report(int(seq))
        if turn is None:
            return NoStep("no edge leads from here or to here")
        edge = self._links.result_of(turn)
        return NoStep(self._links.why_no_result(turn)) if edge is None else self._far_end(edge)

    def session(self, terminal_id: str) -> Way:
        """The tool calls that used a terminal."""
        trace = self._index.trace
        operations = [
            trace.terminal_operations[one] for one in trace.terminal_sessions[terminal_id].operation_ids
        ]
        steps = [self._to.tool(trace.tool_calls[one.tool_call_id], "used by") for one in operations]
        return steps or NoStep("no operation is left in this terminal")
