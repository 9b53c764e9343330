"""All that is told of the time of a run, at once: lanes with marks, critical path, waits, what has no end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from reducer import ObjectRef
from reducer.model.objects import is_graph_type, objects_of
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.compaction.steps import CompactionStep, compaction_steps
from rollout_tui.insight.failures.definition import Failure, failures
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.columns import LaneTimes, Mark, Window
from rollout_tui.insight.timing.lanes import Lane, lanes
from rollout_tui.insight.timing.path import CriticalPath, critical_path
from rollout_tui.insight.timing.waiting import Unended, Wait, unended, waits


class RunTime(Struct, frozen=True):
    """Where the time of a run went.

    Attributes:
        clock: when each event happened.
        whole: from the first event to the last, both of them in it.
        lanes: what each agent did, by its thread id, a parent before its children.
        path: what the end had to wait for.
        waits: who waited for whom, the longest first.
        unended: what began and has no end.
    """

    clock: Clock
    whole: Window
    lanes: Mapping[str, LaneTimes]
    path: CriticalPath
    waits: list[Wait]
    unended: list[Unended]


def run_time(links: AgentLinks) -> RunTime:
    """Look at the time of a run.

    Args:
        links: the graph, with what went between its agents.
    """
    index = links.index
    clock = Clock(index.reduction.provenance.events)
    made = lanes(index, clock)
    return RunTime(
        clock,
        whole_of(clock),
        timed(index, clock, made),
        critical_path(links, clock, made),
        waits(index, clock),
        unended(index, clock),
    )


def whole_of(clock: Clock) -> Window:
    """From the first event to the last: both lie in it."""
    return Window(clock.at(clock.first_seq), clock.between(clock.first_seq, clock.last_seq) + 1)


def timed(index: TraceIndex, clock: Clock, made: Mapping[str, Lane]) -> dict[str, LaneTimes]:
    """Lanes by time, with the failures and compactions of each agent."""
    marks = defaultdict(list)
    for failure in failures(index):
        marks[failure.thread_id].append(_mark_of_failure(index, clock, failure))
    for step in compaction_steps(index):
        ref = _compaction_ref(step)
        if ref is not None:
            marks[step.thread_id].append(Mark(clock.at(step.seq), step.seq, ref, None))
    return {id_: LaneTimes(lane, clock, marks[id_]) for id_, lane in made.items()}


def _mark_of_failure(index: TraceIndex, clock: Clock, failure: Failure) -> Mark:
    """A failure is at the last moment of what failed; where that has no end, at its first."""
    ref, begin = failure.ref, clock.at(failure.seq)
    value = objects_of(index.trace, ref.type).get(ref.id) if is_graph_type(ref.type) else None
    execution = getattr(value, "execution", None)
    ended = None if execution is None else execution.ended_seq
    return Mark(begin if ended is None else max(begin, clock.at(ended) - 1), failure.seq, ref, failure)


def _compaction_ref(step: CompactionStep) -> ObjectRef | None:
    """What shows a history that was replaced; None if it was not."""
    if not step.replaced_history:
        return None
    if step.compaction is not None:
        return ObjectRef("Compaction", step.compaction.compaction_id)
    return None if step.rewrite is None else ObjectRef("Rewrite", step.rewrite.after.inference_call_id)
