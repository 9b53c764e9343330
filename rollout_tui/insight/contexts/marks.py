"""How each item of a context stands to that of another call: the one rule for every view that says so. Pure.

An item is *kept* if it was there before: as the same item, under the same Responses id, or with the same text
where no id contradicts. A compaction *restored* it if it stands for one that was there, and is not that one.
It is *new* if nothing there before was like it. Across a compaction these are the verdicts of the stepper on
the first call after: carried over, re-inserted and new.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from reducer.model import InferenceCall
from rollout_tui.insight.compaction.rewrites import install_seq, rewrite_between
from rollout_tui.insight.compaction.steps import CompactionStep, StepView
from rollout_tui.insight.compaction.verdicts import Comparison, Judged, compare_contexts
from rollout_tui.insight.index import TraceIndex

Mark = Literal["new", "kept", "restored"]


class ContextMarks(Struct, frozen=True):
    """The context of a call against what was known at another one.

    Attributes:
        shared: how many items both begin with that were not compared: they are the same items.
        comparison: the items behind these, their places counted from there.
        across_compaction: whether a compaction lies between the two calls.
    """

    shared: int
    comparison: Comparison
    across_compaction: bool

    def marks(self) -> Iterator[Mark]:
        """The mark of every item of the context, in order."""
        for _place in range(self.shared):
            yield "kept"
        for judged in self.comparison.after:
            yield self.mark(judged)

    def mark(self, judged: Judged) -> Mark:
        """The mark of an item that was compared.

        Other text of the same sort, such as a changed environment, is put back by a compaction. Where there
        was none, it is simply new.
        """
        if judged.verdict == "carried over":
            return "kept"
        if judged.verdict == "new" or (judged.basis == "same sort" and not self.across_compaction):
            return "new"
        return "restored"


def context_marks(index: TraceIndex, base: InferenceCall, call: InferenceCall) -> ContextMarks:
    """Compare the context of a call with what another one saw and said, in time linear in the two.

    Args:
        index: the graph.
        base: any call of the same agent. If it is the call before, all of the history that was compacted
            between the two counts as known, even where no call had seen an item of it.
        call: the call.
    """
    step = _compaction_between(index, base, call)
    view = None if step is None else StepView(index, step)
    before, now = [*base.request_item_ids, *base.response_item_ids], call.request_item_ids
    if view is not None:
        found = view.arrival if index.previous_call(call) is base else None
        summaries = () if view.summary is None else (view.summary.item_id,)
        if found is None:
            found = compare_contexts(index.items(before), index.items(now), summaries)
        return ContextMarks(0, found, True)
    rewrite = rewrite_between(index, base, call)
    shared = len(base.request_item_ids) if rewrite is None else 0
    judged = () if rewrite is None else rewrite.summary_ids
    found = compare_contexts(index.items(before[shared:]), index.items(now[shared:]), judged)
    return ContextMarks(shared, found, False)


def _compaction_between(index: TraceIndex, base: InferenceCall, call: InferenceCall) -> CompactionStep | None:
    """The last compaction between two calls, as a step from the one to the other; None without one."""
    first, last = base.execution.started_seq, call.execution.started_seq
    if first >= last:
        return None
    installs = ((install_seq(index, one), one) for one in index.compactions_of(call.thread_id))
    found = [(seq, one) for seq, one in installs if first < seq < last]
    if found:
        seq, compaction = max(found, key=lambda one: one[0])
        return CompactionStep(
            call.thread_id, seq, seq, "installed", (), compaction, last_before=base, first_after=call
        )
    rewrite = rewrite_between(index, base, call)
    if rewrite is None or rewrite.kind != "compacted":
        return None
    return CompactionStep(
        call.thread_id, last, last, "inferred", (), None, rewrite, last_before=base, first_after=call
    )
