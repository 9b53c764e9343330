"""Tables of text: columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rich.cells import cell_len

from rollout_tui.lines.rows import blank
from rollout_tui.safe_text import SafeText, safe_text

_GAP = "  "


def table(
    rows: Iterable[Sequence[str]], heading: Sequence[str] = (), right: Collection[int] = ()
) -> list[SafeText]:
    """Rows of a table as lines; a column in which nothing stands is left out.

    Args:
        rows: the cells of each; they may be evidence.
        heading: a row above them.
        right: the columns that are numbers.
    """
    cells = [[safe_text(cell) for cell in row] for row in rows]
    if not cells:
        return []
    used = [place for place in range(len(cells[0])) if any(row[place] for row in cells)]
    head = [safe_text(cell) for cell in heading]
    whole = [head, *cells] if head else cells
    widths = {place: max(cell_len(row[place]) for row in whole) for place in used}
    return [_line(row, used, widths, right) for row in whole]


def _line(
    row: Sequence[SafeText], used: Sequence[int], widths: dict[int, int], right: Collection[int]
) -> SafeText:
    cells = []
    for place in used:
        padding = blank(widths[place] - cell_len(row[place]))
        cells.append(padding + row[place] if place in right else row[place] + padding)
    return SafeText(_GAP.join(cells).rstrip())
