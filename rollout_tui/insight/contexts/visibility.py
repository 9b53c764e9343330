"""Visibility: which calls saw a conversation item, from the first to the last, and what removed it. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import Literal, NamedTuple

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import (
    Compaction,
    CompactionProducer,
    ConversationItem,
    InferenceCall,
    InferenceProducer,
    InteractionEdge,
    ItemAnchor,
)
from rollout_tui.insight.compaction.rewrites import install_seq, rewrite_between
from rollout_tui.insight.contexts.item_signs import same_text_key
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import is_cut
from rollout_tui.texts.short_forms import plural

Likeness = Literal["this item", "same id", "same text", "delivered as", "delivered from"]
"""How an item stands to the one that was asked about.

`same id`: both carry one Responses id, as after a compaction or in a child that inherited the history.
`same text`: a judgement; the items say the same, and one took the place of the other.
`delivered as`, `delivered from`: an edge leads from one to the other.
"""


class Run(NamedTuple):
    """Calls in a row that saw an item, by their places in their thread, both ends included."""

    first: int
    last: int


class Sightings:
    """Which calls saw each item, told as runs of calls in a row."""

    def __init__(self, index: TraceIndex) -> None:
        self.index = index

    def runs(self, item_id: str) -> list[Run]:
        """The runs of calls that saw an item, in order; several when it was gone in between."""
        seen = self.index.lookups.seen.get(item_id)
        if seen is None:
            return []
        # Later calls may be known already that are not in this graph.
        contents = self.index.contents.get(self.index.trace.conversation_items[item_id].thread_id)
        calls = 0 if contents is None else len(contents.calls)
        ends = [*seen, calls]
        return [
            Run(first, min(end, calls) - 1)
            for first, end in zip(ends[::2], ends[1::2], strict=False)
            if first < calls
        ]

    def call(self, item: ConversationItem, place: int) -> InferenceCall:
        """The call at a place of the thread of an item."""
        return self.index.contents[item.thread_id].calls[place]

    def first_call(self, item: ConversationItem) -> InferenceCall | None:
        """The first call that saw an item; an item belongs to one thread, and so do the calls that see it."""
        runs = self.runs(item.item_id)
        return self.call(item, runs[0].first) if runs else None

    def first_seen_by(self, call: InferenceCall) -> list[str]:
        """The ids of the items that no call before this one had seen, in their order."""
        place = self.index.place_of_call(call)
        seen = self.index.lookups.seen
        return [one for one in dict.fromkeys(call.request_item_ids) if seen[one][0] == place]

    def count(self, item_id: str) -> int:
        """How many calls saw an item."""
        return sum(run.last - run.first + 1 for run in self.runs(item_id))

    def compactions_between(self, thread_id: str, first_seq: int, last_seq: int | None) -> list[Compaction]:
        """The compactions installed in a thread after one sequence number and before another, in order."""
        entries = self.index.installs_of(thread_id)
        begin = bisect_left(entries, first_seq, key=lambda entry: entry[0])
        found = entries[begin:]
        return [one for seq, one in found if last_seq is None or seq < last_seq]


class Ending(Struct, frozen=True):
    """Why no further call saw an item.

    Attributes:
        words: what happened, for a reader.
        ref: the compaction or call that shows it; None when nothing happened.
        removed: whether something took the item away, rather than no further call coming.
        is_judged: whether it was told from the requests, because no event says it.
    """

    words: str
    ref: ObjectRef | None = None
    removed: bool = False
    is_judged: bool = False


class Stay(Struct, frozen=True):
    """An uninterrupted run of calls that saw an item, and how it ended.

    Attributes:
        item: the item: the one asked about, or one that stands for the same content.
        likeness: which of the two.
        first: the first call that saw it.
        last: the last call of the run.
        calls: how many calls that are.
        ending: what ended the run.
    """

    item: ConversationItem
    likeness: Likeness
    first: InferenceCall
    last: InferenceCall
    calls: int
    ending: Ending


class Visibility(Struct, frozen=True):
    """Who saw an item, and its content under other ids.

    Attributes:
        item: the item.
        stays: the runs of calls, by agent and in order; first those of the item's own agent.
        unseen: why no call saw the item itself; None if one did.
    """

    item: ConversationItem
    stays: list[Stay]
    unseen: str | None = None


def visibility_of(sightings: Sightings, item: ConversationItem) -> Visibility:
    """Which calls of which agents saw an item or its content, and what removed it.

    Args:
        sightings: the graph with who saw what.
        item: an item of it.

    Returns:
        Its own runs and those of the items that stand for the same content. One pass over all items.
    """
    index = sightings.index
    own = _stays(sightings, item, "this item")
    others = [
        stay for like, other in _same_content(sightings, item) for stay in _stays(sightings, other, like)
    ]
    order = {thread.thread_id: place for place, thread in enumerate(index.threads)}
    order[item.thread_id] = -1
    stays = sorted(
        [*own, *others],
        key=lambda stay: (order.get(stay.item.thread_id, len(order)), stay.first.execution.started_seq),
    )
    return Visibility(item, stays, None if own else why_unseen(sightings, item))


def _stays(sightings: Sightings, item: ConversationItem, likeness: Likeness) -> list[Stay]:
    return [
        Stay(
            item,
            likeness,
            sightings.call(item, run.first),
            sightings.call(item, run.last),
            run.last - run.first + 1,
            ending_of(sightings, item, run),
        )
        for run in sightings.runs(item.item_id)
    ]


def ending_of(sightings: Sightings, item: ConversationItem, run: Run) -> Ending:
    """What ended a run of calls that saw an item: a compaction, a rewritten history, or nothing at all."""
    index = sightings.index
    calls = index.contents[item.thread_id].calls
    last = calls[run.last]
    after = calls[run.last + 1] if run.last + 1 < len(calls) else None
    until = None if after is None else after.execution.started_seq
    compactions = sightings.compactions_between(item.thread_id, last.execution.started_seq, until)
    for compaction in compactions:
        if item.item_id in compaction.input_item_ids:
            ref = ObjectRef("Compaction", compaction.compaction_id)
            late = "" if after is not None else "; no call came after it"
            return Ending(f"compaction at seq {install_seq(index, compaction)}{late}", ref, removed=True)
    if after is None:
        return Ending(f"still visible at the last call{_state_of_agent(index, item.thread_id)}")
    ref = ObjectRef("InferenceCall", after.inference_call_id)
    number = index.place_of_call(after) + 1
    if compactions:
        words = f"left out of call {number}, the first after a compaction that did not hold it"
        return Ending(words, ref, removed=True)
    if is_cut(index.reduction.provenance, after):
        words = f"not known at call {number}: the recorder's limit cut what it saw"
        return Ending(words, ref, is_judged=True)
    rewrite = rewrite_between(index, last, after)
    assert rewrite is not None, "what a call goes on with is still visible"
    words = f"history {rewrite.kind} before call {number}, told from the requests"
    return Ending(words, ref, removed=True, is_judged=True)


def _state_of_agent(index: TraceIndex, thread_id: str) -> str:
    thread = index.trace.threads.get(thread_id)
    if thread is not None and thread.execution.ended_seq is not None:
        return f"; the agent ended at seq {thread.execution.ended_seq}"
    return "; the recording ends there" if index.is_over else ""


def why_unseen(sightings: Sightings, item: ConversationItem) -> str:
    """Why no call received an item, told from what produced it and from what its agent did then."""
    index = sightings.index
    path = index.thread_path(item.thread_id)
    for producer in item.produced_by:
        if isinstance(producer, InferenceProducer):
            call = index.trace.inference_calls.get(producer.inference_call_id)
            if call is not None:
                return f"call {index.place_of_call(call) + 1} answered with it; {_no_later_call(index, call)}"
        if isinstance(producer, CompactionProducer):
            if item.kind == "compaction_marker":
                return "a marker of the compaction, never sent to a model"
            return f"a compaction put it in place, and no later call of {path} has it"
    if item.accepted_seq is not None:
        reason = after_arrival(index, item.thread_id, item.accepted_seq)
        return f"accepted at seq {item.accepted_seq}; {reason}"
    return f"no call of {path} has it"


def _no_later_call(index: TraceIndex, call: InferenceCall) -> str:
    later = len(index.contents[call.thread_id].calls) - index.place_of_call(call) - 1
    if later:
        return f"{plural(later, 'later call')} came without it"
    return f"no later call came{_state_of_agent(index, call.thread_id)}"


def after_arrival(index: TraceIndex, thread_id: str, seq: int) -> str:
    """Why no call of an agent saw what arrived at a sequence number: told from its calls and its end.

    Args:
        index: the graph.
        thread_id: the agent for which it was meant.
        seq: when it was sent or arrived.
    """
    thread = index.trace.threads.get(thread_id)
    path = index.thread_path(thread_id)
    if thread is None:
        return f"the agent {path} is not in this bundle"
    calls = index.contents[thread_id].calls
    later = len(calls) - bisect_right(calls, seq, key=lambda call: call.execution.started_seq)
    if later:
        return f"{path} made {plural(later, 'more call')}, without it"
    ended = thread.execution.ended_seq
    if ended is not None:
        when = "had ended before" if ended < seq else "made no call after that and ended"
        return f"{path} {when} (seq {ended})"
    return f"{path} made no call after that" + ("" if index.is_over else _AS_FAR)


def not_ended(index: TraceIndex) -> str:
    """What is said of something that has no end: the log may still be growing, or its writer was killed."""
    return "never ended" if index.is_over else f"has not ended{_AS_FAR}"


_AS_FAR = ", as far as the log goes"


def _same_content(sightings: Sightings, item: ConversationItem) -> list[tuple[Likeness, ConversationItem]]:
    """Other items with the content of this one."""
    items = sightings.index.trace.conversation_items
    same_id = [
        other
        for other in items.values()
        if item.responses_item_id is not None
        and other.responses_item_id == item.responses_item_id
        and other is not item
    ]
    found: list[tuple[Likeness, ConversationItem]] = [("same id", other) for other in same_id]
    known = {item.item_id, *(other.item_id for other in same_id)}
    successors = _successors(sightings, item, [item, *same_id], known)
    found += [("same text", other) for other in successors]
    for edge in sightings.index.trace.interaction_edges.values():
        found += _across(sightings.index, edge, item)
    return found


def _successors(
    sightings: Sightings, item: ConversationItem, chain: list[ConversationItem], known: set[str]
) -> list[ConversationItem]:
    """Items of the same agent with the same text, each of which came at the very call at which another went.

    That two items say the same is not enough: a user may say `continue` every other turn.
    """
    key = same_text_key(item)
    candidates = [
        other
        for other in sightings.index.trace.conversation_items.values()
        if other.thread_id == item.thread_id
        and other.kind == item.kind
        and other.role == item.role
        and other.item_id not in known
        and sightings.runs(other.item_id)
        and same_text_key(other) == key
    ]
    by_first: dict[int, list[ConversationItem]] = defaultdict(list)
    by_end: dict[int, list[ConversationItem]] = defaultdict(list)
    for other in candidates:
        for run in sightings.runs(other.item_id):
            by_first[run.first].append(other)
            by_end[run.last + 1].append(other)
    found: dict[str, ConversationItem] = {}
    waiting = [one for one in chain if one.thread_id == item.thread_id]
    while waiting:
        for run in sightings.runs(waiting.pop().item_id):
            # What was looked up is taken out: each item is visited once, however many there are.
            for other in [*by_first.pop(run.last + 1, ()), *by_end.pop(run.first, ())]:
                if other.item_id not in found:
                    found[other.item_id] = other
                    waiting.append(other)
    return list(found.values())


def _across(
    index: TraceIndex, edge: InteractionEdge, item: ConversationItem
) -> list[tuple[Likeness, ConversationItem]]:
    """The item at the other end of an edge that begins or ends at this item."""
    anchor = ItemAnchor(item.item_id)
    ends: tuple[tuple[Likeness, object, object], ...] = (
        ("delivered as", edge.source, edge.target),
        ("delivered from", edge.target, edge.source),
    )
    return [
        (likeness, index.trace.conversation_items[other.item_id])
        for likeness, here, other in ends
        if here == anchor
        and isinstance(other, ItemAnchor)
        and other.item_id in index.trace.conversation_items
    ]
