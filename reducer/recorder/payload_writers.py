"""How the payloads of a bundle are kept, for each way in which the events of a schema refer to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from msgspec import Struct
from msgspec.structs import replace

from reducer.recorder.append_only import AppendOnlyFile
from reducer.recorder.encoding import pretty_json
from reducer.recorder.payload_parts import DividedText, divide
from reducer.recorder.shard_writer import ShardWriter
from reducer.wire.payload_refs import (
    COMPLETE,
    Capture,
    FileRef,
    Omitted,
    PayloadKind,
    PayloadKindName,
    PayloadRef,
    ShardedKind,
    ShardedKindName,
    ShardRef,
    Truncated,
)

PAYLOADS = "payloads"

Store = Callable[[int], PayloadRef]
"""Keeps a payload, given how many bytes the rest of the bundle has, and gives the reference to it."""

_SHARED: tuple[ShardedKindName, ...] = ("model_item", "content_value")


class Limits(Struct, frozen=True, kw_only=True):
    """How much of a session is recorded; by default everything.

    Attributes:
        max_payload_bytes: longer payloads are cut after so many bytes. Items and long texts that the model is
            shown are cut one by one, so that what is around them stays whole.
        max_bytes: size of the bundle on disk. Payloads that do not fit any more are left out, and the
            recording stops when an event does not fit.
    """

    max_payload_bytes: int | None = None
    max_bytes: int | None = None


UNLIMITED = Limits()


class PayloadWriter(Protocol):
    """The payloads of one bundle. Not safe to use from several threads, except for `prepared`."""

    @property
    def size(self) -> int:
        """Bytes of the payloads on disk."""

    def prepared(self, kind: ShardedKindName, value: object) -> Store:
        """Make the JSON text of a payload.

        Returns:
            What keeps it. It raises OSError if the payload could be kept neither as a whole nor as a hole.

        Raises:
            TypeError: the value, or something in it, has no JSON form.
            ValueError: it holds ready-made JSON that is none.
        """

    def close(self) -> bool:
        """Write no more; whether what was written is finished as it should be."""


class FilePayloads:
    """Payloads in files of their own.

    Files are numbered as they are begun, so several threads may number them in another order than events.
    """

    def __init__(self, bundle: Path, limits: Limits, failed: Callable[[Exception], None]) -> None:
        """Parameters as for `ShardPayloads`.

        Raises:
            ValueError: there are limits; a reference to a file cannot tell that something is missing in it.
        """
        if limits != UNLIMITED:
            raise ValueError("the trace schema knows no limits")
        self.size = 0
        self._bundle = bundle
        self._count = 0

    def prepared(self, kind: ShardedKindName, value: object) -> Store:
        """See `PayloadWriter`; the text is indented."""
        data = pretty_json(value)
        return lambda _: self._store(cast("PayloadKindName", kind), data)

    def close(self) -> bool:
        """There is nothing to finish."""
        return True

    def _store(self, kind: PayloadKindName, data: bytes) -> PayloadRef:
        self._count += 1
        path = f"{PAYLOADS}/{self._count}.json"
        file = AppendOnlyFile(self._bundle / path)
        try:
            file.append(data)
        except OSError:
            file.remove()
            raise
        file.close()
        self.size += file.size
        return FileRef(f"raw_payload:{self._count}", PayloadKind(kind), path)


class ShardPayloads:
    """Payloads in shards, those that repeat only once.

    A payload that cannot be written, or does not fit, becomes a hole: its reference says how long it was.
    """

    def __init__(self, bundle: Path, limits: Limits, failed: Callable[[Exception], None]) -> None:
        """Nothing is made until the first payload comes.

        Args:
            bundle: the bundle directory.
            limits: how much is kept.
            failed: called with what went wrong when a payload could not be written.
        """
        self._shards = ShardWriter(bundle)
        self._limits = limits
        self._failed = failed
        self._count = 0
        self._known: dict[bytes | None, ShardRef] = {}

    @property
    def size(self) -> int:
        """See `PayloadWriter`."""
        return self._shards.size

    def prepared(self, kind: ShardedKindName, value: object) -> Store:
        """See `PayloadWriter`; the text is compact, and divided."""
        divided = divide(kind, value, max_payload_bytes=self._limits.max_payload_bytes)
        return lambda others: self._store(divided, others)

    def close(self) -> bool:
        """See `PayloadWriter`; shards want a footer."""
        return self._shards.close()

    def _store(self, text: DividedText, others: int) -> ShardRef:
        parts = tuple(self._store(part, others) for part in text.parts)
        record = text.record()
        identity = _identity(text.kind, record, parts) if text.kind in _SHARED else None
        if identity in self._known:
            return self._known[identity]
        self._count += 1
        ref = ShardRef(f"raw_payload:{self._count}", ShardedKind(text.kind), parts=parts)
        try:
            ref = self._written(ref, record, others)
        except OSError as error:
            self._failed(error)
            return replace(ref, capture=Omitted(len(record)))
        if identity is not None:
            self._known[identity] = ref
        return ref

    def _written(self, ref: ShardRef, record: bytes, others: int) -> ShardRef:
        """The reference of a record that was kept, or cut, or left out, as the limits want it."""
        limits = self._limits
        kept = record
        capture: Capture = COMPLETE
        # Of a payload with parts, these have been cut.
        if limits.max_payload_bytes is not None and len(record) > limits.max_payload_bytes and not ref.parts:
            kept = record[: limits.max_payload_bytes]
            capture = Truncated(len(record), len(kept))
        room = None if limits.max_bytes is None else limits.max_bytes - others - self.size
        shard = self._shards.append(ref.raw_payload_id, ref.kind.type, kept, room=room)
        return replace(ref, shard=shard, capture=Omitted(len(record)) if shard is None else capture)


def _identity(kind: str, record: bytes, parts: tuple[ShardRef, ...]) -> bytes:
    """What two payloads share that have the same text; the same parts have the same ids."""
    ids = " ".join(part.raw_payload_id for part in parts)
    return hashlib.blake2b(f"{kind} {ids} ".encode() + record, digest_size=16).digest()


_WRITERS: dict[type[PayloadRef], type[FilePayloads | ShardPayloads]] = {
    FileRef: FilePayloads,
    ShardRef: ShardPayloads,
}


def payload_writer(
    ref: type[PayloadRef], bundle: Path, limits: Limits, failed: Callable[[Exception], None]
) -> PayloadWriter:
    """What keeps payloads so that references of this form lead to them; parameters as for `ShardPayloads`.

    Raises:
        ValueError: there are limits, and such references cannot tell what they leave out.
    """
    return _WRITERS[ref](bundle, limits, failed)
