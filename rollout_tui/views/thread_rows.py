"""The agents: a tree by who spawned whom."""

from __future__ import annotations

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import SpawnedOrigin, Thread, UnknownOrigin
from rollout_tui import glyphs
from rollout_tui.insight.agents.delivery import Answer, DeliveryView, Sent, delivery_view, sent_view
from rollout_tui.insight.agents.table import HELPER_ROLES
from rollout_tui.insight.agents.turn_time import turn_time
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timeline.trees import Tree, tree_of_depths
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, span
from rollout_tui.texts.short_forms import count, duration, plural
from rollout_tui.views.failure_spans import failures_span, verdict_span
from rollout_tui.views.status import status_span
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeNode


class Delivery(Struct, frozen=True):
    """What went wrong between an agent and those who gave it work.

    Attributes:
        tasks: how many tasks it was sent.
        unseen_tasks: those of them that no call of it saw, delivered or not, whether they can be read or not.
        empty_tasks: those that a call saw, but that say nothing.
        unseen_messages: messages that no call of it saw.
        unseen_results: answers of it that no call of its parent saw.
        unanswered: turns that came to no answer, though the parent was not told of that either.
        closed_early: whether it was closed before it answered.
    """

    tasks: int = 0
    unseen_tasks: int = 0
    empty_tasks: int = 0
    unseen_messages: int = 0
    unseen_results: int = 0
    unanswered: int = 0
    closed_early: bool = False


def thread_tree(index: TraceIndex) -> Tree[Thread]:
    """All threads as a tree, a parent before its children."""
    values = ((thread, index.depth[thread.thread_id]) for thread in index.threads)
    return tree_of_depths(values, lambda thread: thread.thread_id)


def delivery_of(view: DeliveryView) -> Delivery:
    """Whether tasks, messages and results of an agent arrived.

    Args:
        view: all that went between the agent and others. Of an agent that nobody spawned only what it was
            sent counts: its answers go to the user.
    """
    tasks = [sent for sent in view.sent if sent.kind == "task"]
    spawned = isinstance(view.thread.origin, SpawnedOrigin)
    answers = view.answers if spawned else []
    unanswered = [one for one in answers if _is_unanswered(one)]
    return Delivery(
        tasks=len(tasks),
        unseen_tasks=sum(sent.seen_by is None for sent in tasks),
        empty_tasks=sum(_is_empty(sent) for sent in tasks),
        unseen_messages=sum(sent.kind == "message" and sent.seen_by is None for sent in view.sent),
        unseen_results=sum(_is_unseen(one) for one in answers),
        unanswered=len(unanswered),
        closed_early=bool(view.closes) and any(_was_closed(one, view) for one in unanswered),
    )


def _is_empty(sent: Sent) -> bool:
    return sent.seen_by is not None and sent.message.contents == "empty"


def _is_unseen(answer: Answer) -> bool:
    """Whether the parent missed something: an answer, or the news that there is none."""
    told = answer.delivered is not None or answer.reported_seq is not None or answer.item is not None
    return told and answer.seen_by is None


def _is_unanswered(answer: Answer) -> bool:
    return answer.item is None and answer.delivered is None and answer.reported_seq is None


def _was_closed(answer: Answer, view: DeliveryView) -> bool:
    """Whether the agent was closed while a turn ran."""
    window = answer.turn.execution
    return any(
        window.started_seq < call.execution.started_seq
        and (window.ended_seq is None or call.execution.started_seq < window.ended_seq)
        for call in view.closes
    )


class ThreadRows:
    """Makes the row of a thread; each is made once, since it sums up all that the thread did."""

    def __init__(self, timelines: Timelines) -> None:
        self._links, self._index = timelines.links, timelines.index
        self._failed_of = timelines.failed_of
        self._made: dict[str, tuple[tuple[Span, ...], Span, tuple[Span, ...]]] = {}

    def row(self, node: TreeNode[Thread]) -> Row:
        """Leaf of the agent path, what is amiss, and at the right verdict or state, time in turns, and sums.

        An agent that ended well may have failed all the same: its state is that of its last turn.
        """
        thread = node.value
        made = self._made.get(thread.thread_id)
        if made is None:
            made = (self._amiss(thread), self._verdict(thread), self._tail(thread))
            self._made[thread.thread_id] = made
        amiss, verdict, tail = made
        leaf = "/" + thread.agent_path.rsplit("/", 1)[-1]
        name = span(leaf, "strong" if node.depth == 0 else "text")
        return Row(
            key=thread.thread_id,
            spans=(name, *self._helper(thread), *amiss),
            tail=(verdict, *tail),
            depth=node.depth,
            fold=node.fold,
            verdict=verdict,
        )

    def _helper(self, thread: Thread) -> tuple[Span, ...]:
        """The tag of an agent that Codex started for itself, or of which nobody knows who started it."""
        if isinstance(thread.origin, UnknownOrigin):
            return (span(" (origin unknown)", "warn"),)
        role = _role(thread)
        return (span(f" ({role})", "muted"),) if role in HELPER_ROLES else ()

    def _amiss(self, thread: Thread) -> tuple[Span, ...]:
        """Marks for tasks and messages that never arrived, and for results that nobody saw."""
        spawned = isinstance(thread.origin, SpawnedOrigin)
        # Only of a spawned agent it counts what became of its turns: the answers of others go to the user.
        found = delivery_of((delivery_view if spawned else sent_view)(self._links, thread))
        marks, over = glyphs.active(), self._index.is_over
        into, out = f"{marks.edge_in}{marks.unknown}", f"{marks.edge_out}{marks.unknown}"
        words = []
        began = over or bool(self._index.contents[thread.thread_id].calls)
        if spawned and found.tasks == 0 and began:
            words.append(f"{into} no task")
        elif found.unseen_tasks and began:
            words.append(f"{into} {_some(found.unseen_tasks, found.tasks, 'task')} unseen")
        if found.empty_tasks:
            words.append(f"{into} empty task")
        if found.unseen_messages and over:
            words.append(f"{into} {plural(found.unseen_messages, 'message')} unseen")
        if found.unseen_results and over:
            words.append(f"{out} result unseen")
        idle = spawned and not self._index.contents[thread.thread_id].turns
        if found.closed_early:
            words.append(f"{out} closed, no result")
        elif (found.unanswered or idle) and over:
            words.append(f"{out} no result")
        return tuple(span(f" {one}", "warn") for one in words)

    def _verdict(self, thread: Thread) -> Span:
        failure = failure_of(self._index, ObjectRef("Thread", thread.thread_id))
        return status_span(thread.execution.status) if failure is None else verdict_span(failure)

    def _tail(self, thread: Thread) -> tuple[Span, ...]:
        contents = self._index.contents[thread.thread_id]
        tokens, failed = contents.tokens, self._failed_of[thread.thread_id]
        tail = [span(duration(turn_time(contents)))]
        if failed:
            tail.append(failures_span(failed))
        if tokens:
            tail.append(span(f"{count(tokens)} tok", "muted"))
        model = thread.default_model or (contents.calls[0].model if contents.calls else None)
        if model is not None:
            tail.append(span(model, "muted"))
        role = _role(thread)
        if role and role not in HELPER_ROLES:
            tail.append(span(role, "muted"))
        return tuple(tail)


def _role(thread: Thread) -> str:
    return thread.origin.agent_role if isinstance(thread.origin, SpawnedOrigin) else ""


def _some(part: int, whole: int, noun: str) -> str:
    """`task` where there is but one, else `1 of 2 tasks`."""
    return noun if whole == 1 else f"{part} of {whole} {noun}s"
