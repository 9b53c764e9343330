"""What is shown: a title, facts, sections of lines, and the same as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import Struct, field

from rollout_tui import glyphs
from rollout_tui.insight.items.blobs import without_data_urls
from rollout_tui.lines.rows import Row, blank
from rollout_tui.lines.spans import Span, spans_text
from rollout_tui.safe_text import SafeText, flowing_lines, flowing_text, safe_text
from rollout_tui.showing.tables import Table

NAME_WIDTH = 15
"""Cells of the name of a fact."""


class Few(NamedTuple):
    """How much of a list is told where nobody asked for it in particular, or for a page of it.

    Attributes:
        rows: how many of its rows.
        rest: the words of `show` that tell all of them.
    """

    rows: int
    rest: str


class Section(Struct, frozen=True):
    """Lines under a heading; each is safe already.

    Attributes:
        heading: what stands above them.
        lines: the lines.
        listed: the list that they are rows of, one each, by its key in the data; empty for no list. Several
            sections may have the rows of one list.
        head: how many of the lines stand above the first row.
        few: how many of the rows are told if no page is asked for; None for all.
    """

    heading: str
    lines: Sequence[SafeText]
    listed: str = ""
    head: int = 0
    few: Few | None = None

    @property
    def rows(self) -> int:
        """How many rows of the list it has."""
        return max(0, len(self.lines) - self.head)

    def has_cell(self, text: str) -> bool:
        """Whether it is a table, and a cell of the rows that are told says this and nothing else."""
        lines = self.few_told().lines
        return isinstance(lines, Table) and any(text in row for row in lines.rows)

    def few_told(self) -> Section:
        """The same as it is told if no page is asked for: it says of how many rows it has how many."""
        if self.few is None or self.rows <= self.few.rows:
            return self
        heading = f"{self.heading}, {self.few.rows} of {self.rows:,}: show BUNDLE {self.few.rest} has all"
        lines: Sequence[SafeText] = self.lines[: self.head + self.few.rows]
        if isinstance(self.lines, Table):
            lines = Table(self.lines.rows[: self.few.rows], self.lines.heading, self.lines.right)
        return Section(heading, lines)


class Document(Struct):
    """One thing, ready to be printed.

    Attributes:
        title: what it is.
        facts: names and values.
        sections: what belongs to it, in order.
        data: the same for programs; may hold the declared types of the graph.
    """

    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def add_text(self, heading: str, text: str) -> None:
        """Add a text of any number of lines, with what blobs are in place of their letters."""
        self.sections.append(Section(heading, flowing_lines(without_data_urls(text))))

    def add_list(self, heading: str, lines: Iterable[str], listed: str) -> None:
        """Add rows of a list as lines of text.

        Args:
            heading: what stands above them.
            lines: one for each element; they may quote evidence.
            listed: the key of the list in the data.
        """
        self.sections.append(Section(heading, [flowing_text(line) for line in lines], listed))

    def add_rows(self, heading: str, rows: Iterable[Row], listed: str = "") -> None:
        """Add rows of a list, by its key in the data if it can be cut to a page."""
        self.sections.append(Section(heading, [row_text(row) for row in rows], listed))

    def add_spans(self, heading: str, lines: Iterable[Sequence[Span]]) -> None:
        """Add lines of styled text, without the styles."""
        self.sections.append(Section(heading, [spans_text(line) for line in lines]))

    def lines(self) -> Iterator[SafeText]:
        """The document as lines of text that is safe for a terminal."""
        yield flowing_text(self.title)
        for name, value in self.facts:
            yield flowing_text(f"{name:<{NAME_WIDTH}} {value}")
        rule = glyphs.active().rule * 2
        for section in self.sections:
            told = section.few_told()
            yield SafeText("")
            yield safe_text(f"{rule} {told.heading} {rule}")
            yield from told.lines


def row_text(row: Row) -> SafeText:
    """A row as text: its indent, its main part, and its tail behind that."""
    tail = f"  {' '.join(piece.text for piece in row.tail)}" if row.tail else ""
    return SafeText((blank(2 * row.depth) + spans_text(row.spans) + safe_text(tail)).rstrip())
