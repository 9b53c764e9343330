"""What limits of the recorder left of payloads, and what that leaves uncertain."""

from __future__ import annotations

from collections.abc import Sequence

from reducer import Provenance
from reducer.model import InferenceCall, RolloutTrace
from reducer.wire.payload_refs import Omitted, PayloadRef, ShardRef, Truncated
from rollout_tui.texts.short_forms import plural


def lost_words(ref: PayloadRef) -> str | None:
    """What a limit of the recorder did to a payload; None for one that is whole."""
    capture = ref.capture if isinstance(ref, ShardRef) else None
    if isinstance(capture, Truncated):
        kept, whole = capture.retained_bytes, capture.original_bytes
        return f"cut by the recorder's limit: the first {kept:,} of {whole:,} bytes were kept"
    if isinstance(capture, Omitted):
        return f"left out by the recorder's limit: {capture.original_bytes:,} bytes"
    lost = sum(1 for _ in ref.lost_parts())
    return f"parts of it cut by the recorder's limit: {lost}" if lost else None


def cut_payloads(trace: RolloutTrace) -> list[PayloadRef]:
    """The payloads that limits of the recorder cut or left out, in the order of the log."""
    return [ref for ref in trace.raw_payloads.values() if ref.is_lost]


def cut_count_words(cut: Sequence[PayloadRef]) -> str:
    """How many payloads limits of the recorder cut; empty if none."""
    return f"{plural(len(cut), 'payload')} cut by the recorder's limits" if cut else ""


def whole_size_words(ref: PayloadRef) -> str | None:
    """How large a payload was before a limit of the recorder cut it; None where no reference tells."""
    capture = ref.capture if isinstance(ref, ShardRef) else None
    if isinstance(capture, Truncated | Omitted):
        return f"{capture.original_bytes:,} bytes"
    return None


def lost_part_words(ref: PayloadRef) -> dict[str, str]:
    """What a limit of the recorder did to each lost part of a payload, at any depth, by the part's id."""
    return {part.raw_payload_id: lost_words(part) or "" for part in ref.lost_parts()}


def is_cut(provenance: Provenance, call: InferenceCall) -> bool:
    """Whether a limit of the recorder cut something of what says which items a call saw."""
    events = provenance.of("InferenceCall", call.inference_call_id)[:1]
    refs = [ref for event in events for ref in event.payloads if ref.kind.type != "prepared_prompt"]
    shown = [ref for ref in refs if ref.kind.type == "warmup_context"] or refs
    return any(ref.is_partial for ref in shown)
