"""What two contexts have in common, in words; how large the items of a context are, in columns and facts."""

from __future__ import annotations

from itertools import islice

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui import glyphs
from rollout_tui.insight.contexts.item_sizes import ItemSize, total_size
from rollout_tui.insight.contexts.prefix import SMALLEST_CACHED, PrefixBreak, estimate_tokens, shares
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_label
from rollout_tui.insight.items.titles import item_words
from rollout_tui.lines.spans import Span, span
from rollout_tui.texts.short_forms import count, one_line, plural, size
from rollout_tui.views.detail.facts import Fact


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
