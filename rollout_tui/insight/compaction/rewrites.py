"""Requests in which the history of a thread is not the earlier one continued. Pure.

Local compaction leaves no events in a bundle. What it leaves is a call whose context does not begin with the
context of the call before. That alone is no compaction: a history may also be cut back to an earlier place (a
rollback) or have single items exchanged (an image left out, other instructions for a model). A call that
only leaves out what the call before answered is no rewrite at all; failed calls are repeated like that.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import Literal

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import CALL_KINDS, OUTPUT_KINDS, Compaction, ConversationItem, InferenceCall
from rollout_tui.insight.contexts.item_signs import is_work, may_sum_up, summary_sign
from rollout_tui.insight.index import TraceIndex

RewriteKind = Literal["compacted", "cut back", "edited"]


class Rewrite(Struct, frozen=True):
    """A call whose context is not that of the call before, continued.

    Attributes:
        before: the call before.
        after: the call itself.
        kind: what was done to the history, told from the two contexts.
        shared: how many items both contexts begin with.
        summary_ids: items taken for the summary of a compaction by their place, since nothing marks them.
    """

    before: InferenceCall
    after: InferenceCall
    kind: RewriteKind
    shared: int
    summary_ids: tuple[str, ...] = ()


def rewrites_of(index: TraceIndex, thread_id: str) -> list[Rewrite]:
    """The rewrites in a thread that no recorded compaction accounts for, in order."""
    contents = index.contents.get(thread_id)
    places = range(0 if contents is None else len(contents.calls))
    found = (rewrite_at(index, thread_id, place) for place in places)
    return [one for one in found if one is not None]


def rewrite_at(index: TraceIndex, thread_id: str, place: int) -> Rewrite | None:
    """How the call at a place of a thread rewrites the history, unless a recorded compaction accounts for it.

    The cost is that of comparing the lists of item ids, and more only for calls that do rewrite.
    """
    if place == 0:
        return None
    before, after = index.contents[thread_id].calls[place - 1 : place + 1]
    installs = index.installs_of(thread_id)
    at = bisect_left(installs, before.execution.started_seq, key=itemgetter(0))
    if at < len(installs) and installs[at][0] < after.execution.started_seq:
        return None
    return rewrite_between(index, before, after)


def install_seq(index: TraceIndex, compaction: Compaction) -> int:
    """The sequence number of the event that installed a compaction."""
    return index.first_seq(ObjectRef("Compaction", compaction.compaction_id)) or 0


def rewrite_between(index: TraceIndex, before: InferenceCall, after: InferenceCall) -> Rewrite | None:
    """How the context of a call rewrites that of the call before; None if it continues it."""
    seen, now = before.request_item_ids, after.request_item_ids
    if now[: len(seen)] == seen:
        return None
    pairs = enumerate(zip(seen, now, strict=False))
    shared = next((place for place, (one, other) in pairs if one != other), min(len(seen), len(now)))
    history = _Rewritten(index.items([*seen[shared:], *before.response_item_ids]), index.items(now[shared:]))
    if history.has_new_summary() or history.has_old_summary_alone():
        return Rewrite(before, after, "compacted", shared)
    summary = history.summary_by_place()
    if summary is not None:
        return Rewrite(before, after, "compacted", shared, (summary.item_id,))
    return Rewrite(before, after, "edited" if history.kept or not shared else "cut back", shared)


class _Rewritten:
    """What two contexts have that do not go on alike, each from the first difference on.

    Attributes:
        kept: ids of the items that both have.
    """

    def __init__(self, before: list[ConversationItem], after: list[ConversationItem]) -> None:
        self._before = before
        self._after = after
        self.kept = {item.item_id for item in before} & {item.item_id for item in after}

    def has_new_summary(self) -> bool:
        """Whether a summary is there that was not."""
        return any(item.item_id not in self.kept and summary_sign(item) for item in self._after)

    def has_old_summary_alone(self) -> bool:
        """Whether a summary stayed and all work is gone.

        Without Responses ids two summaries in the same words are one item in the graph.
        """
        return self._work_is_gone() and any(
            item.item_id in self.kept and summary_sign(item) for item in self._after
        )

    def summary_by_place(self) -> ConversationItem | None:
        """The message that seems to be a summary though nothing marks it.

        It is the first new message of a user behind all that was kept, if work was taken out before something
        that was kept: cutting a history back does not do that.
        """
        kept_behind = [item.item_id in self.kept for item in self._before]
        lost_work = [not kept and is_work(item) for kept, item in zip(kept_behind, self._before, strict=True)]
        if not self._work_is_gone() or True not in kept_behind[lost_work.index(True) :]:
            return None
        last = max(place for place, item in enumerate(self._after) if item.item_id in self.kept)
        behind = self._after[last + 1 :]
        return next((item for item in behind if item.role == "user" and may_sum_up(item)), None)

    def _work_is_gone(self) -> bool:
        work = [item for item in self._before if is_work(item)]
        return bool(work) and not any(item.item_id in self.kept for item in work)


def unseen_outputs(index: TraceIndex, rewrite: Rewrite) -> int:
    """How many calls of the answer before a rewrite have an output that no request ever showed."""
    calls = {
        item.call_id for item in index.items(rewrite.before.response_item_ids) if item.kind in CALL_KINDS
    }
    shown = {
        item.call_id for item in index.items(rewrite.after.request_item_ids) if item.kind in OUTPUT_KINDS
    }
    return len({call_id for call_id in calls - shown if call_id is not None})
