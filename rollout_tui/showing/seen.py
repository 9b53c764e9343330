"""When a text, an item or a file was visible, as a document: a bar for each agent over its calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.certainty import figures_data, marked, rebuilt_figures
from rollout_tui.insight.contexts.seen import AgentSight, Wanted, who_saw
from rollout_tui.insight.index import TraceIndex
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import wanted_by
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data
from rollout_tui.showing.tables import table
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.seen_rows import bar, counted_words, sight_words, wanted_words


def seen_document(session: Session, links: AgentLinks, text: str) -> Document:
    """Who saw something, from which call to which, and what ended it.

    Args:
        session: reads payloads of items of which the graph has only the beginning.
        links: the graph.
        text: what: a text, `item N`, `tool N`, or `file PATH`.

    Raises:
        InputRefused: as in `wanted_by`.
    """
    index = links.index
    wanted = wanted_by(index, text)
    return _document(index, wanted, who_saw(links.sightings, wanted, session.json))


def _document(index: TraceIndex, wanted: Wanted, found: Sequence[AgentSight]) -> Document:
    what = wanted_words(index, wanted)
    document = Document(f"{what}   {counted_words(found)}")
    rows = [
        [
            agent_label(index, one.thread_id),
            marked(_calls_words(one), "calls" in rebuilt_figures(index, one.thread_id)),
            bar(one),
            sight_words(index, one),
        ]
        for one in found
    ]
    document.sections.append(Section("the calls of each agent", table(rows), "agents"))
    document.data = {"what": encodable(what), "agents": [_data(index, one) for one in found]}
    return document


def _calls_words(one: AgentSight) -> str:
    return f"calls 1 to {one.calls}" if one.calls > 1 else plural(one.calls, "call")


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
        **figures_data(index, one.thread_id, "calls"),
    }
