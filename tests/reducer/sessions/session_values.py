"""Short forms of what a session became, for tests."""

from __future__ import annotations

from graph_values import item_text

from reducer.sessions import SessionReduction


def contexts(session: SessionReduction) -> list[list[str]]:
    """The texts that each call saw."""
    items = session.trace.conversation_items
    return [
        [item_text(items[item_id]) for item_id in call.request_item_ids]
        for call in session.trace.inference_calls.values()
    ]


def responses(session: SessionReduction) -> list[list[str]]:
    """The texts that each call gave."""
    items = session.trace.conversation_items
    return [
        [item_text(items[item_id]) for item_id in call.response_item_ids]
        for call in session.trace.inference_calls.values()
    ]


def statuses(session: SessionReduction) -> list[str]:
    """How the calls ended, in the order in which they were made."""
    calls = sorted(session.trace.inference_calls.values(), key=lambda one: one.execution.started_seq)
    return [call.execution.status for call in calls]
