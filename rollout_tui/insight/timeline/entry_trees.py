"""Where each entry stands in the timelines; it grows at the cost of what is new."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, get_args

from reducer import ObjectRef
from rollout_tui.insight.timeline.entries import Entry, EntryType
from rollout_tui.insight.timeline.trees import FlatTree, Tree, end_of

_RANKS = {name: rank for rank, name in enumerate(get_args(EntryType))}
"""The order of entries with one sequence number."""

_MOST = 2**40
"""More entries than are ever put: a step is a number, and entries are in its order."""

_Steps = tuple[int, ...]
"""The path of an entry."""


class _Timeline:
    """The entries of one agent and their paths, both in order, and the tree that was last made of them."""

    __slots__ = ("paths", "tree", "turns", "values")

    def __init__(self) -> None:
        self.paths: list[_Steps] = []
        self.values: list[Entry] = []
        self.turns: list[_Steps] = []
        self.tree: Tree[Entry] | None = None

    def put(self, path: _Steps, entry: Entry) -> None:
        """Put an entry where it belongs."""
        self.tree = None
        _put(self.paths, self.values, path, entry)
        if entry.ref.type == "Turn":
            self.turns.append(path)

    def take_out(self, path: _Steps) -> list[Entry]:
        """Take an entry out and what is below it; gives all of them."""
        self.tree = None
        place, end = bisect_left(self.paths, path), end_of(self.paths, path)
        taken = self.values[place:end]
        del self.paths[place:end], self.values[place:end]
        return taken

    def entry(self, path: _Steps) -> Entry:
        """The entry with a path."""
        return self.values[bisect_left(self.paths, path)]

    def as_tree(self, path_of: Callable[[Hashable], _Steps | None]) -> Tree[Entry]:
        """What is there now, as a tree."""
        if self.tree is None:
            self.tree = Tree([*self.paths], [*self.values], path_of)
        return self.tree


class _Interleaved:
    """The entries of all agents and their steps, both in order, and the tree that was last made of them."""

    __slots__ = ("steps", "tree", "values")

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.values: list[Entry] = []
        self.tree: Tree[Entry] | None = None

    def put(self, step: int, entry: Entry) -> None:
        """Put an entry where it belongs."""
        self.tree = None
        _put(self.steps, self.values, step, entry)

    def take_out(self, step: int) -> None:
        """Take an entry out."""
        self.tree = None
        place = bisect_left(self.steps, step)
        del self.steps[place], self.values[place]

    def entry(self, step: int) -> Entry:
        """The entry with a step."""
        return self.values[bisect_left(self.steps, step)]

    def as_tree(self, step_of: Callable[[Hashable], int | None]) -> Tree[Entry]:
        """What is there now, as a tree."""
        if self.tree is None:
            self.tree = FlatTree([*self.steps], [*self.values], step_of)
        return self.tree


def _put(order: list[Any], values: list[Entry], at: Any, entry: Entry) -> None:
    """Put an entry where it belongs, which is mostly the end."""
    if not order or at > order[-1]:
        order.append(at)
        values.append(entry)
    else:
        place = bisect_left(order, at)
        order.insert(place, at)
        values.insert(place, entry)


class EntryTrees:
    """The entries of every agent, in trees: under a turn what happened in it, under a cell what it ran.

    An entry stands under the one that it names if that begins before it, or else under the turn around it.
    """

    def __init__(self) -> None:
        self._timelines: dict[str, _Timeline] = defaultdict(_Timeline)
        self._all = _Interleaved()
        self._paths: dict[Hashable, _Steps] = {}
        self._paths_are_ours = True
        self._count = 0

    def settle(self, wanted: Mapping[ObjectRef, Entry | None]) -> None:
        """Put entries where they belong.

        Args:
            wanted: what each object is to have for an entry; None for none.
        """
        self._paths_are_ours = False
        homeless: dict[ObjectRef, Entry] = {}
        for ref, entry in wanted.items():
            path = self._paths.get(ref)
            known = None if path is None else self._all.entry(path[-1])
            if path is not None and known is not None and entry != known:
                homeless.update((below.ref, below) for below in self._take_out(known.thread_id, path))
        new = {ref: entry for ref, entry in wanted.items() if entry is not None and ref not in self._paths}
        old = {ref: entry for ref, entry in homeless.items() if ref not in wanted}
        self._put_all([*old.values(), *new.values()])

    def _put_all(self, entries: list[Entry]) -> None:
        for entry in sorted(entries, key=lambda entry: (entry.seq, _RANKS[entry.ref.type])):
            self._put(entry)

    def _put(self, entry: Entry) -> None:
        timeline = self._timelines[entry.thread_id]
        self._count += 1
        step = (entry.seq * len(_RANKS) + _RANKS[entry.ref.type]) * _MOST + self._count
        if entry.ref.type == "Turn":
            if timeline.paths and max(timeline.paths[-1]) > step:
                # What happened after the beginning of this turn may belong to it.
                self._put_all([*self._clear(timeline), entry])
                return
            path: _Steps = (step,)
        else:
            path = (*self._above(entry, timeline, step), step)
        timeline.put(path, entry)
        self._all.put(step, entry)
        self._paths[entry.ref] = path

    def _above(self, entry: Entry, timeline: _Timeline, step: int) -> _Steps:
        """The path of what an entry stands under."""
        above = self._paths.get(entry.parent, ())
        if above and above[-1] < step and self._all.entry(above[-1]).thread_id == entry.thread_id:
            return above
        place = bisect_right(timeline.turns, (step,))
        return timeline.turns[place - 1] if place else ()

    def _take_out(self, thread_id: str, path: _Steps) -> list[Entry]:
        taken = self._timelines[thread_id].take_out(path)
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
        if not self._paths_are_ours:
            # Trees that were made before go on finding their entries where these stood then.
            self._paths, self._paths_are_ours = dict(self._paths), True
        for entry in taken:
            self._all.take_out(self._paths.pop(entry.ref)[-1])

    # What stands there

    def trees(self) -> dict[str | None, Tree[Entry]]:
        """The timelines as they are now, by agent; None stands for all agents, interleaved, without turns."""
        paths = self._paths

        def among_all(ref: Hashable) -> int | None:
            path = paths.get(ref)
            return None if path is None else path[-1]

        found: dict[str | None, Tree[Entry]] = {None: self._all.as_tree(among_all)}
        for thread_id, timeline in self._timelines.items():
            found[thread_id] = timeline.as_tree(paths.get)
        return found
