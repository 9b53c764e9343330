"""The last net: what a terminal would obey never leaves the program, whichever widget drew it.

`safe_text` makes text safe where it enters a view. This filter stands where lines leave for the terminal and
looks at every segment of every widget, stock ones included. Return one instance of it, after the others, from
`App.get_line_filters`.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_SCROLLBAR_META = {
    ("@mouse.down", "grab"),
    ("@mouse.down", "scroll_up"),
    ("@mouse.down", "scroll_down"),
}
"""The only actions in a style that are not from markup: Textual's scrollbars draw them."""


class SafeLineFilter(LineFilter):
    """Takes control characters, hyperlinks and clickable actions out of every line, keeping its width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Give back `segments` if nothing is wrong with them, else a clean copy.

        Args:
            segments: One line of a widget.
            background: Not used.

        Returns:
            Segments of the same total width without characters that are not printable, without links and
            without actions in their styles.
        """
        for text, style, control in segments:
            if control or not text.isprintable() or (style is not None and not _is_plain(style)):
                return _clean(segments)
        return segments

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        # Lines remember what a filter made of them: any instance does the same.
        return hash(type(self))


def _clean(segments: list[Segment]) -> list[Segment]:
    """The printable part of `segments`; control segments draw nothing and go altogether."""
    return [
        Segment(
            text if text.isprintable() else _printable(text),
            style if style is None or _is_plain(style) else _plain(style),
        )
        for text, style, control in segments
        if not control
    ]


def _printable(text: str) -> str:
    """`text` without what is not printable, exactly as wide as Rich measured it before."""
    return set_cell_size("".join(map(_stand_in, text)), cell_len(text))


@lru_cache(maxsize=1024)
def _stand_in(char: str) -> str:
    """What is drawn for one character: itself, spaces for a space, and a mark of its width for any other."""
    if char.isprintable():
        return char
    is_space = unicodedata.category(char) == "Zs"
    return (" " if is_space else "?") * get_character_cell_size(char)


@lru_cache(maxsize=4096)
def _is_plain(style: Style) -> bool:
    """Whether `style` has neither a hyperlink nor an action."""
    return style.link is None and len(_kept_meta(style)) == len(style.meta)


def _plain(style: Style) -> Style:
    """`style` without its hyperlink and its actions."""
    return style.clear_meta_and_links() + Style.from_meta(_kept_meta(style))


def _kept_meta(style: Style) -> dict[str, Any]:
    """The meta of `style` without actions, save those of scrollbars."""
    return {
        key: value
        for key, value in style.meta.items()
        if not str(key).startswith("@") or (isinstance(value, str) and (key, value) in _SCROLLBAR_META)
    }
