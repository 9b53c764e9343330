"""Objects for programs: what names one, and the event with which it came."""

from __future__ import annotations

from typing import Any

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.showing.objects import encodable


def seq_of(index: TraceIndex, ref: ObjectRef | None) -> int | None:
    """The event with which an object began or came."""
    return None if ref is None else index.first_seq(ref)


def ref_data(ref: ObjectRef | None) -> dict[str, Any] | None:
    """What names an object, for programs."""
    return None if ref is None else {"type": ref.type, "id": encodable(ref.id)}


def agent_data(index: TraceIndex, thread_id: str) -> dict[str, Any]:
    """An agent, for programs: several may have one path."""
    return {"thread_id": encodable(thread_id), "agent": encodable(index.thread_path(thread_id))}
