"""A list or tree of any length: threads, timeline, context, tables."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from textual.message import Message

from rollout_tui.lines.rows import Fold, FoldedSource, ListRows, RowSource, lay_out, row_list
from rollout_tui.lines.spans import Span, spans_text
from rollout_tui.texts.text_lines import plain_pattern
from rollout_tui.texts.view_search import Looked
from rollout_tui.widgets.line_view import LineView

QUICK_ROWS = 300
"""So many rows are searched at once: some ten milliseconds."""

PAUSE_ROWS = 32
"""Rows looked at between two pauses of a search."""


class VirtualList(LineView):
    """Draws the visible rows of a `RowSource`, and keeps its cursor on a row whatever happens to the others.

    Which rows exist, and in which order, is the source's business, folding included: the list only says what
    the reader asked for. After the source has changed, call `rows_changed` or `rows_appended`.
    """

    class RowMessage(Message):
        """Something about one row."""

        def __init__(self, view: VirtualList, index: int, key: Hashable) -> None:
            """`index` is where the row is now, `key` is who it is; `item` is what it is made from, in a list.

            Rows may be others once this arrives: a row stood for `item`, not for what is at `index` then.
            """
            super().__init__()
            self.view = view
            self.index = index
            self.key = key
            self.item = view.item_at(index)

        @property
        def control(self) -> VirtualList:
            """The list that sent this."""
            return self.view

    class CursorMoved(RowMessage):
        """The cursor is on another row. A newer one replaces those which still wait."""

        def can_replace(self, message: Message) -> bool:
            """Whether this makes `message` superfluous."""
            return isinstance(message, VirtualList.CursorMoved) and message.view is self.view

    class RowOpened(RowMessage):
        """Enter was pressed on a row."""

    class FoldRequested(RowMessage):
        """The reader wants a row folded or unfolded; the owner changes the source and says so."""

        def __init__(self, view: VirtualList, index: int, key: Hashable, fold: bool) -> None:
            """`fold` is true to fold, false to unfold."""
            super().__init__(view, index, key)
            self.fold = fold

    def __init__(
        self,
        source: RowSource | None = None,
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Create a list.

        Args:
            source: Where the rows come from; none at first by default.
            empty: The sentence shown while there are no rows.
            id: The id of the widget.
            classes: The CSS classes of the widget.
        """
        super().__init__(empty, id=id, classes=classes)
        self._source: RowSource = row_list(()) if source is None else source
        self._key: Hashable | None = self._source.key(0) if len(self._source) else None

    @property
    def source(self) -> RowSource:
        """Where the rows come from."""
        return self._source

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor; `None` if there are no rows."""
        return self._key

    def item_at(self, index: int) -> object:
        """What a row is made from, in a list; None in a tree, and where there is no such row."""
        items: Sequence[object] = self._source.items if isinstance(self._source, ListRows) else ()
        return items[index] if 0 <= index < len(items) else None

    @property
    def item(self) -> object:
        """What the row under the cursor is made from, as in `item_at`."""
        return self.item_at(self.cursor)

    def set_source(self, source: RowSource) -> None:
        """Show other rows. The cursor stays on the row it is on if `source` has it."""
        self._source = source
        self.rows_changed()

    def rows_changed(self) -> None:
        """Take notice that rows came, went or look different.

        The cursor stays on its row, and that row where it is in the window. If it is gone the cursor stays in
        its place. `CursorMoved` is sent only if the cursor is on another row afterwards.
        """
        key, index = self._key, self.cursor
        found = self._source.find(key) if key is not None else None
        self.lines_changed(cursor=index if found is None else found)
        self._key = self._source.key(self.cursor) if len(self._source) else None
        if self._key != key:
            self.post_message(self.CursorMoved(self, self.cursor, self._key))

    def rows_appended(self, first: int) -> None:
        """Take notice of rows added at the end, which disturbs nothing above.

        Args:
            first: How many rows there were.
        """
        if first == 0:
            self.rows_changed()
        else:
            self.lines_appended(first)

    def go_to(self, key: Hashable) -> bool:
        """Put the cursor on a row, with lines of context around it.

        Args:
            key: Which row.

        Returns:
            Whether there is such a row, or one that stands for it.
        """
        index = self._source.find(key)
        if index is None:
            return False
        self.jump(index)
        return True

    # Searching: positions are places among all rows, those that are folded away included.

    def find_basis(self) -> Hashable:
        """The rows, as long as there are as many."""
        return self._source, self.find_size()

    def find_size(self) -> int:
        """How many rows there are."""
        source = self._source
        return source.whole_count if isinstance(source, FoldedSource) else len(source)

    def find_start(self) -> int:
        """The row under the cursor."""
        source = self._source
        return (
            source.place_of(self.cursor) if isinstance(source, FoldedSource) and len(source) else self.cursor
        )

    def find_is_quick(self) -> bool:
        """Whether there are few rows."""
        return self.find_size() <= QUICK_ROWS

    def find_hits(self, query: str, start: int) -> Iterator[Looked]:
        """The rows that say a text, in their columns or in what they stand for."""
        source, pattern = self._source, plain_pattern(query)
        row = source.whole_row if isinstance(source, FoldedSource) else source.row
        beyond = source.text if isinstance(source, ListRows) else _no_text
        size = source.whole_count if isinstance(source, FoldedSource) else len(source)
        for place in (*range(start, size), *range(min(start, size))):
            shown = row(place)
            text = f"{spans_text(shown.spans)} {' '.join(piece.text for piece in shown.tail)}"
            is_hit = pattern.search(text) is not None or pattern.search(beyond(place)) is not None
            if is_hit or not place % PAUSE_ROWS:
                yield Looked(place, is_hit)

    def show_hit(self, position: int) -> None:
        """Put the cursor on a row, unfolding what hides it."""
        source = self._source
        if isinstance(source, FoldedSource):
            position = source.reveal_place(position)
            self.rows_changed()
        self.jump(position)

    @property
    def line_count(self) -> int:
        """How many rows there are."""
        return len(self._source)

    def line_spans(self, index: int, width: int) -> Sequence[Span]:
        """A row laid out."""
        return lay_out(self._source.row(index), width)

    def cursor_moved(self) -> None:
        """Remember which row it is, and tell."""
        self._key = self._source.key(self.cursor) if len(self._source) else None
        self.post_message(self.CursorMoved(self, self.cursor, self._key))

    def open_line(self) -> None:
        """Tell that the row was opened."""
        self.post_message(self.RowOpened(self, self.cursor, self._key))

    def step_left(self) -> bool:
        """Fold an open row; on any other go to its parent."""
        if not self.line_count:
            return False
        if self._source.row(self.cursor).fold is Fold.OPEN:
            self.post_message(self.FoldRequested(self, self.cursor, self._key, fold=True))
            return True
        parent = self._source.parent(self.cursor)
        if parent is None:
            return False
        self.cursor = parent
        return True

    def step_right(self) -> bool:
        """Unfold a folded row; on an open one go to its first child."""
        if not self.line_count:
            return False
        row = self._source.row(self.cursor)
        if row.fold is Fold.CLOSED:
            self.post_message(self.FoldRequested(self, self.cursor, self._key, fold=False))
            return True
        below = self.cursor + 1
        if row.fold is Fold.OPEN and below < self.line_count and self._source.row(below).depth > row.depth:
            self.cursor = below
            return True
        return False


def _no_text(_place: int) -> str:
    return ""
