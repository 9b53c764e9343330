"""Tables of text: columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rich.cells import cell_len

from rollout_tui.lines.rows import blank
from rollout_tui.safe_text import SafeText, safe_text

_GAP = "  "


class Table(list[SafeText]):
    """The lines of a table, which knows its cells.

    Attributes:
        rows: the cells of each.
        heading: those above them; none for a table without.
        right: the columns that are numbers.
    """

    def __init__(
        self, rows: Sequence[Sequence[SafeText]], heading: Sequence[SafeText], right: Collection[int]
    ) -> None:
        """Set the lines; all rows and the heading have the same number of cells."""
        self.rows, self.heading, self.right = rows, heading, frozenset(right)
        whole = [heading, *rows] if heading else rows
        widths = [max(map(cell_len, column)) for column in zip(*whole, strict=True)]
        super().__init__(self._line(row, widths) for row in whole)

    def _line(self, row: Sequence[SafeText], widths: Sequence[int]) -> SafeText:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            padding = blank(width - cell_len(cell))
            cells.append(padding + cell if place in self.right else cell + padding)
        return SafeText(_GAP.join(cells).rstrip())


def table(rows: Iterable[Sequence[str]], heading: Sequence[str] = (), right: Collection[int] = ()) -> Table:
    """Rows as a table; a column in which nothing stands is left out.

    Args:
        rows: the cells of each; they may be evidence.
        heading: a row above them.
        right: the columns that are numbers.
    """
    cells = [[safe_text(cell) for cell in row] for row in rows]
    used = [place for place in range(len(cells[0])) if any(row[place] for row in cells)] if cells else []
    head = [safe_text(heading[place]) for place in used] if heading else []
    kept = [[row[place] for place in used] for row in cells]
    return Table(kept, head, [new for new, old in enumerate(used) if old in right])
