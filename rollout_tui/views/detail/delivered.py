"""What went between agents, as facts of an agent, an edge, or the report of a result. Pure."""

from __future__ import annotations

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.insight.agents.delivery import delivery_view
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.contexts.visibility import why_unseen
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.detail.delivery_facts import answer_facts, delivery_facts
from rollout_tui.views.detail.facts import Detail


def add_delivery(detail: Detail, links: AgentLinks) -> None:
    """Say what an agent was sent and what it answered, and which calls saw that; of others nothing is said.

    Args:
        detail: that of an agent, an edge, an item, or an event.
        links: what went between the agents of the graph.
    """
    ref = detail.ref
    if ref.type == "Thread":
        thread = links.index.trace.threads.get(ref.id)
        if thread is not None:
            detail.facts += delivery_facts(links.index, delivery_view(links, thread))
    elif ref.type == "InteractionEdge":
        _add_sighting(detail, links)
    elif ref.type == "ConversationItem":
        _add_runs(detail, links)
    elif ref.type == "Event":
        _add_report(detail, links)


_RUNS = 12
"""Runs of calls that an item names one by one; it comes and goes as often as a history is rewritten."""


def _add_runs(detail: Detail, links: AgentLinks) -> None:
    """The calls whose requests carried an item, or why none did."""
    item = links.index.trace.conversation_items[detail.ref.id]
    runs = links.sightings.runs(item.item_id)
    if not runs:
        detail.add("carried by", f"no request: {why_unseen(links.sightings, item)}")
    for run in runs[:_RUNS]:
        first = links.sightings.call(item, run.first)
        words = _call_words(links, first)
        if run.last > run.first:
            words = f"calls {run.first + 1} to {run.last + 1}, the first at seq {first.execution.started_seq}"
        detail.add("carried by", words, ObjectRef("InferenceCall", first.inference_call_id))
    if len(runs) > _RUNS:
        detail.add("", f"and {plural(len(runs) - _RUNS, 'run')} of calls more")


def _add_sighting(detail: Detail, links: AgentLinks) -> None:
    """The first call that saw what an edge brought, or why none did."""
    edge = links.index.trace.interaction_edges[detail.ref.id]
    if edge.kind == "close_agent":
        return
    item = links.index.target_item(edge)
    if item is None:
        detail.add("seen by", f"no call: {links.why_undelivered(edge)}", style="warn")
        return
    call = links.sightings.first_call(item)
    if call is None:
        detail.add("seen by", f"no call: {why_unseen(links.sightings, item)}", style="warn")
    else:
        words = f"{_call_words(links, call)}, the first to see it"
        detail.add("seen by", words, ObjectRef("InferenceCall", call.inference_call_id))


def _call_words(links: AgentLinks, call: InferenceCall) -> str:
    index = links.index
    number, seq = index.place_of_call(call) + 1, call.execution.started_seq
    return f"call {number} of {index.thread_path(call.thread_id)}, seq {seq}"


def _add_report(detail: Detail, links: AgentLinks) -> None:
    """Of the event that hands a result to the parent: whose it is, and what became of it."""
    turn = links.turn_of_report(int(detail.ref.id))
    thread = None if turn is None else links.index.trace.threads.get(turn.thread_id)
    if turn is None or thread is None:
        return
    detail.add("agent", thread.agent_path, ObjectRef("Thread", thread.thread_id))
    detail.add("turn", links.index.turn_number(turn.codex_turn_id), ObjectRef("Turn", turn.codex_turn_id))
    for answer in delivery_view(links, thread).answers:
        if answer.turn is turn:
            detail.facts += answer_facts(links.index, answer)
