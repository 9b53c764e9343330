"""Objects and shares in a few words, for rows."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_label
from rollout_tui.insight.items.titles import item_words
from rollout_tui.texts.short_forms import one_line
from rollout_tui.views.failure_rows import failed_words

ITEM_WORDS = 70
"""Characters of what an item says."""


def named(index: TraceIndex, ref: ObjectRef | None) -> str:
    """`call 7`, `command pytest -q`, `turn 2`, `output ✓ 31 passed`: an object in a row. It is evidence."""
    if ref is None:
        return ""
    if ref.type == "ConversationItem":
        item = index.trace.conversation_items[ref.id]
        return one_line(f"{item_label(item)}  {item_words(index, item)}", ITEM_WORDS)
    if ref.type == "Compaction":
        return "compaction"
    return failed_words(index, ref)


def percent(part: float, whole: float) -> str:
    """A share in percent; empty where there is no whole."""
    return f"{100 * part / whole:.0f}%" if whole else ""
