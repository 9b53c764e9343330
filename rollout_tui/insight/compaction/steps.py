"""Every compaction of a bundle, and the states in which it can be looked at. Pure; reads no payloads."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from reducer.model import Compaction, CompactionRequest, ConversationItem, InferenceCall
from reducer.model.objects import RefType
from rollout_tui.insight.compaction.rewrites import Rewrite, install_seq, rewrites_of
from rollout_tui.insight.compaction.verdicts import Comparison, compare_checkpoint, compare_contexts
from rollout_tui.insight.contexts.item_sizes import ItemSize, total_size
from rollout_tui.insight.index import TraceIndex

Outcome = Literal["installed", "inferred", "failed", "not installed", "rewritten"]
"""What came of a compaction: `inferred` has no checkpoint in the log, but a rewritten request shows it.
`rewritten` is no compaction: a history that was cut back or edited, which can be looked at all the same."""


class CompactionStep(Struct, frozen=True):
    """One compaction, or one that was tried.

    Attributes:
        thread_id: the thread whose history was compacted.
        start_seq: sequence number at which it began.
        seq: sequence number at which the new history was there: of the install, or of the call that shows
            the rewritten history; for one that was never installed, at which it began.
        outcome: what came of it.
        requests: the recorded requests for it, in order; more than one if some failed.
        compaction: the recorded checkpoint.
        rewrite: the calls between which it is inferred.
        last_before: the last call of the thread before it; None if it is not in the bundle.
        first_after: the first call of the thread with the history that it left; None if there was none.
        earlier_seq: where another compaction replaced the history between `last_before` and this one.
        later_seq: where the next compaction of the thread began, if no call came in between.
    """

    thread_id: str
    start_seq: int
    seq: int
    outcome: Outcome
    requests: tuple[CompactionRequest, ...] = ()
    compaction: Compaction | None = None
    rewrite: Rewrite | None = None
    last_before: InferenceCall | None = None
    first_after: InferenceCall | None = None
    earlier_seq: int | None = None
    later_seq: int | None = None

    @property
    def identity(self) -> tuple[RefType, str]:
        """What it is the same one by in another view of the bundle."""
        if self.compaction is not None:
            return "Compaction", self.compaction.compaction_id
        if self.requests:
            return "Compaction", self.requests[0].compaction_id
        return "Rewrite", "" if self.rewrite is None else self.rewrite.after.inference_call_id

    @property
    def replaced_history(self) -> bool:
        """Whether a new history took the place of the old one."""
        return self.outcome in ("installed", "inferred")


def compaction_steps(index: TraceIndex, besides: Rewrite | None = None) -> list[CompactionStep]:
    """All compactions of a bundle, thread by thread, in each in the order of the log.

    Args:
        index: the graph.
        besides: a rewrite that is to be among them, though it is no compaction.
    """
    steps = []
    for thread in index.threads:
        own = besides is not None and besides.after.thread_id == thread.thread_id
        steps += thread_steps(index, thread.thread_id, besides if own else None)
    return steps


def thread_steps(index: TraceIndex, thread_id: str, besides: Rewrite | None = None) -> list[CompactionStep]:
    """The compactions of one thread, in the order of the log.

    Args:
        index: the graph.
        thread_id: the thread.
        besides: a rewrite of its history that is to be among them, though it is no compaction.
    """
    steps = _recorded(index, thread_id)
    if besides is not None and besides.kind != "compacted":
        seq = besides.after.execution.started_seq
        steps.append(CompactionStep(thread_id, seq, seq, "rewritten", rewrite=besides))
    for rewrite in rewrites_of(index, thread_id):
        if rewrite.kind == "compacted":
            _add_inferred(steps, rewrite)
    steps.sort(key=lambda step: (step.start_seq, step.seq))
    return _with_calls(index, thread_id, steps)


def nearest_step(steps: Sequence[CompactionStep], thread_id: str | None, seq: int) -> int | None:
    """The place of the compaction nearest to a sequence number, those of one thread before all others.

    Args:
        steps: where to look.
        thread_id: the thread to prefer.
        seq: the sequence number.

    Returns:
        A place in `steps`; None if there are none.
    """

    def distance(place: int) -> tuple[bool, int]:
        step = steps[place]
        gap = max(step.start_seq - seq, seq - step.seq, 0)
        return step.thread_id != thread_id, gap

    return min(range(len(steps)), key=distance, default=None)


def step_before(steps: Sequence[CompactionStep], thread_id: str | None, seq: int) -> int | None:
    """The place of the last compaction that was over before a sequence number.

    Args:
        steps: where to look.
        thread_id: the thread to prefer; those of others count only if it has none before.
        seq: the sequence number.

    Returns:
        A place in `steps`; None if there is none before.
    """
    before = (place for place, step in enumerate(steps) if step.seq < seq)
    return max(
        before, key=lambda place: (steps[place].thread_id == thread_id, steps[place].seq), default=None
    )


def _recorded(index: TraceIndex, thread_id: str) -> list[CompactionStep]:
    requests: dict[str, list[CompactionRequest]] = defaultdict(list)
    for request in index.trace.compaction_requests.values():
        if request.thread_id == thread_id:
            requests[request.compaction_id].append(request)
    steps = []
    for compaction in index.trace.compactions.values():
        if compaction.thread_id == thread_id:
            asked = _in_order(requests.pop(compaction.compaction_id, []))
            seq = install_seq(index, compaction)
            start = min(seq, asked[0].execution.started_seq) if asked else seq
            steps.append(CompactionStep(thread_id, start, seq, "installed", asked, compaction))
    for left in requests.values():
        asked = _in_order(left)
        start = asked[0].execution.started_seq
        failed = all(request.execution.status == "failed" for request in asked)
        steps.append(CompactionStep(thread_id, start, start, "failed" if failed else "not installed", asked))
    return steps


def _in_order(requests: list[CompactionRequest]) -> tuple[CompactionRequest, ...]:
    return tuple(sorted(requests, key=lambda request: request.execution.started_seq))


def _add_inferred(steps: list[CompactionStep], rewrite: Rewrite) -> None:
    """Add an inferred compaction; a recorded request without a checkpoint just before is a part of it."""
    first, last = rewrite.before.execution.started_seq, rewrite.after.execution.started_seq
    for place, step in enumerate(steps):
        if step.outcome == "not installed" and first < step.start_seq < last:
            steps[place] = replace(step, seq=last, outcome="inferred", rewrite=rewrite)
            return
    thread_id = rewrite.after.thread_id
    steps.append(CompactionStep(thread_id, last, last, "inferred", rewrite=rewrite))


def _with_calls(index: TraceIndex, thread_id: str, steps: list[CompactionStep]) -> list[CompactionStep]:
    calls = index.contents[thread_id].calls
    starts = [call.execution.started_seq for call in calls]
    complete = []
    replaced_at: int | None = None
    for place, step in enumerate(steps):
        before = bisect_left(starts, step.start_seq) - 1
        inferred = step.rewrite is not None
        after = bisect_left(starts, step.seq) if inferred else bisect_right(starts, step.seq)
        later = steps[place + 1].start_seq if place + 1 < len(steps) else None
        came = after < len(calls) and (later is None or starts[after] < later or inferred)
        last_before = calls[before] if before >= 0 else None
        hidden = replaced_at is not None and (last_before is None or starts[before] < replaced_at)
        complete.append(
            replace(
                step,
                last_before=last_before,
                first_after=calls[after] if came else None,
                earlier_seq=replaced_at if hidden else None,
                later_seq=None if came else later,
            )
        )
        if step.replaced_history:
            replaced_at = step.seq
    return complete


class StepView:
    """One compaction looked at: its histories compared, each when it is first asked for.

    Attributes:
        step: the compaction.
    """

    def __init__(self, index: TraceIndex, step: CompactionStep) -> None:
        self._index = index
        self.step = step

    @cached_property
    def before(self) -> list[ConversationItem]:
        """The history that was replaced: of the checkpoint, or what the last call before saw and said."""
        step = self.step
        if step.compaction is not None:
            return self._index.items(step.compaction.input_item_ids)
        return self.last_context

    @cached_property
    def after(self) -> list[ConversationItem]:
        """The history in its place: of the checkpoint, or what the first call after saw."""
        step = self.step
        if step.compaction is not None:
            return self._index.items(step.compaction.replacement_item_ids)
        return [] if step.rewrite is None else self._index.items(step.rewrite.after.request_item_ids)

    @cached_property
    def last_context(self) -> list[ConversationItem]:
        """What the last call before saw and said."""
        call = self.step.last_before
        return [] if call is None else self._index.items([*call.request_item_ids, *call.response_item_ids])

    @cached_property
    def checkpoint(self) -> Comparison | None:
        """Before and after with their verdicts; None if no history was replaced."""
        step = self.step
        if step.compaction is not None:
            return compare_checkpoint(self.before, self.after)
        if step.rewrite is not None:
            return compare_contexts(self.before, self.after, step.rewrite.summary_ids)
        return None

    @cached_property
    def all_before(self) -> list[ConversationItem]:
        """All that the model had before: its last context, and what was added until the compaction.

        A context from before an earlier compaction does not count: that one had replaced it.
        """
        return self.known_before if self.step.earlier_seq is None else self.before

    @cached_property
    def known_before(self) -> list[ConversationItem]:
        """What the last call before saw and said, and behind it what else was in the history compacted."""
        if self.step.compaction is None:
            return self.last_context
        known = {item.item_id for item in self.last_context}
        return [*self.last_context, *(item for item in self.before if item.item_id not in known)]

    @cached_property
    def aftermath(self) -> Comparison | None:
        """All that the model had before against the context of the first call after; None without one.

        Both lists go beyond the checkpoint, which does not hold the instructions of the model, nor what came
        after it. Where another compaction had replaced the last context, nothing of that is gone by this one;
        what is in it is not new all the same, and has no partner among the items before.
        """
        if self.arrival is None or self.step.earlier_seq is None:
            return self.arrival
        found = self._against_first_after(self.all_before)
        partners = [one.partner for one in found.after]
        after = [replace(one, partner=own) for one, own in zip(self.arrival.after, partners, strict=True)]
        return replace(found, after=after)

    @cached_property
    def arrival(self) -> Comparison | None:
        """What was known at the last call before against the context of the first call after."""
        return None if self.step.first_after is None else self._against_first_after(self.known_before)

    def _against_first_after(self, before: list[ConversationItem]) -> Comparison:
        call = self.step.first_after
        summary = None if self.checkpoint is None else self.checkpoint.summary
        return compare_contexts(
            before,
            [] if call is None else self._index.items(call.request_item_ids),
            () if summary is None else (summary.item_id,),
            None if self.step.compaction is None else set(self.step.compaction.input_item_ids),
        )

    @property
    def summary(self) -> ConversationItem | None:
        """The summary that the compaction made, as far as it can be told."""
        found = None if self.checkpoint is None else self.checkpoint.summary
        return None if found is None else self._index.trace.conversation_items[found.item_id]

    @cached_property
    def sizes(self) -> tuple[ItemSize, ItemSize]:
        """The sizes of the history before and of the history after."""
        return total_size(self.before), total_size(self.after)
