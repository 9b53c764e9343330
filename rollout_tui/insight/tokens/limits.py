"""What limits tokens: how much a context of each agent may hold, and how much of a budget is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from reducer import EventRecord
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timeline.turn_starts import SESSION_TURN_STARTS, TURN_STARTED

ReadEvent = Callable[[EventRecord], Any]
"""Gives what an event tells, parsed; None where it cannot be read."""

TOKEN_COUNT = "token_count"

MOST_READ = 200
"""Events that are read at most, the latest ones first."""


class Budget(Struct, frozen=True):
    """How much of a budget is used.

    Attributes:
        used: in percent.
        minutes: how long it is that it is given for; None if that is not told.
        resets_at: when it is given anew, in unix seconds; None if that is not told.
    """

    used: float
    minutes: int | None
    resets_at: int | None


class Limits(Struct, frozen=True):
    """What limits the tokens of a run, as far as it was recorded.

    Attributes:
        windows: how many tokens a context may hold, by agent, as its last turn says it.
        budgets: the budgets of the account, as they were told last.
    """

    windows: dict[str, int] = field(default_factory=dict)
    budgets: tuple[Budget, ...] = ()


def limits_of(index: TraceIndex, read: ReadEvent) -> Limits:
    """The limits of a run: the latest events that tell of them.

    Args:
        index: the graph.
        read: reads these events, at most `MOST_READ` of them.
    """
    windows: dict[str, int] = {}
    budgets: tuple[Budget, ...] | None = None
    reads = 0
    for event in reversed(index.reduction.provenance.events):
        starts, counts = _starts_turn(event), _counts(event)
        thread_id = _thread_of(index, event)
        wants_window = starts and (thread_id is None or thread_id not in windows)
        if not wants_window and not (counts and budgets is None):
            continue
        value = read(event)
        reads += 1
        if not isinstance(value, dict):
            value = {}
        window = _whole(value.get("model_context_window"))
        thread_id = thread_id or _thread_of_turn(index, value.get("turn_id"))
        if starts and thread_id is not None and window is not None:
            windows.setdefault(thread_id, window)
        if counts and budgets is None and isinstance(value.get("rate_limits"), dict):
            budgets = _budgets(value["rate_limits"])
        if reads >= MOST_READ or (budgets is not None and len(windows) == len(index.threads)):
            break
    return Limits(windows, budgets or ())


def _starts_turn(event: EventRecord) -> bool:
    return event.kind in SESSION_TURN_STARTS or event.note == TURN_STARTED


def _counts(event: EventRecord) -> bool:
    return event.kind == f"event_msg {TOKEN_COUNT}" or event.note == TOKEN_COUNT


def _thread_of(index: TraceIndex, event: EventRecord) -> str | None:
    """The agent that an event is about, if it says so by itself: of others what they carry names the turn."""
    if event.thread_id is not None:
        return event.thread_id
    return _thread_of_turn(index, event.codex_turn_id)


def _thread_of_turn(index: TraceIndex, turn_id: Any) -> str | None:
    turn = index.trace.codex_turns.get(turn_id) if isinstance(turn_id, str) else None
    return None if turn is None else turn.thread_id


def _budgets(told: dict[str, Any]) -> tuple[Budget, ...]:
    found = []
    for name in ("primary", "secondary"):
        value = told.get(name)
        if not isinstance(value, dict):
            continue
        used = value.get("used_percent")
        if isinstance(used, int | float) and not isinstance(used, bool):
            found.append(
                Budget(float(used), _whole(value.get("window_minutes")), _whole(value.get("resets_at")))
            )
    return tuple(found)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
