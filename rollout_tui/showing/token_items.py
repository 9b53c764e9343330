"""What fills contexts, by tool and by item, and what repeats, as sections of a document."""

from __future__ import annotations

from typing import Any

from reducer import ObjectRef
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.compaction.forgotten import forgotten
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.filling import BEFORE, Filling, by_group, filling
from rollout_tui.insight.tokens.repeats import repeats
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data, seq_of
from rollout_tui.showing.tables import table
from rollout_tui.showing.token_view import TokensView
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.naming import named, percent
from rollout_tui.views.token_words import about, filling_words, group_words

ITEMS = 40
"""Items that are told in text; for programs there are all."""

FEW = 10
"""Groups, items and repeats that are told where everything is told in brief."""

ESTIMATED = "an item's tokens are its share of what is counted of a request, of which the sum is exact"


def tell_by_tool(document: Document, view: TokensView, *, brief: bool) -> None:
    """What fills contexts, by tool; other items by their sort."""
    fillings = filling(view.links.sightings, view.thread_ids, view.read)
    found = by_group(view.index, fillings)
    shown = found[:FEW] if brief else found
    rows = [
        [
            group_words(one.group),
            str(one.items),
            str(one.tool_calls) if one.tool_calls else "",
            about(one.tokens),
            about(one.paid),
            percent(one.paid, view.whole.input),
            _seq_words(view.index, one.largest),
        ]
        for one in shown
    ]
    heading = ("", "items", "tool calls", "tokens", "paid for", "share", "largest")
    lines = table(rows, heading, right=range(1, 6))
    document.sections.append(Section(f"by tool; {ESTIMATED}", lines, "by_tool", head=1))
    document.data["by_tool"] = [
        {
            "kind": one.group.kind,
            "tool": one.group.tool or None,
            "what": encodable(one.group.what) or None,
            "items": one.items,
            "tool_calls": one.tool_calls,
            "tokens_estimate": round(one.tokens, 1),
            "paid_estimate": round(one.paid, 1),
            "largest": ref_data(one.largest),
        }
        for one in found
    ]


def _seq_words(index: TraceIndex, ref: ObjectRef) -> str:
    seq = None if ref.type == BEFORE else seq_of(index, ref)
    return "" if seq is None else f"seq {seq}"


def tell_by_item(document: Document, view: TokensView, *, brief: bool) -> None:
    """What fills contexts, item by item, what made most tokens first."""
    found = filling(view.links.sightings, view.thread_ids, view.read)
    shown = [one for one in found if one.paid >= 0.5][: FEW if brief else ITEMS]
    rows = [
        [
            agent_label(view.index, one.thread_id),
            filling_words(view.index, one),
            _seq_words(view.index, one.ref),
            about(one.tokens),
            plural(one.calls, "call"),
            about(one.paid),
            percent(one.paid, view.whole.input),
        ]
        for one in shown
    ]
    heading = ("agent", "item", "", "tokens", "carried by", "paid for", "share")
    more = f", {len(shown)} of {len(found)}" if len(shown) < len(found) else ""
    title = f"by item{more}; {ESTIMATED}"
    lines = table(rows, heading, right=range(3, 7))
    document.sections.append(Section(title, lines, "by_item", head=1))
    document.data["by_item"] = [_filling_data(view, one) for one in found]


def _filling_data(view: TokensView, one: Filling) -> dict[str, Any]:
    return {
        "object": ref_data(one.ref),
        **agent_data(view.index, one.thread_id),
        "kind": one.group.kind,
        "tool": one.group.tool or None,
        "what": encodable(one.group.what) or None,
        "calls": one.calls,
        "tokens_estimate": round(one.tokens, 1),
        "paid_estimate": round(one.paid, 1),
        "is_short": one.is_short,
    }


# What repeats


def tell_by_repeat(document: Document, view: TokensView, *, brief: bool) -> None:
    """Tool calls that were made more than once, and files that were read again."""
    index, wanted = view.index, set(view.thread_ids)
    found = [one for one in repeats(index, view.read) if wanted.intersection(one.agents)]
    results = {True: "the same result", False: "other results", None: "results not compared"}
    rows = [
        [
            plural(len(one.calls), "time"),
            named(index, one.calls[0]),
            results[one.is_same_result],
            plural(len(one.agents), "agent"),
            " ".join(f"seq {seq_of(index, ref)}" for ref in one.calls[:4]),
        ]
        for one in (found[:FEW] if brief else found)
    ]
    if rows:
        document.sections.append(Section("the same tool calls", table(rows), "by_repeat"))
    again = [
        (gone, read)
        for gone in forgotten(view.links.sightings)
        if gone.thread_id in wanted
        for read in gone.again
    ]
    lines = [
        f"{agent_label(index, gone.thread_id)} read {read.path} at seq {seq_of(index, read.first)} and again "
        f"at seq {seq_of(index, read.again)}: the compaction at seq {gone.seq} had taken it away"
        for gone, read in again
    ]
    if lines:
        document.add_text("read again after a compaction", "\n".join(lines))
    if not rows and not lines and not brief:
        document.add_text("what repeats", "no tool call was made twice, no file was read again")
    document.data["by_repeat"] = [
        {
            "calls": [ref_data(ref) for ref in one.calls],
            "agents": [agent_data(view.index, id_) for id_ in one.agents],
            "is_same_result": one.is_same_result,
        }
        for one in found
    ]
    document.data["read_again"] = [
        {
            **agent_data(view.index, gone.thread_id),
            "path": encodable(read.path),
            "first": ref_data(read.first),
            "again": ref_data(read.again),
            "compaction": ref_data(gone.ref),
        }
        for gone, read in again
    ]
