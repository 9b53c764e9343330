"""Copies of a graph that still grows. Nobody changes them; each costs what changed since the last one."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any, TypeVar

from msgspec import Struct, structs

from reducer.model import RolloutTrace
from reducer.model.objects import OBJECTS, GraphType, ObjectRef, is_graph_type

S = TypeVar("S", bound=Struct)

_FEW: frozenset[GraphType] = frozenset({"Thread", "InteractionEdge"})
"""Types of which a graph has so few that each copy of it has them anew."""

_MANY: dict[GraphType, str] = {type_: kind.map for type_, kind in OBJECTS.items() if type_ not in _FEW}
"""The maps of the graph that may be long, by the type of their objects."""

_NEVER_GROWN = frozenset({"request_item_ids", "response_item_ids", "input_item_ids", "replacement_item_ids"})
"""Long lists that are only ever replaced as a whole, so that copies may share them."""


class Still:
    """What a map is that never changes, so that snapshots share it."""


class Snapshots:
    """Keeps the copies of the objects that did not change since they were copied."""

    def __init__(self) -> None:
        self._copies: dict[str, dict[str, Any]] = {name: {} for name in _MANY.values()}
        self._changed: dict[ObjectRef, None] = {}

    def note(self, changed: Iterable[ObjectRef]) -> None:
        """Note what `Replay.feed` says was changed."""
        self._changed.update(dict.fromkeys(changed))

    @property
    def untaken(self) -> int:
        """How many objects were made or changed since the last copy."""
        return len(self._changed)

    def take(self, graph: RolloutTrace) -> tuple[RolloutTrace, list[ObjectRef]]:
        """A copy of the graph.

        What it costs beside the objects that changed is copying maps as a whole, which is cheap.

        Args:
            graph: what `Replay.graph` gives.

        Returns:
            The copy, and what is new or changed in it since the last one, in order of first change.
        """
        changed = [*self._changed]
        self._changed.clear()
        for ref in changed:
            name = _MANY.get(ref.type) if is_graph_type(ref.type) else None
            if name is None or isinstance(getattr(graph, name), Still):
                continue
            found = getattr(graph, name).get(ref.id)
            if found is None:  # terminal sessions are taken back
                self._copies[name].pop(ref.id, None)
            else:
                self._copies[name][ref.id] = _copy(found)
        whole = {
            name: dict(copies)
            for name, copies in self._copies.items()
            if not isinstance(getattr(graph, name), Still)
        }
        payloads = graph.raw_payloads
        # Threads are few but change all the time; edges of what is undelivered are made up at the end.
        taken = structs.replace(
            graph,
            **whole,
            threads={key: _copy(one) for key, one in graph.threads.items()},
            interaction_edges={key: _copy(one) for key, one in graph.interaction_edges.items()},
            raw_payloads=payloads if isinstance(payloads, Still) else dict(payloads),
        )
        return taken, changed


def _copy(target: S) -> S:
    """A copy whose lists are its own."""
    made = copy(target)
    for name in target.__struct_fields__:
        value = getattr(target, name)
        if isinstance(value, list) and name not in _NEVER_GROWN:
            setattr(made, name, [*value])
    return made
