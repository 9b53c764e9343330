"""How a row of a JSON text looks. Pure. Reads only as many bytes as can be seen."""

from __future__ import annotations

import re

from rich.cells import cell_len

from reducer.wire.json_text import HOLE_KEY
from rollout_tui import glyphs
from rollout_tui.lines.json_view import JsonView, Spot
from rollout_tui.lines.rows import INDENT, blank
from rollout_tui.lines.spans import Span, StyleName, spans_width
from rollout_tui.safe_text import SafeText, clip, safe_bytes, safe_text
from rollout_tui.texts.json_index import UNKNOWN

BYTES_PER_CELL = 6
"""Bytes read per cell of width: more than any ordinary text needs."""

PREVIEW_VALUES = 24
"""Values looked at to say what is in a folded container."""

PREVIEW_CELLS = 28
"""Cells one of them gets."""

_HOLE_KEY = f'"{HOLE_KEY}"'.encode()
_PLAIN_KEY = re.compile(rb'"[A-Za-z_][A-Za-z0-9_.-]*+"')
_JSON_INSIDE = re.compile(rb'"(?:[ \t]|\\[nrt]|(?!))*+[{\[]')
_STYLES: dict[int, StyleName] = {
    **dict.fromkeys(b'"', "string"),
    **dict.fromkeys(b"-0123456789", "number"),
    **dict.fromkeys(b"tfn", "literal"),
    **dict.fromkeys(b"NI", "warn"),
}


def value_row(view: JsonView, node: int, width: int) -> list[Span]:
    """The row of a value.

    Args:
        view: The text it is in.
        node: Which value.
        width: Cells there are.

    Returns:
        Indent, fold mark, key or position, and the value or what is in it; about `width` cells.
    """
    spans = [Span(_indent(view, node, width // 2)), Span(_mark(view, node), "muted"), *_label(view, node)]
    room = width - spans_width(spans)
    if not view.index.is_container(node):
        return [*spans, *_scalar(view, node, room)]
    spans.append(Span(_count(view, node), "muted"))
    lost = _lost_words(view, node)
    if lost is not None:
        return [*spans, Span(clip(safe_text(f"  {lost}"), max(0, width - spans_width(spans))), "warn")]
    if view.is_folded(node):
        spans += _preview(view, node, room)
    return spans


def looks_like_json(view: JsonView, node: int) -> bool:
    """Whether a value is a string that says it is an object or array; whether it is one is another matter."""
    if not view.values.is_string(node):
        return False
    start, end = view.values.value_span(node)
    data = view.index.data
    return data[end - 2 : end] in (b'}"', b']"') and _JSON_INSIDE.match(data, start) is not None


def size_text(size: int) -> SafeText:
    """A number of bytes for people."""
    if size < 1000:
        return safe_text(f"{size} B")
    if size < 999_950:
        return safe_text(f"{size / 1000:.1f} kB")
    return safe_text(f"{size / 1_000_000:.1f} MB")


def _indent(view: JsonView, node: int, limit: int) -> SafeText:
    """Blank cells for the depth, with a mark where a text opened inside a string begins."""
    cells = list(blank(min(view.level(node) * INDENT, limit)))
    around: Spot | None = view.parent
    while around is not None:
        column = around.view.level(around.node) * INDENT
        if column < len(cells):
            cells[column] = glyphs.active().nested
        around = around.view.parent
    return SafeText("".join(cells))


def _mark(view: JsonView, node: int) -> SafeText:
    """What `l` and `h` would do here."""
    marks = glyphs.active()
    if view.index.is_container(node):
        return SafeText((marks.fold_closed if view.is_folded(node) else marks.fold_open) + " ")
    if view.nested(node) is not None:
        return SafeText(marks.fold_open + " ")
    return SafeText(marks.fold_closed + " ") if looks_like_json(view, node) else blank(2)


def _label(view: JsonView, node: int) -> list[Span]:
    """The key, without quotes if it needs none, or the position in an array."""
    key = view.values.key_bytes(node)
    if key is not None:
        if _PLAIN_KEY.fullmatch(key, 0, 256):
            key = key[1:-1]
        return [Span(_head(key, 0, len(key), PREVIEW_CELLS * 2), "key"), Span(SafeText(": "), "muted")]
    if node == 0:
        return []
    return [Span(safe_text(f"{view.index.ordinals[node]}: "), "muted")]


def _count(view: JsonView, node: int) -> SafeText:
    """How much is in a container."""
    is_object = view.values.is_object(node)
    count = view.index.child_count(node)
    opening, closing = "{}" if is_object else "[]"
    if count is None:
        return SafeText(opening + glyphs.active().ellipsis)
    noun = "key" if is_object else "item"
    return safe_text(f"{opening}{count:,} {noun}{'' if count == 1 else 's'}{closing}")


def _lost_words(view: JsonView, node: int) -> str | None:
    """What became of the part that an object stands in for; None for any other, whatever its keys say."""
    child, index = node + 1, view.index
    if not view.lost or index.lasts[node] != child or view.values.key_bytes(child) != _HOLE_KEY:
        return None
    payload_id = view.values.text(child) if view.values.is_string(child) else ""
    words = view.lost.get(payload_id)
    return None if words is None else f"{payload_id} {words}"


def _scalar(view: JsonView, node: int, room: int) -> list[Span]:
    """A value without others inside, as written; if it is cut, then with its size."""
    start, end = view.values.value_span(node)
    data = view.index.data
    style = _STYLES.get(data[start], "muted") if view.nested(node) is None else "muted"
    if end - start <= room * BYTES_PER_CELL:
        text = safe_bytes(data[start:end])
        if cell_len(text) <= room:
            return [Span(text, style)]
    size = SafeText(" " + size_text(end - start))
    if room - len(size) < PREVIEW_CELLS:
        return [Span(_head(data, start, end, room), style)]
    return [Span(_head(data, start, end, room - len(size)), style), Span(size, "muted")]


def _preview(view: JsonView, node: int, room: int) -> list[Span]:
    """The first plain values in a folded container, as many as fit in `room` cells."""
    index, values = view.index, view.values
    spans: list[Span] = []
    child, last = node + 1, index.lasts[node]
    for _look in range(PREVIEW_VALUES):
        if child > last or index.lasts[child] == UNKNOWN or room <= PREVIEW_CELLS // 2:
            break
        key = values.key_bytes(child)
        # An id takes many cells and says nothing about what the container is.
        if not index.is_container(child) and not (key and key.endswith((b'"id"', b'_id"'))):
            start, end = values.value_span(child)
            style = _STYLES.get(index.data[start], "muted")
            label = _label(view, child) if key is not None else []
            piece = [Span(blank(2)), *label, Span(_head(index.data, start, end, PREVIEW_CELLS), style)]
            spans += piece
            room -= spans_width(piece)
        child = index.lasts[child] + 1
    return spans


def _head(data: bytes, start: int, end: int, width: int) -> SafeText:
    """The beginning of `data[start:end]` in at most `width` cells, with an ellipsis if that is not all."""
    limit = start + max(0, width) * BYTES_PER_CELL
    if end <= limit:
        return clip(safe_bytes(data[start:end]), width)
    cut = limit
    # Not in the middle of a character of UTF-8, which has at most three bytes after its first.
    while cut > max(start, limit - 3) and data[cut] & 0xC0 == 0x80:
        cut -= 1
    text = safe_bytes(data[start:cut])
    shown = clip(text, width)
    if shown is text and cell_len(text) < width:
        shown = SafeText(text + glyphs.active().ellipsis)
    return shown
