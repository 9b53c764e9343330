"""How far two contexts are the same from the start, and how large the items of a context are. Pure.

A provider caches the beginning of a request. The items of two calls tell from where on they cannot share it;
they do not tell that they do, since instructions and tool definitions stand in front of the items and are not
in the graph. What is counted by the provider is exact; what is counted here is an estimate, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui import glyphs
from rollout_tui.views.contexts.item_signs import same_text_key
from rollout_tui.views.contexts.item_sizes import CHARACTERS_PER_TOKEN, ItemSize, total_size
from rollout_tui.views.contexts.item_words import item_label, item_words
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.words import count, one_line, plural, size
from rollout_tui.widgets.spans import Span, span

ENVELOPE_BYTES = 650
"""Bytes of decoded encrypted content that are no content: what Codex takes off in its own estimate."""

SMALLEST_CACHED = 1024
"""Input tokens below which the provider caches nothing."""


@dataclass(frozen=True, slots=True)
class PrefixBreak:
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


def prefix_words(prefix: PrefixBreak, *, is_wide: bool = True) -> str:
    """Where the shared beginning of two contexts ends, beside what the provider says it had cached.

    The items are counted; the tokens are exact, and of the whole request of the later call.

    Args:
        prefix: where the contexts part.
        is_wide: whether there is room for whole sentences; without, it fits into 46 cells.
    """
    usage = prefix.call.usage
    cached = "tokens not told"
    if usage is not None:
        cached = f"cached {count(usage.cached_input_tokens)} of {count(usage.input_tokens)}"
        cached += " tokens" if is_wide else ""
    here = " here" if is_wide else ""
    if prefix.continues:
        return f"prefix ends{here}: {plural(prefix.shared, 'item')}; {cached}"
    of = plural(prefix.of, "item") if is_wide else str(prefix.of)
    return f"prefix breaks{here}: {prefix.shared} of {of}; {cached}"


def prefix_facts(index: TraceIndex, prefix: PrefixBreak) -> list[Fact]:
    """What both contexts begin with, beside what the provider says it had cached."""
    base = index.place_of_call(prefix.base) + 1
    shared = islice(prefix.call.request_item_ids, prefix.shared)
    tokens = f"est. {sum(estimate_tokens(index.size_of(one)) for one in shared):,} tok"
    if prefix.continues:
        answer = prefix.shared - prefix.of
        more = f" and {answer} of its answer" if answer else ""
        facts = [Fact("prefix", f"all {plural(prefix.of, 'item')} of call {base}{more}, {tokens}")]
    else:
        words = f"breaks at item {prefix.shared + 1}, after {prefix.shared} of {plural(prefix.of, 'item')}"
        facts = [Fact("prefix", f"{words} of call {base}, {tokens}", style="warn")]
        for name, item_id in (("  was there", prefix.lost), ("  is there", prefix.found)):
            if item_id is not None:
                item = index.trace.conversation_items[item_id]
                words = f"{item_label(item)}  {one_line(item_words(index, item), 200)}"
                facts.append(Fact(name, words, ObjectRef("ConversationItem", item_id)))
    if prefix.items < prefix.shared:
        words = f"from item {prefix.items + 1} on they are other items that say the same"
        facts.append(Fact("  judged", words, style="muted"))
    facts += [_cached_fact(index, prefix.base), _cached_fact(index, prefix.call)]
    if prefix.base.model != prefix.call.model:
        facts.append(Fact("model", f"{prefix.base.model}, then {prefix.call.model}", style="warn"))
    short = _falls_short(index, prefix)
    facts.append(Fact("not known", _UNKNOWN_WHY if short else _UNKNOWN, style="warn" if short else "muted"))
    return facts


_WHERE = "instructions and tools stand before the items, and the graph does not hold them"
_UNKNOWN = f"whether instructions and tools are the same: {_WHERE}"
_UNKNOWN_WHY = f"why so little was cached: {_WHERE}; they may differ, or the cache expired"


def _cached_fact(index: TraceIndex, call: InferenceCall) -> Fact:
    name, usage = f"call {index.place_of_call(call) + 1}", call.usage
    if usage is None:
        return Fact(name, "tokens not told")
    share = 100 * usage.cached_input_tokens // max(1, usage.input_tokens)
    tokens = f"{usage.cached_input_tokens:,} of {usage.input_tokens:,} input tokens"
    return Fact(name, f"exact: {tokens} cached ({share}%)")


def _falls_short(index: TraceIndex, prefix: PrefixBreak) -> bool:
    """Whether less was cached than the items let expect, the call before being what was sent last."""
    before, now = prefix.base.usage, prefix.call.usage
    if before is None or now is None or not prefix.continues:
        return False
    if index.previous_call(prefix.call) is not prefix.base:
        return False
    nothing = now.cached_input_tokens == 0 and before.input_tokens >= SMALLEST_CACHED
    return nothing or now.cached_input_tokens < before.cached_input_tokens


# Sizes


@dataclass(frozen=True, slots=True)
class Share:
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


class Shares:
    """How much of the context of a call each item is, as two columns of a row.

    The numbers are estimates, and say so; the exact total of the request stands in the header of the context.
    """

    def __init__(self, index: TraceIndex, call: InferenceCall, *, with_tokens: bool) -> None:
        """Sum up the items of a call.

        Args:
            index: the graph.
            call: the call.
            with_tokens: whether there is room for a number of tokens beside the percentage.
        """
        self._index = index
        self._with_tokens = with_tokens
        self._total = max(1, sum(estimate_tokens(index.size_of(one)) for one in call.request_item_ids))

    def tail(self, item_id: str) -> tuple[Span, ...]:
        """The estimated tokens of an item, and its share of those of all items."""
        one = self._index.size_of(item_id)
        tokens, marks = estimate_tokens(one), glyphs.active()
        number, share = f"{marks.about}{count(tokens)}", f"{100 * tokens / self._total:.0f}%"
        if not tokens and (one.encrypted or one.unread):
            number = share = marks.unknown  # there is something, but nothing that can be counted
        elif not self._with_tokens:
            share = f"{marks.about}{share}"
        columns = (span(f"{number:>6}", "muted"),) if self._with_tokens else ()
        return (*columns, span(f"{share:>5}", "muted"))


def share_facts(index: TraceIndex, call: InferenceCall) -> list[Fact]:
    """The exact totals of a call, apart from them the estimate for its items, and these, largest first."""
    parts = shares(index, call)
    total = total_size(index.items(call.request_item_ids))
    usage = call.usage
    exact = "not told"
    if usage is not None:
        exact = f"{usage.input_tokens:,} in, of them {usage.cached_input_tokens:,} cached"
    facts = [
        Fact("exact tokens", exact),
        Fact("items", f"est. {sum(part.tokens for part in parts):,} tok, {size_words(total)}"),
        Fact(
            "the rest", "instructions, tools, framing, images, and the error of the estimate", style="muted"
        ),
    ]
    for part in sorted(parts, key=lambda part: -part.tokens):
        item = index.trace.conversation_items[part.item_id]
        words = f"est. {part.tokens:,} tok, {size_words(part.size)}  {item_label(item)}  "
        words += one_line(item_words(index, item), 120)
        facts.append(Fact(f"{part.percent:5.1f}%", words, ObjectRef("ConversationItem", part.item_id)))
    return facts


def size_words(one: ItemSize) -> str:
    """Characters, and what could not be counted as such; `>` where the graph keeps only the beginning."""
    words = f"{'>' if one.cut else ''}{one.characters:,} chars"
    if one.encrypted:
        words += f", {size(one.encrypted)} encrypted"
    if one.unread:
        words += f", {plural(one.unread, 'part')} not text"
    return words
