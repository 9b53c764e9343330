"""The payload references of the graph: what events carry, and what these payloads are put together from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reducer.changes import GraphWork
from reducer.errors import Inconsistent
from reducer.wire.payload_refs import PayloadRef, ShardRef, common_parts


class References:
    """Records references in `raw_payloads` before their event is applied."""

    def __init__(self, work: GraphWork) -> None:
        self._work = work
        self._recorded_lists: dict[str, tuple[ShardRef, ...]] = {}
        self._of_shard: dict[int, list[ShardRef]] = {}

    def of_shard(self, number: int) -> Sequence[ShardRef]:
        """The references to records of a shard, also such whose event failed."""
        return self._of_shard.get(number, ())

    def record(self, refs: Sequence[PayloadRef]) -> Iterator[Inconsistent]:
        """Record references, and after each the references that are its parts, at any depth, the last first.

        Yields:
            Those that contradict an earlier one with the same id, where the schema does not let the last one
            count; the earlier one stays.
        """
        for ref in refs:
            yield from self._record(ref)

    def _record(self, ref: PayloadRef) -> Iterator[Inconsistent]:
        known = self._work.trace.raw_payloads.get(ref.raw_payload_id)
        if known is ref:
            return  # and so are its parts
        if known is None or not self._work.schema.refuses_conflicting_refs:
            self._work.changes.put(self._work.trace.raw_payloads, ref.raw_payload_id, ref)
        elif known != ref:
            yield Inconsistent(
                f"payload {ref.raw_payload_id} was referred to before, but otherwise ({known.place})",
                f"conflicting references for payload {ref.raw_payload_id}",
            )
        if isinstance(ref, ShardRef):
            if ref.shard is not None:
                self._of_shard.setdefault(ref.shard, []).append(ref)
            for part in reversed(self._new_parts(ref.parts)):
                yield from self._record(part)

    def _new_parts(self, parts: tuple[ShardRef, ...]) -> tuple[ShardRef, ...]:
        """The parts without those that a prompt before began with, which were recorded with it."""
        if not parts:
            return ()
        first = parts[0].raw_payload_id
        known = common_parts(parts, self._recorded_lists.get(first, ()))
        self._work.changes.put(self._recorded_lists, first, parts)
        return parts[known:]
