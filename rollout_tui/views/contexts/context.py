"""The context: what the model received at one inference call, in order, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from reducer import ObjectRef
from reducer.model import CompactionProducer, InferenceCall
from rollout_tui import glyphs
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.views.contexts.item_signs import same_text_key
from rollout_tui.views.contexts.item_words import item_label, item_words
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.words import count, duration, plural, window_ms
from rollout_tui.widgets.rows import Row
from rollout_tui.widgets.spans import Span, StyleName, span

Mark = Literal["new", "kept", "restored"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of a context: an item in its place, or a part of the request that is no item.

    Attributes:
        place: which line it is, from 0; an item may stand in a context twice.
        ref: the item, or `RequestPart` with `instructions` or `tools`; None for the rule before the answer.
        mark: how it stands to the previous call of the same agent; None for what the model answered.
    """

    place: int
    ref: ObjectRef | None
    mark: Mark | None = None


class ContextView(NamedTuple):
    """The context of one call.

    Attributes:
        call: the inference call.
        header: what the call cost, in one line.
        seen: its lines in order.
    """

    call: InferenceCall
    header: SafeText
    seen: list[Seen]


def context_of(index: TraceIndex, call: InferenceCall) -> ContextView:
    """The context of a call, each item marked against the previous call of its agent."""
    previous = index.previous_call(call)
    known = set() if previous is None else {*previous.request_item_ids, *previous.response_item_ids}
    restored = _restored(index, call)
    seen = [Seen(0, ObjectRef("RequestPart", "instructions")), Seen(1, ObjectRef("RequestPart", "tools"))]
    for item_id in call.request_item_ids:
        mark: Mark = "kept" if item_id in known else "restored" if item_id in restored else "new"
        seen.append(Seen(len(seen), ObjectRef("ConversationItem", item_id), mark))
    seen.append(Seen(len(seen), None))
    for item_id in call.response_item_ids:
        seen.append(Seen(len(seen), ObjectRef("ConversationItem", item_id)))
    return ContextView(call, _header(call), seen)


def _restored(index: TraceIndex, call: InferenceCall) -> set[str]:
    """Items of the context that a compaction put in the place of older ones with the same content."""
    return {
        item.item_id
        for item in index.items(call.request_item_ids)
        for producer in item.produced_by
        if isinstance(producer, CompactionProducer)
        and same_text_key(item) in index.contents_before(producer.compaction_id)
    }


def _header(call: InferenceCall) -> SafeText:
    """Model, items, tokens in and how many of them were cached, tokens out, time."""
    words = [call.model, plural(len(call.request_item_ids), "item")]
    usage = call.usage
    if usage is not None:
        words.append(f"{count(usage.input_tokens)} in, {count(usage.cached_input_tokens)} cached")
        reasoning = usage.reasoning_output_tokens
        thought = f" ({count(reasoning)} reasoning)" if reasoning else ""
        words.append(f"{count(usage.output_tokens)} out{thought}")
    if call.execution.status == "completed":
        words.append(duration(window_ms(call.execution)))
    else:
        words.append(call.execution.status)
    return safe_text("  ".join(words))


class SeenWords:
    """Makes the row of a line of a context."""

    def __init__(self, index: TraceIndex, view: ContextView) -> None:
        self._index = index
        self._view = view

    def row(self, seen: Seen) -> Row:
        """Mark, role, and the first line of what was said."""
        if seen.ref is None:
            answered = len(self._view.call.response_item_ids)
            words = f"answered with {plural(answered, 'item')}" if answered else "no answer was recorded"
            return Row(key=seen.place, spans=(span(f"{glyphs.active().rule * 2} {words}", "muted"),))
        if seen.ref.type == "RequestPart":
            return Row(key=seen.place, spans=(span("  "), span(seen.ref.id, "muted")))
        item = self._index.trace.conversation_items[seen.ref.id]
        return Row(
            key=seen.place,
            spans=(
                *_mark_spans(seen.mark),
                span(f"{item_label(item):<10}", _LABEL_STYLES.get(item_label(item), "text")),
                span(item_words(self._index, item)),
            ),
        )


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
