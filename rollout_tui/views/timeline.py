"""The timelines of a graph: entries grouped by turn, as rows, filtered or not, and the steps between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from reducer import ObjectRef
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.lookups import all_refs
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.timeline.of_agents import TimelineEntries, TimelineTrees
from rollout_tui.insight.timeline.stepping import Stepping
from rollout_tui.insight.timeline.trees import Tree

if TYPE_CHECKING:
    from rollout_tui.views.entry_rows import Entries
    from rollout_tui.views.filters import Filter
    from rollout_tui.views.tree_rows import TreeRows

# What makes rows is imported where they are drawn: what is printed as values needs none.

PROGRESS_ROWS = 200
"""Rows filtered between two words on how far it is."""

_NOTHING: Tree[Entry] = Tree((), (), lambda key: None)


class Timelines:
    """The timelines of a graph: fold states live in them.

    What takes a thread id takes None for all agents, interleaved.

    Attributes:
        index: the graph.
        links: what went between its agents.
        failed_of: how many of the entries of each agent failed.
    """

    def __init__(self, links: AgentLinks, made: TimelineTrees) -> None:
        """Take what is there.

        Args:
            links: the graph, with what went between its agents.
            made: its entries.
        """
        self.index = links.index
        self.links = links
        self._rewrites = made.rewrites
        self._trees = made.trees
        self._failed = made.failed
        self.failed_of = Counter(entry.thread_id for entry in made.failed.values())
        self._rows: dict[str | None, TreeRows[Entry]] = {}

    @classmethod
    def of(cls, index: TraceIndex) -> Timelines:
        """Those of a graph that does not grow."""
        links = AgentLinks(Sightings(index))
        events = index.reduction.provenance.events
        return cls(links, TimelineEntries().grow(links, all_refs(index.trace), events))

    @cached_property
    def entries(self) -> Entries:
        """What rows are told from."""
        from rollout_tui.views.entry_rows import Entries

        return Entries(self.index, self.links, self._rewrites)

    def tree(self, thread_id: str | None) -> Tree[Entry]:
        """The timeline of one agent as a tree: turns, what happened in them, and what a code cell ran.

        Args:
            thread_id: the agent; for one that the graph does not know the timeline is empty.
        """
        return self._trees.get(thread_id, _NOTHING)

    def rows(self, thread_id: str | None) -> TreeRows[Entry]:
        """The rows of a timeline."""
        if thread_id not in self._rows:
            self._rows[thread_id] = self._rows_of(thread_id, self.tree(thread_id))
        return self._rows[thread_id]

    def take_folds(self, folds: Mapping[str | None, Sequence[Hashable]]) -> None:
        """Fold what was folded in an earlier view of the same bundle, given by agent."""
        for thread_id, keys in folds.items():
            if keys:
                self.rows(thread_id).fold(keys)

    def _rows_of(self, thread_id: str | None, tree: Tree[Entry]) -> TreeRows[Entry]:
        from rollout_tui.views.entry_rows import EntryRows
        from rollout_tui.views.tree_rows import TreeRows

        words = EntryRows(self.entries, with_thread=thread_id is None)
        return TreeRows(tree, words.row, _ref)

    def filtered(
        self, thread_id: str | None, wanted: Filter, progress: Callable[[int, int], None] | None = None
    ) -> TreeRows[Entry]:
        """The rows of a timeline that pass a filter: every row is made and looked at.

        Args:
            thread_id: the agent, or None for all.
            wanted: the filter.
            progress: called now and then with rows done and rows in all; what it raises ends the filtering.
        """
        from rollout_tui.views.filters import EntryFacts, kept_of

        tree, facts = self.tree(thread_id), EntryFacts(self.entries)
        done = 0

        def keep(entry: Entry) -> bool:
            nonlocal done
            if progress is not None and not done % PROGRESS_ROWS:
                progress(done, len(tree))
            done += 1
            return wanted.matches(facts.of(entry))

        return self._rows_of(thread_id, kept_of(tree, _ref, keep))

    def stepping(self, thread_id: str | None) -> Stepping:
        """The steps from entry to entry of a timeline."""
        return Stepping(self.index, self.tree(thread_id), self._failed)

    @property
    def failed(self) -> int:
        """How many entries failed, of all agents: what rows mark, steps find, filters keep and lists show."""
        return len(self._failed)

    def failed_entries(self) -> list[Entry]:
        """The entries that failed, in the order of the log; `failure_of` tells the cause of one."""
        everything = self.tree(None)
        return sorted(self._failed.values(), key=lambda entry: everything.find(entry.ref) or 0)

    def thread_of(self, ref: ObjectRef) -> str | None:
        """The agent in whose timeline an object has an entry."""
        everything = self.tree(None)
        place = everything.find(ref)
        return None if place is None else everything.values[place].thread_id


def _ref(entry: Entry) -> ObjectRef:
    return entry.ref
