"""The one way from a text to HTML: through the sanitiser, then through the escaper."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import NewType

from rollout_tui.safe_text import flowing_text

Html = NewType("Html", str)
"""Markup made here, in which every text went through `text`."""


def text(words: str) -> Html:
    """Any text as HTML that shows it, and is nothing else."""
    return Html(html.escape(flowing_text(words), quote=True))


def element(name: str, *children: Html, **attributes: str | int) -> Html:
    """An element.

    Args:
        name: its tag; one of this program.
        children: what stands in it.
        attributes: by their names, with `class_` for `class` and `_` for `-`.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(str(value))}"' for key, value in attributes.items()
    )
    return Html(f"<{name}{told}>{''.join(children)}</{name}>")


def joined(pieces: Iterable[Html], between: str = "") -> Html:
    """Pieces of markup one after the other; `between` is white space."""
    return Html(between.join(pieces))
