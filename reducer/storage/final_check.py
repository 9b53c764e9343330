"""The check at the end of a replay: every payload that the log refers to must be there and be sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from reducer.errors import UnreadablePayload
from reducer.storage.payloads import Payloads
from reducer.storage.stored_payloads import StoredPayloads
from reducer.wire.json_grammar import Step
from reducer.wire.payload_refs import Omitted, PayloadRef, ShardRef, Truncated, shard_path

if TYPE_CHECKING:
    from reducer.storage.shard_store import ShardStore


class PayloadFault(Struct, frozen=True):
    """A payload, or a shard, that is not what the log says.

    Attributes:
        error: what is wrong.
        raw_payload_id: the payload; None for a shard.
    """

    error: UnreadablePayload
    raw_payload_id: str | None = None


def payload_faults(
    refs: Iterable[PayloadRef],
    store: StoredPayloads,
    payloads: Payloads,
    *,
    is_closed: bool,
    step: Step | None = None,
) -> Iterator[PayloadFault]:
    """Look at all payloads in the order of the reference, and tell what is wrong.

    Files are looked at in order of their ids, shards in order of their numbers, first those that have none.
    When a shard cannot be read at all, that is told once, not for each of its payloads.

    Args:
        refs: all references that were recorded, those of parts included.
        store: where the payloads are.
        payloads: remembers which of them were found to be sound.
        is_closed: whether the recording was completed; if not, the last shard may be unfinished.
        step: called now and then, within large payloads, too; what it raises ends the check.
    """
    refs = [ref for ref in refs if ref.is_lost or not payloads.is_lost(ref)]  # else it was told of already
    sharded = [ref for ref in refs if isinstance(ref, ShardRef)]
    files = [ref for ref in refs if not isinstance(ref, ShardRef)]
    for ref in sorted(files, key=lambda ref: ref.raw_payload_id):
        yield from _faults_of(ref, payloads, step)
    if not sharded:
        return
    store.shards.refresh()
    check = _ShardCheck(store.shards, payloads, sharded, is_closed, step)
    for one in sorted(sharded, key=_order):
        yield from check.faults(one)


def _order(ref: ShardRef) -> tuple[int, str]:
    return (-1 if ref.shard is None else ref.shard, ref.raw_payload_id)


def _faults_of(ref: PayloadRef, payloads: Payloads, step: Step | None) -> Iterator[PayloadFault]:
    if step is not None:
        step()
    try:
        payloads.verify(ref, step)
    except UnreadablePayload as error:
        yield PayloadFault(error, ref.raw_payload_id)


class _ShardCheck:
    """Goes through references in order of their shards."""

    def __init__(
        self,
        shards: ShardStore,
        payloads: Payloads,
        refs: list[ShardRef],
        is_closed: bool,
        step: Step | None,
    ) -> None:
        self._shards = shards
        self._payloads = payloads
        self._last = max((ref.shard for ref in refs if ref.shard is not None), default=0)
        self._is_closed = is_closed
        self._step = step
        self._number: int | None = None
        self._is_readable = True

    def faults(self, ref: ShardRef) -> Iterator[PayloadFault]:
        """What is wrong with a payload, and before the first one of a shard what is wrong with that."""
        if isinstance(ref.capture, Omitted):
            if ref.shard is not None:
                reason = f"it was left out, but is said to stand in {shard_path(ref.shard)}"
                yield _fault(ref, reason, "omitted payload has a shard")
            return
        if ref.shard is not None and ref.shard != self._number:
            self._number, self._is_readable = ref.shard, True
            yield from self._faults_of_shard(ref.shard)
        if not self._is_readable:
            return
        if isinstance(ref.capture, Truncated):
            yield from self._faults_of_cut(ref, ref.capture)
        else:
            yield from _faults_of(ref, self._payloads, self._step)

    def _faults_of_shard(self, number: int) -> Iterator[PayloadFault]:
        try:
            fault, is_finished = self._shards.fault(number), self._shards.is_finished(number)
        except UnreadablePayload as error:
            self._is_readable = False
            yield PayloadFault(error)
            return
        file = shard_path(number)
        if fault is not None:
            yield PayloadFault(UnreadablePayload(f"{file}: {fault.reason}", fault.reference_says))
        elif not is_finished and (self._is_closed or number != self._last):
            reason = "it is unfinished, though the recorder had done with it"
            says = f"missing footer in payload shard {number}"
            yield PayloadFault(UnreadablePayload(f"{file}: {reason}", says))

    def _faults_of_cut(self, ref: ShardRef, capture: Truncated) -> Iterator[PayloadFault]:
        try:
            held = len(self._shards.record(ref))
        except UnreadablePayload as error:
            yield PayloadFault(error, ref.raw_payload_id)
            return
        kept, original = capture.retained_bytes, capture.original_bytes
        if held != kept or kept >= original:
            reason = f"cut to {kept:,} of {original:,} bytes, as it is said, but its record holds {held:,}"
            yield _fault(ref, reason, "invalid retained length")


def _fault(ref: ShardRef, reason: str, reference_says: str) -> PayloadFault:
    error = UnreadablePayload(f"payload {ref.raw_payload_id} ({ref.place}): {reason}", reference_says)
    return PayloadFault(error, ref.raw_payload_id)
