"""Objects for programs: what names one, the event with which it came, and the object itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reducer import ObjectRef
from reducer.model.objects import is_graph_type, objects_of
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.index import TraceIndex

if TYPE_CHECKING:
    from rollout_tui.insight.timing.waiting import Unended


def seq_of(index: TraceIndex, ref: ObjectRef | None) -> int | None:
    """The event with which an object began or came."""
    return None if ref is None else index.first_seq(ref)


def ref_data(ref: ObjectRef | None) -> dict[str, Any] | None:
    """What names an object, for programs."""
    return None if ref is None else {"type": ref.type, "id": encodable(ref.id)}


def agent_data(index: TraceIndex, thread_id: str) -> dict[str, Any]:
    """An agent, for programs: several may have one path."""
    return {"thread_id": encodable(thread_id), "agent": encodable(index.thread_path(thread_id))}


def graph_object(index: TraceIndex, ref: ObjectRef) -> Any:
    """The object as it stands in `state.json`; None for what does not."""
    if not is_graph_type(ref.type):
        return None
    return index.reduction.written(objects_of(index.trace, ref.type).get(ref.id))


def encodable(text: str) -> str:
    """The text with a replacement mark for each half of a surrogate pair, which no UTF-8 text can hold."""
    return text.encode("utf-8", "replace").decode()


def payload_data(ref: PayloadRef) -> dict[str, Any]:
    """What a payload is, and where."""
    return {"raw_payload_id": ref.raw_payload_id, "kind": ref.kind.type, "path": ref.place}


def unended_data(index: TraceIndex, one: Unended) -> dict[str, Any]:
    """What has no end, for programs."""
    return {"object": ref_data(one.ref), **agent_data(index, one.thread_id), "seq": one.seq, "ms": one.ms}
