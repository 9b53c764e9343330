"""Items in which a model was shown the output of a tool: how the call went, by output and graph."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import OUTPUT_KINDS, ConversationItem, TextPart, ToolCall
from rollout_tui.insight.failures.definition import Failure, failure_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.output.outputs import ToolOutput, read_output


class OutputItem(Struct, frozen=True):
    """What an output item tells.

    Attributes:
        output: what it says itself.
        failure: that of its call, if this output is the end of it; None if the call did not fail.
    """

    output: ToolOutput
    failure: Failure | None

    def data(self) -> dict[str, Any]:
        """The same for programs."""
        out, failure = self.output, self.failure
        return {
            "verdict": None if failure is None else failure.verdict,
            "exit_code": out.exit_code,
            "state": out.state or None,
            "original_tokens": out.made_tokens,
            "shown_tokens_estimate": out.shown_tokens,
            "is_cut": out.is_cut,
            "line": out.line.encode("utf-8", "replace").decode(),
        }


def output_item(index: TraceIndex, item: ConversationItem) -> OutputItem | None:
    """What an item says of a tool call; None for one that is no output of a tool."""
    if item.kind not in OUTPUT_KINDS:
        return None
    call, texts = (
        index.tool_of_item(item),
        [part.text for part in item.body.parts if isinstance(part, TextPart)],
    )
    failure = None if call is None else failure_of(index, ObjectRef("ToolCall", call.tool_call_id))
    output = read_output(texts, failed=failure is not None and failure.manner == "failed")
    if failure is not None and call is not None and not _ends(index, call, item, output):
        return OutputItem(read_output(texts), None)
    return OutputItem(output, failure)


def _ends(index: TraceIndex, call: ToolCall, item: ConversationItem, output: ToolOutput) -> bool:
    """Whether an output is the last that its agent was shown of a call, and does not say that it goes on."""
    own = [
        item_id
        for item_id in call.model_visible_output_item_ids
        if index.trace.conversation_items[item_id].thread_id == item.thread_id
    ]
    return output.state != "running" and own[-1:] in ([], [item.item_id])


def own_items(index: TraceIndex, call: ToolCall, item_ids: list[str]) -> list[ConversationItem]:
    """Those items of a tool call that are of its own agent: a child may have inherited copies of them."""
    items = index.items(item_ids)
    return [item for item in items if item.thread_id == call.thread_id] or items
