"""Figures as words: exact ones, estimates, amounts of money, and what stands for one that is not recorded."""

from __future__ import annotations

from collections.abc import Mapping

from rollout_tui import glyphs
from rollout_tui.insight.tokens.prices import Prices, cost_of
from rollout_tui.insight.tokens.sums import TokenSum
from rollout_tui.texts.short_forms import count
from rollout_tui.views.naming import percent

NOT_TOLD = "?"
"""Stands in the place of a figure that is not recorded."""


def figure(tokens: TokenSum, words: str) -> str:
    """A figure of some calls, or what stands for one that none of them tells."""
    return words if tokens.is_told else NOT_TOLD


def context_size(size: int | None, calls: TokenSum) -> str:
    """The size of a context of some calls; empty if there were none."""
    return (NOT_TOLD if calls.calls else "") if size is None else count(size)


def about(number: float, *, is_told: bool = True) -> str:
    """An estimate of tokens: `≈4.1k`; of what is not recorded there is none."""
    return f"{glyphs.active().about}{count(round(number))}" if is_told else NOT_TOLD


def share(part: float, whole: float, *, is_told: bool) -> str:
    """The share of an estimate; of what is not recorded there is none."""
    return percent(part, whole) if is_told else NOT_TOLD


def money(cost: float) -> str:
    """An amount in the currency of the prices."""
    return f"{cost:.4f}"


def cost_words(by_model: Mapping[str, TokenSum], prices: Prices | None) -> str:
    """What some calls cost; empty without prices, or without that of a model."""
    if prices is None:
        return ""
    cost = cost_of(by_model, prices)
    return figure(sum(by_model.values(), TokenSum()), "" if cost is None else money(cost))
