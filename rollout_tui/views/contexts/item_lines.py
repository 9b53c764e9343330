"""What a conversation item says, in one line and in colours."""

from __future__ import annotations

from reducer.model import ConversationItem
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.titles import item_title
from rollout_tui.insight.output.title import Sort
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.views.failure_spans import STYLES


def item_spans(index: TraceIndex, item: ConversationItem) -> tuple[Span, ...]:
    """What an item says in a line, in colours."""
    return tuple(
        span(piece.words, _STYLES[piece.sort] if piece.manner is None else STYLES[piece.manner])
        for piece in item_title(index, item)
    )


_STYLES: dict[Sort, StyleName] = {"state": "text", "size": "muted", "line": "text", "between": "muted"}
