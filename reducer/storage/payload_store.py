"""What every way of storing payloads can do: the one interface between payloads and their readers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Protocol

from reducer.wire.payload_refs import PayloadRef

Piece = bytes | memoryview


class PayloadStore(Protocol):
    """The payloads of one bundle. Nothing outside of the bundle is opened for them."""

    def pieces(self, ref: PayloadRef) -> Iterator[Piece]:
        """The bytes of a payload in order; each piece is valid only until the next one is asked for.

        Of a truncated payload, what was kept. In the place of a lost part stands the object that the format
        has for it.

        Raises:
            UnreadablePayload: it is outside of the bundle, missing, damaged, too large, omitted, or not readable.
        """

    def size(self, ref: PayloadRef) -> int | None:
        """How many bytes `pieces` gives; None where that cannot be told."""

    def identity(self, ref: PayloadRef) -> Hashable:
        """What two references share that lead to the same bytes."""


def read_payload(store: PayloadStore, ref: PayloadRef) -> bytes:
    """A payload as a whole.

    Raises:
        UnreadablePayload: as `PayloadStore.pieces`.
    """
    return b"".join(store.pieces(ref))
