"""Where the objects of a graph came from. Pure.

Edges between agents come first here, too: what an edge brought came from where the edge began.
"""

from __future__ import annotations

from collections import defaultdict

from reducer.model import (
    OUTPUT_KINDS,
    CellProducer,
    CodeCellRequester,
    CompactionProducer,
    ConversationItem,
    EdgeKind,
    InferenceProducer,
    InteractionEdge,
    Role,
    SpawnedOrigin,
    ToolProducer,
)
from rollout_tui.insight.agents.links import AgentLinks, anchor_ref
from rollout_tui.insight.compaction.rewrites import install_seq
from rollout_tui.insight.following.steps import NoStep, Step, Steps, Way
from rollout_tui.insight.output.items import own_items

_SENT: dict[EdgeKind, str] = {
    "spawn_agent": "task sent by",
    "assign_agent_task": "task sent by",
    "send_message": "message sent by",
    "agent_result": "result of",
    "close_agent": "closed by",
}

_OUTSIDE: dict[Role, str] = {
    "user": "it came from the user, or from Codex in the user's name",
    "developer": "Codex put it there",
    "system": "Codex put it there",
}


class Back:
    """Finds where an object came from; each method takes the id of one, which must be in the graph."""

    def __init__(self, links: AgentLinks) -> None:
        self._links = links
        self._index = links.index
        self._sightings = links.sightings
        self._to = Steps(links.index)
        self._delivered_in_turn: dict[str, list[ConversationItem]] = defaultdict(list)
        for item in self._index.items(links.edge_to):
            if item.codex_turn_id is not None:
                self._delivered_in_turn[item.codex_turn_id].append(item)
        for items in self._delivered_in_turn.values():
            items.sort(key=lambda item: item.first_seen_at_unix_ms)

    def edge(self, edge_id: str) -> Way:
        """The object at which an edge begins."""
        return self._near_end(self._index.trace.interaction_edges[edge_id])

    def _near_end(self, edge: InteractionEdge) -> list[Step]:
        return [self._to.anchor(anchor_ref(edge.source), _SENT[edge.kind])]

    def thread(self, thread_id: str) -> Way:
        """What started an agent, and what closed it."""
        thread = self._index.trace.threads[thread_id]
        origin = thread.origin
        steps: list[Step] = []
        if isinstance(origin, SpawnedOrigin):
            spawn = self._index.trace.interaction_edges.get(origin.spawn_edge_id)
            if spawn is not None:
                steps.append(self._to.anchor(anchor_ref(spawn.source), "spawned by"))
            elif origin.parent_thread_id in self._index.trace.threads:
                steps.append(self._to.thread(origin.parent_thread_id, "spawned by"))
        steps += [self._to.tool(call, "closed by") for call in self._links.closes_of(thread_id)]
        if steps:
            return steps
        if isinstance(origin, SpawnedOrigin):
            return NoStep("the agent that spawned it is not in this bundle")
        return NoStep(f"no other agent started {thread.agent_path}")

    def turn(self, turn_id: str) -> Way:
        """What other agents sent that was delivered in a turn."""
        items = self._delivered_in_turn.get(turn_id, ())
        steps = [self._to.item(item, "received") for item in items]
        return steps or NoStep("no other agent's message was delivered in this turn")

    def call(self, call_id: str) -> Way:
        """What a call was the first to see: messages of other agents, else outputs of tools."""
        call = self._index.trace.inference_calls[call_id]
        seen = self._index.items(self._sightings.first_seen_by(call))
        items = [item for item in seen if item.item_id in self._links.edge_to]
        items = items or [item for item in seen if item.kind in OUTPUT_KINDS]
        if items:
            return [self._to.item(item, "first to see") for item in items]
        place = self._index.place_of_call(call) + 1
        return NoStep(f"call {place} saw no message of another agent and no output of a tool first")

    def tool(self, call_id: str) -> Way:
        """The cell whose JavaScript asked for a tool call, or the inference call that did."""
        call = self._index.trace.tool_calls[call_id]
        if isinstance(call.requester, CodeCellRequester):
            cell = self._index.cell_around(call)
            if cell is None:
                return NoStep("the code cell that asked for it is not in the graph")
            return [self._to.cell(cell, "asked for by")]
        items = own_items(self._index, call, call.model_visible_call_item_ids)
        steps = [step for item in items for step in self._producers(item, "asked for by")]
        steps = steps or [self._to.item(item, "asked for by") for item in items]
        return steps or NoStep("no response that asked for it was recorded")

    def item(self, item_id: str) -> Way:
        """Where an edge brought an item from, or what produced it."""
        item = self._index.trace.conversation_items[item_id]
        edge = self._links.edge_to.get(item_id)
        if edge is not None:
            return self._near_end(edge)
        if item.kind in OUTPUT_KINDS:
            tool = self._index.tool_of_item(item)
            if tool is not None:
                return [self._to.tool(tool, "output of")]
        return self._producers(item) or NoStep(self._why_unproduced(item))

    def _why_unproduced(self, item: ConversationItem) -> str:
        if item.role in _OUTSIDE:
            return _OUTSIDE[item.role]
        if self._links.parent_of(item.thread_id) is not None:
            return "this agent did not produce it: it was inherited with the history of its parent"
        return "nothing in the graph produced it"

    def _producers(self, item: ConversationItem, answered: str = "answered by") -> list[Step]:
        trace, steps = self._index.trace, []
        for producer in item.produced_by:
            if isinstance(producer, InferenceProducer):
                steps.append(self._to.call(trace.inference_calls[producer.inference_call_id], answered))
            elif isinstance(producer, ToolProducer):
                steps.append(self._to.tool(trace.tool_calls[producer.tool_call_id], "output of"))
            elif isinstance(producer, CellProducer):
                steps.append(self._to.cell(trace.code_cells[producer.code_cell_id], "output of"))
            elif isinstance(producer, CompactionProducer):
                steps.append(self._to.compaction(trace.compactions[producer.compaction_id], "put there by"))
        return list(dict.fromkeys(steps))

    def cell(self, cell_id: str) -> Way:
        """The `exec` call that started a cell, else the item with its source."""
        cell = self._index.trace.code_cells[cell_id]
        if self._index.entry_of_cell(cell).type == "ToolCall":
            return [self._to.cell(cell, "started by")]
        return [self._to.item(self._index.trace.conversation_items[cell.source_item_id], "its source")]

    def compaction(self, compaction_id: str) -> Way:
        """The requests that made a compaction; the last call before it if there were none."""
        compaction = self._index.trace.compactions[compaction_id]
        if compaction.request_ids:
            return [self._to.compaction_request(one, "made by") for one in compaction.request_ids]
        return self._last_call_before(compaction.thread_id, install_seq(self._index, compaction))

    def request(self, request_id: str) -> Way:
        """The last call before a compaction request."""
        request = self._index.trace.compaction_requests[request_id]
        return self._last_call_before(request.thread_id, request.execution.started_seq)

    def rewrite(self, call_id: str) -> Way:
        """The call before the one whose request has the rewritten history."""
        before = self._index.previous_call(self._index.trace.inference_calls[call_id])
        return (
            NoStep("no call came before") if before is None else [self._to.call(before, "last call before")]
        )

    def event(self, seq: str) -> Way:
        """Of an event that reported a result: the answer, or else the turn that came to none."""
        turn = self._links.turn_of_report(int(seq))
        if turn is None:
            return NoStep("no edge leads from here or to here")
        answer = self._links.answer_of(turn)
        return [self._to.turn(turn, "result of") if answer is None else self._to.item(answer, "reports")]

    def _last_call_before(self, thread_id: str, seq: int) -> Way:
        call = self._index.call_at(thread_id, seq)
        if call is None:
            return NoStep(f"{self._index.thread_path(thread_id)} had made no call before")
        return [self._to.call(call, "last call before")]

    def session(self, terminal_id: str) -> Way:
        """The tool call that opened a terminal."""
        session = self._index.trace.terminal_sessions[terminal_id]
        operation = self._index.trace.terminal_operations[session.created_by_operation_id]
        return [self._to.tool(self._index.trace.tool_calls[operation.tool_call_id], "opened by")]
