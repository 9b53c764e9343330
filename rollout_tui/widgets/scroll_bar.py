"""How scrollbars are drawn."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBarRender


class BlockScrollBar(ScrollBarRender):
    """A scrollbar of whole cells in reverse video: right in ASCII, without colour, and cheap on the wire.

    To be set once, before the app runs: `ScrollBar.renderer = BlockScrollBar`.
    """

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8
