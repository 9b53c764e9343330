"""How large conversation items are, as far as the graph can tell: what is counted, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from reducer.model import CodePart, ConversationItem, EncodedPart, JsonPart, PayloadRefPart

CHARACTERS_PER_TOKEN = 4
"""Characters that make a token, roughly: the rate by which Codex itself estimates."""

_CUT = "..."
"""Ends the beginning of a JSON value where the graph leaves the rest to the payload."""


class ItemSize(NamedTuple):
    """The size of one or several items.

    Attributes:
        items: how many they are.
        characters: characters of what can be read.
        encrypted: bytes of encrypted content, in the encoding in which they are sent.
        cut: JSON values of which the graph keeps only the beginning, so `characters` falls short.
        unread: parts that are no text, such as images; nothing of them is counted.
    """

    items: int = 0
    characters: int = 0
    encrypted: int = 0
    cut: int = 0
    unread: int = 0

    @property
    def tokens_estimate(self) -> int:
        """About how many tokens the readable part is; what cannot be read is left out."""
        return -(-self.characters // CHARACTERS_PER_TOKEN)


def item_size(item: ConversationItem) -> ItemSize:
    """The size of one item."""
    characters = encrypted = cut = unread = 0
    for part in item.body.parts:
        if isinstance(part, EncodedPart):
            encrypted += len(part.value)
        elif isinstance(part, PayloadRefPart):
            unread += 1
        elif isinstance(part, JsonPart):
            characters += len(part.summary)
            # A compact JSON value never ends like this; what was cut always does.
            cut += part.summary.endswith(_CUT)
        else:
            characters += len(part.source if isinstance(part, CodePart) else part.text)
    return ItemSize(1, characters, encrypted, cut, unread)


def total_size(items: Iterable[ConversationItem]) -> ItemSize:
    """The size of some items together."""
    items_, characters, encrypted, cut, unread = 0, 0, 0, 0, 0
    for item in items:
        one = item_size(item)
        items_ += 1
        characters += one.characters
        encrypted += one.encrypted
        cut += one.cut
        unread += one.unread
    return ItemSize(items_, characters, encrypted, cut, unread)
