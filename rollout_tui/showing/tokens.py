"""Where the tokens of a run went, as a document, by one of several views of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.tokens.run_tokens import context_size
from rollout_tui.insight.tokens.sums import AgentTokens, TokenSum, tokens_by_turn
from rollout_tui.language.asking import By
from rollout_tui.session import Session
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data
from rollout_tui.showing.summary import tokens_data
from rollout_tui.showing.tables import table
from rollout_tui.showing.token_calls import tell_by_call
from rollout_tui.showing.token_items import tell_by_item, tell_by_repeat, tell_by_tool
from rollout_tui.showing.token_view import Prices, TokensView
from rollout_tui.texts.short_forms import count
from rollout_tui.views.naming import percent
from rollout_tui.views.summary_words import tokens_words
from rollout_tui.views.token_words import budget_words, money

BRIEFLY: tuple[By, ...] = ("agent", "call", "tool", "item", "repeat")
"""What is told, in brief, if nothing is asked for in particular."""


def tokens_document(
    session: Session, links: AgentLinks, by: By | None, agent: str | None, prices: Prices | None = None
) -> Document:
    """Where the tokens went.

    Args:
        session: reads requests, as far as they are needed.
        links: the graph.
        by: what they are told by; None for the most important of all of these.
        agent: the agent, as typed, who counts with its children; None for all.
        prices: what tokens cost, by model, if that is to be told.

    Raises:
        InputRefused: there is no such agent.
    """
    view = TokensView(session, links, agent, prices)
    document = Document(f"tokens: {tokens_words(view.whole)}")
    if prices is not None:
        _add_cost(document, view)
    budgets = budget_words(view.limits)
    if budgets:
        document.facts.append(("rate limits", budgets))
    document.data = {
        "tokens": tokens_data(view.whole),
        "agents": [agent_data(view.index, id_) for id_ in view.thread_ids],
        "rate_limits": [
            {"used_percent": one.used, "window_minutes": one.minutes, "resets_at_unix_s": one.resets_at}
            for one in view.limits.budgets
        ],
    }
    for one in (by,) if by is not None else BRIEFLY:
        _TELLERS[one](document, view, brief=by is None)
    return document


def _add_cost(document: Document, view: TokensView) -> None:
    costs = [view.cost(view.agents[id_].by_model) for id_ in view.thread_ids]
    known = [cost for cost in costs if cost is not None]
    models = {model for id_ in view.thread_ids for model in view.agents[id_].by_model}
    words = f"{sum(known):.4f}, by the prices that were given"
    unknown = sorted(models.difference(view.prices or {}))
    if unknown:
        words += f"; no price of {', '.join(unknown)}: agents that used it are left out"
    document.facts.append(("cost", words))


# By agent and by turn


def _by_agent(document: Document, view: TokensView, *, brief: bool) -> None:
    del brief
    found = [view.agents[id_] for id_ in view.thread_ids]
    rows = [
        [
            "  " * min(20, view.index.depth[one.thread_id]) + agent_label(view.index, one.thread_id),
            *_sum_cells(one.own),
            count(one.with_children.input) if one.with_children.calls != one.own.calls else "",
            count(one.with_children.output) if one.with_children.calls != one.own.calls else "",
            percent(one.own.input, view.whole.input),
            *_context_cells(view, one.thread_id),
            money(view.cost(one.by_model)),
        ]
        for one in found
    ]
    contexts = ("context", "most", "window")
    heading = ("agent", *_SUM_HEADING, "in with children", "out", "share of in", *contexts, "cost")
    lines = table(rows, heading, right=range(1, len(heading)))
    document.sections.append(Section("by agent", lines, "by_agent", head=1))
    document.data["by_agent"] = [_agent_data(view, one) for one in found]


def _context_cells(view: TokensView, thread_id: str) -> list[str]:
    size, window = context_size(view.index, thread_id), view.limits.windows.get(thread_id)
    return ["" if one is None else count(one) for one in (size.now, size.most, window)]


_SUM_HEADING = ("calls", "in", "cached", "new", "out", "reasoning")


def _sum_cells(tokens: TokenSum) -> list[str]:
    return [
        str(tokens.calls),
        count(tokens.input),
        percent(tokens.cached, tokens.input),
        count(tokens.new),
        count(tokens.output),
        count(tokens.reasoning) if tokens.reasoning else "",
    ]


def _agent_data(view: TokensView, one: AgentTokens) -> dict[str, Any]:
    size = context_size(view.index, one.thread_id)
    return {
        **agent_data(view.index, one.thread_id),
        "tokens": tokens_data(one.own),
        "with_children": tokens_data(one.with_children),
        "by_model": {encodable(model): tokens_data(tokens) for model, tokens in one.by_model.items()},
        "cost": view.cost(one.by_model),
        "context_now": size.now,
        "context_most": size.most,
        "context_window": view.limits.windows.get(one.thread_id),
    }


def _by_turn(document: Document, view: TokensView, *, brief: bool) -> None:
    del brief
    found = tokens_by_turn(view.index, view.thread_ids)
    rows = [
        [
            agent_label(view.index, one.thread_id),
            "turn ?" if one.number is None else f"turn {one.number}",
            *_sum_cells(one.tokens),
            percent(one.tokens.input, view.whole.input),
            money(view.cost(one.by_model)),
        ]
        for one in found
    ]
    heading = ("agent", "turn", *_SUM_HEADING, "share of in", "cost")
    lines = table(rows, heading, right=range(2, len(heading)))
    document.sections.append(Section("by turn", lines, "by_turn", head=1))
    document.data["by_turn"] = [
        {
            "object": ref_data(one.ref),
            **agent_data(view.index, one.thread_id),
            "number": one.number,
            "tokens": tokens_data(one.tokens),
            "cost": view.cost(one.by_model),
        }
        for one in found
    ]


_TELLERS: Mapping[By, Callable[..., None]] = {
    "agent": _by_agent,
    "turn": _by_turn,
    "call": tell_by_call,
    "tool": tell_by_tool,
    "item": tell_by_item,
    "repeat": tell_by_repeat,
}
