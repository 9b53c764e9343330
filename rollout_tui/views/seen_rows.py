"""In which calls something was visible, as rows: a bar for each agent over its calls, and what ended it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reducer import ObjectRef
from reducer.model.objects import GraphType
from rollout_tui import glyphs
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.contexts.seen import AgentSight, Wanted
from rollout_tui.insight.contexts.visibility import Run
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, fit, span, spans_width
from rollout_tui.texts.short_forms import one_line, plural
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.naming import named

BAR = 60
"""Columns of a bar at most."""

_NAME_PARTS, _LEAST_NAME, _MOST_NAME = 4, 8, 28
"""An agent has a quarter of the width for its name, and so many cells at least and at most."""

_MOST_RUNS = 4
"""Runs of calls that are told one by one."""

_WANTED_CHARS = 60


class SeenRow(NamedTuple):
    """What one agent saw, as a row.

    Attributes:
        row: the row; its key is the id of the agent.
        ref: the item that it saw first; None if it saw none.
    """

    row: Row
    ref: ObjectRef | None


def wanted_words(index: TraceIndex, wanted: Wanted) -> str:
    """What was looked for, in a few words. They are evidence."""
    if wanted.kind == "text":
        return f'"{one_line(wanted.value, _WANTED_CHARS)}"'
    if wanted.kind == "file":
        return f"what was read of {wanted.value}"
    type_name: GraphType = "ConversationItem" if wanted.kind == "item" else "ToolCall"
    ref = ObjectRef(type_name, wanted.value)
    if not index.has(ref):
        return f"{wanted.kind} {wanted.value}"
    if wanted.kind == "item":
        return f"item {wanted.value.rpartition(':')[2]}  {named(index, ref)}"
    return f"what came of {named(index, ref)}"


def counted_words(found: Sequence[AgentSight]) -> str:
    """How many items have it, of how many agents."""
    items, agents = sum(len(one.items) for one in found), sum(bool(one.items) for one in found)
    return f"{plural(items, 'item')}, {plural(agents, 'agent')}"


def seen_rows(index: TraceIndex, found: Sequence[AgentSight], width: int) -> list[SeenRow]:
    """A row for each agent: its name, a bar over its calls, in which of them it saw it.

    Args:
        index: the graph.
        found: who saw it.
        width: cells of a row; the words are cut where they end.
    """
    names = [span(agent_label(index, one.thread_id), "link") for one in found]
    widest = max((spans_width([name]) for name in names), default=0)
    room = min(widest, max(_LEAST_NAME, min(_MOST_NAME, width // _NAME_PARTS)))
    most_calls = max((one.calls for one in found), default=0)
    columns = max(1, min(BAR, (width - room) // 2, most_calls))
    return [
        SeenRow(Row(one.thread_id, (*_padded(name, room), *_bar_spans(one, columns))), one.first)
        for name, one in zip(names, found, strict=True)
    ]


def _padded(name: Span, room: int) -> list[Span]:
    spans = fit([name], room)
    return [*spans, span(" " * (room - spans_width(spans) + 2))]


def _bar_spans(one: AgentSight, columns: int) -> list[Span]:
    """The bar, of how many calls it is, and which of them saw it."""
    words = calls_seen_words(one) if one.runs else unseen_words(one)
    return [
        span(f"{bar(one, columns):<{columns}}", "accent" if one.runs else "muted"),
        span(f"  of {plural(one.calls, 'call')}  ", "muted"),
        span(words, "text" if one.runs else "muted"),
    ]


def _marks() -> tuple[str, str]:
    return ("#", ".") if glyphs.active().ascii_only else ("▒", "·")


def bar(one: AgentSight, most: int = BAR) -> str:
    """A column for each call, or for several; it is filled if one of them saw it."""
    columns = min(most, one.calls)
    full, empty = _marks()
    drawn = []
    for place in range(columns):
        first, end = place * one.calls // columns, (place + 1) * one.calls // columns
        drawn.append(full if any(run.first < end and first <= run.last for run in one.runs) else empty)
    return "".join(drawn)


def sight_words(index: TraceIndex, one: AgentSight) -> str:
    """From which call on an agent saw it, to which, and what ended that."""
    if not one.runs:
        return unseen_words(one)
    seq = None if one.first is None else index.first_seq(one.first)
    first = f"first {named(index, one.first)}, seq {seq}"
    ending = "" if one.ending is None else f"; {one.ending.words}"
    return f"{calls_seen_words(one)}; {first}{ending}"


def unseen_words(one: AgentSight) -> str:
    """That no call of an agent saw it, and why, if an item has it."""
    return f"never: {one.unseen}" if one.unseen else "never"


def calls_seen_words(one: AgentSight) -> str:
    """`calls 3 to 7, call 9`: the calls of an agent that saw it."""
    words = ", ".join(map(_run_words, one.runs[:_MOST_RUNS]))
    more = len(one.runs) - _MOST_RUNS
    return f"{words} and {more} more times" if more > 0 else words


def _run_words(run: Run) -> str:
    if run.first == run.last:
        return f"call {run.first + 1}"
    return f"calls {run.first + 1} to {run.last + 1}"


def sight_facts(index: TraceIndex, found: Sequence[AgentSight]) -> list[Fact]:
    """Of each agent that saw it: the item that was first, the last, and what ended it, with links."""
    facts: list[Fact] = []
    for one in found:
        if one.runs and one.first is not None:
            facts.append(Fact("seen by", f"{agent_label(index, one.thread_id)}: {calls_seen_words(one)}"))
            facts.append(Fact("  first", named(index, one.first), one.first))
            if one.last is not None and one.last != one.first:
                facts.append(Fact("  last", named(index, one.last), one.last))
            if one.ending is not None:
                name = "  removed by" if one.ending.removed else "  then"
                facts.append(Fact(name, one.ending.words, one.ending.ref))
    return facts
