"""What is said of tokens in words: what a group of items is, why a cache broke, what something cost."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui.insight.certainty import is_context_rebuilt, marked
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.contexts import CacheBreak, CallContext
from rollout_tui.insight.tokens.filling import BEFORE, Filling, Group
from rollout_tui.insight.tokens.limits import Limits
from rollout_tui.texts.short_forms import count, duration, moment
from rollout_tui.views.naming import named


def group_words(group: Group) -> str:
    """What a group of items is: `output of command pytest`, `instructions and tools of the request`."""
    if group.kind in ("arguments", "output"):
        return f"{group.kind} of {group.tool} {group.what}".rstrip()
    return {
        "before the items": "instructions and tool definitions of the requests",
        "instructions": "developer messages",
        "put in": "context that codex put in",
        "user": "messages of the user",
        "assistant": "messages of the model",
        "reasoning": "reasoning",
        "agent": "messages of other agents",
        "compacted": "summaries of compactions",
    }[group.kind]


def filling_words(index: TraceIndex, one: Filling) -> str:
    """What fills a context: an item by what it says, or what stands before the items."""
    return group_words(one.group) if one.ref.type == BEFORE else named(index, one.ref)


def items_words(index: TraceIndex, call: CallContext) -> str:
    """How many items a call had before it, marked where its list follows from the order of records."""
    return marked(str(call.items), is_context_rebuilt(index, index.trace.inference_calls[call.ref.id]))


def break_words(index: TraceIndex, found: CacheBreak | None) -> str:
    """Why a cache broke, and what that cost."""
    if found is None:
        return ""
    return f"{cause_words(index, found)}; {lost_words(found)}"


def lost_words(found: CacheBreak) -> str:
    """What a break of the cache cost."""
    return f"{count(found.lost)} tok not cached that the call before had sent"


def cause_words(index: TraceIndex, found: CacheBreak) -> str:
    """Why a cache broke: what differs first."""
    after = "" if found.since_ms is None else f", {duration(found.since_ms)} after it"
    if found.cause == "item" or (found.cause != "compaction" and found.place is not None):
        items = index.trace.conversation_items
        there = [
            named(index, ObjectRef("ConversationItem", one)) if one in items else "nothing"
            for one in (found.before, found.now)
        ]
        what = "the history was rewritten" if found.cause == "rewritten history" else "the context differs"
        return f"{what} at item {found.place}: was {there[0]}; is {there[1]}"
    return {
        "compaction": "after a compaction",
        "rewritten history": "the history was rewritten",
        "model": "another model",
        "instructions": "the instructions were changed",
        "tools": "the definitions of the tools were changed",
        "nothing": f"the same was sent{after}: the cache expired, or was another's",
        "not looked at": f"the items are the same{after}; tools and instructions were not compared",
    }[found.cause]


def budget_words(limits: Limits) -> str:
    """How much of the budgets of an account is used; empty where that was not recorded."""
    words = []
    for one in limits.budgets:
        of = "" if one.minutes is None else f" of {duration(60_000 * one.minutes)}"
        resets = "" if one.resets_at is None else f", resets {moment(1000 * one.resets_at)}"
        words.append(f"{one.used:.0f}%{of} used{resets}")
    return f"rate limits: {'; '.join(words)}" if words else ""
