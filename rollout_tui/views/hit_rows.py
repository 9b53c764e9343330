"""Hits of a search, and how far it is, in words."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_label
from rollout_tui.insight.search.search import Hit, Search, Where
from rollout_tui.insight.tools.words import tool_label
from rollout_tui.insight.type_names import TYPE_NAMES
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.texts.short_forms import plural, size

AGENT_WIDTH = 11
KIND_WIDTH = 10

_STYLES: dict[Where, tuple[str, StyleName]] = {
    Where.ID: ("id", "good"),
    Where.ITEM: ("text", "accent"),
    Where.PAYLOAD: ("payload", "muted"),
    Where.LOG: ("log", "muted"),
}


class HitRows:
    """Makes the row of a hit."""

    def __init__(self, index: TraceIndex) -> None:
        self._index = index

    def row(self, numbered: tuple[int, Hit]) -> Row:
        """Sequence number, agent, kind of object, the match with what is around it; at the right, where."""
        place, hit = numbered
        text, start, end, _part = hit.match
        leaf = self._agent(hit.thread_id).rpartition("/")[2]
        where, style = _STYLES[hit.where]
        return Row(
            key=place,
            spans=(
                span(f"{hit.seq:>5} ", "muted"),
                span(f"{leaf[: AGENT_WIDTH - 1]:<{AGENT_WIDTH}}", "link"),
                span(f"{self.label(hit.ref):<{KIND_WIDTH}}", "strong"),
                span(text[:start]),
                span(text[start:end], "match"),
                span(text[end:]),
            ),
            tail=(span(f"{where:>7}", style),),
        )

    def label(self, ref: ObjectRef) -> str:
        """The word for an object, as other lists have it."""
        trace = self._index.trace
        if ref.type == "ConversationItem" and ref.id in trace.conversation_items:
            return item_label(trace.conversation_items[ref.id])
        if ref.type == "ToolCall" and ref.id in trace.tool_calls:
            return tool_label(self._index, trace.tool_calls[ref.id])
        return TYPE_NAMES[ref.type].label

    def place(self, hit: Hit) -> list[Span]:
        """Where a hit is, in full: agent, object and the place in its payload."""
        where = f"payload {hit.what}" if hit.where in (Where.ITEM, Where.PAYLOAD) else hit.what
        return [
            span(f" {self._agent(hit.thread_id)}", "link"),
            span(f"  seq {hit.seq}  {self.label(hit.ref)}", "strong"),
            span(f"  {where}"),
            span(f"  {hit.ref.id}", "muted"),
        ]

    def _agent(self, thread_id: str | None) -> str:
        return "" if thread_id is None else self._index.thread_path(thread_id)


def progress_words(search: Search, shown: int, *, is_running: bool, is_done: bool) -> list[Span]:
    """How far a search is: files and bytes, hits, and what was left out.

    Args:
        search: the search.
        shown: hits in the list; those that were only counted come on top.
        is_running: whether it goes on.
        is_done: whether it went through everything there is.
    """
    hits = plural(shown + search.more, "hit")
    files = f"{search.payloads_read} of {plural(search.payloads, 'payload')}, {size(search.bytes_read)}"
    if is_running:
        words = [span(f" {hits}", "strong"), span(f"  searching: {files}", "accent")]
    elif is_done and not search.is_cut:
        words = [span(f" {hits}", "strong"), span(f"  in {files}", "muted")]
    else:
        words = [span(f" {hits}", "strong"), span(f"  ended after {files}", "warn")]
    if search.more:
        words.append(span(f"  {search.more} of them not shown", "warn"))
    if search.unreadable:
        words.append(span(f"  {plural(search.unreadable, 'payload')} unreadable", "bad"))
    return words
