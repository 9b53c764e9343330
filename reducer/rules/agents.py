"""Interaction edges: tasks, messages, results and closings between agents, and where they were delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs

from reducer.changes import GraphWork, Handlers
from reducer.errors import Inconsistent, Malformed
from reducer.model import (
    Anchor,
    ConversationItem,
    EdgeKind,
    InteractionEdge,
    ItemAnchor,
    ThreadAnchor,
    ToolCall,
    ToolCallAnchor,
)
from reducer.model.objects import ObjectRef
from reducer.rules.agent_events import (
    Activity,
    ToldMessage,
    read_activity,
    read_close,
    read_message,
    read_spawn_end,
)
from reducer.rules.deliveries import Deliveries, Delivery
from reducer.rules.items import ItemStore
from reducer.rules.normalize import NormalItem
from reducer.rules.threads import Threads
from reducer.schemas.v1 import AgentResultObserved
from reducer.storage.payloads import Payloads
from reducer.wire.events import (
    AssignAgentTask,
    CloseAgent,
    Mcp,
    RawEvent,
    SendMessage,
    SpawnAgent,
)
from reducer.wire.payload_refs import PayloadRef
from reducer.wire.typed_json import decode_strictly, dig


class PendingEdge(Struct, kw_only=True):
    """An edge whose message no item has delivered yet.

    Attributes:
        age: pending edges are tried in the order in which they were queued.
        fallback_thread_id: a spawn is stored with this thread as target when no item ever delivers its task.
    """

    age: int
    edge_id: str
    kind: EdgeKind
    source: Anchor
    delivery: Delivery
    fallback_thread_id: str | None
    started_at_unix_ms: int
    ended_at_unix_ms: int | None
    payload_ids: list[str]


class Agents:
    """Queues edges, delivers them to items, and stores them."""

    def __init__(self, work: GraphWork, payloads: Payloads, threads: Threads, items: ItemStore) -> None:
        self._work = work
        self._payloads = payloads
        self._threads = threads
        self._age = 0
        self._pending: dict[str, PendingEdge] = {}
        self._pending_by_delivery: dict[Delivery, list[PendingEdge]] = {}
        self._pending_by_source: dict[Anchor, list[PendingEdge]] = {}
        self._edges_by_source: dict[Anchor, list[str]] = {}
        self._deliveries = Deliveries(work, items)

    def handlers(self) -> Handlers:
        """What is done on the events that concern this."""
        return {
            AgentResultObserved: self.result_observed,
        }

    # What tool calls say

    def runtime_started(self, call: ToolCall, ref: PayloadRef) -> None:
        """Queue or store what an agent tool announces when the runtime begins (older form)."""
        what = f"the start of {call.tool_call_id} in payload {ref.raw_payload_id}"
        if isinstance(call.kind, (SendMessage, AssignAgentTask)):
            message = read_message(self._payloads.parse_whole(ref).value, what, ended=False)
            self._queue_message(call, message.receiver_thread_id, message.prompt, None)
        elif isinstance(call.kind, CloseAgent):
            close = read_close(self._payloads.parse_whole(ref).value, what, ended=False)
            self._store_close(call, close.receiver_thread_id, None)

    def runtime_ended(self, raw: RawEvent, call: ToolCall, ref: PayloadRef) -> None:
        """Queue or store what the runtime says an agent tool has done."""
        if isinstance(call.kind, Mcp) and not self._work.schema.mcp_reports_agents:
            return
        value = self._payloads.parse_whole(ref).value
        what = f"the runtime end of {call.tool_call_id} in payload {ref.raw_payload_id}"
        if isinstance(value, dict) and "agent_thread_id" in value:
            self._apply_activity(raw, call, read_activity(value, what))
        else:
            self._apply_older_end(raw, call, value, what)

    def _apply_activity(self, raw: RawEvent, call: ToolCall, activity: Activity) -> None:
        if activity.kind == "completed":
            return
        child, time = activity.agent_thread_id, raw.wall_time_unix_ms
        kind = call.kind
        if isinstance(kind, SpawnAgent) and activity.kind == "started":
            message = self._told_message(call)
            if message is not None:
                self._queue_spawn(call, call.thread_id, child, message, time)
        elif isinstance(kind, (AssignAgentTask, SendMessage)) and activity.kind == "interacted":
            message = self._told_message(call)
            if message is not None:
                self._queue_message(call, child, message, time)
        elif isinstance(kind, CloseAgent) and activity.kind == "interrupted":
            self._store_close(call, child, time)
        else:
            raise Inconsistent(
                f"sub-agent activity {activity.kind} does not fit the tool kind {kind.name_of_type}",
                f"sub-agent activity {activity.kind.capitalize()} does not match tool call kind "
                f"{kind.name_in_reference}",
            )

    def _apply_older_end(self, raw: RawEvent, call: ToolCall, value: Any, what: str) -> None:
        time = raw.wall_time_unix_ms
        if isinstance(call.kind, SpawnAgent):
            spawn = read_spawn_end(value, what)
            if spawn.new_thread_id is not None:
                self._queue_spawn(call, spawn.sender_thread_id, spawn.new_thread_id, spawn.prompt, time)
        elif isinstance(call.kind, (SendMessage, AssignAgentTask)):
            message = read_message(value, what, ended=True)
            self._queue_message(call, message.receiver_thread_id, message.prompt, time)
        elif isinstance(call.kind, CloseAgent):
            self._store_close(call, read_close(value, what, ended=True).receiver_thread_id, time)

    def _told_message(self, call: ToolCall) -> str | None:
        """The message in the arguments of a call; None if these are lost."""
        what = f"tool call {call.tool_call_id}"
        if call.raw_invocation_payload_id is None:
            raise Inconsistent(
                f"{what} acts on an agent, but has no invocation payload",
                f"agent activity {what} missing invocation payload",
            )
        ref = self._work.trace.raw_payloads[call.raw_invocation_payload_id]
        if self._payloads.is_lost(ref):
            return None
        arguments = dig(self._payloads.parse_whole(ref).value, "payload", "arguments")
        if not isinstance(arguments, str):
            raise Inconsistent(
                f"{what} acts on an agent, but has no function arguments",
                f"agent activity {what} missing function arguments",
            )
        try:
            return decode_strictly(arguments.encode(), ToldMessage).message
        except Malformed as error:
            raise Inconsistent(
                f"the arguments of {what} hold no message: {error}",
                f"parse agent activity {what} arguments",
            ) from None

    def result_returned(self, call: ToolCall, ref: PayloadRef) -> None:
        """Add the result payload of a call to the first edge that starts at it, stored or else pending."""
        source = ToolCallAnchor(call.tool_call_id)
        stored = self._edges_by_source.get(source)
        if stored:
            edge = self._work.trace.interaction_edges[stored[0]]
            self._work.changes.append_once(edge.carried_raw_payload_ids, ref.raw_payload_id, edge)
            return
        pending = self._pending_by_source.get(source)
        if pending:
            first = pending[0]
            self._work.changes.append_once(first.payload_ids, ref.raw_payload_id, first)

    # What a child's result says

    def result_observed(self, raw: RawEvent, event: AgentResultObserved) -> None:
        """Queue a child's result, from its last assistant message of the turn or else from its thread."""
        child_path = self._agent_path(event.child_thread_id)
        answer = self._deliveries.last_answer(event.child_thread_id, event.child_codex_turn_id)
        source: Anchor = ThreadAnchor(event.child_thread_id) if answer is None else ItemAnchor(answer)
        payload_ids = [] if event.carried_payload is None else [event.carried_payload.raw_payload_id]
        time = raw.wall_time_unix_ms
        self._queue(
            event.edge_id,
            "agent_result",
            source,
            (event.parent_thread_id, child_path, event.message),
            None,
            (time, time),
            payload_ids,
        )

    # Queueing and delivering

    def _queue_spawn(self, call: ToolCall, parent: str, child: str, message: str, ended: int) -> None:
        self._queue_tool_edge(
            call, f"edge:spawn:{parent}:{child}", "spawn_agent", child, message, child, ended
        )

    def _queue_message(self, call: ToolCall, receiver: str, message: str, ended: int | None) -> None:
        kind: EdgeKind = "send_message" if isinstance(call.kind, SendMessage) else "assign_agent_task"
        self._queue_tool_edge(call, f"edge:tool:{call.tool_call_id}", kind, receiver, message, None, ended)

    def _queue_tool_edge(
        self,
        call: ToolCall,
        edge_id: str,
        kind: EdgeKind,
        receiver: str,
        message: str,
        fallback: str | None,
        ended: int | None,
    ) -> None:
        self._queue(
            edge_id,
            kind,
            ToolCallAnchor(call.tool_call_id),
            (receiver, self._agent_path(call.thread_id), message),
            fallback,
            (call.execution.started_at_unix_ms, ended),
            _payload_ids(call),
        )

    def _queue(
        self,
        edge_id: str,
        kind: EdgeKind,
        source: Anchor,
        delivery: Delivery,
        fallback: str | None,
        times: tuple[int, int | None],
        payload_ids: list[str],
    ) -> None:
        """Store an edge if an item has delivered it already; else let it wait."""
        self._age += 1
        edge = PendingEdge(
            age=self._age,
            edge_id=edge_id,
            kind=kind,
            source=source,
            delivery=delivery,
            fallback_thread_id=fallback,
            started_at_unix_ms=times[0],
            ended_at_unix_ms=times[1],
            payload_ids=payload_ids,
        )
        delivered = self._deliveries.oldest_item(delivery)
        if delivered is not None:
            self._store(edge, delivered)
            return
        changes = self._work.changes
        changes.concern(ObjectRef("InteractionEdge", edge_id))
        if edge_id in self._pending:
            self._widen_pending(self._pending[edge_id], edge)
        else:
            changes.put(self._pending, edge_id, edge)
            changes.append(changes.entry(self._pending_by_delivery, delivery, list), edge)
            changes.append(changes.entry(self._pending_by_source, source, list), edge)

    def _widen_pending(self, waiting: PendingEdge, edge: PendingEdge) -> None:
        # Where a spawn falls back to is the receiver of its delivery.
        if (waiting.kind, waiting.source, waiting.delivery) != (edge.kind, edge.source, edge.delivery):
            raise Inconsistent(
                f"{edge.edge_id} waits for delivery already, with other contents",
                f"pending interaction edge {edge.edge_id} was observed with conflicting delivery data",
            )
        changes = self._work.changes
        changes.change(waiting)
        waiting.started_at_unix_ms = min(waiting.started_at_unix_ms, edge.started_at_unix_ms)
        waiting.ended_at_unix_ms = _later(waiting.ended_at_unix_ms, edge.ended_at_unix_ms)
        for payload_id in edge.payload_ids:
            changes.append_once(waiting.payload_ids, payload_id, waiting)

    def items_moved(self, item_ids: Sequence[str], before: str) -> None:
        """New items of a thread move before an accepted one."""
        self._deliveries.move_before(item_ids, before)

    def item_seen(
        self, item: ConversationItem, seen_as: NormalItem | ConversationItem, raw: RawEvent
    ) -> None:
        """Let an item that brings a message deliver the oldest edge that waits for it."""
        if item.kind != "message" or item.role != "assistant":
            return
        delivery = self._deliveries.of(item)
        waiting = None if delivery is None else self._pending_by_delivery.get(delivery)
        if waiting:
            edge = waiting[0]
            self._forget_pending(edge)
            self._store(edge, item.item_id)

    def _forget_pending(self, edge: PendingEdge) -> None:
        changes = self._work.changes
        changes.drop(self._pending, edge.edge_id)
        changes.remove(self._pending_by_delivery[edge.delivery], edge)
        changes.remove(self._pending_by_source[edge.source], edge)

    # Storing

    def _store_close(self, call: ToolCall, receiver: str, ended: int | None) -> None:
        if receiver not in self._work.trace.threads:
            return
        edge = InteractionEdge(
            f"edge:tool:{call.tool_call_id}",
            "close_agent",
            ToolCallAnchor(call.tool_call_id),
            ThreadAnchor(receiver),
            call.execution.started_at_unix_ms,
            ended,
            [],
            _payload_ids(call),
        )
        self._upsert(edge)

    def _store(self, edge: PendingEdge, item_id: str) -> None:
        self._deliveries.make_target(item_id, edge.delivery)
        self._upsert(_stored(edge, ItemAnchor(item_id), [item_id]))

    def _upsert(self, edge: InteractionEdge) -> None:
        changes, edges = self._work.changes, self._work.trace.interaction_edges
        known = edges.get(edge.edge_id)
        if known is not None:
            changes.put(edges, edge.edge_id, _widened(known, edge))
            changes.touch(edges[edge.edge_id])
            return
        changes.create(edges, edge.edge_id, edge)
        changes.insert_sorted(changes.entry(self._edges_by_source, edge.source, list), edge.edge_id, str)

    def undelivered(self) -> list[PendingEdge]:
        """The edges that still wait for an item, oldest first."""
        return sorted(self._pending.values(), key=lambda edge: edge.age)

    def edges_at_end(self) -> tuple[dict[str, InteractionEdge], list[Inconsistent]]:
        """All edges, as if the log ended here: undelivered spawns lead to the child's thread itself.

        Returns:
            The edges by id, and what speaks against those spawns that contradict a stored edge.
        """
        edges = dict(self._work.trace.interaction_edges)
        conflicts = []
        for waiting in self.undelivered():
            thread_id = waiting.fallback_thread_id
            if thread_id is not None and thread_id in self._work.trace.threads:
                edge = _stored(waiting, ThreadAnchor(thread_id), [])
                known = edges.get(edge.edge_id)
                try:
                    edges[edge.edge_id] = edge if known is None else _widened(known, edge)
                except Inconsistent as error:
                    conflicts.append(error)
        return edges, conflicts

    def _agent_path(self, thread_id: str) -> str:
        return self._threads.known_thread(thread_id, "agent edge").agent_path


def _payload_ids(call: ToolCall) -> list[str]:
    """The payloads of a tool call known so far: invocation, runtime, result; each once."""
    ids = [call.raw_invocation_payload_id, *call.raw_runtime_payload_ids, call.raw_result_payload_id]
    return list(dict.fromkeys(one for one in ids if one is not None))


def _stored(edge: PendingEdge, target: Anchor, item_ids: list[str]) -> InteractionEdge:
    return InteractionEdge(
        edge.edge_id,
        edge.kind,
        edge.source,
        target,
        edge.started_at_unix_ms,
        edge.ended_at_unix_ms,
        item_ids,
        [*edge.payload_ids],
    )


def _widened(known: InteractionEdge, edge: InteractionEdge) -> InteractionEdge:
    """An edge that was observed again: times are widened, lists united.

    Raises:
        Inconsistent: kind, source or target differ.
    """
    if (known.kind, known.source, known.target) != (edge.kind, edge.source, edge.target):
        raise Inconsistent(
            f"{edge.edge_id} was observed before between other ends",
            f"interaction edge {edge.edge_id} was observed with conflicting endpoints",
        )
    return structs.replace(
        known,
        started_at_unix_ms=min(known.started_at_unix_ms, edge.started_at_unix_ms),
        ended_at_unix_ms=_later(known.ended_at_unix_ms, edge.ended_at_unix_ms),
        carried_item_ids=list(dict.fromkeys([*known.carried_item_ids, *edge.carried_item_ids])),
        carried_raw_payload_ids=list(
            dict.fromkeys([*known.carried_raw_payload_ids, *edge.carried_raw_payload_ids])
        ),
    )


def _later(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return max(left, right)
