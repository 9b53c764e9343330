"""How far two contexts are the same from the start, and how large the items of a context are. Pure.

A provider caches the beginning of a request. The items of two calls tell from where on they cannot share it;
they do not tell that they do, since instructions and tool definitions stand in front of the items and are not
in the graph. What is counted by the provider is exact; what is counted here is an estimate, and says so.
"""

from __future__ import annotations

from msgspec import Struct

from reducer.model import InferenceCall
from rollout_tui.insight.contexts.item_signs import same_text_key
from rollout_tui.insight.contexts.item_sizes import CHARACTERS_PER_TOKEN, ItemSize
from rollout_tui.insight.index import TraceIndex

ENVELOPE_BYTES = 650
"""Bytes of decoded encrypted content that are no content: what Codex takes off in its own estimate."""

SMALLEST_CACHED = 1024
"""Input tokens below which the provider caches nothing."""


class PrefixBreak(Struct, frozen=True):
    """From where on the contexts of two calls differ.

    Attributes:
        base: the one call.
        call: the other.
        items: how many items the base's request, followed by its answer, and the call's request begin with.
        shared: how many begin both that say the same: other items may, after a compaction.
        of: items of the base's request.
        lost: the item of the base with which the difference begins; None if the whole request is shared.
        found: the item of the call that stands there instead; None if its context ends there.
    """

    base: InferenceCall
    call: InferenceCall
    items: int
    shared: int
    of: int
    lost: str | None
    found: str | None

    @property
    def continues(self) -> bool:
        """Whether the call's context begins with all that the request of the base said."""
        return self.shared >= self.of


def prefix_break(index: TraceIndex, base: InferenceCall, call: InferenceCall) -> PrefixBreak:
    """Find where the context of a call leaves that of another one.

    Args:
        index: the graph.
        base: any call.
        call: another one, usually a later one of the same agent.
    """
    before, now = [*base.request_item_ids, *base.response_item_ids], call.request_item_ids
    pairs = enumerate(zip(before, now, strict=False))
    length = min(len(before), len(now))
    items = next((place for place, (one, other) in pairs if one != other), length)
    shared, trace_items = items, index.trace.conversation_items
    while shared < length and (
        before[shared] == now[shared]
        or same_text_key(trace_items[before[shared]]) == same_text_key(trace_items[now[shared]])
    ):
        shared += 1
    of = len(base.request_item_ids)
    lost = before[shared] if shared < of else None
    found = now[shared] if shared < len(now) else None
    return PrefixBreak(base, call, items, shared, of, lost, found)


# Sizes


class Share(Struct, frozen=True):
    """How much of a context one item is.

    Attributes:
        place: where it stands in the request, from 0.
        item_id: which item.
        size: what could be counted of it.
        tokens: about how many tokens it is; an estimate.
        percent: its share of what is estimated for all items, from 0 to 100.
    """

    place: int
    item_id: str
    size: ItemSize
    tokens: int
    percent: float


def estimate_tokens(one: ItemSize) -> int:
    """About how many tokens an item is, by the rule that Codex itself estimates by.

    Readable text: one token in four characters. Encrypted content is base64: three bytes in four characters,
    less an envelope of 650 bytes, and one token in four of those bytes. Images and other parts that are no
    text, and what the graph cut off a long JSON value, are left out.
    """
    decoded = max(0, one.encrypted * 3 // 4 - ENVELOPE_BYTES)
    return one.tokens_estimate + -(-decoded // CHARACTERS_PER_TOKEN)


def shares(index: TraceIndex, call: InferenceCall) -> list[Share]:
    """How much of the context of a call each of its items is, in order."""
    ids = call.request_item_ids
    sizes = [index.size_of(item_id) for item_id in ids]
    tokens = [estimate_tokens(one) for one in sizes]
    total = max(1, sum(tokens))
    return [
        Share(place, ids[place], sizes[place], tokens[place], 100 * tokens[place] / total)
        for place in range(len(ids))
    ]
