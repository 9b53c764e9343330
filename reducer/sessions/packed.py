"""Very many objects of a graph, held as bytes: each is made again when somebody looks at it."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec

from reducer.ids import Ids
from reducer.sessions.made_maps import MadeMap
from reducer.snapshots import Still

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

T = TypeVar("T")

BLOCK = 128
"""Objects whose bytes are compressed together: they have most of their words in common."""

_LEVEL = 1
_RECENT = 128
"""Objects of a view that were made last and are at hand."""

_RECENT_BLOCKS = 16
"""Blocks that were looked into last and are at hand."""

_Block = list[bytes]
"""The bytes of each object; none for one that came and went before it was packed."""


class Packing(Protocol[T]):
    """How objects of a type become bytes, and objects again."""

    def pack(self, target: T) -> bytes:
        """The bytes of an object."""

    def unpack(self, data: bytes) -> T:
        """The object, as it was."""


class PackedView(MadeMap[T], Still):
    """The objects as they were at one time. One that somebody has is the same when it is asked for again."""

    def __init__(
        self, packing: Packing[T], ids: Ids, count: int, blocks: Sequence[bytes], gone: frozenset[int]
    ) -> None:
        """Look at what is packed.

        Args:
            packing: of the objects.
            ids: of the objects, and perhaps of more that came later.
            count: how many of the ids are those of this view.
            blocks: the bytes of the objects, in the order of the ids.
            gone: numbers of ids that have no object any more.
        """
        super().__init__()
        self._packing = packing
        self._ids = ids
        self._count = count
        self._blocks = blocks
        self._gone = gone
        self._known: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._recent: deque[Any] = deque(maxlen=_RECENT)

    def _place(self, key: object) -> int | None:
        place = self._ids.number(key)
        return None if place is None or place >= self._count or place in self._gone else place

    def _places(self) -> Iterator[int]:
        return (place for place in range(self._count) if place not in self._gone)

    def _key(self, place: int) -> str:
        return self._ids.id(place)

    def _made(self, place: int) -> T:
        known = self._known.get(place)
        if known is None:
            # Of two threads that make it at once, both get the object of the first.
            made = self._packing.unpack(_packed(self._blocks, place))
            known = self._known.setdefault(place, made)
            self._recent.append(known)
        return known  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return self._count - len(self._gone)


class PackedTable(MadeMap[T]):
    """The objects of a graph that grows.

    One that is asked for may be changed until `settle` is called, if `note` is told of it; whoever wants it
    after that asks for it again.

    Attributes:
        ids: of all objects that there ever were.
    """

    def __init__(self, packing: Packing[T]) -> None:
        super().__init__()
        self.ids = Ids()
        self._packing = packing
        self._blocks: list[bytes] = []
        self._gone: set[int] = set()
        self._changed: dict[int, str] = {}

    @property
    def at_hand(self) -> int:
        """How many objects are held as they are."""
        return dict.__len__(self)

    def _place(self, key: object) -> int | None:
        place = self.ids.number(key)
        return None if place is None or place in self._gone else place

    def _places(self) -> Iterator[int]:
        return (place for place in range(len(self.ids)) if place not in self._gone)

    def _key(self, place: int) -> str:
        return self.ids.id(place)

    def _made(self, place: int) -> T:
        made = self._packing.unpack(_packed(self._blocks, place))
        super().__setitem__(self.ids.id(place), made)
        return made

    def __len__(self) -> int:
        return len(self.ids) - len(self._gone)

    def __setitem__(self, key: str, target: T) -> None:
        place = self.ids.add(key)
        self._gone.discard(place)
        self._changed[place] = key
        super().__setitem__(key, target)

    def pop(self, key: str, *default: Any) -> Any:
        """Take an object out of the graph."""
        place = self._place(key)
        if place is None:
            if default:
                return default[0]
            raise KeyError(key)
        target = self[key]
        super().pop(key)
        self._changed.pop(place, None)
        self._gone.add(place)
        return target

    def note(self, key: str) -> None:
        """An object is changed, or was since the last `settle`."""
        place = self._place(key)
        if place is not None:
            self._changed[place] = key

    def settle(self) -> None:
        """Pack what was made or changed; nobody may change an object any more that was asked for before."""
        ends = range(len(self._blocks), -(-len(self.ids) // BLOCK))
        changed: dict[int, list[int]] = {at: [] for at in ends}  # also where nothing is left
        for place in self._changed:
            changed.setdefault(place // BLOCK, []).append(place)
        self._blocks += [_compressed([])] * len(ends)
        for at, places in changed.items():
            held = [*_held(self._blocks[at])]
            held += [b""] * (min(BLOCK, len(self.ids) - at * BLOCK) - len(held))
            for place in places:
                held[place - at * BLOCK] = self._packing.pack(self[self._changed[place]])
            self._blocks[at] = _compressed(held)
        self._changed.clear()
        self.clear()

    def view(self) -> PackedView[T]:
        """The objects as they are now; they are settled first."""
        self.settle()
        return PackedView(self._packing, self.ids, len(self.ids), (*self._blocks,), frozenset(self._gone))


_decode = msgspec.msgpack.Decoder(_Block).decode


def _compressed(block: _Block) -> bytes:
    return zstd.compress(msgspec.msgpack.encode(block), _LEVEL)


@lru_cache(maxsize=_RECENT_BLOCKS)
def _held(block: bytes) -> _Block:
    return _decode(zstd.decompress(block))


def _packed(blocks: Sequence[bytes], place: int) -> bytes:
    at, within = divmod(place, BLOCK)
    return _held(blocks[at])[within]
