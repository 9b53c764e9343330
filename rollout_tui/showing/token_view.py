"""What the tokens of some agents are told from."""

from __future__ import annotations

from collections.abc import Mapping

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.tokens.limits import limits_of
from rollout_tui.insight.tokens.prices import Price, cost_of
from rollout_tui.insight.tokens.run_tokens import with_children
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
        self.limits = limits_of(self.index, session.told_by)
        self.agents = tokens_by_agent(self.index)
        self.thread_ids = list(self.agents)
        if agent is not None:
            self.thread_ids = with_children(self.index, thread_asked_for(self.index, agent))

    @property
    def whole(self) -> TokenSum:
        """The tokens of all of them."""
        return sum((self.agents[id_].own for id_ in self.thread_ids), TokenSum())

    def cost(self, by_model: Mapping[str, TokenSum]) -> float | None:
        """What tokens cost; None where no price is known."""
        return None if self.prices is None else cost_of(by_model, self.prices)
