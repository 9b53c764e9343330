"""Who started a turn, where the protocol event of its start says so."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

TURN_STARTED = "turn_started"
"""Type of the protocol event that tells it. Turns that compact a history tell nothing."""

SESSION_TURN_STARTS = frozenset({"event_msg task_started", "event_msg turn_started"})
"""The records of a session by which a turn begins."""

SESSION_TURN_ENDS = {
    "event_msg task_complete": "error",
    "event_msg turn_complete": "error",
    "event_msg turn_aborted": "turn_aborted",
}
"""The records of a session by which a turn ends, and the protocol event that would tell why it failed."""


class TurnStart(Struct, frozen=True):
    """Who started a turn.

    Attributes:
        trigger: what set it off, such as `exec` or `goal`; of a turn that another one started, what set off
            the first of them. None if nothing is named, as with the app server.
        parent_turn_id: the turn that started it; None if none did.
        agent_path: the agent of that turn.
    """

    trigger: str | None
    parent_turn_id: str | None
    agent_path: str | None


def read_turn_start(payload: Any) -> tuple[str, TurnStart] | None:
    """The turn that an event speaks of, and who started it; None where it does not say.

    Args:
        payload: what the protocol event holds, parsed.
    """
    told = payload.get("turn_attribution") if isinstance(payload, dict) else None
    if not isinstance(told, dict) or not isinstance(told.get("turn_id"), str):
        return None
    names = ("turn_trigger", "parent_turn_id", "initiating_agent_path")
    values = (value if isinstance(value := told.get(name), str) else None for name in names)
    return told["turn_id"], TurnStart(*values)
