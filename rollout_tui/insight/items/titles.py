"""What a conversation item says, in one line."""

from __future__ import annotations

from reducer.model import CALL_KINDS, ConversationItem, TextPart
from rollout_tui.insight.agents.sent_texts import sent_text
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import agent_text, call_name, part_words, rebuilt_words
from rollout_tui.insight.output.items import output_item
from rollout_tui.insight.output.title import TitlePiece, output_title
from rollout_tui.insight.tools.words import tool_label, tool_words
from rollout_tui.texts.short_forms import one_line


def item_words(index: TraceIndex, item: ConversationItem) -> str:
    """What an item says in a line: its first one; of an output also how the call went. It is evidence."""
    return "".join(piece.words for piece in item_title(index, item))


def item_title(index: TraceIndex, item: ConversationItem) -> list[TitlePiece]:
    """What an item says in a line, piece by piece."""
    output = output_item(index, item)
    if output is None:
        return [TitlePiece(_words(index, item), "line")]
    rest = (part_words(part) for part in item.body.parts if not isinstance(part, TextPart))
    return output_title(output, "  ".join(filter(None, rest)))


def _words(index: TraceIndex, item: ConversationItem) -> str:
    """The first line of an item, or what stands in the place of one."""
    body = "  ".join(filter(None, map(part_words, item.body.parts)))
    tool = index.tool_of_item(item) if item.kind in CALL_KINDS else None
    if tool is not None and tool_label(index, tool) in ("exec", "command"):
        return f"{tool_label(index, tool)} {tool_words(index, tool)}"
    if item.kind in CALL_KINDS:
        return f"{call_name(index, item)} {one_line(body)}".strip()
    if item.agent_message is not None:
        return f"from {item.agent_message.author}  {agent_words(index, item)}"
    if item.kind == "compaction_marker":
        return "the history before this was compacted"
    return body or "(empty)"


def agent_words(index: TraceIndex, item: ConversationItem) -> str:
    """What an agent said to another, in a line; of what is encrypted what its sender had, so marked."""
    sent, words = sent_text(index, item), one_line(agent_text(item))
    return words if sent is None else f"{rebuilt_words(sent)}  {words}"
