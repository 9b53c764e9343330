"""Where each entry stands in the timelines; it grows at the cost of what is new."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple, get_args

from reducer import ObjectRef
from rollout_tui.insight.timeline.entries import Entry, EntryType
from rollout_tui.insight.timeline.trees import Path, Tree, end_of

_RANKS = {name: rank for rank, name in enumerate(get_args(EntryType))}
"""The order of entries with one sequence number."""


class _Spot(NamedTuple):
    """In which timeline an entry stands, and where in it."""

    thread_id: str
    path: Path


class _Timeline:
    """The entries of one timeline and their paths, both in order, and the tree that was last made of them."""

    __slots__ = ("paths", "tree", "turns", "values")

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.values: list[Entry] = []
        self.turns: list[Path] = []
        self.tree: Tree[Entry] | None = None

    def put(self, path: Path, entry: Entry) -> None:
        """Put an entry where it belongs."""
        self.tree = None
        if not self.paths or path > self.paths[-1]:
            self.paths.append(path)
            self.values.append(entry)
        else:
            place = bisect_left(self.paths, path)
            self.paths.insert(place, path)
            self.values.insert(place, entry)
        if entry.ref.type == "Turn":
            self.turns.append(path)

    def take_out(self, path: Path) -> list[Entry]:
        """Take an entry out and what is below it; gives all of them."""
        self.tree = None
        place, end = bisect_left(self.paths, path), end_of(self.paths, path)
        taken = self.values[place:end]
        del self.paths[place:end], self.values[place:end]
        return taken

    def entry(self, path: Path) -> Entry:
        """The entry with a path."""
        return self.values[bisect_left(self.paths, path)]

    def as_tree(self, path_of: Callable[[Hashable], Path | None]) -> Tree[Entry]:
        """What is there now, as a tree."""
        if self.tree is None:
            self.tree = Tree([*self.paths], [*self.values], path_of)
        return self.tree


class EntryTrees:
    """The entries of every agent, in trees: under a turn what happened in it, under a cell what it ran.

    An entry stands under the one that it names if that begins before it, or else under the turn around it.
    """

    def __init__(self) -> None:
        self._timelines: dict[str, _Timeline] = defaultdict(_Timeline)
        self._all = _Timeline()
        self._spots: dict[Hashable, _Spot] = {}
        self._spots_are_ours = True
        self._count = 0

    def settle(self, wanted: Mapping[ObjectRef, Entry | None]) -> None:
        """Put entries where they belong.

        Args:
            wanted: what each object is to have for an entry; None for none.
        """
        self._spots_are_ours = False
        homeless: dict[ObjectRef, Entry] = {}
        for ref, entry in wanted.items():
            spot = self._spots.get(ref)
            if spot is not None and entry != self._timelines[spot.thread_id].entry(spot.path):
                homeless.update((below.ref, below) for below in self._take_out(spot))
        new = {ref: entry for ref, entry in wanted.items() if entry is not None and ref not in self._spots}
        old = {ref: entry for ref, entry in homeless.items() if ref not in wanted}
        self._put_all([*old.values(), *new.values()])

    def _put_all(self, entries: list[Entry]) -> None:
        for entry in sorted(entries, key=lambda entry: (entry.seq, _RANKS[entry.ref.type])):
            self._put(entry)

    def _put(self, entry: Entry) -> None:
        timeline = self._timelines[entry.thread_id]
        self._count += 1
        step = (entry.seq, _RANKS[entry.ref.type], self._count)
        if entry.ref.type == "Turn":
            if timeline.paths and max(timeline.paths[-1]) > step:
                # What happened after the beginning of this turn may belong to it.
                self._put_all([*self._clear(timeline), entry])
                return
            path: Path = (step,)
        else:
            path = (*self._above(entry, timeline, step), step)
        timeline.put(path, entry)
        self._all.put((step,), entry)
        self._spots[entry.ref] = _Spot(entry.thread_id, path)

    def _above(self, entry: Entry, timeline: _Timeline, step: tuple[int, int, int]) -> Path:
        """The path of what an entry stands under."""
        spot = self._spots.get(entry.parent)
        if spot is not None and spot.thread_id == entry.thread_id and spot.path[-1] < step:
            return spot.path
        place = bisect_right(timeline.turns, (step,))
        return timeline.turns[place - 1] if place else ()

    def _take_out(self, spot: _Spot) -> list[Entry]:
        taken = self._timelines[spot.thread_id].take_out(spot.path)
        self._forget(taken)
        return taken

    def _clear(self, timeline: _Timeline) -> list[Entry]:
        taken = [*timeline.values]
        self._forget(taken)
        timeline.paths.clear()
        timeline.values.clear()
        timeline.turns.clear()
        return taken

    def _forget(self, taken: Iterable[Entry]) -> None:
        if not self._spots_are_ours:
            # Trees that were made before go on finding their entries where these stood then.
            self._spots, self._spots_are_ours = dict(self._spots), True
        for entry in taken:
            self._all.take_out(self._spots.pop(entry.ref).path[-1:])

    # What stands there

    def trees(self) -> dict[str | None, Tree[Entry]]:
        """The timelines as they are now, by agent; None stands for all agents, interleaved, without turns."""
        spots = self._spots

        def among_all(ref: Hashable) -> Path | None:
            spot = spots.get(ref)
            return None if spot is None else spot.path[-1:]

        def in_its_own(ref: Hashable) -> Path | None:
            spot = spots.get(ref)
            return None if spot is None else spot.path

        found: dict[str | None, Tree[Entry]] = {None: self._all.as_tree(among_all)}
        for thread_id, timeline in self._timelines.items():
            found[thread_id] = timeline.as_tree(in_its_own)
        return found
