"""The timelines of a graph: entries grouped by turn, as rows, filtered or not, and the steps between them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property

from reducer import ObjectRef
from rollout_tui.views.edges.agent_links import AgentLinks
from rollout_tui.views.entries import Entries, Entry, seq_of
from rollout_tui.views.entry_words import EntryWords
from rollout_tui.views.filters import EntryFacts, Filter, kept_nodes
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.stepping import Stepping
from rollout_tui.views.tree_rows import TreeNode, TreeRows

PROGRESS_ROWS = 200
"""Rows filtered between two words on how far it is."""


class Timelines:
    """The timelines of a graph: fold states live in them.

    Entries are found at once; the tree, rows and steps of an agent are made when they are first asked for.
    What takes a thread id takes None for all agents, interleaved.

    Attributes:
        index: the graph.
        links: what went between its agents.
        entries: what the timelines are made of.
    """

    def __init__(self, index: TraceIndex, links: AgentLinks | None = None) -> None:
        """Find the entries.

        Args:
            index: the graph.
            links: what went between its agents, if that is known already.
        """
        self.index = index
        self.entries = Entries(index, links)
        self.links = self.entries.links
        self._trees: dict[str, list[TreeNode[Entry]]] = {}
        self._rows: dict[str | None, TreeRows[Entry]] = {}
        self._stepping: dict[str | None, Stepping] = {}

    def of_thread(self, thread_id: str) -> list[TreeNode[Entry]]:
        """The timeline of one agent as a tree: turns, what happened in them, and what a code cell ran.

        Args:
            thread_id: the agent; for one that the graph does not know the timeline is empty.
        """
        if thread_id not in self._trees:
            self._trees[thread_id] = _as_tree(self.entries.by_thread.get(thread_id, ()))
        return self._trees[thread_id]

    @cached_property
    def all_agents(self) -> list[TreeNode[Entry]]:
        """The timelines of all agents, interleaved by sequence number, without grouping."""
        everything = [entry for entries in self.entries.by_thread.values() for entry in entries]
        return [TreeNode(entry, 0) for entry in sorted(everything, key=seq_of)]

    def nodes(self, thread_id: str | None) -> list[TreeNode[Entry]]:
        """The timeline of one agent or of all."""
        return self.all_agents if thread_id is None else self.of_thread(thread_id)

    def rows(self, thread_id: str | None) -> TreeRows[Entry]:
        """The rows of a timeline."""
        if thread_id not in self._rows:
            self._rows[thread_id] = self._rows_of(thread_id, self.nodes(thread_id))
        return self._rows[thread_id]

    def take_folds(self, folds: Mapping[str | None, Sequence[Hashable]]) -> None:
        """Fold what was folded in an earlier view of the same bundle, given by agent."""
        for thread_id, keys in folds.items():
            if keys:
                self.rows(thread_id).fold(keys)

    def _rows_of(self, thread_id: str | None, nodes: list[TreeNode[Entry]]) -> TreeRows[Entry]:
        words = EntryWords(self.entries, with_thread=thread_id is None)
        return TreeRows(nodes, words.row, lambda entry: entry.ref)

    def filtered(
        self, thread_id: str | None, wanted: Filter, progress: Callable[[int, int], None] | None = None
    ) -> TreeRows[Entry]:
        """The rows of a timeline that pass a filter: every row is made and looked at.

        Args:
            thread_id: the agent, or None for all.
            wanted: the filter.
            progress: called now and then with rows done and rows in all; what it raises ends the filtering.
        """
        nodes, facts = self.nodes(thread_id), EntryFacts(self.entries)
        done = 0

        def keep(entry: Entry) -> bool:
            nonlocal done
            if progress is not None and not done % PROGRESS_ROWS:
                progress(done, len(nodes))
            done += 1
            return wanted.matches(facts.of(entry))

        return self._rows_of(thread_id, kept_nodes(nodes, keep))

    def stepping(self, thread_id: str | None) -> Stepping:
        """The steps from entry to entry of a timeline."""
        if thread_id not in self._stepping:
            self._stepping[thread_id] = Stepping(self.index, self.nodes(thread_id))
        return self._stepping[thread_id]

    def warm(self) -> None:
        """Make now what keys will ask for: the rows and steps of the root, and those of all agents."""
        for thread_id in (self.index.trace.root_thread_id, None):
            self.rows(thread_id)
            self.stepping(thread_id)
        self.thread_of(ObjectRef("Thread", ""))

    @cached_property
    def _thread_of(self) -> dict[ObjectRef, str]:
        return {entry.ref: entry.thread_id for some in self.entries.by_thread.values() for entry in some}

    def thread_of(self, ref: ObjectRef) -> str | None:
        """The agent in whose timeline an object has an entry."""
        return self._thread_of.get(ref)


def _as_tree(entries: Iterable[Entry]) -> list[TreeNode[Entry]]:
    """Entries in order of the log, each under its turn or cell, or else under the turn around it."""
    children: dict[ObjectRef | None, list[Entry]] = {None: []}
    known: set[ObjectRef] = set()
    open_turn: ObjectRef | None = None
    for entry in entries:
        parent = entry.parent
        if entry.ref.type == "Turn":
            open_turn = entry.ref
        elif parent is None or parent not in known:
            parent = open_turn
        children.setdefault(parent, []).append(entry)
        known.add(entry.ref)
    nodes: list[TreeNode[Entry]] = []
    stack = [(entry, 0) for entry in reversed(children[None])]
    while stack:
        entry, depth = stack.pop()
        below = children.pop(entry.ref, [])
        nodes.append(TreeNode(entry, depth, bool(below)))
        stack += [(child, depth + 1) for child in reversed(below)]
    return nodes
