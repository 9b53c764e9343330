"""Who saw an item, as facts."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui.insight.contexts.visibility import Likeness, Visibility
from rollout_tui.insight.index import TraceIndex
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.detail.facts import Fact


def visibility_facts(index: TraceIndex, seen: Visibility) -> list[Fact]:
    """Visibility as rows with links: per run of calls the agent, the calls, and what ended it."""
    facts: list[Fact] = []
    if seen.unseen is not None:
        facts.append(Fact("seen by", f"no call: {seen.unseen}", style="warn"))
    for stay in seen.stays:
        first, last = (index.place_of_call(call) + 1 for call in (stay.first, stay.last))
        path, seq = index.thread_path(stay.item.thread_id), stay.first.execution.started_seq
        words = f"call {first} of {path}, seq {seq}"
        if stay.calls > 1:
            until = stay.last.execution.started_seq
            words = f"calls {first} to {last} of {path}, {plural(stay.calls, 'call')}, seq {seq} to {until}"
        facts.append(Fact("seen by", words, ObjectRef("InferenceCall", stay.first.inference_call_id)))
        if stay.likeness != "this item":
            ref = ObjectRef("ConversationItem", stay.item.item_id)
            facts.append(Fact("  as", _LIKENESS_WORDS[stay.likeness], ref))
        name = "  removed by" if stay.ending.removed else "  then"
        facts.append(Fact(name, stay.ending.words, stay.ending.ref))
    return facts


_LIKENESS_WORDS: dict[Likeness, str] = {
    "this item": "this item",
    "same id": "another item with the same Responses id",
    "same text": "another item with the same text, put back when this one went (a judgement)",
    "delivered as": "the item that delivered it",
    "delivered from": "the item that it was delivered from",
}
