"""The Origin tab: how an object came about, link by link, each with the event of the log that shows it. Pure.

The chain goes back from the object: an output item to the terminal operation that printed it, the tool call
that ran that, the code cell whose JavaScript asked for the call, the item with the source, and the inference
call that answered with it. What came from another agent goes back over the edge; what a compaction put in
place goes back to its requests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from reducer import EventRecord, ObjectRef
from reducer.model import (
    OUTPUT_KINDS,
    CellProducer,
    CodeCellRequester,
    CompactionProducer,
    ConversationItem,
    InferenceProducer,
    ToolCall,
    ToolProducer,
)
from reducer.model.objects import RefType
from rollout_tui.insight.agents.links import AgentLinks, anchor_ref
from rollout_tui.insight.following.steps import Step, Steps
from rollout_tui.insight.output.items import own_items
from rollout_tui.insight.tools.words import cell_words, operation_words
from rollout_tui.texts.short_forms import clock
from rollout_tui.views.detail.facts import Fact

LONGEST_CHAIN = 64
"""Links shown: chains of evidence are short, but what a hostile bundle refers to may be long."""

_ORIGIN_TYPES: frozenset[RefType] = frozenset(
    {
        "ConversationItem",
        "ToolCall",
        "TerminalOperation",
        "CodeCell",
        "InferenceCall",
        "InteractionEdge",
        "Compaction",
        "CompactionRequest",
        "Thread",
    }
)


class OriginLink(Struct, frozen=True):
    """One link of a chain.

    Attributes:
        why: how what stands above came from it, such as `output of`; empty for the object itself.
        words: what it is, in a line.
        ref: the object; None where the chain ends outside the bundle, and `words` says so.
        event: the event of the log that made it; None where none did.
    """

    why: str
    words: str
    ref: ObjectRef | None
    event: EventRecord | None


class Origins:
    """Finds out how objects came about; made once for a graph.

    Attributes:
        links: what went between the agents of the graph.
    """

    def __init__(self, links: AgentLinks) -> None:
        self.links = links
        self._index = links.index
        self._to = Steps(links.index)
        self._seen_outputs: dict[str, list[str]] = defaultdict(list)
        for operation in self._index.trace.terminal_operations.values():
            for observation in operation.model_observations:
                for item_id in observation.output_item_ids:
                    self._seen_outputs[item_id].append(operation.operation_id)

    def chain(self, ref: ObjectRef) -> list[OriginLink]:
        """The chain from an object back to where it came from; empty for what has no origin to tell.

        Args:
            ref: any object of the graph. An event that only tells of an object, such as the receipt of an
                item, is a link of its own.
        """
        if ref.type not in _ORIGIN_TYPES or not self._index.has(ref):
            return []
        found = [OriginLink("", self._words(ref), ref, self._made_by(ref))]
        known = {ref}
        # Depth first, the first source of each object before its others: the main chain stands together.
        waiting = list(reversed(list(self._sources(ref))))
        while waiting and len(found) < LONGEST_CHAIN:
            link = waiting.pop()
            if link.ref is not None:
                if link.ref in known:
                    continue
                known.add(link.ref)
            found.append(link)
            if link.ref is not None and link.ref.type != "Event":
                waiting += reversed(list(self._sources(link.ref)))
        return found

    def _sources(self, ref: ObjectRef) -> Iterator[OriginLink]:
        """What an object came from directly."""
        trace = self._index.trace
        if ref.type == "ConversationItem":
            yield from self._of_item(trace.conversation_items[ref.id])
        elif ref.type == "TerminalOperation":
            operation = trace.terminal_operations[ref.id]
            yield from self._tool(operation.tool_call_id, "run by")
        elif ref.type == "ToolCall":
            yield from self._of_tool(trace.tool_calls[ref.id])
        elif ref.type == "CodeCell":
            yield from self._item(trace.code_cells[ref.id].source_item_id, "its source")
        elif ref.type == "InteractionEdge":
            source = anchor_ref(trace.interaction_edges[ref.id].source)
            yield self._link(self._to.anchor(source, "sent by"))
        elif ref.type == "Compaction":
            for request_id in trace.compactions[ref.id].request_ids:
                if request_id in trace.compaction_requests:
                    yield self._link(self._to.compaction_request(request_id, "asked for by"))
        elif ref.type == "Thread":
            yield from self._of_thread(ref.id)

    def _of_item(self, item: ConversationItem) -> Iterator[OriginLink]:
        edge = self.links.edge_to.get(item.item_id)
        if edge is not None:
            edge_ref = ObjectRef("InteractionEdge", edge.edge_id)
            yield OriginLink("delivered by", self._words(edge_ref), edge_ref, self._made_by(edge_ref))
        for operation_id in self._seen_outputs.get(item.item_id, ()):
            yield self._operation(operation_id, "printed by")
        produced = list(self._producers(item))
        tool = self._index.tool_of_item(item) if item.kind in OUTPUT_KINDS else None
        if tool is not None:
            cell_made_it = any(isinstance(one, CellProducer) for one in item.produced_by)
            produced += [] if cell_made_it else list(self._tool(tool.tool_call_id, "output of"))
        yield from produced
        receipt = self._receipt(item)
        if receipt is not None:
            yield receipt
        if edge is None and not produced:
            yield OriginLink("from", self._outside(item), None, None)

    def _producers(self, item: ConversationItem) -> Iterator[OriginLink]:
        trace = self._index.trace
        cells = {one.code_cell_id for one in item.produced_by if isinstance(one, CellProducer)}
        for producer in item.produced_by:
            if isinstance(producer, InferenceProducer):
                call = trace.inference_calls.get(producer.inference_call_id)
                if call is not None:
                    yield self._link(self._to.call(call, "answered by"))
            elif isinstance(producer, ToolProducer):
                tool = trace.tool_calls.get(producer.tool_call_id)
                # An `exec` call only started the cell that made the item.
                if tool is not None and tool.started_code_cell_id not in cells:
                    yield from self._tool(producer.tool_call_id, "output of")
            elif isinstance(producer, CellProducer):
                ref = ObjectRef("CodeCell", producer.code_cell_id)
                if self._index.has(ref):
                    yield OriginLink("output of", self._words(ref), ref, self._made_by(ref))
            elif isinstance(producer, CompactionProducer):
                compaction = trace.compactions.get(producer.compaction_id)
                if compaction is not None:
                    yield self._link(self._to.compaction(compaction, "put there by"))

    def _receipt(self, item: ConversationItem) -> OriginLink | None:
        """The event that accepted an item into the history."""
        if item.accepted_seq is None:
            return None
        event = self._index.event_at(item.accepted_seq)
        words = f"into the history at {clock(item.accepted_at_unix_ms or 0)}"
        return OriginLink("accepted", words, ObjectRef("Event", str(item.accepted_seq)), event)

    def _outside(self, item: ConversationItem) -> str:
        """Where an item came from that nothing in the graph produced."""
        if item.role == "user":
            return "the user, or Codex in the user's name"
        if item.role in ("developer", "system"):
            return "Codex itself"
        parent = self.links.parent_of(item.thread_id)
        if parent is not None:
            return f"the history of {self._index.thread_path(parent)}, inherited when the agent was spawned"
        return "nothing in this bundle: it was in the history before"

    def _of_tool(self, call: ToolCall) -> Iterator[OriginLink]:
        if isinstance(call.requester, CodeCellRequester):
            ref = ObjectRef("CodeCell", call.requester.code_cell_id)
            if self._index.has(ref):
                yield OriginLink("asked for by", self._words(ref), ref, self._made_by(ref))
            return
        for item in own_items(self._index, call, call.model_visible_call_item_ids):
            yield self._link(self._to.item(item, "asked for by"))

    def _of_thread(self, thread_id: str) -> Iterator[OriginLink]:
        edges = self._index.edges_into(thread_id)
        for edge in edges:
            if edge.kind == "spawn_agent":
                ref = ObjectRef("InteractionEdge", edge.edge_id)
                yield OriginLink("spawned by", self._words(ref), ref, self._made_by(ref))

    # Links

    def _link(self, step: Step) -> OriginLink:
        return OriginLink(step.why, step.words, step.target, self._made_by(step.target))

    def _item(self, item_id: str, why: str) -> Iterator[OriginLink]:
        item = self._index.trace.conversation_items.get(item_id)
        if item is not None:
            yield self._link(self._to.item(item, why))

    def _tool(self, call_id: str, why: str) -> Iterator[OriginLink]:
        """A tool call, and before it the terminal operation that it ran."""
        call = self._index.trace.tool_calls.get(call_id)
        if call is None:
            return
        operation_id = call.terminal_operation_id
        if why != "run by" and operation_id in self._index.trace.terminal_operations:
            yield self._operation(operation_id or "", "printed by")
        yield self._link(self._to.tool(call, why))

    def _operation(self, operation_id: str, why: str) -> OriginLink:
        ref = ObjectRef("TerminalOperation", operation_id)
        return OriginLink(why, self._words(ref), ref, self._made_by(ref))

    def _words(self, ref: ObjectRef) -> str:
        """What an object is, in a line."""
        trace, to = self._index.trace, self._to
        if ref.type == "ConversationItem":
            return to.item(trace.conversation_items[ref.id], "").words
        if ref.type == "ToolCall":
            return to.tool(trace.tool_calls[ref.id], "").words
        if ref.type == "TerminalOperation":
            operation = trace.terminal_operations[ref.id]
            return f"terminal operation  {operation_words(operation)}"
        if ref.type == "CodeCell":
            cell = trace.code_cells[ref.id]
            return f"{self._index.thread_path(cell.thread_id)}: exec  {cell_words(self._index, cell)}"
        if ref.type == "InferenceCall":
            return to.call(trace.inference_calls[ref.id], "").words
        if ref.type == "InteractionEdge":
            edge = trace.interaction_edges[ref.id]
            ends = [self._index.thread_of_anchor(one) for one in (edge.source, edge.target)]
            paths = ("?" if end is None else self._index.thread_path(end) for end in ends)
            return f"edge {edge.kind}, {' to '.join(paths)}"
        if ref.type == "Compaction":
            return to.compaction(trace.compactions[ref.id], "").words
        if ref.type == "CompactionRequest":
            return to.compaction_request(ref.id, "").words
        return f"agent {self._index.thread_path(ref.id)}"

    def _made_by(self, ref: ObjectRef) -> EventRecord | None:
        events = self._index.events_of(ref)
        return events[0] if events else None


def origin_facts(chain: list[OriginLink]) -> list[Fact]:
    """A chain as rows: each link leads to its object, and the row under it to its event in the log."""
    facts = []
    for link in chain:
        facts.append(Fact(link.why, link.words, link.ref, "text" if link.ref is not None else "muted"))
        event = link.event
        if event is not None:
            words = f"seq {event.seq}, line {event.line}: {event.kind}"
            facts.append(Fact("  log", words, ObjectRef("Event", str(event.seq))))
    return facts
