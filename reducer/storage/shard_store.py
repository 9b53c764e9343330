"""The payloads of schema 3: records of shards, put together from parts where they have some."""

from __future__ import annotations

import os
import re
import stat
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock

from msgspec import Struct

from reducer.errors import UnreadablePayload
from reducer.limits import MAX_DECODED_BYTES
from reducer.storage.assembly import Assembly, fragments_of, own_json
from reducer.storage.confinement import BundleFolder, NotAFile
from reducer.storage.files import in_words
from reducer.storage.shard import Shard, ShardFault
from reducer.wire.payload_refs import Omitted, ShardRef, shard_path

FOLDER = "payloads"
_SHARD_NAME = re.compile(r"([0-9]{6,})\.zst")


class StoredRecord(Struct, frozen=True):
    """A record that stands in a shard.

    Attributes:
        shard: number of the shard.
        record_id: of the record.
        size: of its data, in bytes.
    """

    shard: int
    record_id: str
    size: int


class ShardStore:
    """Reads the shards of one bundle, and keeps some of them decoded. Threads may share it.

    Attributes:
        before_eviction: told of each shard that is about to be forgotten. It must not ask the store for more.
    """

    def __init__(self, folder: BundleFolder, strict: bool) -> None:
        """Nothing is opened yet.

        Args:
            folder: of the bundle.
            strict: whether to refuse all of a shard in which something is wrong, as the reference does.
                Otherwise its sound records are given.
        """
        self.before_eviction: Callable[[Shard], None] | None = None
        self._folder = folder
        self._strict = strict
        self._shards: OrderedDict[int, Shard] = OrderedDict()
        self._stale: set[int] = set()
        self._done_with: set[int] = set()
        self._lock = RLock()

    def pieces(self, ref: ShardRef) -> Iterator[bytes]:
        """The bytes of a payload in order, as `PayloadStore.pieces` promises them.

        Raises:
            UnreadablePayload: its record, its shard or one of its parts is missing, damaged or too large.
        """
        with self._lock:
            return iter(Assembly(self.record).of(ref))

    def size(self, ref: ShardRef) -> int | None:
        """How many bytes `pieces` gives; None where it gives none."""
        try:
            with self._lock:
                return sum(map(len, Assembly(self.record).of(ref)))
        except UnreadablePayload:
            return None

    def identity(self, ref: ShardRef) -> Hashable:
        """What two references share that lead to the same bytes."""
        return ref if ref.parts or isinstance(ref.capture, Omitted) else (ref.shard, ref.raw_payload_id)

    def own_json(self, ref: ShardRef) -> bytes:
        """What a payload holds itself: with `null` in the place of each part; of those, nothing is read.

        Raises:
            UnreadablePayload: as `fragments`; a lost payload has none, and gives its record.
        """
        return own_json(self.record(ref), 0 if ref.is_lost else len(ref.parts))

    def record(self, ref: ShardRef) -> bytes:
        """The record of a payload: its text, its fragments, or what was kept of its text.

        Raises:
            UnreadablePayload: there is none, or its shard cannot be read.
        """
        if isinstance(ref.capture, Omitted):
            size = ref.capture.original_bytes
            raise UnreadablePayload(f"left out by the recorder's size limit; it had {size:,} bytes")
        if ref.shard is None:
            raise UnreadablePayload("no shard is named for it", "payload omitted by size limit")
        with self._lock:
            shard = self.usable_shard(ref.shard)
            data = shard.records.get(ref.raw_payload_id)
            if data is None and not shard.is_finished and self._grow(shard):
                shard = self.usable_shard(ref.shard)
                data = shard.records.get(ref.raw_payload_id)
        if data is not None:
            return data
        says = f"missing payload {ref.raw_payload_id} in shard {ref.shard}"
        if shard.fault is None:
            raise UnreadablePayload(f"{shard_path(ref.shard)} holds no such record", says)
        raise _refusal(ref.shard, shard.fault)

    def fragments(self, ref: ShardRef) -> list[str]:
        """The texts between which the parts of a payload stand: one more than it has parts.

        Raises:
            UnreadablePayload: as `record`, or the record is no list of so many texts.
        """
        return fragments_of(self.record(ref), len(ref.parts))

    def shard(self, number: int) -> Shard:
        """A shard, decoded as far as it was written when it was loaded, or first asked for after `refresh`.

        Another thread may let it grow at any time: `fault` and `is_finished` are safe to ask for here.

        Raises:
            UnreadablePayload: its file cannot be opened.
        """
        with self._lock:
            shard = self._shards.get(number)
            if shard is None:
                return self._load(number)
            self._shards.move_to_end(number)
            if number in self._stale:
                self._stale.discard(number)
                self._grow(shard)
            return shard

    def usable_shard(self, number: int) -> Shard:
        """As `shard`, but strict reading takes only a sound one.

        Raises:
            UnreadablePayload: as `shard`, or its fault when reading is strict.
        """
        with self._lock:
            shard = self.shard(number)
            if self._strict and (fault := shard.fault) is not None:
                raise _refusal(number, fault)
            return shard

    def fault(self, number: int) -> ShardFault | None:
        """What is wrong with a shard, as far as it was read; None when it is sound.

        Raises:
            UnreadablePayload: its file cannot be opened.
        """
        with self._lock:
            return None if self._is_done_with(number) else self.shard(number).fault

    def is_finished(self, number: int) -> bool:
        """Whether a shard ends at the end of a frame.

        Raises:
            UnreadablePayload: its file cannot be opened.
        """
        with self._lock:
            return self._is_done_with(number) or self.shard(number).is_finished

    def _is_done_with(self, number: int) -> bool:
        """Whether a shard was found to be sound and finished, and was forgotten since."""
        return number in self._done_with and number not in self._shards

    def refresh(self) -> None:
        """Let each shard look for what was added to it when it is asked for the next time."""
        with self._lock:
            self._stale.update(self._shards)

    def shard_numbers(self) -> list[int]:
        """Numbers of the shards that stand in the bundle, in order, whether or not anything refers to them.

        Raises:
            UnreadablePayload: the folder cannot be read.
        """
        return sorted(number for name in self._names() if (number := _number(name)) is not None)

    def other_names(self) -> list[str]:
        """Names of what stands among the shards but is not named like one, in order.

        Raises:
            UnreadablePayload: the folder cannot be read.
        """
        return [name for name in self._names() if _number(name) is None]

    def unreferenced(self, known: Mapping[int, Collection[str]]) -> Iterator[StoredRecord]:
        """The records that nothing refers to, in order; none of a shard that cannot be opened.

        Args:
            known: ids of records that something refers to, by number of the shard.

        Raises:
            UnreadablePayload: the folder cannot be read.
        """
        for number in self.shard_numbers():
            try:
                with self._lock:
                    records = dict(self.shard(number).records)
            except UnreadablePayload:
                continue
            expected = known.get(number, ())
            for record_id, data in records.items():
                if record_id not in expected:
                    yield StoredRecord(number, record_id, len(data))

    def _load(self, number: int) -> Shard:
        shard = Shard(number, self._shown(number))
        with self._opened(number) as descriptor:
            shard.grow(descriptor)
        self._shards[number] = shard
        self._evict()
        return shard

    def _grow(self, shard: Shard) -> bool:
        """Let the shard that was used last look for what was added to it; gives whether anything was."""
        try:
            with self._opened(shard.number) as descriptor:
                has_grown = shard.grow(descriptor)
        except UnreadablePayload as error:
            shard.stop(f"{error}; it was there before", error.reference_says)
            return False
        self._evict()
        return has_grown

    @contextmanager
    def _opened(self, number: int) -> Iterator[int]:
        file = shard_path(number)
        try:
            descriptor, _ = self._folder.open_file(file, follow=False)
        except NotAFile as error:
            # The reference opens a directory and then cannot read it; links it follows.
            says = f"decompress shard {self._shown(number)}" if stat.S_ISDIR(error.mode) else None
            raise UnreadablePayload(f"{file}: {in_words(error)}", says) from None
        except OSError as error:
            says = f"open shard {self._shown(number)}"
            raise UnreadablePayload(f"{file}: {in_words(error)}", says) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _shown(self, number: int) -> str:
        return str(self._folder.path / shard_path(number))

    def _evict(self) -> None:
        """Forget the shards that were not used for the longest time, but never the last one used."""
        cost = sum(shard.cost for shard in self._shards.values())
        while cost > MAX_DECODED_BYTES and len(self._shards) > 1:
            shard = next(iter(self._shards.values()))
            if self.before_eviction is not None:
                self.before_eviction(shard)
            if shard.is_finished and shard.fault is None:
                self._done_with.add(shard.number)
            del self._shards[shard.number]
            self._stale.discard(shard.number)
            cost -= shard.cost

    def _names(self) -> list[str]:
        try:
            return self._folder.names(FOLDER, follow=False)
        except OSError as error:
            raise UnreadablePayload(f"{FOLDER}: {in_words(error)}") from None


def _number(name: str) -> int | None:
    """The number of the shard that has this file name; only one name leads to a shard."""
    found = _SHARD_NAME.fullmatch(name)
    number = int(found[1]) if found is not None else 0
    return number if found is not None and shard_path(number) == f"{FOLDER}/{name}" else None


def _refusal(number: int, fault: ShardFault) -> UnreadablePayload:
    return UnreadablePayload(f"{shard_path(number)}: {fault.reason}", fault.reference_says)
