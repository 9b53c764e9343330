"""Lines of styled text: the header, the breadcrumb, the footer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from rollout_tui.lines.spans import Piece, Span, drop_to_fit, fit, wrap
from rollout_tui.widgets.looks import LOOKS

MOST_LINES = 4
"""Lines that a sentence may take where the terminal is narrow."""


_LOOKS = {**LOOKS, "match": LOOKS["text"]}
"""What is searched for is never in a bar: what is reversed is the line under the cursor, nothing else."""


class Bar(Widget):
    """One line of spans, cut to the width; of a sentence as many lines as it needs."""

    DEFAULT_CSS = "Bar { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._pieces: Sequence[Piece] = ()
        self._is_sentence = False
        self._lines: list[list[Span]] = [[]]

    def show(self, spans: Sequence[Span], *, is_sentence: bool = False) -> None:
        """Show other text.

        Args:
            spans: the text.
            is_sentence: whether all of it is to be read, on more lines than one where these are short.
        """
        self._take([Piece(0, tuple(spans))], is_sentence=is_sentence)

    def show_pieces(self, pieces: Iterable[Piece]) -> None:
        """Show as many pieces of a line as fit, whatever the width will be."""
        self._take(list(pieces), is_sentence=False)

    def _take(self, pieces: Sequence[Piece], *, is_sentence: bool) -> None:
        if (pieces, is_sentence) != (self._pieces, self._is_sentence):
            self._pieces, self._is_sentence = pieces, is_sentence
            self._lay_out()
            self.refresh()

    def on_resize(self) -> None:
        """Fit the text into another width."""
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        width = self.size.width
        spans = drop_to_fit(self._pieces, width or None)
        self._lines = wrap(spans, width, MOST_LINES) if self._is_sentence and width else [spans]
        if (self.styles.height is not None and self.styles.height.value) != len(self._lines):
            self.styles.height = len(self._lines)

    def render_line(self, y: int) -> Strip:
        """A line."""
        width = self.size.width
        spans = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(text, _LOOKS[style]) for text, style in fit(spans, width)]
        return Strip(segments).extend_cell_length(width, _LOOKS["text"])
