"""What a conversation item shows of itself: that it is a summary, put in by Codex, or work. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import Literal

from reducer.model import ConversationItem, JsonPart, Part, PayloadRefPart, TextPart

SummarySign = Literal["channel", "opening words", "place"]
"""What an item was taken for a summary by: `channel` is recorded, the others are judged."""

SUMMARY_OPENING = "Another language model started to solve this problem and produced a summary"
"""How Codex begins the message in which it hands a summary in plain text to the model."""

INSTRUCTION_ROLES = frozenset({"developer", "system"})
"""Roles of messages that instruct the model."""

_OPENING_TAG = re.compile(r"\s*<([^<>/\n]{1,60})>")


def summary_sign(item: ConversationItem) -> SummarySign | None:
    """What marks an item as the summary of a compaction; None if nothing does."""
    if item.channel == "summary":
        return "channel"
    if item.role == "user" and item.body.parts:
        first = item.body.parts[0]
        if isinstance(first, TextPart) and first.text.startswith(SUMMARY_OPENING):
            return "opening words"
    return None


def summaries_of(items: Sequence[ConversationItem]) -> dict[int, SummarySign]:
    """The places of the items that are summaries by themselves, and by what that is told."""
    signs = ((place, summary_sign(item)) for place, item in enumerate(items))
    return {place: sign for place, sign in signs if sign is not None}


def may_sum_up(item: ConversationItem) -> bool:
    """Whether an item that nothing marks could be a summary: a message, and not put in by Codex."""
    return item.kind == "message" and item.role in ("user", "assistant") and not any(tags(item))


def is_work(item: ConversationItem) -> bool:
    """Whether an item is of the model's own work: what it said, thought or called, and what came back."""
    return item.role in ("assistant", "tool") and item.channel != "summary"


def is_put_in(item: ConversationItem) -> bool:
    """Whether an item seems to be none of the conversation: instructions, or context by Codex itself."""
    if item.kind != "message":
        return False
    return item.role in INSTRUCTION_ROLES or (item.role == "user" and any(tags(item)))


def tags(item: ConversationItem) -> Iterator[str]:
    """The tags that open the texts of an item which Codex put in by itself.

    A user may begin a message with a tag, too: there it counts only around all of the text.
    """
    for part in item.body.parts:
        if isinstance(part, TextPart) and (found := _OPENING_TAG.match(part.text)) is not None:
            tag = found[1]
            if item.role in INSTRUCTION_ROLES or part.text.rstrip().endswith(f"</{tag}>"):
                yield tag


def same_text_key(item: ConversationItem) -> Hashable:
    """What two items share that say the same, whichever payload they were read from."""
    return (item.role, item.kind, item.call_id, *map(_part_key, item.body.parts))


def _part_key(part: Part) -> Hashable:
    if isinstance(part, JsonPart):
        return part.summary
    if isinstance(part, PayloadRefPart):
        return (part.label, part.content_sha256 or part.raw_payload_id)
    return part
