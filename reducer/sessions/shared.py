"""What the files of a run share, and what the files of one thread do."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.sessions.agents import Agents
from reducer.sessions.cells import Cells
from reducer.sessions.compactions import CompactionCall
from reducer.sessions.contexts import Contexts
from reducer.sessions.drift import Drift
from reducer.sessions.graph import SessionGraph
from reducer.sessions.terminals import Terminals
from reducer.sessions.tools import Tools
from reducer.sessions.turns import Threads


class ThreadParts(Struct, frozen=True):
    """What the files of one thread share."""

    contexts: Contexts
    terminals: Terminals
    tools: Tools
    cells: Cells
    arguments: dict[str, dict[str, Any]]
    """Arguments of calls to other agents that were not answered yet."""

    @classmethod
    def of(cls, graph: SessionGraph, thread_id: str) -> ThreadParts:
        """The parts of a thread that is new."""
        terminals = Terminals(graph, thread_id)
        return cls(
            Contexts(graph, thread_id),
            terminals,
            Tools(graph, thread_id, terminals),
            Cells(graph, thread_id),
            {},
        )


class Shared(Struct, frozen=True):
    """What all files of a run share."""

    graph: SessionGraph
    threads: Threads
    agents: Agents
    drift: Drift
    parts: dict[str, ThreadParts]
    compaction_calls: dict[str, CompactionCall]
