"""Styled pieces of a line: what a row model hands to a widget. Pure: a style is a name here, not a colour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

from rich.cells import cell_len

from rollout_tui.safe_text import SafeText, clip, safe_text

StyleName = Literal[
    "text",
    "muted",
    "strong",
    "accent",
    "good",
    "bad",
    "warn",
    "special",
    "link",
    "key",
    "string",
    "number",
    "literal",
    "keyword",
    "comment",
    "added",
    "removed",
    "match",
]
"""What a piece of text is, from which a theme decides its colour."""

STYLE_NAMES: tuple[str, ...] = get_args(StyleName)


class Span(NamedTuple):
    """A piece of a line in one style."""

    text: SafeText
    style: StyleName = "text"


def span(text: str, style: StyleName = "text") -> Span:
    """A span of any text, made safe."""
    return Span(safe_text(text), style)


def spans_width(spans: Iterable[Span]) -> int:
    """Cells that `spans` take."""
    return sum(cell_len(text) for text, _style in spans)


def spans_text(spans: Iterable[Span]) -> SafeText:
    """The text of `spans` put together."""
    return SafeText("".join(text for text, _style in spans))


def fit(spans: Sequence[Span], width: int) -> list[Span]:
    """`spans` cut to `width` cells, with an ellipsis where the cut is."""
    fitted: list[Span] = []
    room = width
    for position, (text, style) in enumerate(spans):
        # Only what fits is measured: a span may be megabytes long.
        shown = clip(text, room)
        if shown is not text:
            return [*fitted, Span(shown, style)] if shown else fitted
        taken = cell_len(text)
        if taken == room and any(rest for rest, _style in spans[position + 1 :]):
            # The line goes on, so its last cell must say so.
            return [*fitted, Span(clip(SafeText(text + " "), room), style)]
        room -= taken
        fitted.append(Span(text, style))
    return fitted


def mark_matches(spans: Sequence[Span], pattern: re.Pattern[str]) -> list[Span]:
    """`spans` with what `pattern` matches, also across spans, in the style `match`."""
    text = spans_text(spans)
    matches = [found.span() for found in pattern.finditer(text) if found.end() > found.start()]
    if not matches:
        return list(spans)
    marked: list[Span] = []
    start = 0
    for piece, style in spans:
        end = start + len(piece)
        position = start
        for first, last in matches:
            first, last = max(first, position), min(last, end)
            if first >= last:
                continue
            if first > position:
                marked.append(Span(SafeText(text[position:first]), style))
            marked.append(Span(SafeText(text[first:last]), "match"))
            position = last
        if position < end:
            marked.append(Span(SafeText(text[position:end]), style))
        start = end
    return marked
