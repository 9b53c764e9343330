"""Very many objects of a graph, held as bytes: each is made again when somebody looks at it."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from reducer.snapshots import Still

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")


class Packing(Protocol[T]):
    """How objects of a type become bytes, and objects again."""

    def pack(self, target: T) -> bytes:
        """The bytes of an object."""

    def unpack(self, data: bytes) -> T:
        """The object, as it was."""


class _Store(Generic[T]):
    """What a table and the views on it share.

    Attributes:
        packing: of the objects.
        ids: of all objects there ever were, in order; it only grows.
        slots: the place of each id in `ids`; it only grows.
    """

    __slots__ = ("ids", "packing", "slots")

    def __init__(self, packing: Packing[T]) -> None:
        self.packing = packing
        self.ids: list[str] = []
        self.slots: dict[str, int] = {}


class _Packed(dict[str, T]):
    """A map whose objects are in its own storage only as far as they are at hand."""

    def __init__(self, store: _Store[T], packed: list[bytes | None], count: int) -> None:
        super().__init__()
        self._store = store
        self._packed = packed
        self._count = count

    def _end(self) -> int:
        """How many of the ids this map knows."""
        raise NotImplementedError

    def _slot(self, key: object) -> int | None:
        slot = self._store.slots.get(key)  # type: ignore[call-overload]
        return None if slot is None or slot >= self._end() or self._packed[slot] is None else slot

    def __contains__(self, key: object) -> bool:
        return self._slot(key) is not None

    def get(self, key: str, default: Any = None) -> Any:
        """The object with an id, or what is given instead."""
        return default if self._slot(key) is None else self[key]

    def __len__(self) -> int:
        return self._count

    def __bool__(self) -> bool:
        return self._count > 0

    def __iter__(self) -> Iterator[str]:
        # Another thread may add to the list meanwhile.
        ids = islice(self._store.ids, self._end())
        return (key for key, data in zip(ids, self._packed, strict=False) if data is not None)

    def __reversed__(self) -> Iterator[str]:
        return reversed([*self])

    def keys(self) -> Any:
        """The ids, in the order in which the objects were made."""
        return KeysView(self)

    def values(self) -> Any:
        """The objects in that order."""
        return ValuesView(self)

    def items(self) -> Any:
        """Both."""
        return ItemsView(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, dict):
            return NotImplemented
        return self.keys() == other.keys() and all(self[key] == other[key] for key in self)

    __hash__ = None


class PackedView(_Packed[T], Still):
    """The objects as they were at one time. One that somebody has is the same when it is asked for again."""

    def __init__(self, store: _Store[T], packed: list[bytes | None], count: int) -> None:
        super().__init__(store, packed, count)
        self._known: WeakValueDictionary[str, Any] = WeakValueDictionary()

    def _end(self) -> int:
        return len(self._packed)

    def __missing__(self, key: str) -> T:
        known = self._known.get(key)
        if known is not None:
            return known  # type: ignore[no-any-return]
        slot = self._slot(key)
        if slot is None:
            raise KeyError(key)
        data = self._packed[slot]
        assert data is not None, "the slot is that of an object"
        made = self._store.packing.unpack(data)
        # Of two threads that made it at once, both get the object of the first.
        return self._known.setdefault(key, made)  # type: ignore[no-any-return]


class PackedTable(_Packed[T]):
    """The objects of a graph that grows.

    One that is asked for may be changed until `settle` is called, if `note` is told of it; whoever wants it
    after that asks for it again.
    """

    def __init__(self, packing: Packing[T]) -> None:
        super().__init__(_Store(packing), [], 0)
        self._changed: dict[str, None] = {}

    def _end(self) -> int:
        return len(self._packed)

    @property
    def at_hand(self) -> int:
        """How many objects are held as they are."""
        return dict.__len__(self)

    def __missing__(self, key: str) -> T:
        slot = self._slot(key)
        data = None if slot is None else self._packed[slot]
        if data is None:
            raise KeyError(key)
        made = self._store.packing.unpack(data)
        super().__setitem__(key, made)
        return made

    def __setitem__(self, key: str, target: T) -> None:
        if key not in self:
            self._store.slots[key] = len(self._store.ids)
            self._store.ids.append(key)
            self._packed.append(b"")
            self._count += 1
        super().__setitem__(key, target)
        self._changed[key] = None

    def pop(self, key: str, *default: Any) -> Any:
        """Take an object out of the graph; its id does not come back."""
        slot = self._slot(key)
        if slot is None:
            if default:
                return default[0]
            raise KeyError(key)
        target = self[key]
        super().pop(key)
        self._changed.pop(key, None)
        self._packed[slot] = None
        self._count -= 1
        return target

    def note(self, key: str) -> None:
        """An object is changed, or was since the last `settle`."""
        if key in self:
            self._changed[key] = None

    def settle(self) -> None:
        """Pack what was made or changed; nobody may change an object any more that was asked for before."""
        for key in self._changed:
            self._packed[self._store.slots[key]] = self._store.packing.pack(self[key])
        self._changed.clear()
        self.clear()

    def view(self) -> PackedView[T]:
        """The objects as they are now; they are settled first."""
        self.settle()
        return PackedView(self._store, [*self._packed], self._count)
