"""Objects of the graph as documents: what the detail pane says of them, with all their texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reducer import ObjectRef
from rollout_tui.insight.agents.delivery import Sent, delivery_view
from rollout_tui.insight.agents.sent_texts import sent_text
from rollout_tui.insight.certainty import (
    NOT_RECORDED,
    data_of,
)
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.prompts import prompt_of
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.output.items import output_item
from rollout_tui.language.refused import InputRefused
from rollout_tui.session import Session
from rollout_tui.showing.document import Document
from rollout_tui.showing.lists import listed_rows
from rollout_tui.showing.naming import encodable, graph_object, payload_data
from rollout_tui.views.detail.delivery_facts import delivery_facts
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.detail.object_facts import sent_section
from rollout_tui.views.prompts import prompt_sections


def object_document(session: Session, index: TraceIndex, ref: ObjectRef) -> Document:
    """An object with its facts, its texts and where its evidence is.

    Raises:
        InputRefused: the graph does not have it.
    """
    detail = describe(index, ref)
    if detail is None:
        raise InputRefused(f"this bundle has nothing to show of {ref.id[:80]}")
    document = Document(str(detail.title))
    document.facts = [(fact.name, fact.value) for fact in detail.facts]
    document.facts += [
        (f"raw {one.name}", f"{one.ref.raw_payload_id}  {one.ref.place}") for one in detail.payloads
    ]
    read = session.reader()
    texts = [(section.heading or section.title, read(section)) for section in detail.texts]
    for heading, text in texts:
        document.add_text(heading, text)
    document.data = {
        "type": ref.type,
        "id": ref.id,
        "title": encodable(detail.title),
        "object": graph_object(index, ref),
        **data_of(index, ref),
        "facts": [_fact_data(fact) for fact in detail.facts],
        "texts": [{"heading": heading, "text": encodable(text)} for heading, text in texts],
        "payloads": [{"name": one.name, **payload_data(one.ref)} for one in detail.payloads],
        **_item_data(index, ref, read),
    }
    return document


def _item_data(index: TraceIndex, ref: ObjectRef, read: Callable[[TextSection], str]) -> dict[str, Any]:
    """Of an item, or the item that an edge brought: what an output tells, and what an encrypted text was."""
    item = index.trace.conversation_items.get(ref.id) if ref.type == "ConversationItem" else None
    if ref.type == "InteractionEdge":
        item = index.target_item(index.trace.interaction_edges[ref.id])
    output, sent = (None, None) if item is None else (output_item(index, item), sent_text(index, item))
    data: dict[str, Any] = {} if output is None else {"output": output.data()}
    return data if sent is None else {**data, "sent": sent.data(read(sent_section(index, sent, "item")))}


def _fact_data(fact: Fact) -> dict[str, Any]:
    link = None if fact.link is None else {"type": fact.link.type, "id": encodable(fact.link.id)}
    return {"name": fact.name, "value": encodable(fact.value), "link": link}


def prompt_document(session: Session, index: TraceIndex, ref: ObjectRef) -> Document:
    """The prepared prompt of a call, beside the request that was sent.

    Raises:
        InputRefused: none was recorded.
    """
    call = index.trace.inference_calls[ref.id]
    prompt = prompt_of(index.trace, call, index.previous_call(call), session.json)
    if prompt is None:
        raise InputRefused(no_prompt_words(index))
    place = f"call {index.place_of_call(call) + 1} of {index.thread_path(call.thread_id)}"
    document = Document(f"prompt of {place}, {prompt.raw_payload_id}")
    for heading, text in prompt_sections(prompt):
        document.add_text(heading or "prompt", text)
    document.data = {"type": "Prompt", "prompt": prompt}
    return document


def no_prompt_words(index: TraceIndex) -> str:
    """Why there is no prepared prompt of a call."""
    if index.reduction.rebuilt_from is not None:
        return f"the prompt of a call is {NOT_RECORDED}"
    return "no prompt was recorded for this call: that came with trace schema 3"


def edge_document(session: Session, index: TraceIndex, ref: ObjectRef) -> Document:
    """An edge, and the first call of the receiving agent that saw what it delivered."""
    document = object_document(session, index, ref)
    item = index.target_item(index.trace.interaction_edges[ref.id])
    call = None if item is None or session.follower is None else session.follower.sightings.first_call(item)
    if call is not None:
        place = index.place_of_call(call) + 1
        words = f"call {place} of {index.thread_path(call.thread_id)}, seq {call.execution.started_seq}"
        document.facts.append(("first seen by", words))
    elif item is not None:
        document.facts.append(("first seen by", "no call"))
    document.data["first_seen_by"] = None if call is None else call.inference_call_id
    return document


def thread_document(session: Session, index: TraceIndex, ref: ObjectRef) -> Document:
    """An agent, with what it was sent and answered, its turns and calls."""
    document = object_document(session, index, ref)
    if session.timelines is not None:
        view = delivery_view(session.timelines.links, index.trace.threads[ref.id])
        document.facts += [(fact.name, fact.value) for fact in delivery_facts(index, view)]
        document.data["sent"] = [_sent_data(one) for one in view.sent]
    for what in ("turn", "call"):
        rows = listed_rows(index, what, ref.id)
        document.add_text(f"{what}s", "\n".join(rows) or "none")
    return document


def _sent_data(sent: Sent) -> dict[str, Any]:
    """A task or message for an agent; of an encrypted one what its sender had, and where that is from."""
    message = sent.message
    return {
        "kind": sent.kind,
        "seq": sent.seq,
        "sender": encodable(sent.sender),
        "contents": message.contents,
        "text": encodable(message.text) if message.contents == "plain" else None,
        "rebuilt": None if message.sent is None else message.sent.data(message.sent.text),
        "item_id": None if sent.item is None else sent.item.item_id,
        "first_seen_by": None if sent.seen_by is None else sent.seen_by.inference_call_id,
        "missing": None if sent.missing is None else encodable(sent.missing),
    }
