"""The failures of a run as a document: each with its cause, and what they mean for agents and session."""

from __future__ import annotations

from typing import Any

from reducer import ObjectRef
from rollout_tui.insight.failures.definition import Failure, failure_of, failures, session_verdict
from rollout_tui.insight.failures.words import verdict
from rollout_tui.insight.index import TraceIndex
from rollout_tui.showing.asked_for import thread_asked_for
from rollout_tui.showing.document import Document
from rollout_tui.showing.naming import encodable
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.failure_rows import failure_row


def failures_document(index: TraceIndex, agent: str | None) -> Document:
    """All failures in the order of the log, of one agent or of all.

    Args:
        index: the graph.
        agent: the agent, as typed; None for all.

    Raises:
        InputRefused: there is no such agent.
    """
    wanted = None if agent is None else thread_asked_for(index, agent)
    found = [one for one in failures(index) if wanted in (None, one.thread_id)]
    threads = [thread.thread_id for thread in index.threads if wanted in (None, thread.thread_id)]
    agents = [
        one for one in (failure_of(index, ObjectRef("Thread", id_)) for id_ in threads) if one is not None
    ]
    session = session_verdict(index) if wanted is None else None
    document = Document(plural(len(found), "failure"))
    if session is not None:
        document.facts.append(("session", session))
    for one in agents:
        words = f"{index.thread_path(one.thread_id)}  {verdict(one)}  {one.cause}"
        document.facts.append(("agent", words))
    if found:
        rows = [failure_row(index, one) for one in found]
        document.add_rows("in the order of the log", rows, "failures")
    document.data = {
        "session": session,
        "agents": [failure_data(index, one) for one in agents],
        "failures": [failure_data(index, one) for one in found],
    }
    return document


def is_any(document: Document) -> bool:
    """Whether a document of failures has any, be it only an agent or the session that failed."""
    return any(document.data.values())


def failure_data(index: TraceIndex, failure: Failure) -> dict[str, Any]:
    """A failure for programs."""
    return {
        "type": failure.ref.type,
        "id": encodable(failure.ref.id),
        "agent": encodable(index.thread_path(failure.thread_id)),
        "thread_id": encodable(failure.thread_id),
        "seq": failure.seq,
        "manner": failure.manner,
        "verdict": failure.verdict,
        "cause": encodable(failure.cause),
    }
