"""The context of a call as rows, under one line of what the call cost."""

from __future__ import annotations

from typing import NamedTuple

from reducer import ObjectRef
from reducer.certainty import LIST_INCOMPLETE
from reducer.model import ConversationItem, InferenceCall, PayloadRefPart
from rollout_tui import glyphs
from rollout_tui.insight.certainty import (
    MARK,
    certainty_of,
    is_context_rebuilt,
    is_item_rebuilt,
    is_rebuilt,
    marked,
)
from rollout_tui.insight.contexts.context import ContextLine, call_context
from rollout_tui.insight.contexts.delta import DeltaMark
from rollout_tui.insight.contexts.prefix import PrefixBreak
from rollout_tui.insight.contexts.request_parts import RequestParts
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import is_cut
from rollout_tui.insight.items.texts import item_label
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.texts.short_forms import duration, plural, window_ms
from rollout_tui.views.contexts.item_lines import item_spans
from rollout_tui.views.contexts.prefix_words import Shares, prefix_words


class ContextView(NamedTuple):
    """The context of one call.

    Attributes:
        call: the inference call.
        header: what the call cost, in one line.
        seen: its lines in order.
        prefix: how far it is that of the previous call; None for the first call of an agent.
    """

    call: InferenceCall
    header: SafeText
    seen: list[ContextLine]
    prefix: PrefixBreak | None = None


def context_of(index: TraceIndex, call: InferenceCall) -> ContextView:
    """The context of a call, each item marked against the previous call of its agent."""
    found = call_context(index, call)
    words = cut_words(index, call, index.previous_call(call))
    return ContextView(call, safe_text(f"{words}{call_header(index, call)}"), found.seen, found.prefix)


def rebuilt_spans(index: TraceIndex, item: ConversationItem) -> tuple[Span, ...]:
    """The mark of an item that was not recorded, but is what codex adds when it sends a list."""
    return (span(f"{MARK} ", "warn"),) if is_item_rebuilt(index, item) else ()


def cut_words(index: TraceIndex, call: InferenceCall, base: InferenceCall | None) -> str:
    """What of a comparison of two calls is not certain, since a limit of the recorder cut one; else empty."""
    known = certainty_of(index, ObjectRef("InferenceCall", call.inference_call_id))
    if LIST_INCOMPLETE in known.rebuilt:
        return "the file that this history goes on from is missing: items are missing here  "
    if is_cut(index.reduction.provenance, call):
        return "the recorder's limit cut the request: items are missing here  "
    if base is not None and is_cut(index.reduction.provenance, base):
        return "the recorder's limit cut the request before: what is new is not certain  "
    return ""


def call_header(index: TraceIndex, call: InferenceCall) -> SafeText:
    """Items, exact tokens in and how many of them were cached, tokens out, time or state, model."""
    words = [marked(plural(len(call.request_item_ids), "item"), is_context_rebuilt(index, call))]
    usage = call.usage
    if usage is not None:
        words.append(f"{usage.input_tokens:,} in, {usage.cached_input_tokens:,} cached")
        reasoning = usage.reasoning_output_tokens
        thought = f" ({reasoning:,} reasoning)" if reasoning else ""
        words.append(f"{usage.output_tokens:,} out{thought}")
    else:
        words.append("tokens not told")
    ref = ObjectRef("InferenceCall", call.inference_call_id)
    state = marked(state_words(index, ref, call.execution), is_rebuilt(index, ref, "status"))
    took = marked(duration(window_ms(call.execution)), is_rebuilt(index, ref, "execution"))
    words.append(took if state == "completed" else state)
    return safe_text("  ".join([*words, call.model]))


class ContextRows:
    """Makes the row of a line of a context."""

    def __init__(
        self,
        index: TraceIndex,
        view: ContextView,
        parts: RequestParts | None = None,
        *,
        is_wide: bool = True,
    ) -> None:
        """Remember what rows are made from.

        Args:
            index: the graph.
            view: the context.
            parts: what its raw request holds beside the items; None while it was not looked at.
            is_wide: whether there is room for the estimated tokens of an item beside its share.
        """
        self._index = index
        self._view = view
        self._parts = parts
        self._is_wide = is_wide
        self._shares = Shares(index, view.call, with_tokens=is_wide)

    def row(self, seen: ContextLine) -> Row:
        """Mark, role, the first line of what was said, and at the right its share of the context."""
        if seen.ref is None:
            return self._rule(seen)
        if seen.ref.type == "RequestPart":
            return part_row(seen.place, seen.ref.id, self._parts)
        item = self._index.trace.conversation_items[seen.ref.id]
        return Row(
            key=seen.place,
            spans=(
                mark_span(seen.mark),
                *rebuilt_spans(self._index, item),
                span(f"{item_label(item):<10}", _LABEL_STYLES.get(item_label(item), "text")),
                *_spans(self._index, item, self._parts),
            ),
            tail=() if seen.mark is None else self._shares.tail(item.item_id),
        )

    def _rule(self, seen: ContextLine) -> Row:
        rule = glyphs.active().rule * 2
        prefix = self._view.prefix
        if seen.rule == "prefix" and prefix is not None:
            style: StyleName = "muted" if prefix.continues else "warn"
            words = prefix_words(prefix, is_wide=self._is_wide)
            return Row(key=seen.place, spans=(span(f"{rule} {words}", style),))
        answered = len(self._view.call.response_item_ids)
        words = f"answered with {plural(answered, 'item')}" if answered else "no answer was recorded"
        return Row(key=seen.place, spans=(span(f"{rule} {words}", "muted"),))


def part_row(place: int, part: str, parts: RequestParts | None) -> Row:
    """The row of a part of a request that is no item, with its size once that is known."""
    size = () if parts is None else (span(parts.words(part), "muted"),)
    return Row(key=place, spans=(span("  "), span(f"{part:<14}", "muted"), *size))


def _spans(index: TraceIndex, item: ConversationItem, parts: RequestParts | None) -> tuple[Span, ...]:
    """What an item says in a line, with what its blobs are once that is known."""
    words = item_spans(index, item)
    if parts is None:
        return words
    refs = (part for part in item.body.parts if isinstance(part, PayloadRefPart))
    blobs = [parts.blobs[ref.content_sha256] for ref in refs if ref.content_sha256 in parts.blobs]
    return (span(f"({'; '.join(blobs)})  "), *words) if blobs else words


def mark_span(mark: DeltaMark | None) -> Span:
    """How an item stands to those of another context: whether it is new, was there, or is not any more."""
    marks = glyphs.active()
    look: dict[DeltaMark | None, tuple[str, StyleName]] = {
        "new": (marks.added, "added"),
        "kept": (marks.kept, "muted"),
        "dropped": (marks.dropped, "removed"),
        "restored": (marks.restored, "special"),
        None: (" ", "text"),
    }
    text, style = look[mark]
    return span(text + " ", style)


_LABEL_STYLES: dict[str, StyleName] = {
    "system": "warn",
    "developer": "warn",
    "user": "strong",
    "assistant": "accent",
    "reasoning": "muted",
    "call": "special",
    "output": "text",
    "agent": "link",
    "compacted": "special",
}
