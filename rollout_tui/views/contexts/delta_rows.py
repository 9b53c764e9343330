"""A context against another one, line by line as rows."""

from __future__ import annotations

from rollout_tui import glyphs
from rollout_tui.insight.compaction.verdicts import Basis
from rollout_tui.insight.contexts.delta import REPLACED, ContextDelta, DeltaLine, DeltaMark
from rollout_tui.insight.contexts.request_parts import RequestParts
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_label
from rollout_tui.insight.items.titles import item_words
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.contexts.context_rows import cut_words, mark_span, part_row, rebuilt_spans


def delta_header(index: TraceIndex, delta: ContextDelta) -> SafeText:
    """Against which call, how many items have which mark, and how far the contexts are the same."""
    if delta.base is None:
        return safe_text("the first call of this agent: everything is new")
    marks, counts = glyphs.active(), delta.counts
    cut = cut_words(index, delta.call, delta.base).strip()
    words = [cut] if cut else []
    words += [f"against call {index.place_of_call(delta.base) + 1}:"]
    shown: tuple[tuple[str, DeltaMark], ...] = (
        (marks.added, "new"),
        (marks.kept, "kept"),
        (marks.dropped, "dropped"),
        (marks.restored, "restored"),
    )
    for glyph, mark in shown:
        if counts[mark]:
            words.append(f"{glyph}{counts[mark]} {_MARK_WORDS[mark]}")
    if delta.replaced:
        words.append(f"({delta.replaced} of them replaced)")
    if delta.between:
        words.append(f"across {delta.between}")
    if delta.prefix is not None and not delta.prefix.continues:
        words.append(f"the prefix breaks at item {delta.prefix.shared + 1}")
    return safe_text("  ".join(words))


class DeltaRows:
    """Makes the row of a line of a delta."""

    def __init__(self, index: TraceIndex, delta: ContextDelta, parts: RequestParts | None = None) -> None:
        """Remember what rows are made from.

        Args:
            index: the graph.
            delta: the delta.
            parts: what the raw request holds beside the items; None while it was not looked at.
        """
        self._index = index
        self._delta = delta
        self._parts = parts

    def row(self, line: DeltaLine) -> Row:
        """Mark, role, and the first line of what was said; what is dropped or kept is muted."""
        rule = glyphs.active().rule * 2
        if line.kind == "break":
            return Row(key=line.place, spans=(span(f"{rule} {self._break_words()}", "warn"),))
        if line.kind == "rule":
            answered = len(self._delta.call.response_item_ids)
            words = f"answered with {plural(answered, 'item')}" if answered else "no answer was recorded"
            return Row(key=line.place, spans=(span(f"{rule} {words}", "muted"),))
        if line.ref is None or line.ref.type == "RequestPart":
            return part_row(line.place, "" if line.ref is None else line.ref.id, self._parts)
        item = self._index.trace.conversation_items[line.ref.id]
        style = _TEXT_STYLES[line.mark]
        word = _tail_word(line)
        tail: tuple[Span, ...] = (span(word, "muted"),) if word else ()
        return Row(
            key=line.place,
            spans=(
                mark_span(line.mark),
                *rebuilt_spans(self._index, item),
                span(f"{item_label(item):<10}", style),
                span(item_words(self._index, item), style),
            ),
            tail=tail,
        )

    def why(self, line: DeltaLine) -> str | None:
        """A sentence on the mark of a line: what was recorded, and what is a judgement."""
        if line.mark is None:
            return self._break_words() if line.kind == "break" else None
        if line.mark in ("kept", "restored") and line.basis in _BASIS_WORDS:
            judged = ": a judgement" if line.is_judged else ""
            return f"{_MARK_WORDS[line.mark]}: {_BASIS_WORDS[line.basis]}{judged}"
        if line.basis in REPLACED:
            if line.mark == "new":
                return "replaces an item of its sort in the other context: a judgement"
            return "replaced by an item of its sort, or by a later summary: a judgement"
        return {
            "new": "new: the other context has nothing that says the same",
            "kept": "kept: the same item is in both contexts",
            "dropped": "dropped: this context has nothing that says the same",
        }.get(line.mark)

    def _break_words(self) -> str:
        prefix = self._delta.prefix
        if prefix is None:
            return ""
        after = f"after {plural(prefix.shared, 'item')}"
        if self._delta.between:
            return f"{self._delta.between}: the contexts differ {after}"
        return f"here the contexts begin to differ, {after}"


def _tail_word(line: DeltaLine) -> str:
    """What happened to an item at a compaction, as far as its mark does not say it."""
    if line.mark == "restored" and line.basis not in REPLACED:
        return "put back, judged" if line.is_judged else "put back"
    if line.basis in REPLACED:
        return "replaced" if line.mark == "dropped" else "replacing"
    return ""


_TEXT_STYLES: dict[DeltaMark | None, StyleName] = {
    "new": "text",
    "kept": "muted",
    "dropped": "muted",
    "restored": "text",
    None: "text",
}

_MARK_WORDS: dict[DeltaMark, str] = {
    "new": "new",
    "kept": "kept",
    "dropped": "dropped",
    "restored": "put back",
}

_BASIS_WORDS: dict[Basis, str] = {
    "same id": "another item with the same Responses id",
    "same id, other text": "another item with the same Responses id, but other text",
    "same text, no id": "another item with the same text, and no Responses id to tell by",
    "same text, new id": "another item with the same text under a new Responses id",
    "same sort": "replaces an item of its sort in the other context",
}
