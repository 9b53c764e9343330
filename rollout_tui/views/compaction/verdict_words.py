"""Verdicts in words: their marks, how often each was given, why, and the sizes they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reducer.model import ConversationItem, EncodedPart
from rollout_tui import glyphs
from rollout_tui.insight.compaction.verdicts import Basis, Comparison, Judged, Verdict
from rollout_tui.insight.contexts.item_signs import SummarySign
from rollout_tui.insight.contexts.item_sizes import ItemSize, item_size
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.texts.short_forms import size
from rollout_tui.views.contexts.size_table import at_least, size_table

_REASONS: dict[Basis, str] = {
    "same item": "one item before and after",
    "same id": "the same Responses id",
    "same text, no id": "the same text, without a Responses id to tell by",
    "same id, other text": "the same Responses id, other text",
    "same text, new id": "the same text as a new item",
    "same sort": "other text of the same sort",
    "into the summary": "gone; the summary stands for it",
    "earlier summary": "gone; the new summary took its place",
    "put in": "gone; no part of the conversation that is summed up",
    "no summary": "gone, and no summary stands for it",
    "not compacted": "gone before: not in the history that was compacted",
    "nothing like it": "nothing before was like it",
}

_SIGNS: dict[SummarySign, str] = {
    "channel": "the summary",
    "opening words": "the summary by its opening words",
    "place": "the summary by its place",
}

_ORDER: tuple[Verdict, ...] = (
    "kept",
    "carried over",
    "summarised",
    "replaced",
    "re-inserted",
    "dropped",
    "new",
)


def verdict_mark(verdict: Verdict) -> tuple[str, StyleName]:
    """A verdict as one mark. The two sides of one verdict share it."""
    marks = glyphs.active()
    look: dict[Verdict, tuple[str, StyleName]] = {
        "kept": (marks.kept, "muted"),
        "carried over": (marks.kept, "muted"),
        "dropped": (marks.dropped, "removed"),
        "summarised": (marks.becomes, "special"),
        "replaced": (marks.restored, "warn"),
        "re-inserted": (marks.restored, "warn"),
        "new": (marks.added, "added"),
    }
    return look[verdict]


def count_spans(judged: Iterable[Judged]) -> list[Span]:
    """How many items have which verdict; the marks make it the legend of the rows."""
    counts = Counter(one.verdict for one in judged)
    spans = []
    for verdict in _ORDER:
        if counts[verdict]:
            mark, style = verdict_mark(verdict)
            spans += [span(f" {mark}", style), span(f"{counts[verdict]} {verdict}")]
    return spans


def return_spans(found: Comparison) -> list[Span]:
    """What came back in the context of the first call after, what is new in it, and how much is gone."""
    back = [one for one in found.after if one.verdict != "new"]
    return [
        span(" came back:", "muted"),
        *(count_spans(back) or [span(" nothing")]),
        span("  besides:", "muted"),
        *(count_spans(one for one in found.after if one.verdict == "new") or [span(" nothing")]),
        span("  gone for good: ", "muted"),
        span(f"{len(found.gone)}" if found.gone else "nothing"),
    ]


def size_lines(totals: dict[str, ItemSize]) -> list[str]:
    """Sizes one under the other, by name; what is estimated says so."""
    return [f" {line}" for line in size_table(totals)]


def reason_spans(index: TraceIndex, judged: Judged, *, other: str) -> list[Span]:
    """Why an item got its verdict, and where the item is that it is paired with.

    Args:
        index: the graph.
        judged: the item and its verdict.
        other: what the history of its partner is called: `before` or `after`.
    """
    _mark, style = verdict_mark(judged.verdict)
    item = index.trace.conversation_items[judged.item_id]
    total = item_size(item)
    words = _REASONS[judged.basis]
    size_ = f"  {at_least(total)}{total.characters:,} chars" if total.characters else ""
    if judged.summary is not None and judged.verdict == "new":
        words, size_ = f"{_SIGNS[judged.summary]}, {summary_words(item)}", ""
    elif judged.partner is not None and judged.basis not in ("into the summary", "earlier summary"):
        words = f"item {judged.partner + 1} {other}, {words}"
    judgement = " (a judgement)" if judged.is_judged else ""
    return [
        span(f" {judged.verdict}: ", style),
        span(words),
        span(judgement, "warn"),
        span(size_, "muted"),
    ]


def summary_words(item: ConversationItem) -> str:
    """How large a summary is, and whether it can be read."""
    total = item_size(item)
    if any(isinstance(part, EncodedPart) for part in item.body.parts):
        return f"encrypted, {size(total.encrypted)}; only the provider can read it"
    return f"plain text, {total.characters:,} chars"
