"""What a conversation item is, and the text that it has."""

from __future__ import annotations

from reducer.model import (
    CALL_KINDS,
    OUTPUT_KINDS,
    CodePart,
    ConversationItem,
    EncodedPart,
    JsonPart,
    Part,
    PayloadRefPart,
    SummaryPart,
    TextPart,
    ToolCall,
)
from reducer.wire.events import GenericSummary
from rollout_tui import glyphs
from rollout_tui.insight.agents.sent_texts import SentText
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.words import tool_label
from rollout_tui.texts.short_forms import first_line, one_line, size

_TEXTS = frozenset({"text", "summary"})
"""Labels under which only a lost text stands."""


def item_label(item: ConversationItem) -> str:
    """The word for an item in a list: its role, or what else it is."""
    if item.kind in CALL_KINDS:
        return "call"
    if item.kind in OUTPUT_KINDS:
        return "output"
    if item.kind == "compaction_marker":
        return "compacted"
    if item.kind == "reasoning":
        return "reasoning"
    return "agent" if item.agent_message is not None else item.role


def call_name(index: TraceIndex, item: ConversationItem) -> str:
    """The name of the tool that a call item calls, as far as a tool call was recorded for it."""
    call = index.tool_of_item(item)
    if call is not None:
        return tool_name(index, call)
    code = any(isinstance(part, CodePart) for part in item.body.parts)
    return "exec" if code else ""


def tool_name(index: TraceIndex, call: ToolCall) -> str:
    """The name under which a tool was called; the kind of the call where the trace does not keep it."""
    return call.summary.label if isinstance(call.summary, GenericSummary) else tool_label(index, call)


def rebuilt_words(sent: SentText) -> str:
    """`≈ Count the files  (rebuilt from call 3 of /root)`: the text of a sender in a line."""
    marks = glyphs.active()
    more = marks.ellipsis if sent.is_cut else ""
    return f"{marks.about} {one_line(sent.text)}{more}  (rebuilt from {sent.source})"


def agent_text(item: ConversationItem) -> str:
    """What an agent said to another, without the lines that Codex puts before it."""
    texts = [part.text for part in item.body.parts if isinstance(part, TextPart)]
    sealed = [part_words(part) for part in item.body.parts if isinstance(part, EncodedPart)]
    text = "\n".join(texts)
    if item.agent_message is not None and text.startswith("Message Type:"):
        _heading, found, payload = text.partition("\nPayload:\n")
        text = payload if found else text
    return "  ".join(filter(None, (text.strip(), *sealed)))


def item_text(item: ConversationItem) -> str:
    """All that an item says in readable parts, as far as the graph has it; not safe for a terminal."""
    return "\n".join(filter(None, map(_part_text, item.body.parts)))


def _part_text(part: Part) -> str:
    """The text of a part; of JSON its beginning; empty for what cannot be read."""
    if isinstance(part, TextPart | SummaryPart):
        return part.text
    if isinstance(part, CodePart):
        return part.source
    return part.summary if isinstance(part, JsonPart) else ""


def part_words(part: Part) -> str:
    """One part of an item in a line. Content that cannot be read says what it is and how large."""
    if isinstance(part, TextPart | SummaryPart):
        return first_line(part.text)
    if isinstance(part, CodePart):
        return one_line(part.source)
    if isinstance(part, JsonPart):
        return one_line(part.summary)
    if isinstance(part, EncodedPart):
        return f"(encrypted, {size(len(part.value))})"
    return f"({part_label(part)})"


def part_label(part: PayloadRefPart) -> str:
    """What a part is that stands in a payload, such as an image, or a text that is not there any more."""
    if part.content_sha256 is None and part.label in _TEXTS:
        return f"{part.label} cut by the recorder's limit"
    return part.label.removeprefix("input_").replace("_", " ")
