"""Tokens for programs: figures, or null and why there are none."""

from __future__ import annotations

from typing import Any

from rollout_tui.insight.tokens.sums import TokenSum

UNTOLD = "no call tells it"
"""Why there are no figures."""

_WHY = {
    "context_now": UNTOLD,
    "context_most": UNTOLD,
    "context_window": "no event tells it",
    "tokens_estimate": UNTOLD,
    "paid_estimate": UNTOLD,
    "model": "no call was made",
    "codex_version": "the manifest does not tell it",
    "number": "its turn is not in the recording",
}


def tokens_data(tokens: TokenSum) -> dict[str, Any]:
    """The tokens of some calls; null where none of them tells any."""
    figures = {
        "input": tokens.input,
        "cached": tokens.cached,
        "new": tokens.new,
        "output": tokens.output,
        "reasoning": tokens.reasoning,
    }
    counted = {"calls": tokens.calls, "calls_without_figures": tokens.untold}
    if tokens.is_told:
        return {**counted, **figures}
    return {**counted, **dict.fromkeys(figures), "not_recorded": [f"{', '.join(figures)} ({UNTOLD})"]}


def missing_data(**told: object) -> dict[str, list[str]]:
    """Which of some keys are null and why, in the words of `Certain.not_recorded`; nothing if none is."""
    missing = [f"{name} ({_WHY[name]})" for name, value in told.items() if value is None]
    return {"not_recorded": missing} if missing else {}
