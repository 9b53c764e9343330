"""The context: what the model received at one inference call, in order, and what it answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Literal, NamedTuple

from reducer import ObjectRef
from reducer.model import ConversationItem, InferenceCall, PayloadRefPart
from rollout_tui import glyphs
from rollout_tui.insight.captures import is_cut
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.views.compaction.standing import Mark, standing
from rollout_tui.views.contexts.item_words import item_label, item_spans
from rollout_tui.views.contexts.prefix import PrefixBreak, Shares, prefix_break, prefix_words
from rollout_tui.views.contexts.request_parts import RequestParts
from rollout_tui.views.failure_words import state_words
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.words import duration, plural, window_ms
from rollout_tui.widgets.rows import Row
from rollout_tui.widgets.spans import Span, StyleName, span


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of a context: an item in its place, or a part of the request that is no item.

    Attributes:
        place: which line it is, from 0; an item may stand in a context twice.
        ref: the item, or `RequestPart` with `instructions` or `tools`; None for a rule.
        mark: how it stands to the previous call of the same agent; None for what the model answered.
        rule: which rule it is: where what the previous call saw and said ends or is left, or where the answer
            begins.
    """

    place: int
    ref: ObjectRef | None
    mark: Mark | None = None
    rule: Literal["prefix", "answer"] | None = None


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
    seen: list[Seen]
    prefix: PrefixBreak | None = None


def context_of(index: TraceIndex, call: InferenceCall) -> ContextView:
    """The context of a call, each item marked against the previous call of its agent."""
    previous = index.previous_call(call)
    seen = [Seen(0, ObjectRef("RequestPart", "instructions")), Seen(1, ObjectRef("RequestPart", "tools"))]
    prefix = None if previous is None else prefix_break(index, previous, call)
    marks: Iterable[Mark] = repeat("new") if previous is None else standing(index, previous, call).marks()
    for place, (item_id, mark) in enumerate(zip(call.request_item_ids, marks, strict=False)):
        if prefix is not None and place == prefix.shared:
            seen.append(Seen(len(seen), None, rule="prefix"))
        seen.append(Seen(len(seen), ObjectRef("ConversationItem", item_id), mark))
    if prefix is not None and prefix.shared == len(call.request_item_ids):
        seen.append(Seen(len(seen), None, rule="prefix"))
    seen.append(Seen(len(seen), None, rule="answer"))
    for item_id in call.response_item_ids:
        seen.append(Seen(len(seen), ObjectRef("ConversationItem", item_id)))
    words = cut_words(index, call, previous)
    return ContextView(call, safe_text(f"{words}{call_header(index, call)}"), seen, prefix)


def cut_words(index: TraceIndex, call: InferenceCall, base: InferenceCall | None) -> str:
    """What of a comparison of two calls is not certain, since a limit of the recorder cut one; else empty."""
    if is_cut(index.reduction.provenance, call):
        return "the recorder's limit cut the request: items are missing here  "
    if base is not None and is_cut(index.reduction.provenance, base):
        return "the recorder's limit cut the request before: what is new is not certain  "
    return ""


def call_header(index: TraceIndex, call: InferenceCall) -> SafeText:
    """Items, exact tokens in and how many of them were cached, tokens out, time or state, model."""
    words = [plural(len(call.request_item_ids), "item")]
    usage = call.usage
    if usage is not None:
        words.append(f"{usage.input_tokens:,} in, {usage.cached_input_tokens:,} cached")
        reasoning = usage.reasoning_output_tokens
        thought = f" ({reasoning:,} reasoning)" if reasoning else ""
        words.append(f"{usage.output_tokens:,} out{thought}")
    else:
        words.append("tokens not told")
    state = state_words(index, ObjectRef("InferenceCall", call.inference_call_id), call.execution)
    words.append(duration(window_ms(call.execution)) if state == "completed" else state)
    return safe_text("  ".join([*words, call.model]))


class SeenWords:
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

    def row(self, seen: Seen) -> Row:
        """Mark, role, the first line of what was said, and at the right its share of the context."""
        if seen.ref is None:
            return self._rule(seen)
        if seen.ref.type == "RequestPart":
            return part_row(seen.place, seen.ref.id, self._parts)
        item = self._index.trace.conversation_items[seen.ref.id]
        return Row(
            key=seen.place,
            spans=(
                *_mark_spans(seen.mark),
                span(f"{item_label(item):<10}", _LABEL_STYLES.get(item_label(item), "text")),
                *_spans(self._index, item, self._parts),
            ),
            tail=() if seen.mark is None else self._shares.tail(item.item_id),
        )

    def _rule(self, seen: Seen) -> Row:
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


def _mark_spans(mark: Mark | None) -> tuple[Span, ...]:
    marks = glyphs.active()
    look: dict[Mark | None, tuple[str, StyleName]] = {
        "new": (marks.added, "added"),
        "kept": (marks.kept, "muted"),
        "restored": (marks.restored, "special"),
        None: (" ", "text"),
    }
    text, style = look[mark]
    return (span(text + " ", style),)


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
