"""How much evidence goes into a report, and how what is left out is announced."""

from __future__ import annotations

from rollout_tui.safe_text import SafeText, flowing_text, safe_text
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.tables import Table

MAX_ROWS = 300
"""Rows of a table."""
HEAD_LINES, TAIL_LINES = 60, 40
"""Lines of a text of the evidence: most outputs say at their end how it went."""
MAX_LINE = 1000
"""Characters of one line."""
MAX_FOLDED = 1_500_000
"""Characters of folded evidence in a whole report."""


class Room:
    """Makes documents fit into a report, and keeps account of the evidence in it."""

    def __init__(self) -> None:
        """Nothing is in the report yet."""
        self._left = MAX_FOLDED

    def folded(self, document: Document, where: str) -> Document:
        """A document as folded evidence: without its texts where the report has too much of them already.

        Args:
            document: any.
            where: what of `show` prints all of it, such as `seq 98`; in words of this program.
        """
        made = fitting(document, where)
        size = sum(len(line) for section in made.sections for line in section.lines)
        size += sum(len(value) for _, value in made.facts)
        if size > self._left:
            said = safe_text(f"left out, the report is full: show {where} prints it")
            return Document(made.title, [], [Section("evidence", [said])])
        self._left -= size
        return made


def fitting(document: Document, where: str) -> Document:
    """A document with safe texts of bounded length; what is left out is announced in its place.

    Args:
        document: any.
        where: see `Room.folded`.
    """
    facts = [(name, str(_clipped(flowing_text(value)))) for name, value in document.facts]
    sections = [_bounded(one, where) for one in document.sections]
    return Document(_clipped(flowing_text(document.title)), facts, sections, document.data)


def _bounded(whole: Section, where: str) -> Section:
    section = whole.few_told()
    lines, heading = section.lines, safe_text(section.heading)
    if isinstance(lines, Table):
        rows = [[_clipped(cell) for cell in row] for row in lines.rows[:MAX_ROWS]]
        if len(lines.rows) > MAX_ROWS:
            heading = safe_text(
                f"{heading}; {MAX_ROWS} of {len(lines.rows):,} rows, show {where} prints the rest"
            )
        return Section(heading, Table(rows, lines.heading, lines.right))
    kept = list(lines)
    left_out = len(kept) - HEAD_LINES - TAIL_LINES
    if left_out > 0:
        gap = safe_text(f"[{left_out:,} lines left out: show {where} prints them]")
        kept[HEAD_LINES:-TAIL_LINES] = [gap]
    return Section(heading, [_clipped(line) for line in kept])


def _clipped(line: SafeText) -> SafeText:
    if len(line) <= MAX_LINE:
        return line
    return safe_text(f"{line[:MAX_LINE]} [{len(line) - MAX_LINE:,} characters left out]")
