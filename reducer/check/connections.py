"""What the graph lacks though it was built as it should: nobody saw it, nobody got it, nothing led to it."""

from __future__ import annotations

from reducer.check.lifecycles import recording_words
from reducer.check.log_watch import LogWatch
from reducer.check.names import name_of
from reducer.check.report import Finding, Place, Severity
from reducer.model import (
    CompactionProducer,
    ConversationItem,
    InteractionEdge,
    ItemAnchor,
    RolloutTrace,
    SpawnedOrigin,
    ThreadAnchor,
    ToolCall,
    ToolCallAnchor,
)
from reducer.wire.events import AssignAgentTask, SendMessage, SpawnAgent


class Connections:
    """Looks at what should be connected."""

    def __init__(self, trace: RolloutTrace, watch: LogWatch) -> None:
        self._trace = trace
        self._watch = watch
        calls = trace.inference_calls.values()
        self._seen = {item_id for call in calls for item_id in call.request_item_ids}
        self._answered = {item_id for call in calls for item_id in call.response_item_ids}
        self._refused_lines = {event.line for event in watch.refused}

    def findings(self) -> list[Finding]:
        """Edges without delivery, unseen items and results, cells without item, promises not kept."""
        # A cell whose call a limit of the recorder cut has no item either; what was cut is told elsewhere.
        complete = recording_words(self._trace) == "completed"
        lost_cells = self._lost_cells()
        found: list[tuple[str, Severity, str, list[Place]]] = [
            ("undelivered_edge", "note", "edges that no item delivered", self._undelivered()),
            ("unsent_message", "note", "tasks and messages of which no edge came", self._unsent()),
            ("lost_result", "note", "results of agents that never reached the parent", self._lost_results()),
            ("unseen_result", "note", "delivered results that no call saw", self._unseen_results()),
            ("unseen_output", "note", "tool outputs that no call saw", self._unseen_outputs()),
            ("unseen_item", "note", "other items that no call saw", self._unseen_items()),
            ("lost_cell", "problem" if complete else "note", "code cells without source item", lost_cells),
            (
                "unused_receipt",
                "note",
                "accepted items that no request or response held",
                self._unused_receipts(),
            ),
            (
                "unused_compaction",
                "note",
                "compactions that were requested, not installed",
                self._uninstalled(),
            ),
            ("unknown_parent", "note", "threads whose parent is not in this bundle", self._orphans()),
        ]
        return [Finding("graph", *one) for one in found if one[3]]

    # Edges

    def _undelivered(self) -> list[Place]:
        return [
            self._edge_place(edge, f"{edge.kind} to thread {edge.target.thread_id}")
            for edge in self._trace.interaction_edges.values()
            if isinstance(edge.target, ThreadAnchor) and edge.kind != "close_agent"
        ]

    @staticmethod
    def _edge_place(edge: InteractionEdge, text: str) -> Place:
        return Place(text=f"{edge.edge_id}: {text}", type="InteractionEdge", id=edge.edge_id)

    def _unsent(self) -> list[Place]:
        edges = self._trace.interaction_edges.values()
        sources = {edge.source.tool_call_id for edge in edges if isinstance(edge.source, ToolCallAnchor)}
        return [
            self._tool_place(call, f"{call.execution.status}, but delivered to nobody")
            for call in self._trace.tool_calls.values()
            if isinstance(call.kind, SpawnAgent | AssignAgentTask | SendMessage)
            and call.tool_call_id not in sources
        ]

    @staticmethod
    def _tool_place(call: ToolCall, words: str) -> Place:
        seq = call.execution.started_seq
        return Place(text=f"{name_of(call)}: {words}", seq=seq, type="ToolCall", id=call.tool_call_id)

    def _lost_results(self) -> list[Place]:
        return [
            Place(
                text=f"{edge_id}: no item of the parent brought it",
                line=line,
                type="InteractionEdge",
                id=edge_id,
            )
            for edge_id, line in self._watch.results.items()
            if edge_id not in self._trace.interaction_edges and line not in self._refused_lines
        ]

    def _unseen_results(self) -> list[Place]:
        return [
            self._edge_place(edge, f"{edge.target.item_id} was in no request")
            for edge in self._trace.interaction_edges.values()
            if edge.kind == "agent_result" and isinstance(edge.target, ItemAnchor)
            if edge.target.item_id not in self._seen
        ]

    # Items

    def _unseen_outputs(self) -> list[Place]:
        """Outputs of tools and cells that are items, but were in no request; tools without any such item."""
        return [
            self._item_place(item, self._why_unseen(item))
            for item in self._trace.conversation_items.values()
            if item.kind.endswith("_output") and item.item_id not in self._seen
        ]

    def _unseen_items(self) -> list[Place]:
        return [
            self._item_place(item, self._why_unseen(item))
            for item in self._trace.conversation_items.values()
            if item.item_id not in self._seen
            and item.item_id not in self._answered
            and item.kind != "compaction_marker"
            and not item.kind.endswith("_output")
        ]

    @staticmethod
    def _item_place(item: ConversationItem, why: str) -> Place:
        return Place(text=f"{name_of(item)}: {why}", type="ConversationItem", id=item.item_id)

    def _why_unseen(self, item: ConversationItem) -> str:
        if any(isinstance(one, CompactionProducer) for one in item.produced_by):
            return "no call came after the compaction, or its request had it otherwise"
        if item.accepted_seq is not None:
            return f"accepted at seq {item.accepted_seq}, but in no request"
        return "known from a compaction's history only"

    def _lost_cells(self) -> list[Place]:
        return [
            Place(
                text=f"{cell_id}: its exec call is no item of its thread",
                line=line,
                type="CodeCell",
                id=cell_id,
            )
            for cell_id, line in self._watch.cell_starts.items()
            if cell_id not in self._trace.code_cells and line not in self._refused_lines
        ]

    def _unused_receipts(self) -> list[Place]:
        items = self._trace.conversation_items.values()
        known = {(item.thread_id, item.responses_item_id) for item in items}
        return [
            Place(text=f"{item_id} in thread {thread_id}", line=line, id=item_id)
            for (thread_id, item_id), line in self._watch.receipts.items()
            if (thread_id, item_id) not in known and line not in self._refused_lines
        ]

    # The rest

    def _uninstalled(self) -> list[Place]:
        return [
            Place(
                text=f"{request.compaction_id}: {name_of(request)} {request.execution.status}",
                seq=request.execution.started_seq,
                type="CompactionRequest",
                id=request.compaction_request_id,
            )
            for request in self._trace.compaction_requests.values()
            if request.compaction_id not in self._trace.compactions
        ]

    def _orphans(self) -> list[Place]:
        return [
            Place(text=f"{name_of(thread)}: parent {parent}", type="Thread", id=thread.thread_id)
            for thread in self._trace.threads.values()
            if isinstance(thread.origin, SpawnedOrigin)
            for parent in (thread.origin.parent_thread_id,)
            if parent not in self._trace.threads
        ]
