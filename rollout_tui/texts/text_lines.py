r"""A long text as lines, and those lines as rows of a given width. Pure.

Lines end at `\n`; a `\r` before it belongs to the line end. Rows are known by where they begin in the text,
so a row is cut out when it is drawn and never before.
"""

from __future__ import annotations

import codecs
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator

from rich.cells import get_character_cell_size

from rollout_tui.safe_text import TAB_WIDTH, safe_pieces, safe_text
from rollout_tui.texts.view_search import Looked

STEP_LINES = 4096
"""Lines handled between two pauses of a build."""

WINDOW = 1 << 15
"""Characters measured at a time within a line that is not plain ASCII."""

CHARS_PER_CELL = 8
"""A row ends after so many characters per cell even if they take no space: a flood of combining marks."""

_ESCAPED_CELLS = 10
"""Cells of the longest escape, a backslash, `U` and eight digits, and of the longest name, `<U+10FFFF>`."""

_SEARCH_CHARS = 1 << 20
_DECODE_BYTES = 1 << 16


class TextLines:
    """Where the lines of a text begin."""

    def __init__(self, text: str) -> None:
        """Keep `text`; `build` finds its lines."""
        self.text = text
        self.starts = array("Q")
        """The first character of each line. Empty only while it is not built."""

    def __len__(self) -> int:
        return len(self.starts)

    def build(self) -> Iterator[None]:
        """Find all lines, pausing by `yield` now and then."""
        text, starts = self.text, self.starts
        starts.append(0)
        for newline in re.finditer("\n", text):
            if newline.end() < len(text):
                starts.append(newline.end())
                if not len(starts) % STEP_LINES:
                    yield

    def build_all(self) -> TextLines:
        """Find all lines without a pause."""
        for _pause in self.build():
            pass
        return self

    def span(self, line: int) -> tuple[int, int]:
        """Where a line begins and ends, without its line end."""
        text, start = self.text, self.starts[line]
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(text)
        if end > start and text[end - 1] == "\n":
            end -= 1
            if end > start and text[end - 1] == "\r":
                end -= 1
        return start, end

    def line_at(self, offset: int) -> int:
        """The line a character is in."""
        return max(0, bisect_right(self.starts, offset) - 1)


class TextRows:
    """The lines of a text broken into rows."""

    def __init__(self, lines: TextLines, width: int) -> None:
        """Break lines into rows; `build` does it.

        Args:
            lines: The lines, found already.
            width: Cells a row may take; 0 for one row per line.
        """
        self.lines = lines
        self.width = width
        self.starts = array("Q") if width else lines.starts
        """The first character of each row."""

    def __len__(self) -> int:
        return len(self.starts)

    def build(self) -> Iterator[None]:
        """Find all rows, pausing by `yield` now and then."""
        if not self.width:
            return
        text, lines, rows, width = self.lines.text, self.lines, self.starts, self.width
        for line in range(len(lines)):
            start, end = lines.span(line)
            piece = text[start:end]
            if piece.isascii() and piece.isprintable():
                rows.extend(range(start, end, width) if end > start else (start,))
            elif len(piece) <= width and _most_cells(piece) <= width:
                rows.append(start)
            else:
                yield from self._build_measured(start, end)
            if not line % STEP_LINES:
                yield

    def build_all(self) -> TextRows:
        """Find all rows without a pause."""
        for _pause in self.build():
            pass
        return self

    def span(self, row: int) -> tuple[int, int]:
        """Where a row begins and ends."""
        start = self.starts[row]
        end = self.lines.span(self.lines.line_at(start))[1]
        if row + 1 < len(self.starts):
            end = min(end, self.starts[row + 1])
        return start, end

    def is_first(self, row: int) -> bool:
        """Whether a row begins its line."""
        start = self.starts[row]
        return self.lines.starts[self.lines.line_at(start)] == start

    def row_at(self, offset: int) -> int:
        """The row a character is in."""
        return max(0, bisect_right(self.starts, offset) - 1)

    def _build_measured(self, start: int, end: int) -> Iterator[None]:
        """Rows of a line in which characters take other than one cell each."""
        text, width = self.lines.text, self.width
        limit = width * CHARS_PER_CELL
        while start < end:
            # A window starts where a row does, so what is measured is what will be drawn.
            stop = min(end, start + max(WINDOW, 2 * limit))
            sizes = _cell_sizes(text[start:stop])
            row, column = 0, 0
            for position, size in enumerate(sizes):
                if size < 0:
                    size = TAB_WIDTH - column % TAB_WIDTH
                if (column + size > width and position > row and size) or position - row >= limit:
                    self.starts.append(start + row)
                    if text[start + position] == "\t":
                        size = TAB_WIDTH
                    row, column = position, 0
                column += size
            if stop == end:
                self.starts.append(start + row)
                return
            # The last row may go on in the next window.
            start += row
            yield


class TextLayout:
    """A text in rows of some width, which may change."""

    def __init__(self, text: str) -> None:
        """Lay out nothing yet."""
        self.text = text
        self.rows = TextRows(TextLines(text), 0)
        """The rows to be shown; none at first."""

    def build(self, width: int, result: list[TextRows]) -> Iterator[None]:
        """Break the text into rows, pausing by `yield` now and then. Changes nothing that is shown.

        Args:
            width: Cells a row may take; 0 for one row per line.
            result: Gets the rows at the end; to be put into `rows` by whoever shows them.
        """
        lines = self.rows.lines
        if not len(lines):
            lines = TextLines(self.text)
            yield from lines.build()
        rows = TextRows(lines, width)
        yield from rows.build()
        result.append(rows)

    def build_all(self, width: int) -> TextLayout:
        """Break the text into rows without a pause, to be shown at once."""
        result: list[TextRows] = []
        for _pause in self.build(width, result):
            pass
        self.rows = result[0]
        return self


def decode_pieces(data: bytes) -> Iterator[str]:
    r"""Bytes that should be UTF-8 as text, piece by piece; each byte that is not is written as `\xNN`."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    for start in range(0, len(data), _DECODE_BYTES):
        yield decoder.decode(data[start : start + _DECODE_BYTES])
    yield decoder.decode(b"", final=True)


def text_hits(text: str, query: str, start: int = 0) -> Iterator[Looked]:
    """Where `query` occurs in `text`, from a place to the end, and then from the beginning to that place.

    Args:
        text: Any text.
        query: Plain text; the case of letters matters only if it has capitals.
        start: The character to begin at.

    Yields:
        Offsets of characters, a million of them apart at most.
    """
    if not query:
        return
    pattern = plain_pattern(query)
    for first, last in ((start, len(text)), (0, start)):
        position = first
        while position < last:
            # A bounded piece at a time, because matching holds the interpreter lock.
            end = min(position + _SEARCH_CHARS, last)
            found = pattern.search(text, position, end + len(query))
            if found is None or found.start() >= last:
                yield Looked(position, False)
                position = end
            else:
                yield Looked(found.start(), True)
                position = found.end()


def plain_pattern(query: str) -> re.Pattern[str]:
    """Matches a plain text; the case of letters matters only if it has capitals."""
    return re.compile(re.escape(query), re.IGNORECASE if query == query.lower() else 0)


def _most_cells(text: str) -> int:
    """Cells that a short `text` takes at most when drawn by `safe_text`."""
    without_tabs = text.replace("\t", " ")
    per_char = 2 if safe_text(without_tabs) is without_tabs else _ESCAPED_CELLS
    return per_char * len(text) + (TAB_WIDTH - 1) * text.count("\t")


def _cell_sizes(text: str) -> list[int]:
    """The cells each character of `text` takes when drawn by `safe_text`; -1 for a tab."""
    without_tabs = text.replace("\t", " ")
    if safe_text(without_tabs) is without_tabs:
        return [-1 if char == "\t" else get_character_cell_size(char) for char in text]
    return [
        -1 if char == "\t" else len(piece) if piece.isascii() else sum(map(get_character_cell_size, piece))
        for char, piece in zip(text, safe_pieces(text), strict=True)
    ]
