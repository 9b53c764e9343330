"""What went between an agent and those who gave it work, as facts."""

from __future__ import annotations

from reducer import ObjectRef
from reducer.model import InferenceCall, SpawnedOrigin
from rollout_tui.insight.agents.delivery import Answer, DeliveryView, Sent
from rollout_tui.insight.agents.links import NOBODY
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import agent_text
from rollout_tui.texts.short_forms import one_line
from rollout_tui.views.detail.facts import Fact


def delivery_facts(index: TraceIndex, view: DeliveryView) -> list[Fact]:
    """The delivery view of an agent as rows with links, in order of the log."""
    told: list[tuple[int, list[Fact]]] = [(sent.seq, _sent_facts(index, sent)) for sent in view.sent]
    told += [(answer.seq, answer_facts(index, answer)) for answer in view.answers]
    for call in view.closes:
        words = f"by {index.thread_path(call.thread_id)}, seq {call.execution.started_seq}"
        closing = Fact("closed", words, ObjectRef("ToolCall", call.tool_call_id))
        told.append((call.execution.started_seq, [closing]))
    facts = [fact for _seq, group in sorted(told, key=lambda entry: entry[0]) for fact in group]
    if not view.sent and isinstance(view.thread.origin, SpawnedOrigin):
        facts.insert(0, Fact("task", "none was recorded", style="warn"))
    return facts


def _sent_facts(index: TraceIndex, sent: Sent) -> list[Fact]:
    words = f"from {sent.sender}, seq {sent.seq}: {sent.message.words}"
    link = sent.source if sent.item is None else ObjectRef("ConversationItem", sent.item.item_id)
    return [Fact(sent.kind, words, link), _seen_fact(index, sent.seen_by, sent.missing)]


def answer_facts(index: TraceIndex, answer: Answer) -> list[Fact]:
    """What became of a turn as rows with links: its answer, its way to the parent, and who saw it there."""
    if answer.item is None:
        turn_ref = ObjectRef("Turn", answer.turn.codex_turn_id)
        facts = [Fact("no answer", f"turn {answer.number}: {answer.no_answer}", turn_ref, "warn")]
    else:
        words = f"turn {answer.number}: {one_line(agent_text(answer.item))}"
        facts = [Fact("answered", words, ObjectRef("ConversationItem", answer.item.item_id))]
    if answer.said is not None:
        ref = ObjectRef("ConversationItem", answer.said.item_id)
        facts.append(Fact("  last said", one_line(agent_text(answer.said)), ref))
    if answer.reported_seq is not None:
        link = None
        if answer.delivered is not None:
            link = ObjectRef("ConversationItem", answer.delivered.item_id)
        facts.append(Fact("  reported", f"seq {answer.reported_seq}", link))
    if answer.seen_by is not None or answer.missing is not None:
        facts.append(_seen_fact(index, answer.seen_by, answer.missing))
    return facts


def _seen_fact(index: TraceIndex, call: InferenceCall | None, missing: str | None) -> Fact:
    if call is None:
        words = missing or ""
        return Fact("  seen by", words if words.startswith(NOBODY) else f"no call: {words}", style="warn")
    total = len(index.contents[call.thread_id].calls)
    words = f"call {index.place_of_call(call) + 1} of {total} of {index.thread_path(call.thread_id)}"
    ref = ObjectRef("InferenceCall", call.inference_call_id)
    return Fact("  seen by", f"{words}, seq {call.execution.started_seq}", ref)
