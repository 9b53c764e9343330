"""Prices that a command was given a file of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rollout_tui.language.refused import InputRefused
from rollout_tui.outcomes import plain_reason

if TYPE_CHECKING:
    from rollout_tui.insight.tokens.prices import Price


def prices_in(path: Path) -> Mapping[str, Price]:
    """What tokens cost, as a file tells it.

    Raises:
        InputRefused: it cannot be read, or tells something else.
    """
    from rollout_tui.insight.tokens.prices import read_prices

    try:
        return read_prices(path.read_bytes())
    except InputRefused as refused:
        raise InputRefused(f"{path}: {refused}") from None
    except OSError as error:
        raise InputRefused(f"{path}: {plain_reason(error)}") from None
