"""Single lines of styled text: the header, the breadcrumb, the footer."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from rollout_tui.widgets.spans import STYLE_NAMES, Span, fit


class Bar(Widget):
    """One line of spans, cut to the width."""

    COMPONENT_CLASSES = {f"line--{name}" for name in STYLE_NAMES}
    DEFAULT_CSS = """
    Bar {
        height: 1;
        & > .line--muted { text-style: dim; }
        & > .line--strong { text-style: bold; }
        & > .line--accent { color: ansi_cyan; }
        & > .line--bad { color: ansi_red; text-style: bold; }
        & > .line--warn { color: ansi_yellow; }
        & > .line--link { color: ansi_bright_blue; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._spans: Sequence[Span] = ()

    def show(self, spans: Sequence[Span]) -> None:
        """Show other text."""
        if list(spans) != list(self._spans):
            self._spans = tuple(spans)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line itself."""
        width = self.size.width
        segments = [
            Segment(text, self.get_component_rich_style(f"line--{style}"))
            for text, style in fit(self._spans, width)
        ]
        return Strip(segments).extend_cell_length(width, self.rich_style)
