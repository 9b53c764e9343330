"""Steps from one object of a graph to another, and the words for them. Pure."""

from __future__ import annotations

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import CodeCell, Compaction, ConversationItem, InferenceCall, ToolCall, Turn
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_label
from rollout_tui.insight.items.titles import item_words
from rollout_tui.insight.tools.words import cell_words, tool_label, tool_words
from rollout_tui.texts.short_forms import one_line, plural

LONGEST_WORDS = 200
"""Characters of what an object says that a step shows: a menu has one row for it."""


class Step(Struct, frozen=True):
    """A place to which an object leads.

    Attributes:
        target: the object there.
        words: what it is, in a line.
        why: how it follows, such as `task delivered as` or `first seen by`.
    """

    target: ObjectRef
    words: str
    why: str


class NoStep(Struct, frozen=True):
    """Nothing to follow, or its other end does not exist.

    Attributes:
        sentence: why.
        nearest: what to look at all the same, such as the agent that a task did not reach.
    """

    sentence: str
    nearest: ObjectRef | None = None


Way = list[Step] | NoStep
"""Where following leads: one step, several to choose from, or none and why. A list is never empty."""


class Steps:
    """Makes steps to the objects of a graph.

    Attributes:
        index: the graph.
    """

    def __init__(self, index: TraceIndex) -> None:
        self.index = index

    def item(self, item: ConversationItem, why: str) -> Step:
        """A step to an item."""
        words = f"{item_label(item)}  {one_line(item_words(self.index, item), LONGEST_WORDS)}"
        return Step(ObjectRef("ConversationItem", item.item_id), self._of(item.thread_id, words), why)

    def call(self, call: InferenceCall, why: str) -> Step:
        """A step to an inference call."""
        words = f"call {self.index.place_of_call(call) + 1}, seq {call.execution.started_seq}"
        ref = ObjectRef("InferenceCall", call.inference_call_id)
        return Step(ref, self._of(call.thread_id, words), why)

    def tool(self, call: ToolCall, why: str) -> Step:
        """A step to a tool call."""
        words = f"{tool_label(self.index, call)}  {one_line(tool_words(self.index, call), LONGEST_WORDS)}"
        return Step(ObjectRef("ToolCall", call.tool_call_id), self._of(call.thread_id, words), why)

    def thread(self, thread_id: str, why: str) -> Step:
        """A step to an agent as a whole."""
        return Step(ObjectRef("Thread", thread_id), f"agent {self.index.thread_path(thread_id)}", why)

    def turn(self, turn: Turn, why: str) -> Step:
        """A step to a turn."""
        ref = ObjectRef("Turn", turn.codex_turn_id)
        state = state_words(self.index, ref, turn.execution)
        words = f"turn {self.index.turn_number(turn.codex_turn_id)}, {state}"
        return Step(ref, self._of(turn.thread_id, words), why)

    def cell(self, cell: CodeCell, why: str) -> Step:
        """A step to a code cell: to its `exec` call, which stands for it, if there is one."""
        ref = self.index.entry_of_cell(cell)
        if ref.type == "ToolCall":
            return self.tool(self.index.trace.tool_calls[ref.id], why)
        return Step(
            ref,
            self._of(cell.thread_id, f"exec  {one_line(cell_words(self.index, cell), LONGEST_WORDS)}"),
            why,
        )

    def compaction(self, compaction: Compaction, why: str) -> Step:
        """A step to a compaction."""
        before, after = len(compaction.input_item_ids), len(compaction.replacement_item_ids)
        words = f"compaction, {before} to {plural(after, 'item')}"
        ref = ObjectRef("Compaction", compaction.compaction_id)
        return Step(ref, self._of(compaction.thread_id, words), why)

    def compaction_request(self, request_id: str, why: str) -> Step:
        """A step to a request for a compaction."""
        request = self.index.trace.compaction_requests[request_id]
        words = f"compaction request to {request.model}, seq {request.execution.started_seq}"
        return Step(ObjectRef("CompactionRequest", request_id), self._of(request.thread_id, words), why)

    def anchor(self, ref: ObjectRef, why: str) -> Step:
        """A step to an end of an edge: an item, a tool call, or an agent as a whole."""
        trace = self.index.trace
        if ref.type == "ConversationItem":
            return self.item(trace.conversation_items[ref.id], why)
        if ref.type == "ToolCall":
            return self.tool(trace.tool_calls[ref.id], why)
        return self.thread(ref.id, why)

    def _of(self, thread_id: str, words: str) -> str:
        return f"{self.index.thread_path(thread_id)}: {words}"
