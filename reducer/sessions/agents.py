"""Edges between agents: who started whom, what was sent, what came back, and which item it became."""

from __future__ import annotations

import re
from collections import deque
from typing import Any

import orjson
from msgspec import Struct

from reducer.model import (
    AgentMessage,
    Anchor,
    ConversationItem,
    EdgeKind,
    InteractionEdge,
    ItemAnchor,
    ThreadAnchor,
    ToolCall,
    ToolCallAnchor,
)
from reducer.sessions.fields import array, text
from reducer.sessions.graph import SessionGraph
from reducer.sessions.headers import Header
from reducer.sessions.lines import Record
from reducer.sessions.turns import Threads
from reducer.wire.events import AssignAgentTask, CloseAgent, SendMessage, SpawnAgent

_COMPLETED = "subagent-completed-"
"""How the ids of notes begin that say that a turn of a child is done; the turn follows."""

_FINAL = "Message Type: FINAL_ANSWER"
_NOTIFICATION = re.compile(r"\s*<subagent_notification>")

FROM_THE_CALL = "edge (from the call and its arguments)"


class _Way(Struct, frozen=True):
    """From which thread to which one something went, and whether it set the receiver to work."""

    sender: str
    receiver: str
    is_task: bool


class Agents:
    """The edges of a run. What is sent and what arrives stand in different files, in either order."""

    def __init__(self, graph: SessionGraph, threads: Threads) -> None:
        self._graph = graph
        self._threads = threads
        self._sent: dict[_Way, deque[InteractionEdge]] = {}
        self._arrived: dict[_Way, deque[ConversationItem]] = {}
        self._results: dict[tuple[str, str], deque[InteractionEdge]] = {}
        self._last_turns: dict[str, str] = {}
        self._last_said: dict[str, str] = {}
        self._early: dict[str, list[tuple[ToolCall, dict[str, Any]]]] = {}
        """Calls to agents of which no file was read yet, by the paths of these."""

    def thread_began(self, record: Record, header: Header) -> None:
        """A thread says who started it."""
        if header.parent_id is None or header.kind != "spawned":
            return
        source: Anchor = ThreadAnchor(header.parent_id)
        self._spawned(record, header.parent_id, header.thread_id, source)
        path = header.agent_path
        for tool, arguments in self._early.pop(path, []) if path is not None else ():
            if isinstance(tool.kind, SpawnAgent):
                self.acted(record, tool.thread_id, tool, "started", header.thread_id)
            else:
                self._from_call(record, tool, arguments)

    def _spawned(self, record: Record, parent_id: str, child_id: str, source: Anchor) -> None:
        edge_id = f"edge:spawn:{parent_id}:{child_id}"
        known = self._graph.trace.interaction_edges.get(edge_id)
        if known is None:
            made = self._edge(record, edge_id, "spawn_agent", source, child_id)
            self._send(made, _Way(parent_id, child_id, is_task=True))
        elif isinstance(source, ToolCallAnchor):
            known.source = source
            known.started_at_unix_ms = min(known.started_at_unix_ms, self._graph.time(record))
            self._graph.touch("InteractionEdge", edge_id)

    def acted(self, record: Record, thread_id: str, tool: ToolCall, kind: str | None, other_id: str) -> None:
        """A tool of a thread did something to the thread of another agent.

        Args:
            record: which says so.
            thread_id: of the agent that did it.
            tool: by which.
            kind: `started`, `interacted` or `interrupted`.
            other_id: the other thread.
        """
        source = ToolCallAnchor(tool.tool_call_id)
        if kind == "started":
            self._spawned(record, thread_id, other_id, source)
            return
        edge_id = f"edge:tool:{tool.tool_call_id}"
        if edge_id in self._graph.trace.interaction_edges:
            return
        if kind == "interrupted":
            edge = self._edge(record, edge_id, "close_agent", source, other_id)
            edge.ended_at_unix_ms = edge.started_at_unix_ms
        elif kind == "interacted":
            is_task = isinstance(tool.kind, AssignAgentTask)
            sort: EdgeKind = "assign_agent_task" if is_task else "send_message"
            edge = self._edge(record, edge_id, sort, source, other_id)
            self._send(edge, _Way(thread_id, other_id, is_task))

    def collaborated(self, record: Record, thread_id: str, tool: ToolCall, item: dict[str, Any]) -> None:
        """A tool of the older kind was done; only these two of them make edges."""
        receivers = [one for one in array(item, "receiver_thread_ids") if isinstance(one, str)]
        kind = {"spawn_agent": "started", "close_agent": "interrupted"}.get(text(item, "tool") or "")
        for receiver in receivers if kind is not None else ():
            self.acted(record, thread_id, tool, kind, receiver)

    def answered(self, record: Record, tool: ToolCall, arguments: dict[str, Any], said: str) -> None:
        """A tool call that concerns agents was answered; old codex notes nothing else about it."""
        if tool.execution.status != "completed":
            return
        if isinstance(tool.kind, SpawnAgent):
            value = _object(said)
            child = text(value, "agent_id")
            path = text(value, "task_name")
            child = child or (None if path is None else self._threads.at_path(path, tool.thread_id))
            if child is not None:
                self.acted(record, tool.thread_id, tool, "started", child)
            elif path is not None:
                self._early.setdefault(path, []).append((tool, arguments))
        elif isinstance(tool.kind, (SendMessage, AssignAgentTask, CloseAgent)):
            self._from_call(record, tool, arguments)

    def _from_call(self, record: Record, tool: ToolCall, arguments: dict[str, Any]) -> None:
        if f"edge:tool:{tool.tool_call_id}" in self._graph.trace.interaction_edges:
            return
        target = text(arguments, "target") or text(arguments, "id") or ""
        sender = self._graph.trace.threads[tool.thread_id].agent_path
        path = target if target.startswith("/") else f"{sender}/{target}"
        other = target if target in self._graph.trace.threads else None
        other = other or self._threads.at_path(path, tool.thread_id)
        if other is None:
            self._early.setdefault(path, []).append((tool, arguments))
            return
        kind = "interrupted" if isinstance(tool.kind, CloseAgent) else "interacted"
        self.acted(record, tool.thread_id, tool, kind, other)
        self._graph.certainty.note(f"edge:tool:{tool.tool_call_id}", rebuilt=(FROM_THE_CALL,))

    def completed(self, record: Record, parent_id: str, note_id: str, child_id: str) -> None:
        """Codex noted in the parent that a turn of a child is done."""
        if note_id.startswith(_COMPLETED):
            self._result(record, child_id, note_id.removeprefix(_COMPLETED), parent_id)

    def _result(self, record: Record, child_id: str, turn_id: str, parent_id: str) -> InteractionEdge:
        edge_id = f"edge:agent_result:{child_id}:{turn_id}:{parent_id}"
        known = self._graph.trace.interaction_edges.get(edge_id)
        if known is not None:
            return known
        said = self._last_said.get(turn_id)
        source = ThreadAnchor(child_id) if said is None else ItemAnchor(said)
        made = self._edge(record, edge_id, "agent_result", source, parent_id)
        self._results.setdefault((child_id, parent_id), deque()).append(made)
        return made

    def turn_ended(self, thread_id: str, turn_id: str) -> None:
        """A turn of a thread is done."""
        self._last_turns[thread_id] = turn_id

    def said(self, turn_id: str, item_id: str) -> None:
        """A model said something in a turn; the last of it is what the turn results in."""
        self._last_said[turn_id] = item_id

    def arrived(
        self,
        record: Record,
        thread_id: str,
        item: ConversationItem,
        mail: AgentMessage,
        said: str,
        *,
        is_task: bool,
    ) -> None:
        """A message of another agent is in the history of a thread.

        Args:
            record: which has it.
            thread_id: of the thread.
            item: the message.
            mail: from whom it is.
            said: its readable text.
            is_task: whether it sets the agent to work.
        """
        sender = self._threads.at_path(mail.author, thread_id) or mail.author
        if said.startswith(_FINAL) or _NOTIFICATION.match(said):
            self._result_arrived(record, sender, thread_id, item)
            return
        way = _Way(sender, thread_id, is_task)
        waiting = self._sent.get(way)
        if waiting:
            self._deliver(waiting.popleft(), item)
        else:
            self._arrived.setdefault(way, deque()).append(item)

    def _result_arrived(self, record: Record, child_id: str, parent_id: str, item: ConversationItem) -> None:
        waiting = self._results.get((child_id, parent_id))
        if not waiting:
            turn_id = self._last_turns.get(child_id)
            if turn_id is None:
                return
            # A child that failed is not noted; what it was told to say arrives all the same.
            self._result(record, child_id, turn_id, parent_id)
            waiting = self._results.get((child_id, parent_id))
        if waiting:
            self._deliver(waiting.popleft(), item)

    def _send(self, edge: InteractionEdge, way: _Way) -> None:
        early = self._arrived.get(way)
        if early:
            self._deliver(edge, early.popleft())
        else:
            self._sent.setdefault(way, deque()).append(edge)

    def _deliver(self, edge: InteractionEdge, item: ConversationItem) -> None:
        edge.target = ItemAnchor(item.item_id)
        edge.carried_item_ids = [item.item_id]
        edge.ended_at_unix_ms = item.first_seen_at_unix_ms
        self._graph.touch("InteractionEdge", edge.edge_id)

    def _edge(
        self, record: Record, edge_id: str, kind: EdgeKind, source: Anchor, other_id: str
    ) -> InteractionEdge:
        at = self._graph.time(record)
        made = InteractionEdge(edge_id, kind, source, ThreadAnchor(other_id), at, None, [], [])
        self._graph.trace.interaction_edges[edge_id] = made
        self._graph.touch("InteractionEdge", edge_id)
        return made


def _object(said: str) -> dict[str, Any]:
    try:
        value = orjson.loads(said)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
