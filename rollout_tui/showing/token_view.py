"""What the tokens of some agents are told from."""

from __future__ import annotations

from collections.abc import Mapping

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.prices import Price, cost_of
from rollout_tui.insight.tokens.sums import TokenSum, tokens_by_agent
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import thread_asked_for

Prices = Mapping[str, Price]


class TokensView:
    """What the tokens of some agents are told from."""

    def __init__(self, session: Session, links: AgentLinks, agent: str | None, prices: Prices | None) -> None:
        """Choose the agents.

        Args:
            session: reads requests.
            links: the graph.
            agent: the agent, as typed, who counts with its children; None for all.
            prices: what tokens cost, by model; None for no prices.

        Raises:
            InputRefused: there is no such agent.
        """
        self.index, self.links, self.read, self.prices = links.index, links, session.json, prices
        self.agents = tokens_by_agent(self.index)
        self.thread_ids = list(self.agents)
        if agent is not None:
            self.thread_ids = _with_children(self.index, thread_asked_for(self.index, agent))

    @property
    def whole(self) -> TokenSum:
        """The tokens of all of them."""
        return sum((self.agents[id_].own for id_ in self.thread_ids), TokenSum())

    def cost(self, by_model: Mapping[str, TokenSum]) -> float | None:
        """What tokens cost; None where no price is known."""
        return None if self.prices is None else cost_of(by_model, self.prices)


def _with_children(index: TraceIndex, thread_id: str) -> list[str]:
    """An agent and all below it: they stand behind it in the list, deeper than it."""
    ids = [thread.thread_id for thread in index.threads]
    place = ids.index(thread_id)
    found = [thread_id]
    for id_ in ids[place + 1 :]:
        if index.depth[id_] <= index.depth[thread_id]:
            break
        found.append(id_)
    return found


def money(cost: float | None) -> str:
    """An amount in the currency of the prices; empty for none."""
    return "" if cost is None else f"{cost:.4f}"
