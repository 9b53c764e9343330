"""The payloads of one bundle, however each is stored."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reducer.storage.confinement import BundleFolder
from reducer.storage.payload_files import PayloadFiles
from reducer.storage.payload_store import PayloadStore, Piece
from reducer.wire.payload_refs import PayloadRef, ShardRef

if TYPE_CHECKING:
    from reducer.storage.shard_store import ShardStore


class StoredPayloads:
    """A `PayloadStore` that leads each reference to where such payloads are.

    Attributes:
        files: the payloads in files of their own.
    """

    def __init__(self, folder: BundleFolder, *, strict: bool) -> None:
        """Prepare to read; nothing is opened yet.

        Args:
            folder: of the bundle.
            strict: see `ShardStore`.
        """
        self._folder = folder
        self._strict = strict
        self.files = PayloadFiles(folder)

    @cached_property
    def shards(self) -> ShardStore:
        """The payloads in shards."""
        # Of most bundles there are either, and the decoder is a tenth of what the program imports.
        from reducer.storage.shard_store import ShardStore

        return ShardStore(self._folder, strict=self._strict)

    def pieces(self, ref: PayloadRef) -> Iterator[Piece]:
        """The bytes of a payload; see `PayloadStore`."""
        return self._store(ref).pieces(ref)

    def size(self, ref: PayloadRef) -> int | None:
        """How many bytes a payload has."""
        return self._store(ref).size(ref)

    def identity(self, ref: PayloadRef) -> Hashable:
        """What two references share that lead to the same bytes."""
        return self._store(ref).identity(ref)

    def own_json(self, ref: PayloadRef) -> bytes:
        """What a payload holds itself, without its parts."""
        return self._store(ref).own_json(ref)

    def _store(self, ref: PayloadRef) -> PayloadStore[Any]:
        return self.shards if isinstance(ref, ShardRef) else self.files
