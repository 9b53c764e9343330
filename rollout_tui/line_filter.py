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

from rollout_tui.joiners import NON_JOINER, belongs

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
            Segments of the same total width without characters that are not printable, save a U+200C that
            is part of a word, without links and without actions in their styles.
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
    drawn = [segment for segment in segments if not segment.control]
    # A style may end within a word: what belongs is seen in the whole line.
    joiners = _joiners_of_words("".join(segment.text for segment in drawn))
    cleaned: list[Segment] = []
    start = 0
    for text, style, _control in drawn:
        shown = text if text.isprintable() else _printable(text, start, joiners)
        cleaned.append(Segment(shown, style if style is None or _is_plain(style) else _plain(style)))
        start += len(text)
    return cleaned


def _joiners_of_words(line: str) -> frozenset[int]:
    """The places of U+200C that are part of a word. U+200D makes widths uncertain, and never stays."""
    places = (place for place, char in enumerate(line) if char == NON_JOINER)
    return frozenset(
        place
        for place in places
        if belongs(line[max(0, place - 1) : place], NON_JOINER, line[place + 1 : place + 2])
    )


def _printable(text: str, start: int, joiners: frozenset[int]) -> str:
    """`text`, at `start` of its line, without what is not printable, as wide as Rich measured it before."""
    pieces = [char if start + at in joiners else _stand_in(char) for at, char in enumerate(text)]
    return set_cell_size("".join(pieces), cell_len(text))


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
