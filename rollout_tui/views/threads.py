"""The agents: a tree by who spawned whom."""

from __future__ import annotations

from dataclasses import dataclass

from reducer.model import SpawnedOrigin, Thread
from rollout_tui import glyphs
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.tree_rows import TreeNode
from rollout_tui.views.words import count, duration, status_span, window_ms
from rollout_tui.widgets.rows import Row
from rollout_tui.widgets.spans import Span, span

HELPER_ROLES = frozenset({"review", "reviewer", "guardian", "memory"})
"""Agents that Codex starts for its own purposes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whether a spawned agent got its task, and its parent the result.

    Attributes:
        task: an item brought the task to the agent.
        result: an item brought a result of the agent to its parent.
    """

    task: bool
    result: bool


def thread_nodes(index: TraceIndex) -> list[TreeNode[Thread]]:
    """All threads as a tree, a parent before its children."""
    threads = index.threads
    depths = [index.depth[thread.thread_id] for thread in threads]
    return [
        TreeNode(thread, depth, has_children=place + 1 < len(threads) and depths[place + 1] > depth)
        for place, (thread, depth) in enumerate(zip(threads, depths, strict=True))
    ]


def delivery_of(index: TraceIndex, thread: Thread) -> Delivery | None:
    """Whether task and result of a spawned agent arrived; None for an agent nobody spawned."""
    if not isinstance(thread.origin, SpawnedOrigin):
        return None
    task = any(
        edge.kind in ("spawn_agent", "assign_agent_task") and index.target_item(edge) is not None
        for edge in index.edges_into(thread.thread_id)
    )
    result = any(
        edge.kind == "agent_result" and index.thread_of_anchor(edge.source) == thread.thread_id
        for edge in index.edges_into(thread.origin.parent_thread_id)
    )
    return Delivery(task, result)


class ThreadWords:
    """Makes the row of a thread."""

    def __init__(self, index: TraceIndex) -> None:
        self._index = index

    def row(self, node: TreeNode[Thread]) -> Row:
        """Leaf of the agent path, what is amiss, and at the right state, duration, model, tokens."""
        thread = node.value
        leaf = "/" + thread.agent_path.rsplit("/", 1)[-1]
        words = [span(leaf, "strong" if node.depth == 0 else "text"), *self._amiss(thread)]
        origin = thread.origin
        if isinstance(origin, SpawnedOrigin) and origin.agent_role in HELPER_ROLES:
            words.append(span(f" ({origin.agent_role})", "muted"))
        return Row(
            key=thread.thread_id,
            spans=tuple(words),
            tail=self._tail(thread),
            depth=node.depth,
            fold=node.fold,
        )

    def _amiss(self, thread: Thread) -> list[Span]:
        """Marks for a task that never arrived, and for a result that nobody saw."""
        delivery = delivery_of(self._index, thread)
        if delivery is None:
            return []
        marks = glyphs.active()
        amiss = []
        if not delivery.task:
            amiss.append(span(f" {marks.edge_in}{marks.unknown} no task", "warn"))
        if not delivery.result and self._index.is_over:
            amiss.append(span(f" {marks.edge_out}{marks.unknown} no result", "warn"))
        return amiss

    def _tail(self, thread: Thread) -> tuple[Span, ...]:
        contents = self._index.contents[thread.thread_id]
        tokens = sum(call.usage.input_tokens for call in contents.calls if call.usage is not None)
        failures = sum(call.execution.status == "failed" for call in contents.calls)
        failures += sum(call.execution.status == "failed" for call in contents.tool_calls)
        running = thread.execution.status == "running"
        state = status_span(thread.execution.status)
        if running and self._index.is_over:
            state = span(glyphs.active().unknown, "warn")
        tail = [state, span(duration(window_ms(thread.execution)))]
        if failures:
            tail.append(span(f"{failures} failed", "bad"))
        if tokens:
            tail.append(span(f"{count(tokens)} tok", "muted"))
        model = thread.default_model or (contents.calls[0].model if contents.calls else None)
        if model is not None:
            tail.append(span(model, "muted"))
        return tuple(tail)
