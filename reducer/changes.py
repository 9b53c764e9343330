"""Writes to the graph and its indexes that can be taken back.

Every handler writes through one `Changes`. When the handler fails, its writes are undone in reverse, so a
failing event leaves nothing half-made; when it succeeds, the same record says what the event touched.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from copy import copy
from typing import Any, TypeVar

from msgspec import Struct

from reducer.errors import NotApplicable
from reducer.model import RolloutTrace
from reducer.model.objects import ObjectRef, is_object, ref_of
from reducer.schemas import Schema
from reducer.wire.events import Event, RawEvent

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
S = TypeVar("S", bound=Struct)


class Changes:
    """The writes since the last `commit`."""

    def __init__(self) -> None:
        self._undo: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self._saved: set[int] = set()
        self._touched: dict[int, Struct] = {}
        self._concerned: list[ObjectRef] = []

    def commit(self) -> tuple[list[ObjectRef], list[ObjectRef]]:
        """Keep the writes.

        Returns:
            The objects that were made or changed, in order of first touch, and those that were `concern`ed.
        """
        touched, concerned = [ref_of(target) for target in self._touched.values()], self._concerned
        self._forget()
        return touched, concerned

    def roll_back(self) -> None:
        """Undo the writes since the last commit."""
        for undo, arguments in reversed(self._undo):
            undo(*arguments)
        self._forget()

    def _forget(self) -> None:
        self._undo.clear()
        self._saved.clear()
        self._touched.clear()
        self._concerned = []

    def change(self, target: S) -> S:
        """Announce that fields of a struct will be assigned. Lists in it are written by the calls below."""
        if id(target) not in self._saved:
            self._saved.add(id(target))
            self._undo.append((_restore, (target, copy(target))))
            self.touch(target)
        return target

    def touch(self, target: Struct) -> None:
        """Announce that an object is affected, for the record of provenance only."""
        if is_object(target):
            self._touched.setdefault(id(target), target)

    def concern(self, ref: ObjectRef) -> None:
        """Announce, for the record of provenance, an object that is not made before a later event."""
        self._concerned.append(ref)

    def put(self, mapping: dict[K, V], key: K, value: V) -> None:
        """Set an entry of a map."""
        if key in mapping:
            self._undo.append((mapping.__setitem__, (key, mapping[key])))
        else:
            self._undo.append((mapping.__delitem__, (key,)))
        mapping[key] = value

    def entry(self, mapping: dict[K, V], key: K, make: Callable[[], V]) -> V:
        """The entry of a map, made if it is not there."""
        if key not in mapping:
            self.put(mapping, key, make())
        return mapping[key]

    def create(self, mapping: dict[str, S], key: str, target: S) -> S:
        """Put a new object into its map."""
        self.put(mapping, key, target)
        self.touch(target)
        return target

    def drop(self, mapping: dict[K, V], key: K) -> None:
        """Remove an entry of a map, if it is there."""
        if key in mapping:
            self._undo.append((mapping.__setitem__, (key, mapping.pop(key))))

    def append(self, items: list[T], value: T) -> None:
        """Add to the end of a list."""
        items.append(value)
        self._undo.append((items.pop, ()))

    def append_once(self, items: list[T], value: T, owner: Struct) -> bool:
        """Add to the end of an object's list unless it is in it; say whether it was added."""
        if value in items:
            return False
        self.append(items, value)
        self.touch(owner)
        return True

    def insert_sorted(self, items: list[T], value: T, key: Callable[[T], Any]) -> None:
        """Add to a list that is kept in order of `key`."""
        if not items or key(items[-1]) < key(value):
            self.append(items, value)
        else:
            insort(items, value, key=key)
            self._undo.append((items.remove, (value,)))

    def remove(self, items: list[T], value: T) -> None:
        """Remove the first occurrence of a value from a list."""
        position = items.index(value)
        del items[position]
        self._undo.append((items.insert, (position, value)))

    def add(self, members: set[K], value: K) -> None:
        """Add to a set."""
        if value not in members:
            members.add(value)
            self._undo.append((members.discard, (value,)))

    def discard(self, members: set[K], value: K) -> None:
        """Remove from a set, if it is there."""
        if value in members:
            members.discard(value)
            self._undo.append((members.add, (value,)))


def _restore(target: Struct, saved: Struct) -> None:
    for name in target.__struct_fields__:
        setattr(target, name, getattr(saved, name))


Handler = Callable[[RawEvent, Any], None]
Handlers = dict[type[Event], Handler]
"""What a module does on the events that concern it."""


class LateFailure(Struct, frozen=True):
    """An event that was waiting for another one, and could not be applied when that one came.

    Attributes:
        raw: the event that waited.
        line: its line of the log.
        error: what is wrong with it.
    """

    raw: RawEvent
    line: int
    error: NotApplicable


class GraphWork:
    """What the handlers of one replay share: the graph, the record of changes to it, and a place to complain.

    Attributes:
        trace: the graph under construction.
        schema: the rules that differ between the schemas.
        changes: every write goes through it.
        line_number: the line of the log that is being applied.
        late_failures: earlier events that turned out inconsistent while the current one was applied.
    """

    def __init__(self, trace: RolloutTrace, schema: Schema) -> None:
        self.trace = trace
        self.schema = schema
        self.changes = Changes()
        self.line_number = 0
        self.late_failures: list[LateFailure] = []
