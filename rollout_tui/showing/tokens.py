"""Where the tokens of a run went, as a document, by one of several views of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rollout_tui import glyphs
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.certainty import figures_data, marked, rebuilt_figures
from rollout_tui.insight.tokens.prices import Prices, cost_of
from rollout_tui.insight.tokens.run_tokens import RunTokens, TokensPart
from rollout_tui.insight.tokens.sums import AgentTokens, TokenSum
from rollout_tui.language.asking import By
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import thread_asked_for
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.naming import agent_data, encodable, ref_data
from rollout_tui.showing.tables import table
from rollout_tui.showing.token_calls import tell_by_call
from rollout_tui.showing.token_data import missing_data, tokens_data
from rollout_tui.showing.token_items import ESTIMATED, tell_by_item, tell_by_repeat, tell_by_tool
from rollout_tui.texts.short_forms import count
from rollout_tui.views.figures import context_size, cost_words, figure, money
from rollout_tui.views.naming import percent
from rollout_tui.views.summary_words import tokens_words
from rollout_tui.views.token_words import budget_words

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
    run = RunTokens(links, session.json, session.told_by)
    part = run.part(list(run.agents) if agent is None else run.below(thread_asked_for(run.index, agent)))
    document = Document(f"tokens: {tokens_words(part.whole)}")
    if prices is not None:
        document.facts.append(("cost", _whole_cost(part, prices)))
    budgets = budget_words(run.limits)
    if budgets:
        document.facts.append(("rate limits", budgets))
    document.data = {
        "tokens": tokens_data(part.whole),
        "agents": [agent_data(run.index, id_) for id_ in part.thread_ids],
        "rate_limits": [
            {"used_percent": one.used, "window_minutes": one.minutes, "resets_at_unix_s": one.resets_at}
            for one in run.limits.budgets
        ],
    }
    views = (by,) if by is not None else BRIEFLY
    if {"tool", "item"}.intersection(views):
        document.facts.append((glyphs.active().about, ESTIMATED))
    for one in views:
        _TELLERS[one](document, part, prices, brief=by is None)
    return document


def _whole_cost(part: TokensPart, prices: Prices) -> str:
    agents = [part.run.agents[id_] for id_ in part.thread_ids]
    known = [cost for one in agents if (cost := cost_of(one.by_model, prices)) is not None]
    words = f"{money(sum(known))}, by the prices that were given"
    unknown = sorted(set(part.by_model).difference(prices))
    if unknown:
        words += f"; no price of {', '.join(unknown)}: agents that used it are left out"
    return words


# By agent and by turn


def _by_agent(document: Document, part: TokensPart, prices: Prices | None, *, brief: bool) -> None:
    del brief
    index, found = part.run.index, [part.run.agents[id_] for id_ in part.thread_ids]
    rows = [
        [
            "  " * min(20, index.depth[one.thread_id]) + agent_label(index, one.thread_id),
            *_sum_cells(one.own, is_rebuilt="calls" in rebuilt_figures(index, one.thread_id)),
            *_with_children(one),
            figure(one.own, percent(one.own.input, part.whole.input)),
            *_context_cells(part.run, one),
            cost_words(one.by_model, prices),
        ]
        for one in found
    ]
    contexts = ("context", "most", "window")
    heading = ("agent", *_SUM_HEADING, "in with children", "out", "share of in", *contexts, "cost")
    lines = table(rows, heading, right=range(1, len(heading)))
    document.sections.append(Section("by agent", lines, "by_agent", head=1))
    document.data["by_agent"] = [_agent_data(part.run, one, prices) for one in found]


_SUM_HEADING = ("calls", "in", "cached", "new", "out", "reasoning")


def _sum_cells(tokens: TokenSum, *, is_rebuilt: bool) -> list[str]:
    return [
        marked(str(tokens.calls), is_rebuilt),
        figure(tokens, count(tokens.input)),
        figure(tokens, percent(tokens.cached, tokens.input)),
        figure(tokens, count(tokens.new)),
        figure(tokens, count(tokens.output)),
        figure(tokens, count(tokens.reasoning) if tokens.reasoning else ""),
    ]


def _with_children(one: AgentTokens) -> list[str]:
    """In and out of an agent with its children; empty where it has none that made calls."""
    whole = one.with_children
    if whole.calls == one.own.calls:
        return ["", ""]
    return [figure(whole, count(whole.input)), figure(whole, count(whole.output))]


def _context_cells(run: RunTokens, one: AgentTokens) -> list[str]:
    size = run.contexts[one.thread_id]
    told = (size.now, size.most, run.limits.windows.get(one.thread_id))
    return [context_size(number, one.own) for number in told]


def _agent_data(run: RunTokens, one: AgentTokens, prices: Prices | None) -> dict[str, Any]:
    size, window = run.contexts[one.thread_id], run.limits.windows.get(one.thread_id)
    return {
        **agent_data(run.index, one.thread_id),
        "tokens": tokens_data(one.own),
        "with_children": tokens_data(one.with_children),
        "by_model": {encodable(model): tokens_data(tokens) for model, tokens in one.by_model.items()},
        "cost": cost_of(one.by_model, prices),
        "context_now": size.now,
        "context_most": size.most,
        "context_window": window,
        **missing_data(context_now=size.now, context_most=size.most, context_window=window),
        **figures_data(run.index, one.thread_id, "calls"),
    }


def _by_turn(document: Document, part: TokensPart, prices: Prices | None, *, brief: bool) -> None:
    del brief
    index, found = part.run.index, part.turns
    rows = [
        [
            agent_label(index, one.thread_id),
            "turn ?" if one.number is None else f"turn {one.number}",
            *_sum_cells(one.tokens, is_rebuilt="calls" in rebuilt_figures(index, one.thread_id)),
            figure(one.tokens, percent(one.tokens.input, part.whole.input)),
            cost_words(one.by_model, prices),
        ]
        for one in found
    ]
    heading = ("agent", "turn", *_SUM_HEADING, "share of in", "cost")
    lines = table(rows, heading, right=range(2, len(heading)))
    document.sections.append(Section("by turn", lines, "by_turn", head=1))
    document.data["by_turn"] = [
        {
            "object": ref_data(one.ref),
            **agent_data(index, one.thread_id),
            "number": one.number,
            "tokens": tokens_data(one.tokens),
            "cost": cost_of(one.by_model, prices),
            **missing_data(number=one.number),
            **figures_data(index, one.thread_id, "calls"),
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
