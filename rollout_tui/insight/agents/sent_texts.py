"""What an agent gave to a tool to send, where only the provider can read what arrived.

The text of a task or message stands in plain in the arguments of the tool call that sent it. What the other
agent got is encrypted: that it says the same is likely, but not recorded, so the text is marked as rebuilt.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.model import (
    ConversationItem,
    EncodedPart,
    InferenceCall,
    InteractionEdge,
    ToolCall,
    ToolCallAnchor,
)
from reducer.wire.events import AgentSummary
from rollout_tui.insight.evidence import item_json
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.words import argument_part

ARGUMENTS = ("message", "prompt")
"""The arguments in which a tool call has what it sends."""


class SentText(Struct, frozen=True):
    """A text as its sender had it.

    Attributes:
        text: its beginning, as far as the graph keeps it. It is evidence: not safe for a terminal.
        is_cut: whether it goes on.
        tool_call: the tool call that sent it.
        call: the inference call of the sender that asked for it, if one was recorded.
        source: that in words: `call 3 of /root`.
    """

    text: str
    is_cut: bool
    tool_call: ToolCall
    call: InferenceCall | None
    source: str

    def data(self, text: str) -> dict[str, Any]:
        """The same for programs.

        Args:
            text: all of the text, as far as it could be read.
        """
        return {
            "text": text.encode("utf-8", "replace").decode(),
            "source": "arguments of the sender's tool call",
            "is_rebuilt": True,
            "tool_call_id": self.tool_call.tool_call_id,
            "inference_call_id": None if self.call is None else self.call.inference_call_id,
        }


def sent_text(index: TraceIndex, item: ConversationItem) -> SentText | None:
    """The text that the sender of an encrypted item had; None for other items, and where it is not known."""
    edge = index.edge_to.get(item.item_id)
    if edge is None or not any(isinstance(part, EncodedPart) for part in item.body.parts):
        return None
    return sent_with(index, edge)


def sent_with(index: TraceIndex, edge: InteractionEdge) -> SentText | None:
    """The text that the tool call at the near end of an edge sent; None where it is not known."""
    if not isinstance(edge.source, ToolCallAnchor):
        return None
    tool_call = index.trace.tool_calls.get(edge.source.tool_call_id)
    sent = None if tool_call is None else _beginning(tool_call)
    if tool_call is None or sent is None or not sent[0].strip():
        return None
    path = index.thread_path(tool_call.thread_id)
    call = index.call_at(tool_call.thread_id, tool_call.execution.started_seq)
    source = path if call is None else f"call {index.place_of_call(call) + 1} of {path}"
    return SentText(*sent, tool_call, call, source)


def sent_by(call: ToolCall) -> str | None:
    """What a tool call sends, as far as the graph keeps the beginning of its arguments."""
    sent = _beginning(call)
    return None if sent is None else sent[0]


def _beginning(call: ToolCall) -> tuple[str, bool] | None:
    """The same, and whether it is cut: a text that ends in three dots may be."""
    if isinstance(call.summary, AgentSummary):
        preview = call.summary.message_preview
        return preview.removesuffix("..."), preview.endswith("...")
    return next((part for name in ARGUMENTS if (part := argument_part(call, name)) is not None), None)


def sent_in(payload: Any) -> str | None:
    """All that a tool call sends, from the payload of its invocation."""
    body = payload.get("payload") if isinstance(payload, dict) else None
    arguments = item_json(body) if isinstance(body, dict) else None
    if not isinstance(arguments, dict):
        return None
    return next((arguments[name] for name in ARGUMENTS if isinstance(arguments.get(name), str)), None)
