"""A payload as an object: how it is stored, what of it was kept, what it consists of, who uses it."""

from __future__ import annotations

from reducer import ObjectRef
from reducer.wire.payload_refs import ShardRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import lost_words, whole_size_words
from rollout_tui.insight.items.prompts import calls_with_part
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.detail.facts import Detail, Evidence, titled

_USERS = 50
"""Calls that are named one by one."""

_PARTS = 1000
"""Parts that are named one by one; how many there are is for whoever wrote the bundle to say."""


def describe_payload(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A payload: the record that holds it, its parts with links, the calls whose prompts it is part of."""
    payload = index.trace.raw_payloads.get(ref.id)
    if payload is None:
        return None
    detail = titled(ref, f"payload {payload.raw_payload_id}, {payload.kind.type.replace('_', ' ')}")
    detail.add("stored", payload.place)
    detail.add("whole size", whole_size_words(payload))
    detail.add("kept", lost_words(payload), style="warn")
    if isinstance(payload, ShardRef):
        _add_users(detail, index, payload)
        if payload.parts:
            detail.add(
                "consists of", f"a record of fragments, and {plural(len(payload.parts), 'part')} between them"
            )
        for number, part in enumerate(payload.parts[:_PARTS], 1):
            cut = lost_words(part)
            words = f"{part.raw_payload_id}  {part.kind.type.replace('_', ' ')}{f'  {cut}' if cut else ''}"
            detail.add(f"part {number}", words, ObjectRef("Payload", part.raw_payload_id))
        if len(payload.parts) > _PARTS:
            detail.add("", f"and {plural(len(payload.parts) - _PARTS, 'part')} more")
    detail.payloads.append(Evidence("payload", payload))
    return detail


def _add_users(detail: Detail, index: TraceIndex, payload: ShardRef) -> None:
    call_ids = calls_with_part(index, payload.raw_payload_id)
    if not call_ids:
        return
    detail.add("carried by", f"the prompts of {plural(len(call_ids), 'call')}")
    for call_id in call_ids[:_USERS]:
        call = index.trace.inference_calls[call_id]
        words = f"call {index.place_of_call(call) + 1} of {index.thread_path(call.thread_id)}"
        detail.add("", f"{words}, seq {call.execution.started_seq}", ObjectRef("InferenceCall", call_id))
    if len(call_ids) > _USERS:
        detail.add("", f"and {plural(len(call_ids) - _USERS, 'call')} more")
