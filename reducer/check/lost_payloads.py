"""What the limits of a recorder cut or left out, and what these limits seem to have been."""

from __future__ import annotations

from collections import defaultdict

from reducer.check.references import RecordReference, RecordReferences
from reducer.check.report import Finding, Place
from reducer.wire.payload_refs import Omitted, ShardRef, Truncated


def lost_payloads(references: RecordReferences, bundle_bytes: int) -> list[Finding]:
    """The cut payloads and those left out, by kind; nothing where all are whole.

    Args:
        references: those of the log.
        bundle_bytes: size of log and shards: what is left out did not fit into a limit near it.
    """
    lost = [one for one in references.first.values() if one.ref.is_lost]
    if not lost:
        return []
    return [Finding("payloads", "lost_payloads", "note", _summary(lost, bundle_bytes), _by_kind(lost))]


def _summary(lost: list[RecordReference], bundle_bytes: int) -> str:
    cut = [one.ref.capture for one in lost if isinstance(one.ref.capture, Truncated)]
    out = [one.ref.capture for one in lost if isinstance(one.ref.capture, Omitted)]
    kept = sum(one.retained_bytes for one in cut)
    original = sum(one.original_bytes for one in cut) + sum(one.original_bytes for one in out)
    words = (
        f"limits of the recorder cut {len(cut):,} payloads and left out {len(out):,}: "
        f"{kept:,} of {original:,} bytes were kept"
    )
    limits = []
    if cut:
        # Each payload is cut at the limit itself; less is kept where the whole bundle was full.
        limits.append(f"max_payload_bytes ≈ {max(one.retained_bytes for one in cut):,}")
    if out:
        limits.append(f"max_bytes ≈ {bundle_bytes:,}")
    return f"{words}; it seems to have run with {', '.join(limits)}"


def _by_kind(lost: list[RecordReference]) -> list[Place]:
    kinds: dict[tuple[str, str], list[RecordReference]] = defaultdict(list)
    for one in lost:
        kinds[type(one.ref.capture).__name__, one.ref.kind.type].append(one)
    return [_place(kind, found) for (_, kind), found in kinds.items()]


def _place(kind: str, found: list[RecordReference]) -> Place:
    first = found[0]
    kept, original = (sum(sizes) for sizes in zip(*(_sizes(one.ref) for one in found), strict=True))
    what = "left out" if isinstance(first.ref.capture, Omitted) else "cut"
    words = f"{kind} {what}, {kept:,} of {original:,} bytes kept"
    return Place(text=words, line=first.line, type="Payload", id=first.ref.raw_payload_id, count=len(found))


def _sizes(ref: ShardRef) -> tuple[int, int]:
    """Bytes that were kept of a lost payload, and that it had."""
    capture = ref.capture
    if isinstance(capture, Truncated):
        return capture.retained_bytes, capture.original_bytes
    return 0, capture.original_bytes if isinstance(capture, Omitted) else 0
