"""Lines that stand below each other as they are: the head of a table, a curve with its marks."""

from __future__ import annotations

from collections.abc import Sequence

from rollout_tui.lines.spans import Span
from rollout_tui.widgets.bars import Bar


class Figure(Bar):
    """As many lines as it is given, each cut to the width; without any it takes no room."""

    def show_lines(self, lines: Sequence[Sequence[Span]]) -> None:
        """Show other lines.

        Args:
            lines: from above to below.
        """
        if lines == self._lines:
            return
        self._lines = [list(line) for line in lines]
        self.display = bool(lines)
        if (self.styles.height is not None and self.styles.height.value) != len(lines):
            self.styles.height = len(lines)
        self.refresh()

    def _lay_out(self) -> None:
        """Nothing: the lines are as they were given, whatever the width is."""
