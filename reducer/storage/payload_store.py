"""What every way of storing payloads can do: the one interface between payloads and their readers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Protocol, TypeVar

from reducer.wire.payload_refs import PayloadRef

Piece = bytes | memoryview
R_contra = TypeVar("R_contra", bound=PayloadRef, contravariant=True)


class PayloadStore(Protocol[R_contra]):
    """The payloads of one bundle. Nothing outside of the bundle is opened for them."""

    def pieces(self, ref: R_contra) -> Iterator[Piece]:
        """The bytes of a payload in order; each piece is valid only until the next one is asked for.

        Of a truncated payload, what was kept. In the place of a lost part stands the object that the format
        has for it.

        Raises:
            UnreadablePayload: outside of the bundle, missing, damaged, too large, omitted, or not readable.
        """

    def size(self, ref: R_contra) -> int | None:
        """How many bytes `pieces` gives; None where that cannot be told."""

    def identity(self, ref: R_contra) -> Hashable:
        """What two references share that lead to the same bytes."""

    def own_json(self, ref: R_contra) -> bytes:
        """What a payload holds itself: with `null` in the place of each of its parts.

        Raises:
            UnreadablePayload: as in `pieces`, but whatever is wrong with parts does not matter.
        """


def read_payload(store: PayloadStore[PayloadRef], ref: PayloadRef) -> bytes:
    """A payload as a whole.

    Raises:
        UnreadablePayload: as `PayloadStore.pieces`.
    """
    return b"".join(map(bytes, store.pieces(ref)))
