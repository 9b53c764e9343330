"""When a text, an item or a file was visible, as a document: a bar for each agent over its calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reducer.model import ConversationItem
from rollout_tui import glyphs
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.contexts.seen import AgentSight, seen_file, seen_item, seen_text
from rollout_tui.insight.index import TraceIndex
from rollout_tui.language.asking import OneOf
from rollout_tui.language.refused import InputRefused
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import object_asked_for
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, ref_data, seq_of
from rollout_tui.showing.objects import encodable
from rollout_tui.showing.tables import table
from rollout_tui.texts.short_forms import one_line, plural
from rollout_tui.views.naming import named

BAR = 60
"""Columns of a bar at most."""


def seen_document(session: Session, links: AgentLinks, text: str) -> Document:
    """Who saw something, from which call to which, and what ended it.

    Args:
        session: reads payloads of items of which the graph has only the beginning.
        links: the graph.
        text: what: a text, `item N`, or `file PATH`.

    Raises:
        InputRefused: there is no such item, or nothing was named.
    """
    index, sightings = links.index, links.sightings
    word, _, rest = text.strip().partition(" ")
    if not text.strip():
        raise InputRefused("after seen there must be a text, item N or file PATH")
    if word == "item" and rest.strip().lstrip("#").isdecimal():
        item = _item(index, rest.strip())
        return _document(index, f"item {rest.strip()}", seen_item(sightings, item))
    if word == "file" and rest.strip():
        return _document(index, f"what was read of {rest.strip()}", seen_file(sightings, rest.strip()))
    return _document(index, f'"{one_line(text)}"', seen_text(sightings, text, session.json))


def _item(index: TraceIndex, name: str) -> ConversationItem:
    ref = object_asked_for(index, OneOf("item", name))
    return index.trace.conversation_items[ref.id]


def _document(index: TraceIndex, what: str, found: Sequence[AgentSight]) -> Document:
    places, agents = sum(len(one.items) for one in found), sum(bool(one.items) for one in found)
    document = Document(f"{what}   {plural(places, 'item')}, {plural(agents, 'agent')}")
    rows = [
        [agent_label(index, one.thread_id), _calls_words(one), _bar(one), sight_words(index, one)]
        for one in found
    ]
    document.sections.append(Section("the calls of each agent", table(rows)))
    document.data = {"what": encodable(what), "agents": [_data(index, one) for one in found]}
    return document


def _calls_words(one: AgentSight) -> str:
    return f"calls 1 to {one.calls}" if one.calls > 1 else plural(one.calls, "call")


def _bar(one: AgentSight) -> str:
    """A column for each call, or for several; it is filled if one of them saw it."""
    columns = min(BAR, one.calls)
    marks = glyphs.active()
    full, empty = ("#", ".") if marks.ascii_only else ("▒", "·")
    drawn = []
    for place in range(columns):
        first, end = place * one.calls // columns, (place + 1) * one.calls // columns
        drawn.append(full if any(run.first < end and first <= run.last for run in one.runs) else empty)
    return "".join(drawn)


def sight_words(index: TraceIndex, one: AgentSight) -> str:
    """From which call on an agent saw it, to which, and what ended that."""
    if not one.runs:
        return f"never: {one.unseen}" if one.unseen else "never"
    runs = ", ".join(
        f"call {run.first + 1}" if run.first == run.last else f"calls {run.first + 1} to {run.last + 1}"
        for run in one.runs[:4]
    )
    more = f" and {len(one.runs) - 4} more times" if len(one.runs) > 4 else ""
    first = f"first {named(index, one.first)}, seq {seq_of(index, one.first)}"
    ending = "" if one.ending is None else f"; {one.ending.words}"
    return f"{runs}{more}; {first}{ending}"


def _data(index: TraceIndex, one: AgentSight) -> dict[str, Any]:
    ending = one.ending
    return {
        **agent_data(index, one.thread_id),
        "calls": one.calls,
        "items": [ref_data(ref) for ref in one.items],
        "runs": [{"first_call": run.first + 1, "last_call": run.last + 1} for run in one.runs],
        "first": ref_data(one.first),
        "last": ref_data(one.last),
        "unseen": encodable(one.unseen) or None,
        "ended_by": None
        if ending is None
        else {
            "words": encodable(ending.words),
            "object": ref_data(ending.ref),
            "is_removed": ending.removed,
            "is_judged": ending.is_judged,
        },
    }
