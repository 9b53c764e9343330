"""Whether what went to another agent arrived, in the few words that a row has for it. Pure."""

from __future__ import annotations

from reducer.model import ConversationItem, InteractionEdge, ToolCall, Turn
from reducer.wire.events import AssignAgentTask, SendMessage, SpawnAgent
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.lines.spans import Span, span

NOT_DELIVERED = "not delivered"
UNSEEN = "no call saw it"

_CARRYING = (SpawnAgent, AssignAgentTask, SendMessage)
"""Tool calls whose edges carry something that a call of the other agent should see."""


def item_arrival(links: AgentLinks, item: ConversationItem) -> Span:
    """Which call was the first to see an item that came from another agent; that none did is a warning."""
    call = links.sightings.first_call(item)
    if call is None:
        return span(UNSEEN, "warn")
    return span(f"at call {links.index.place_of_call(call) + 1}", "muted")


def edge_arrival(links: AgentLinks, edge: InteractionEdge) -> Span | None:
    """Which call was the first to see what an edge brought; None for a closing, which no call sees."""
    if edge.kind == "close_agent":
        return None
    item = links.index.target_item(edge)
    return span(NOT_DELIVERED, "warn") if item is None else item_arrival(links, item)


def result_arrival(links: AgentLinks, turn: Turn) -> Span | None:
    """Which call of the parent was the first to see the result of a turn; None where there is no parent."""
    edge = links.result_of(turn)
    if edge is not None:
        return edge_arrival(links, edge)
    return None if links.parent_of(turn.thread_id) is None else span(NOT_DELIVERED, "warn")


def sent_arrival(links: AgentLinks, call: ToolCall) -> Span | None:
    """What did not arrive of what a tool call sent; None where all did, or nothing was to arrive.

    A call that failed says so by its state already.
    """
    if not isinstance(call.kind, _CARRYING) or call.execution.status != "completed":
        return None
    arrivals = [edge_arrival(links, edge) for edge in links.edges_of(call)]
    if not arrivals:
        return span(NOT_DELIVERED, "warn")
    return next((one for one in arrivals if one is not None and one.style == "warn"), None)
