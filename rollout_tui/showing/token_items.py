"""What fills contexts, by tool and by item, and what repeats, as sections of a document."""

from __future__ import annotations

from typing import Any

from reducer import ObjectRef
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.filling import BEFORE, Filling, GroupFilling
from rollout_tui.insight.tokens.prices import Prices
from rollout_tui.insight.tokens.run_tokens import TokensPart
from rollout_tui.showing.document import Document, Few, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data, seq_of
from rollout_tui.showing.tables import table
from rollout_tui.showing.token_data import missing_data
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.figures import about, share
from rollout_tui.views.naming import named
from rollout_tui.views.token_words import filling_words, group_words

FEW = 10
"""Groups, items and repeats that text tells where everything is told in brief."""

ESTIMATED = (
    "an item's tokens are its share of what is counted of each request; all of them add up to what went in"
)
"""What `≈` means."""


def tell_by_tool(document: Document, part: TokensPart, prices: Prices | None, *, brief: bool) -> None:
    """What fills contexts, by tool; other items by their sort."""
    del prices
    index = part.run.index
    rows = [
        [
            group_words(one.group),
            str(one.items),
            str(one.tool_calls) if one.tool_calls else "",
            about(one.tokens, is_told=one.is_told),
            about(one.paid, is_told=one.is_told),
            share(one.paid, part.whole.input, is_told=one.is_told),
            _seq_words(index, one.largest),
        ]
        for one in part.groups
    ]
    heading = ("", "items", "tool calls", "tokens", "paid for", "share", "largest")
    lines = table(rows, heading, right=range(1, 6))
    few = Few(FEW, "tokens by tool") if brief else None
    document.sections.append(Section("by tool", lines, "by_tool", head=1, few=few))
    document.data["by_tool"] = [
        {
            "kind": one.group.kind,
            "tool": one.group.tool or None,
            "what": encodable(one.group.what) or None,
            "items": one.items,
            "tool_calls": one.tool_calls,
            **_estimates(one),
            "largest": ref_data(one.largest),
        }
        for one in part.groups
    ]


def _estimates(one: Filling | GroupFilling) -> dict[str, Any]:
    """Its tokens for programs; null where no call that carried it was told any."""
    tokens, paid = (round(one.tokens, 1), round(one.paid, 1)) if one.is_told else (None, None)
    return {
        "tokens_estimate": tokens,
        "paid_estimate": paid,
        **missing_data(tokens_estimate=tokens, paid_estimate=paid),
    }


def _seq_words(index: TraceIndex, ref: ObjectRef) -> str:
    seq = None if ref.type == BEFORE else seq_of(index, ref)
    return "" if seq is None else f"seq {seq}"


def tell_by_item(document: Document, part: TokensPart, prices: Prices | None, *, brief: bool) -> None:
    """What fills contexts, item by item, what made most tokens first."""
    del prices
    index = part.run.index
    rows = [
        [
            agent_label(index, one.thread_id),
            filling_words(index, one),
            _seq_words(index, one.ref),
            about(one.tokens, is_told=one.is_told),
            plural(one.calls, "call"),
            about(one.paid, is_told=one.is_told),
            share(one.paid, part.whole.input, is_told=one.is_told),
        ]
        for one in part.fillings
    ]
    heading = ("agent", "item", "", "tokens", "carried by", "paid for", "share")
    lines = table(rows, heading, right=range(3, 7))
    few = Few(FEW, "tokens by item") if brief else None
    document.sections.append(Section("by item", lines, "by_item", head=1, few=few))
    document.data["by_item"] = [_filling_data(index, one) for one in part.fillings]


def _filling_data(index: TraceIndex, one: Filling) -> dict[str, Any]:
    return {
        "object": ref_data(one.ref),
        **agent_data(index, one.thread_id),
        "kind": one.group.kind,
        "tool": one.group.tool or None,
        "what": encodable(one.group.what) or None,
        "calls": one.calls,
        "calls_without_figures": one.calls - one.told,
        **_estimates(one),
        "is_short": one.is_short,
    }


# What repeats


def tell_by_repeat(document: Document, part: TokensPart, prices: Prices | None, *, brief: bool) -> None:
    """Tool calls that were made more than once, and files that were read again."""
    del prices
    index = part.run.index
    results = {True: "the same result", False: "other results", None: "results not compared"}
    rows = [
        [
            plural(len(one.calls), "time"),
            named(index, one.calls[0]),
            results[one.is_same_result],
            plural(len(one.agents), "agent"),
            " ".join(f"seq {seq_of(index, ref)}" for ref in one.calls[:4]),
        ]
        for one in part.repeats
    ]
    if rows:
        few = Few(FEW, "tokens by repeat") if brief else None
        document.sections.append(Section("the same tool calls", table(rows), "by_repeat", few=few))
    lines = [
        f"{agent_label(index, one.thread_id)} read {one.path} at seq {seq_of(index, one.first)} and again "
        f"at seq {seq_of(index, one.again)}: the compaction at seq {one.seq} had taken it away"
        for one in part.again
    ]
    if lines:
        document.add_text("read again after a compaction", "\n".join(lines))
    if not rows and not lines and not brief:
        document.add_text("what repeats", "no tool call was made twice, no file was read again")
    document.data["by_repeat"] = [
        {
            "calls": [ref_data(ref) for ref in one.calls],
            "agents": [agent_data(index, id_) for id_ in one.agents],
            "is_same_result": one.is_same_result,
        }
        for one in part.repeats
    ]
    document.data["read_again"] = [
        {
            **agent_data(index, one.thread_id),
            "path": encodable(one.path),
            "first": ref_data(one.first),
            "again": ref_data(one.again),
            "compaction": ref_data(one.compaction),
        }
        for one in part.again
    ]
