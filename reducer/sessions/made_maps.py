"""Maps that look like dictionaries, and whose values are made when somebody asks for them."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from typing import Any, TypeVar

T = TypeVar("T")


class MadeMap(dict[str, T]):
    """A map whose values have places. Its own storage has only what is at hand, if anything."""

    def _place(self, key: object) -> int | None:
        """The place of the value with a key; None if there is none."""
        raise NotImplementedError

    def _places(self) -> Iterable[int]:
        """All places that have a value, in order."""
        raise NotImplementedError

    def _key(self, place: int) -> str:
        """The key of the value at a place."""
        raise NotImplementedError

    def _made(self, place: int) -> T:
        """The value at a place."""
        raise NotImplementedError

    def __missing__(self, key: str) -> T:
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        return self._made(place)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._place(key) is not None

    def get(self, key: str, default: Any = None) -> Any:
        """The value with a key, or what is given instead."""
        try:
            return self[key]
        except KeyError:
            return default

    def __len__(self) -> int:
        raise NotImplementedError

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[str]:
        return map(self._key, self._places())

    def __reversed__(self) -> Iterator[str]:
        return reversed([*self])

    def keys(self) -> Any:
        """The keys, in order."""
        return KeysView(self)

    def values(self) -> Any:
        """The values in that order."""
        return ValuesView(self)

    def items(self) -> Any:
        """Both."""
        return ItemsView(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, dict):
            return NotImplemented
        return self.keys() == other.keys() and all(self[key] == other[key] for key in self)

    __hash__ = None
