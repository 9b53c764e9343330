"""What each style name looks like: the one table of colours, made once.

Textual's component classes would say the same, but it works out all of them for every widget anew whenever a
screen opens, comes back or changes its size: that took longer than all else that a key does. Only the
terminal's own sixteen colours are used, so that a look depends on no theme and on nothing around a widget.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.style import Style

LOOKS: Final[Mapping[str, Style]] = {
    name: Style.parse(look)
    for name, look in {
        "text": "",
        "muted": "dim",
        "strong": "bold",
        "accent": "cyan",
        "good": "green",
        "bad": "bold red",
        "warn": "yellow",
        "special": "magenta",
        "link": "bright_blue",
        "key": "cyan",
        "string": "green",
        "number": "magenta",
        "literal": "magenta",
        "keyword": "bold",
        "comment": "dim",
        "added": "green",
        "removed": "red",
        "match": "reverse",
    }.items()
}
"""By the names of `lines/spans.py`; default colours are none, and need no bytes on the wire."""

CURSOR: Final = Style(reverse=True)
"""The line under the cursor, where the keys are."""

CURSOR_MATCH: Final = Style(reverse=True, bold=True, underline=True)
"""What a search found in it."""

CURSOR_BLURRED: Final = Style(underline=True)
"""The line under the cursor, where the keys are not."""

FOCUSED_TITLE: Final = Style(color="cyan", bold=True)
"""The title of what has the keys."""

BLURRED_TITLE: Final = Style(dim=True)
"""Any other title."""
