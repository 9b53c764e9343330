"""The raw bytes behind an object."""

from __future__ import annotations

from collections.abc import Callable

from reducer import BundleError, UnreadablePayload
from reducer.model import InferenceCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.certainty import NOT_RECORDED
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import lost_words
from rollout_tui.language.asking import OneOf
from rollout_tui.language.refused import InputRefused
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import object_asked_for
from rollout_tui.showing.objects import no_prompt_words
from rollout_tui.views.detail.describe import describe


def evidence_of(session: Session, index: TraceIndex, wish: OneOf, say: Callable[[str], None]) -> bytes:
    """The raw bytes behind what was asked for.

    Args:
        session: the bundle.
        index: its graph.
        wish: one thing.
        say: is told what is to be known of them, such as that a limit cut them.

    Raises:
        InputRefused: there are none.
    """
    if wish.what == "payload":
        payload = payload_asked_for(index, wish.name)
        cut = lost_words(payload)
        if cut is not None:
            say(f"{payload.raw_payload_id}: {cut}")
        return _payload(session, payload)
    if wish.what == "prompt":
        call = index.trace.inference_calls[object_asked_for(index, wish).id]
        return _payload(session, payload_asked_for(index, _prompt_id(index, call)))
    if wish.what == "compaction":
        raise InputRefused(
            "a compaction has several payloads: show it without --raw, then the payload by number"
        )
    ref = object_asked_for(index, wish)
    if wish.what == "call" and index.reduction.rebuilt_from is not None:
        raise InputRefused(f"the request of a call is {NOT_RECORDED}; without --raw its context is shown")
    detail = describe(index, ref)
    if detail is None:
        raise InputRefused(f"there is no evidence of {wish.what} {wish.name[:60]}")
    if wish.what not in ("seq", "line") and detail.payloads:
        return _payload(session, detail.payloads[0].ref)
    if detail.log_line is None:
        raise InputRefused(f"there is no evidence of {wish.what} {wish.name[:60]}")
    return session.log_line(detail.log_line) + b"\n"


def _prompt_id(index: TraceIndex, call: InferenceCall) -> str:
    if not isinstance(call.prepared_prompt_payload_id, str):
        raise InputRefused(no_prompt_words(index))
    return call.prepared_prompt_payload_id


def payload_asked_for(index: TraceIndex, name: str) -> PayloadRef:
    """The payload with a number or an id.

    Raises:
        InputRefused: there is none.
    """
    payloads = index.trace.raw_payloads
    number = name.removeprefix("raw_payload:").lstrip("#")
    found = payloads.get(f"raw_payload:{number}")
    if found is None:
        raise InputRefused(f"there is no payload {name[:60]}: there are {len(payloads)}")
    return found


def _payload(session: Session, ref: PayloadRef) -> bytes:
    try:
        return session.payload(ref)
    except UnreadablePayload as error:
        raise BundleError(f"{session.recording.path}: {ref.place}: {error}") from None
