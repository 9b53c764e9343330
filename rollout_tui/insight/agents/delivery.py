"""Delivery: what was sent to an agent, which call saw it, what the agent answered, and who saw that."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from reducer import ObjectRef
from reducer.model import (
    ConversationItem,
    EncodedPart,
    InferenceCall,
    InteractionEdge,
    Thread,
    ToolCall,
    ToolCallAnchor,
    Turn,
)
from reducer.wire.events import SendMessage
from rollout_tui.insight.agents.links import AgentLinks, anchor_ref
from rollout_tui.insight.agents.sent_texts import SentText, sent_by, sent_text
from rollout_tui.insight.contexts.visibility import why_unseen
from rollout_tui.insight.items.texts import agent_text, rebuilt_words
from rollout_tui.texts.short_forms import one_line, size

Contents = Literal["plain", "encrypted", "empty", "unknown"]


class Message(Struct, frozen=True):
    """What was sent to an agent.

    Attributes:
        contents: whether it can be read; `unknown` when no item brought it and the trace keeps no arguments.
        text: the text in one line, as far as it can be read.
        bytes: size of the encrypted content, in the encoding in which it was sent.
        sent: what the sender had of what is encrypted, where it is known.
    """

    contents: Contents
    text: str = ""
    bytes: int = 0
    sent: SentText | None = None

    @property
    def words(self) -> str:
        """The text, or what stands in its place."""
        if self.contents == "encrypted":
            words = f"encrypted, {size(self.bytes)}"
            return words if self.sent is None else f"{rebuilt_words(self.sent)}  ({words})"
        return self.text if self.contents == "plain" else self.contents


class Sent(Struct, frozen=True):
    """A task or message for an agent.

    Attributes:
        seq: when it was sent.
        kind: `task` or `message`.
        sender: path of the agent that sent it.
        source: what it was sent with.
        message: what it says.
        item: the item that delivered it.
        seen_by: the first call that saw that item.
        missing: why there is no such item or call; None when both are there.
    """

    seq: int
    kind: Literal["task", "message"]
    sender: str
    source: ObjectRef
    message: Message
    item: ConversationItem | None
    seen_by: InferenceCall | None
    missing: str | None


class Answer(Struct, frozen=True):
    """What became of one turn of an agent: its answer, and the way of that to the parent.

    Attributes:
        seq: when the turn ended, or else began.
        turn: the turn.
        number: which turn of the agent it is, from 1.
        item: the answer; None if the turn came to none.
        no_answer: why there is none.
        said: the last message of the turn where that is no answer.
        reported_seq: sequence number of the event by which the result was handed to the parent.
        delivered: the item that brought it to the parent.
        seen_by: the first call of the parent that saw it.
        missing: why the parent did not see it; None when a call saw it, or there is no parent.
    """

    seq: int
    turn: Turn
    number: int
    item: ConversationItem | None
    no_answer: str | None
    said: ConversationItem | None
    reported_seq: int | None
    delivered: ConversationItem | None
    seen_by: InferenceCall | None
    missing: str | None


class DeliveryView(Struct, frozen=True):
    """All that went between an agent and those who gave it work.

    Attributes:
        thread: the agent.
        sent: what it was sent, in order.
        answers: what became of its turns, in order.
        closes: the tool calls by which it was closed.
    """

    thread: Thread
    sent: list[Sent]
    answers: list[Answer]
    closes: list[ToolCall]


def delivery_view(links: AgentLinks, thread: Thread) -> DeliveryView:
    """What an agent was sent, by whom, which call saw it, and what became of its turns.

    Args:
        links: what went between the agents of a graph.
        thread: one of its agents; one that nobody spawned has turns, but no parent that sees its answers.
    """
    turns = links.index.contents[thread.thread_id].turns
    answers = [_answer(links, turn, number) for number, turn in enumerate(turns, start=1)]
    return replace(sent_view(links, thread), answers=answers)


def sent_view(links: AgentLinks, thread: Thread) -> DeliveryView:
    """As `delivery_view`, without what became of the turns, which may be many."""
    sent = [
        _sent(links, edge)
        for edge in links.index.edges_into(thread.thread_id)
        if edge.kind in ("spawn_agent", "assign_agent_task", "send_message")
    ]
    sent += [_lost(links, call) for call in links.lost_sends_to(thread.thread_id)]
    return DeliveryView(thread, sorted(sent, key=lambda one: one.seq), [], links.closes_of(thread.thread_id))


def _sent(links: AgentLinks, edge: InteractionEdge) -> Sent:
    index, item = links.index, links.index.target_item(edge)
    sender = index.thread_of_anchor(edge.source)
    seen_by = None if item is None else links.sightings.first_call(item)
    missing = None
    if item is None:
        missing = links.why_undelivered(edge)
    elif seen_by is None:
        missing = why_unseen(links.sightings, item)
    call = None
    if isinstance(edge.source, ToolCallAnchor):
        call = index.trace.tool_calls.get(edge.source.tool_call_id)
    return Sent(
        links.seq_of(edge),
        "message" if edge.kind == "send_message" else "task",
        "?" if sender is None else index.thread_path(sender),
        anchor_ref(edge.source),
        message_of_call(call) if item is None else replace(message_of(item), sent=sent_text(index, item)),
        item,
        seen_by,
        missing,
    )


def _lost(links: AgentLinks, call: ToolCall) -> Sent:
    return Sent(
        call.execution.started_seq,
        "message" if isinstance(call.kind, SendMessage) else "task",
        links.index.thread_path(call.thread_id),
        ObjectRef("ToolCall", call.tool_call_id),
        message_of_call(call),
        None,
        None,
        links.why_not_sent(call),
    )


def _answer(links: AgentLinks, turn: Turn, number: int) -> Answer:
    item, edge, report = links.answer_of(turn), links.result_of(turn), links.report_of(turn)
    delivered = None if edge is None else links.index.target_item(edge)
    seen_by = None if delivered is None else links.sightings.first_call(delivered)
    missing = None
    if delivered is not None and seen_by is None:
        missing = why_unseen(links.sightings, delivered)
    elif delivered is None and links.parent_of(turn.thread_id) is not None:
        missing = links.why_no_result(turn)
    return Answer(
        turn.execution.ended_seq or turn.execution.started_seq,
        turn,
        number,
        item,
        links.why_no_answer(turn) if item is None else None,
        links.last_said(turn) if item is None else None,
        None if report is None else report.seq,
        delivered,
        seen_by,
        missing,
    )


def message_of(item: ConversationItem) -> Message:
    """What an item from another agent says, without the lines that Codex puts before encrypted content."""
    sealed = sum(len(part.value) for part in item.body.parts if isinstance(part, EncodedPart))
    if sealed:
        return Message("encrypted", bytes=sealed)
    text = agent_text(item)
    return Message("plain", one_line(text)) if text else Message("empty")


def message_of_call(call: ToolCall | None) -> Message:
    """What a tool call sends, as far as the trace keeps the beginning of its arguments."""
    if call is None:
        return Message("unknown")
    text = sent_by(call)
    if text is None:
        return Message("unknown")
    return Message("plain", one_line(text)) if text.strip() else Message("empty")
