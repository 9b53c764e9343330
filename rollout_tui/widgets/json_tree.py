"""A viewer for the raw bytes of a JSON payload: folds, paths, search, strings that are JSON themselves."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from textual.message import Message

from rollout_tui.lines.json_paint import looks_like_json, value_row
from rollout_tui.lines.json_view import JsonView, Spot
from rollout_tui.lines.spans import Span
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.texts.json_index import JsonIndex
from rollout_tui.texts.text_lines import TextLayout, TextRows, decode_pieces, text_hits
from rollout_tui.texts.view_search import Looked
from rollout_tui.widgets.line_view import LineView

INLINE_BYTES = 128_000
"""A payload up to this size is indexed at once: some ten milliseconds."""

FOLD_DEPTH = 2
"""Containers this deep start folded: the members of a request are open, each item of its input is one row."""

SMALL_NODES = 60
"""A payload with no more values than this starts with everything open."""

UNKNOWN_WIDTH = 80
"""Cells assumed before the first layout."""


class JsonTree(LineView):
    """Shows a payload value by value; what is no JSON, as text with the reason above it.

    The bytes are indexed in a thread while the first values are on screen already. Nothing is ever parsed
    into objects or written anew: what is shown is cut out of the payload.
    """

    class TreeMessage(Message):
        """Something about a tree."""

        def __init__(self, view: JsonTree) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> JsonTree:
            """The tree that sent this."""
            return self.view

    class CursorMoved(TreeMessage):
        """The cursor is on another value. A newer one replaces those which still wait."""

        def __init__(self, view: JsonTree, path: str) -> None:
            """`path` is a jq filter, not safe for a terminal; empty where there is no value."""
            super().__init__(view)
            self.path = path

        def can_replace(self, message: Message) -> bool:
            """Whether this makes `message` superfluous."""
            return isinstance(message, JsonTree.CursorMoved) and message.view is self.view

    class ValueOpened(TreeMessage):
        """The reader wants to see a whole value."""

        def __init__(self, view: JsonTree, path: str, text: str) -> None:
            """`text` is what a string says, or any other value as written. Neither is safe for a terminal."""
            super().__init__(view)
            self.path = path
            self.text = text

    class Progress(TreeMessage):
        """More of the payload is indexed, or all of it."""

        def __init__(self, view: JsonTree, fraction: float, is_done: bool) -> None:
            """`fraction` is from 0 to 1."""
            super().__init__(view)
            self.fraction = fraction
            self.is_done = is_done

    def __init__(self, empty: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        """Create a tree without a payload.

        Args:
            empty: The sentence shown while there is no payload.
            id: The id of the widget.
            classes: The CSS classes of the widget.
        """
        super().__init__(empty, id=id, classes=classes)
        self._index = JsonIndex(b"")
        self._tree: JsonView | None = None
        self._plain: TextLayout | None = None
        self._plain_width = 0
        self._wanted: tuple[str | int, ...] = ()
        self._lost: Mapping[str, str] = {}
        self._reason = SafeText("")

    # For whoever owns the tree.

    @property
    def data(self) -> bytes:
        """The payload."""
        return self._index.data

    @property
    def reason(self) -> SafeText:
        """Why the payload is shown as text, or what a strict parser would refuse in it; empty if nothing."""
        return self._reason

    @property
    def is_text(self) -> bool:
        """Whether the payload is no JSON and shown as text."""
        return self._plain is not None

    def show(
        self, data: bytes, path: Sequence[str | int] = (), lost: Mapping[str, str] | None = None
    ) -> None:
        """Show a payload from its beginning.

        Args:
            data: Any bytes.
            path: Keys and positions of a value to put the cursor on, as soon as it is found.
            lost: See `JsonView`.
        """
        self._forget()
        self._lost = {} if lost is None else lost
        self._index = index = JsonIndex(data)
        self._wanted = tuple(path)
        self.lines_changed(cursor=0, screen_row=0)

        def progress(is_done: bool) -> None:
            if index is self._index:
                self._take_in(is_done)

        self.run_job("index", index.build(), progress, inline=len(data) <= INLINE_BYTES)

    def clear(self, sentence: str = "") -> None:
        """Show no payload but a sentence."""
        self._forget()
        self.empty = safe_text(sentence)
        self.lines_changed(cursor=0, screen_row=0)

    def _forget(self) -> None:
        """Drop the payload and end all work on it."""
        for job in ("index", "nested", "text", "rows"):
            self.end_job(job)
        self._index = JsonIndex(b"")
        self._tree, self._plain, self._reason, self._wanted = None, None, SafeText(""), ()

    def stop(self) -> bool:
        """Stop indexing; what is found stays. Returns whether there was anything to stop."""
        if not self.end_job("index"):
            return False
        percent = int(100 * self._index.scanned / max(1, len(self.data)))
        self._set_reason(f"stopped: only the first {percent}% are shown")
        return True

    @property
    def path(self) -> str:
        """The jq filter of the value under the cursor, not safe for a terminal; empty if there is none."""
        spot = self._spot()
        return spot.view.path(spot.node) if spot else ""

    @property
    def json_path(self) -> str:
        """The JSON path of the value under the cursor, not safe for a terminal; empty if there is none."""
        spot = self._spot()
        return spot.view.json_path(spot.node) if spot else ""

    def value_text(self) -> str:
        """The value under the cursor: what a string says, any other value as written."""
        spot = self._spot()
        return spot.view.values.text(spot.node) if spot else self.data.decode("utf-8", "surrogateescape")

    # Searching: positions are values, or characters of what is no JSON. Texts opened inside strings are
    # found in those strings.

    def find_basis(self) -> Hashable:
        """The payload, as far as it is indexed."""
        return self._index, self._plain, len(self._index)

    def find_size(self) -> int:
        """How many values or characters there are."""
        return len(self._index) if self._plain is None else len(self._plain.text)

    def find_start(self) -> int:
        """The value under the cursor, or the one around it that is of the payload itself."""
        row = self.cursor - self._top
        if self._plain is not None:
            return self._plain.rows.starts[max(0, row)] if len(self._plain.rows) else 0
        spot = self._spot()
        while spot is not None and spot.view.parent is not None:
            spot = spot.view.parent
        return 0 if spot is None else spot.node

    def find_is_quick(self) -> bool:
        """Whether the payload is small."""
        return len(self.data) <= INLINE_BYTES

    def find_hits(self, query: str, start: int) -> Iterator[Looked]:
        """The values in which a text occurs."""
        if self._plain is not None:
            return text_hits(self._plain.text, query, start)
        return iter(()) if self._tree is None else self._tree.values.hits(query, start)

    def show_hit(self, position: int) -> None:
        """Put the cursor on something found, unfolding what it is in."""
        if self._plain is not None:
            self.jump(self._plain.rows.row_at(position) + self._top)
        elif self._tree is not None and position < self._tree.known:
            self._go_to(Spot(self._tree, position))

    # What is in the payload so far.

    def _take_in(self, is_done: bool) -> None:
        """Show what the index has found since the last time."""
        index = self._index
        if is_done and index.problem:
            self._show_as_text(index.problem)
        elif self._tree is None:
            is_small = is_done and len(index) <= SMALL_NODES
            self._tree = JsonView(index, None if is_small else FOLD_DEPTH, lost=self._lost)
            self.lines_changed(cursor=0, screen_row=0)
            self.cursor_moved()
        else:
            rows = self.line_count
            self._tree.extend()
            self._strips.clear()
            self.lines_appended(max(0, rows - 1))
        if is_done and not index.problem:
            self._set_reason(index.notice)
            self.redraw()
        self._go_to_wanted(is_done)
        fraction = 1.0 if is_done else index.scanned / max(1, len(index.data))
        self.post_message(self.Progress(self, fraction, is_done))

    def _go_to_wanted(self, is_done: bool) -> None:
        """Put the cursor on the value asked for, once it is there."""
        if not self._wanted or self._tree is None:
            return
        node = self._tree.values.find_path(self._wanted)
        if node is not None and node < self._tree.known:
            self._go_to(Spot(self._tree, node))
            self._wanted = ()
        elif is_done:
            self._wanted = ()

    def _show_as_text(self, reason: str) -> None:
        """Show the payload as text: its beginning at once, the rest when it is decoded and laid out."""
        index, width = self._index, max(2, self.line_width or UNKNOWN_WIDTH)
        self._tree = None
        self._reason = safe_text(f"not JSON: {reason}")
        whole: list[TextLayout] = []

        def steps() -> Iterator[None]:
            decoded: list[str] = []
            for piece in decode_pieces(self.data):
                decoded.append(piece)
                yield
            layout, rows = TextLayout("".join(decoded)), list[TextRows]()
            yield from layout.build(width, rows)
            layout.rows = rows[0]
            whole.append(layout)

        def progress(is_done: bool) -> None:
            if is_done and index is self._index:
                self._plain, self._plain_width = whole[0], width
                self._lay_out_text()
                self.lines_changed()

        self._plain = TextLayout(next(decode_pieces(self.data), "")).build_all(width)
        self._plain_width = width
        self.lines_changed(cursor=0, screen_row=0)
        self.run_job("text", steps(), progress, inline=len(self.data) <= INLINE_BYTES)

    def _lay_out_text(self) -> None:
        """Break the text into rows for the width there is, if it is another than before."""
        layout, width = self._plain, max(2, self.line_width or UNKNOWN_WIDTH)
        if layout is None or width == self._plain_width:
            return
        self._plain_width = width
        result: list[TextRows] = []

        def progress(is_done: bool) -> None:
            if is_done and layout is self._plain:
                starts = layout.rows.starts
                offset = starts[max(0, self.cursor - self._top)] if len(starts) else 0
                layout.rows = result[0]
                self.lines_changed(cursor=layout.rows.row_at(offset) + self._top)

        self.run_job("rows", layout.build(width, result), progress, inline=len(layout.text) <= INLINE_BYTES)

    def _set_reason(self, reason: str) -> None:
        """Put a line above the values, which moves them down, and the cursor with them."""
        if reason and not self._reason:
            self._reason = safe_text(reason)
            moved = self.cursor + 1
            self.lines_changed(cursor=moved, screen_row=None if self.scroll_offset.y else moved)

    def job_failed(self, name: str, error: str) -> None:
        """Say that a job ended early."""
        self._set_reason(f"an error of this program ended the {name} early: {error}")

    def on_resize(self) -> None:
        """Break text anew if the width is another."""
        self._lay_out_text()

    # Drawing.

    @property
    def _top(self) -> int:
        """Rows above the values."""
        return 1 if self._reason else 0

    @property
    def line_count(self) -> int:
        """How many rows there are."""
        if self._plain is not None:
            return len(self._plain.rows) + self._top
        return self._tree.row_count + self._top if self._tree is not None else 0

    def line_spans(self, index: int, width: int) -> Sequence[Span]:
        """The reason, a value, or a row of text."""
        if index < self._top:
            return [Span(self._reason, "warn")]
        row = index - self._top
        if self._plain is not None:
            start, end = self._plain.rows.span(row)
            return [Span(safe_text(self._plain.text[start:end]))]
        if self._tree is None:
            return []
        view, node = self._tree.spot(row)
        return value_row(view, node, width)

    # The cursor.

    def _spot(self) -> Spot | None:
        """The value under the cursor."""
        row = self.cursor - self._top
        if self._tree is None or not 0 <= row < self._tree.row_count:
            return None
        return self._tree.spot(row)

    def _row_of(self, spot: Spot) -> int:
        """The row of a value."""
        return spot.view.row_of(spot.node) + self._top

    def _go_to(self, spot: Spot) -> None:
        """Put the cursor on a value, unfolding what it is in."""
        spot.view.reveal(spot.node)
        self._rows_changed(spot)
        self.jump(self._row_of(spot))

    def _rows_changed(self, spot: Spot) -> None:
        """Rows came or went; the cursor is on `spot` now, or on what that is folded into."""
        self.lines_changed(cursor=self._row_of(spot))
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """Tell which value it is."""
        self.post_message(self.CursorMoved(self, self.path))

    def step_left(self) -> bool:
        """Fold an open container, close a text opened in a string; on anything else go to its container."""
        spot = self._spot()
        if spot is None:
            return False
        view, node = spot
        if view.can_fold(node) and not view.is_folded(node):
            view.fold(node)
        elif view.nested(node) is not None:
            view.close_nested(node)
        elif node:
            self.cursor = self._row_of(Spot(view, view.index.parents[node]))
            return True
        elif view.parent is not None:
            self.cursor = self._row_of(view.parent)
            return True
        else:
            return False
        self._rows_changed(spot)
        return True

    def step_right(self) -> bool:
        """Unfold, or go to the first value inside; open a string that is JSON."""
        spot = self._spot()
        if spot is None:
            return False
        view, node = spot
        if view.is_folded(node):
            view.unfold(node)
            self._rows_changed(spot)
            return True
        if view.index.is_container(node) or view.nested(node) is not None:
            self.cursor += 1
            return True
        if looks_like_json(view, node):
            self._open_string(spot, or_else_show=False)
            return True
        return False

    def open_line(self) -> None:
        """Fold or unfold a container, open a string that is JSON, show any other value whole."""
        spot = self._spot()
        if spot is None:
            return
        view, node = spot
        if view.can_fold(node):
            if view.is_folded(node):
                view.unfold(node)
            else:
                view.fold(node)
        elif view.nested(node) is not None:
            view.close_nested(node)
        else:
            self._open_string(spot, or_else_show=True)
            return
        self._rows_changed(spot)

    def _open_string(self, spot: Spot, *, or_else_show: bool) -> None:
        """Show the JSON text inside a string below it; if there is none, ask for the value to be shown whole.

        Args:
            spot: Any value without others inside.
            or_else_show: Whether to do anything if it is no string that is JSON.
        """
        index, values = self._index, spot.view.values
        found: list[JsonIndex] = []
        texts: list[str] = []

        def steps() -> Iterator[None]:
            text = values.text(spot.node)
            texts.append(text)
            yield
            if looks_like_json(spot.view, spot.node):
                inner = JsonIndex(text.encode("utf-8", "surrogatepass"))
                yield from inner.build()
                if not inner.problem:
                    found.append(inner)

        def progress(is_done: bool) -> None:
            if not is_done or index is not self._index:
                return
            if found:
                here = self._spot() or spot
                is_small = len(found[0]) <= SMALL_NODES
                spot.view.open_nested(spot.node, found[0], None if is_small else FOLD_DEPTH)
                self._rows_changed(here)
            elif or_else_show:
                self.post_message(self.ValueOpened(self, spot.view.path(spot.node), texts[0]))

        start, end = values.value_span(spot.node)
        self.run_job("nested", steps(), progress, inline=end - start <= INLINE_BYTES)
