"""The context of a call against that of another call of its agent: what is new, kept, dropped, put back.

Pure. Two contexts are lists of items. What both begin with is the prefix, which a provider may have cached.
What comes after it is paired item by item; across a compaction the same content stands there as other items.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Literal

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.insight.compaction.rewrites import install_seq, rewrite_between
from rollout_tui.insight.compaction.verdicts import Basis, Judged
from rollout_tui.insight.contexts.marks import context_marks
from rollout_tui.insight.contexts.prefix import PrefixBreak, prefix_break
from rollout_tui.insight.index import TraceIndex

DeltaMark = Literal["new", "kept", "dropped", "restored"]

LineKind = Literal["part", "item", "break", "rule", "answer"]
"""What a line of a delta is: a part of the request that is no item, an item, the end of what both contexts
begin with, the rule before the answer, or an item of the answer."""


class DeltaLine(Struct, frozen=True):
    """One line of a delta. It has what a line of a context has, and more.

    Attributes:
        place: which line it is, from 0.
        ref: the item, or `RequestPart` with `instructions` or `tools`; None for the break and the rule.
        mark: how the item stands to the other context; None for what is no item of the contexts.
        kind: what the line is.
        basis: by what an item was told to be the one that was there before.
        is_judged: whether that rests on what the items say and not on what was recorded.
    """

    place: int
    ref: ObjectRef | None
    mark: DeltaMark | None = None
    kind: LineKind = "item"
    basis: Basis | None = None
    is_judged: bool = False


class ContextDelta(Struct, frozen=True):
    """The context of a call against another one.

    Attributes:
        call: the call.
        base: the call that it is compared with; None for the first call of an agent.
        seen: its lines in order, each dropped item where it stood.
        counts: how many items have which mark.
        prefix: where the two contexts begin to differ; None without a base.
        between: what replaced the history between the two calls, in words; empty if nothing did.
    """

    call: InferenceCall
    base: InferenceCall | None
    seen: list[DeltaLine]
    counts: Counter[DeltaMark]
    prefix: PrefixBreak | None
    between: str = ""

    @property
    def replaced(self) -> int:
        """How many items that are gone have another of their sort in their stead."""
        return sum(line.mark == "dropped" and line.basis is not None for line in self.seen)

    @property
    def first_change(self) -> int:
        """The place of the first item that is not kept; 0 if all are."""
        changed = (line.place for line in self.seen if line.mark not in (None, "kept"))
        return next(changed, 0)


def context_delta(index: TraceIndex, call: InferenceCall, base: InferenceCall | None = None) -> ContextDelta:
    """Compare the context of a call with that of another one.

    Args:
        index: the graph.
        call: the call.
        base: any call of the same agent, before or after; by default the one before. Its answer belongs to
            what the agent knew, so it is compared, too.

    Returns:
        The delta, in time linear in the length of the two contexts.
    """
    if base is None:
        base = index.previous_call(call)
    prefix = None if base is None else prefix_break(index, base, call)
    marks, dropped = _compare(index, call, prefix)
    lines = _Lines()
    for name in ("instructions", "tools"):
        lines.add(ObjectRef("RequestPart", name), None, "part")
    breaks_at = None if prefix is None or prefix.continues else prefix.shared
    for place in range(len(call.request_item_ids) + 1):
        if place == breaks_at:
            lines.add(None, None, "break")
        for lost in dropped.get(place, ()):
            basis = lost.basis if lost.basis in REPLACED else None
            lines.add(ObjectRef("ConversationItem", lost.item_id), "dropped", basis=basis)
        if place < len(call.request_item_ids):
            mark, basis, is_judged = marks[place]
            ref = ObjectRef("ConversationItem", call.request_item_ids[place])
            lines.add(ref, mark, "item", basis, is_judged)
    lines.add(None, None, "rule")
    for item_id in call.response_item_ids:
        lines.add(ObjectRef("ConversationItem", item_id), None, "answer")
    counts = Counter(line.mark for line in lines.made if line.mark is not None)
    between = "" if base is None else _way_between(index, base, call)
    return ContextDelta(call, base, lines.made, counts, prefix, between)


class _Lines:
    """Numbers the lines of a delta."""

    def __init__(self) -> None:
        self.made: list[DeltaLine] = []

    def add(
        self,
        ref: ObjectRef | None,
        mark: DeltaMark | None,
        kind: LineKind = "item",
        basis: Basis | None = None,
        is_judged: bool = False,
    ) -> None:
        self.made.append(DeltaLine(len(self.made), ref, mark, kind, basis, is_judged))


_Marked = tuple[DeltaMark, Basis | None, bool]


def _compare(
    index: TraceIndex, call: InferenceCall, prefix: PrefixBreak | None
) -> tuple[list[_Marked], dict[int, list[Judged]]]:
    """The mark of each item of a context, and the dropped items by the place before which they stood."""
    now = call.request_item_ids
    if prefix is None:
        return [("new", None, False)] * len(now), {}
    base = prefix.base
    found = context_marks(index, base, call)
    shared = found.shared
    marks: list[_Marked] = [("kept", "same item", False)] * shared
    stands_at: dict[int, int] = {}
    for judged in found.comparison.after:
        mark = found.mark(judged)
        if judged.partner is None:
            marks.append(("new", None, False))
            continue
        if judged.basis != "same sort":
            stands_at[judged.partner] = shared + judged.place
        doubt = judged.is_judged and judged.basis != "same item"
        marks.append((mark, judged.basis, doubt))
    dropped: dict[int, list[Judged]] = defaultdict(list)
    follows = shared
    known = len(base.request_item_ids) + len(base.response_item_ids) - shared
    for lost in found.comparison.before[:known]:
        if lost.place in stands_at:
            follows = stands_at[lost.place] + 1
        else:
            dropped[follows].append(lost)
    return marks, dropped


REPLACED: frozenset[Basis] = frozenset({"same sort", "earlier summary"})
"""Why an item that is gone has another in its stead that says something else."""


def _way_between(index: TraceIndex, base: InferenceCall, call: InferenceCall) -> str:
    """What replaced the history between two calls, whichever is the later one; empty if nothing did."""
    first, last = sorted((base.execution.started_seq, call.execution.started_seq))
    installs = (install_seq(index, one) for one in index.compactions_of(call.thread_id))
    found = sorted(seq for seq in installs if first < seq < last)
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return f"compaction at seq {found[0]}{more}"
    rewrite = rewrite_between(index, base, call) if base.execution.started_seq == first else None
    return "" if rewrite is None else f"history {rewrite.kind}, inferred"
