"""Turns of a thread, and the thread itself, as the records of its files tell of them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.model import RootOrigin, SpawnedOrigin, Thread, Turn
from reducer.sessions.fields import mapping, text
from reducer.sessions.graph import SessionGraph
from reducer.sessions.headers import Header
from reducer.sessions.lines import Record
from reducer.wire.events import ExecutionStatus


class TurnState(Struct):
    """What is known of a turn while it is read.

    Attributes:
        turn_id: of the turn.
        model: by which its calls are answered; empty as long as it is not told.
        has_settings: whether it has settings of its own: turns that only compact have none.
        sends_base: whether its calls have the base instructions as their first item.
        counts_responses: whether codex notes the tokens of each response on its own.
        tells_errors: whether its end would say that it failed.
        failures: how many of its calls came to nothing.
    """

    turn_id: str
    model: str = ""
    has_settings: bool = False
    sends_base: bool = False
    counts_responses: bool = False
    tells_errors: bool = False
    failures: int = 0


class Threads:
    """The threads of a run and their turns.

    Attributes:
        headers: what the first file of each thread says of it.
    """

    def __init__(self, graph: SessionGraph) -> None:
        self.headers: dict[str, Header] = {}
        self._graph = graph
        self._with_items: set[str] = set()
        self._paths: dict[tuple[str, str], str] = {}

    def thread_with(self, header: Header, record: Record) -> Thread:
        """The thread that a header speaks of; it is made if it is new."""
        known = self._graph.trace.threads.get(header.thread_id)
        if known is not None:
            return known
        self.headers[header.thread_id] = header
        path = "/root" if header.agent_path is None else header.agent_path
        made = Thread(
            header.thread_id,
            path,
            header.nickname,
            _origin(header, path),
            self._graph.opened(record),
            None,
        )
        self._graph.trace.threads[header.thread_id] = made
        self._paths.setdefault((self._tree_of(header.thread_id), path), header.thread_id)
        self._graph.touch("Thread", header.thread_id)
        self._graph.certainty.note(header.thread_id, rebuilt=("execution (its end)",))
        return made

    def at_path(self, path: str, beside: str) -> str | None:
        """The thread of the agent with a path, in the tree of another thread."""
        return self._paths.get((self._tree_of(beside), path))

    def _tree_of(self, thread_id: str) -> str:
        """The first thread of a tree: forks begin trees of their own."""
        seen = {thread_id}
        while (header := self.headers.get(thread_id)) is not None and header.parent_id is not None:
            thread_id = header.parent_id
            if thread_id in seen:
                break
            seen.add(thread_id)
        return thread_id

    def spoke(self, thread_id: str, record: Record) -> None:
        """A record of a thread was read: so far it is known to have lasted."""
        thread = self._graph.trace.threads.get(thread_id)
        if thread is not None and thread.execution.status != "running":
            status = thread.execution.status
            thread.execution = self._graph.closed(thread.execution, record, status)

    def start(self, thread_id: str, record: Record, payload: dict[str, Any]) -> TurnState | None:
        """A turn begins; None if the record does not name it."""
        turn_id = text(payload, "turn_id")
        if turn_id is None:
            return None
        self._turn(turn_id, thread_id, record)
        thread = self._graph.trace.threads[thread_id]
        thread.execution = thread.execution.reopened()
        self._graph.touch("Thread", thread_id)
        return TurnState(
            turn_id,
            sends_base=bool(mapping(payload, "turn_attribution")),
            counts_responses=text(payload, "root_turn_id") is not None,
            tells_errors=text(payload, "root_turn_id") is not None,
        )

    def has_items(self, turn_id: str, thread_id: str) -> None:
        """A turn belongs to the thread that has its items: other files may tell of it, too."""
        turn = self._graph.trace.codex_turns.get(turn_id)
        if turn is None or turn_id in self._with_items:
            return
        self._with_items.add(turn_id)
        if turn.thread_id != thread_id:
            turn.thread_id = thread_id
            self._graph.touch("Turn", turn_id)

    def end(self, thread_id: str, turn_id: str, record: Record, status: ExecutionStatus) -> bool:
        """A turn ends.

        Returns:
            Whether it is one of this thread.
        """
        turn = self._turn(turn_id, thread_id, record)
        if turn.thread_id != thread_id:
            return False
        turn.execution = self._graph.closed(turn.execution, record, status)
        thread = self._graph.trace.threads[thread_id]
        thread.execution = self._graph.closed(thread.execution, record, _of_thread(status))
        self._graph.touch("Turn", turn_id)
        self._graph.touch("Thread", thread_id)
        return True

    def _turn(self, turn_id: str, thread_id: str, record: Record) -> Turn:
        turn = self._graph.trace.codex_turns.get(turn_id)
        if turn is None:
            turn = Turn(turn_id, thread_id, self._graph.opened(record))
            self._graph.trace.codex_turns[turn_id] = turn
        self._graph.touch("Turn", turn_id)
        return turn


def _of_thread(status: ExecutionStatus) -> ExecutionStatus:
    """How a thread stands after a turn: one that was interrupted waits for the next."""
    return "completed" if status in ("completed", "cancelled") else status


def _origin(header: Header, path: str) -> RootOrigin | SpawnedOrigin:
    if header.parent_id is None:
        return RootOrigin()
    edge = f"edge:spawn:{header.parent_id}:{header.thread_id}"
    name = path.rpartition("/")[2]
    return SpawnedOrigin(header.parent_id, edge, name, header.agent_role or "")
