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


class Piece(NamedTuple):
    """A piece of a line that is shown whole or not at all."""

    rank: int
    """How soon it is left out: the highest first, 0 never."""
    spans: Sequence[Span]


def drop_to_fit(pieces: Iterable[Piece], width: int | None) -> list[Span]:
    """As many pieces as fit into `width` cells, in their order; what is never left out may be longer.

    Args:
        pieces: Those of a line; gaps are part of them.
        width: Cells there are; None for as many as are wanted.
    """
    kept = list(pieces)
    if width is not None:
        room = width - sum(spans_width(piece.spans) for piece in kept)
        while room < 0 and (last := max(kept, key=lambda piece: piece.rank)).rank:
            kept.remove(last)
            room += spans_width(last.spans)
    return [part for piece in kept for part in piece.spans]


def wrap(spans: Sequence[Span], width: int, lines: int) -> list[list[Span]]:
    """A sentence broken at its blanks into as many lines as it needs, the last of which is cut.

    Args:
        spans: The sentence; line breaks keep what is before them, also the blanks it begins with.
        width: Cells of a line.
        lines: The most lines there may be.

    Returns:
        One line or more.
    """
    broken: list[list[Span]] = []
    rest = list(spans)
    while len(broken) < lines - 1 and spans_width(rest) > width:
        text = spans_text(rest)
        head = clip(text, width + 1)[:-1]
        cut = head.rfind(" ")
        if not head[:cut].strip():
            break
        broken.append(_part(rest, 0, cut))
        rest = [Span(blank_of(text)), *_part(rest, cut + 1, len(text))]
    return [*broken, fit(rest, width)]


def blank_of(text: str) -> SafeText:
    """The blanks that a text begins with."""
    return SafeText(" " * (len(text) - len(text.lstrip(" "))))


def _part(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """The characters from `start` to `end` of spans put together."""
    found: list[Span] = []
    for text, style in spans:
        if text[max(0, start) : max(0, end)]:
            found.append(Span(SafeText(text[max(0, start) : max(0, end)]), style))
        start, end = start - len(text), end - len(text)
    return found


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
