"""Sizes of items as a table of text."""

from __future__ import annotations

from collections.abc import Mapping

from rollout_tui.insight.contexts.item_sizes import ItemSize
from rollout_tui.texts.short_forms import plural, size


def size_table(totals: Mapping[str, ItemSize]) -> list[str]:
    """Totals as lines of one table: name, items, characters, estimated tokens, and what was not counted.

    A `>` means that the graph keeps only the beginning of some of it.
    """
    rows = [
        (
            name,
            plural(total.items, "item"),
            f"{at_least(total)}{total.characters:,} chars",
            f"est. {at_least(total)}{total.tokens_estimate:,} tok",
            f"{size(total.encrypted)} encrypted" if total.encrypted else "",
            f"{total.unread} not text" if total.unread else "",
        )
        for name, total in totals.items()
    ]
    name_width, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = []
    for name, *cells in rows:
        padded = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
        lines.append("  ".join([f"{name:<{name_width}}", *padded]).rstrip())
    return lines


def at_least(total: ItemSize) -> str:
    """`>` before a number of characters that falls short, else nothing."""
    return ">" if total.cut else ""
