"""What tokens cost, by prices that the reader gives: none are built in."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson
from msgspec import Struct

from rollout_tui.insight.tokens.sums import TokenSum
from rollout_tui.language.refused import InputRefused

PER = 1_000_000
"""Tokens that a price is for."""

_FORM = '{"MODEL": {"in": 1.25, "cached": 0.125, "out": 10}}, in any currency per million tokens'


class Price(Struct, frozen=True):
    """What a million tokens of a model cost.

    Attributes:
        input: those that go in and are not cached.
        cached: those that go in and are cached.
        output: those that come out.
    """

    input: float
    cached: float
    output: float

    def of(self, tokens: TokenSum) -> float:
        """What some tokens cost."""
        cost = tokens.new * self.input + tokens.cached * self.cached + tokens.output * self.output
        return cost / PER


Prices = Mapping[str, Price]
"""What tokens cost, by model."""


def read_prices(data: bytes) -> dict[str, Price]:
    """Read a file of prices.

    Args:
        data: JSON: for each model `in`, `cached` and `out`; without `cached` it costs what `in` does.

    Raises:
        InputRefused: that is not what it holds.
    """
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputRefused(f"prices are no JSON: {error}") from None
    if not isinstance(told, dict) or not told:
        raise InputRefused(f"prices look like this: {_FORM}")
    return {model: _price(model, value) for model, value in told.items()}


def _price(model: str, value: Any) -> Price:
    if not isinstance(value, dict):
        raise InputRefused(f"prices of {model[:60]!r} are no object: they look like this: {_FORM}")
    unknown = [key for key in value if key not in ("in", "cached", "out")]
    if unknown:
        raise InputRefused(f"prices of {model[:60]!r} have in, cached and out, but no {unknown[0][:40]!r}")
    numbers = {name: value.get(name) for name in ("in", "cached", "out")}
    if numbers["cached"] is None:
        numbers["cached"] = numbers["in"]
    for name, number in numbers.items():
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not isfinite(number)
            or number < 0
        ):
            raise InputRefused(f"the price of {model[:60]!r} for {name!r} is no number from 0 on")
    return Price(*(float(number) for number in numbers.values() if number is not None))


def cost_of(by_model: Mapping[str, TokenSum], prices: Prices | None) -> float | None:
    """What tokens of several models cost; None without figures, or without the price of one that was used."""
    if prices is None or not sum(by_model.values(), TokenSum()).is_told:
        return None
    used = {model: tokens for model, tokens in by_model.items() if tokens.input or tokens.output}
    if any(model not in prices for model in used):
        return None
    return sum((prices[model].of(tokens) for model, tokens in used.items()), 0.0)
