"""Objects of the graph as documents: what the detail pane says of them, with all their texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reducer import ObjectRef
from reducer.model import ExecutionWindow
from reducer.model.objects import is_graph_type, objects_of
from rollout_tui.insight.agents.delivery import Sent, delivery_view
from rollout_tui.insight.agents.sent_texts import sent_text
from rollout_tui.insight.certainty import (
    MARK,
    NOT_RECORDED,
    data_of,
    is_start_rebuilt,
    is_state_rebuilt,
    is_there_rebuilt,
    marked,
)
from rollout_tui.insight.compaction.steps import compaction_steps, thread_steps
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import cut_count_words, cut_payloads, lost_words
from rollout_tui.insight.items.prompts import prompt_of
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.output.items import output_item
from rollout_tui.language.asking import AllOf, Single
from rollout_tui.language.refused import InputRefused
from rollout_tui.lines.spans import spans_text
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import TYPES, ids_of, thread_asked_for
from rollout_tui.showing.document import Document
from rollout_tui.texts.short_forms import count, duration, one_line, plural, window_ms
from rollout_tui.views.compaction.titles import title_spans
from rollout_tui.views.detail.delivery_facts import delivery_facts
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.detail.object_facts import sent_section
from rollout_tui.views.prompts import prompt_sections
from rollout_tui.views.thread_rows import turn_time

_ONE: dict[str, Single] = {
    "turns": "turn",
    "calls": "call",
    "tools": "tool",
    "cells": "cell",
    "edges": "edge",
    "problems": "problem",
}


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
        "payloads": [{"name": one.name, **_payload_data(one.ref)} for one in detail.payloads],
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


def graph_object(index: TraceIndex, ref: ObjectRef) -> Any:
    """The object as it stands in `state.json`; None for what does not."""
    if not is_graph_type(ref.type):
        return None
    return index.reduction.written(objects_of(index.trace, ref.type).get(ref.id))


def encodable(text: str) -> str:
    """The text with a replacement mark for each half of a surrogate pair, which no UTF-8 text can hold."""
    return text.encode("utf-8", "replace").decode()


def _fact_data(fact: Fact) -> dict[str, Any]:
    link = None if fact.link is None else {"type": fact.link.type, "id": encodable(fact.link.id)}
    return {"name": fact.name, "value": encodable(fact.value), "link": link}


def _payload_data(ref: Any) -> dict[str, Any]:
    return {"raw_payload_id": ref.raw_payload_id, "kind": ref.kind.type, "path": ref.place}


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
        rows = _listed(index, what, ref.id)
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


# Lists


def list_document(index: TraceIndex, wish: AllOf) -> Document:
    """A list of things, one line each, with the numbers by which they are asked for.

    Raises:
        InputRefused: there is no such agent.
    """
    if wish.what == "threads":
        return _threads(index)
    if wish.what == "compactions":
        return _compactions(index, wish.agent)
    if wish.what == "problems":
        return _problems(index)
    what = _ONE[wish.what]
    document = Document("")
    threads: list[str | None] = [wish.agent]
    if wish.agent is None and what in ("turn", "call"):
        threads = [thread.thread_id for thread in index.threads]
    total, data = 0, []
    for thread in threads:
        rows = _listed(index, what, thread)
        total += len(rows)
        data += _listed_data(index, what, thread)
        if rows and thread is not None:
            path = index.thread_path(thread_asked_for(index, thread))
            document.add_text(path, "\n".join(rows))
        elif rows:
            document.add_text("by number", "\n".join(rows))
    document.title = plural(total, what)
    document.data = {wish.what: data}
    return document


def _listed(index: TraceIndex, what: Single, thread: str | None) -> list[str]:
    rows = []
    for number, id_ in enumerate(ids_of(index, what, thread), 1):
        if what == "problem":
            problem = index.reduction.problems[number - 1]
            rows.append(f"{number:>5}  {one_line(f'{problem.where()}: {problem.reason}')}")
            continue
        ref = ObjectRef(TYPES[what], id_)
        detail, window = describe(index, ref), getattr(graph_object(index, ref), "execution", None)
        seq = index.first_seq(ref)
        words = [
            "" if seq is None else f"seq {seq:<6}",
            MARK if is_there_rebuilt(index, ref) else "",
            "" if detail is None else one_line(detail.title),
            "" if window is None else window_words(index, ref, window),
            _tokens(index, ref),
            id_,
        ]
        rows.append(f"{number:>5}  {'  '.join(filter(None, words))}")
    return rows


def window_words(index: TraceIndex, ref: ObjectRef, window: ExecutionWindow) -> str:
    """How something ended and how long it took, with the mark of what was rebuilt."""
    state = marked(state_words(index, ref, window), is_state_rebuilt(index, ref))
    return f"{state}  {marked(duration(window_ms(window)), is_start_rebuilt(index, ref))}"


def _tokens(index: TraceIndex, ref: ObjectRef) -> str:
    """Tokens in and out of a call."""
    call = index.trace.inference_calls.get(ref.id) if ref.type == "InferenceCall" else None
    usage = None if call is None else call.usage
    return "" if usage is None else f"{count(usage.input_tokens + usage.output_tokens)} tok"


def _listed_data(index: TraceIndex, what: Single, thread: str | None) -> list[dict[str, Any]]:
    found = []
    for number, id_ in enumerate(ids_of(index, what, thread), 1):
        ref = ObjectRef(TYPES[what], id_)
        about = index.problem(id_) if what == "problem" else graph_object(index, ref)
        detail = describe(index, ref)
        title = None if detail is None else encodable(detail.title)
        failure = failure_of(index, ref)
        told = {"title": title, "verdict": None if failure is None else failure.verdict}
        found.append({"number": number, "id": id_, **told, "object": about, **data_of(index, ref)})
    return found


def _problems(index: TraceIndex) -> Document:
    """The problems of the recording, and the payloads that limits of the recorder cut, which are none."""
    rows, cut = _listed(index, "problem", None), cut_payloads(index.trace)
    document = Document(", ".join(filter(None, [plural(len(rows), "problem"), cut_count_words(cut)])))
    if rows:
        document.add_text("by number", "\n".join(rows))
    if cut:
        lines = (f"{one.raw_payload_id} {one.kind.type} {lost_words(one)}" for one in cut)
        document.add_text("payloads that were cut", "\n".join(map(one_line, lines)))
    told = [{**_payload_data(one), "lost": lost_words(one)} for one in cut]
    document.data = {"problems": _listed_data(index, "problem", None), "cut_payloads": told}
    return document


def _threads(index: TraceIndex) -> Document:
    document = Document(plural(len(index.threads), "thread"))
    rows, data = [], []
    for thread in index.threads:
        contents = index.contents[thread.thread_id]
        counts = f"{plural(len(contents.turns), 'turn')}  {plural(len(contents.calls), 'call')}"
        indent = "  " * min(20, index.depth.get(thread.thread_id, 0))
        took = turn_time(contents)
        state = state_words(index, ObjectRef("Thread", thread.thread_id), thread.execution)
        state += "" if took is None else f"  {duration(took)} in turns"
        state += f"  {count(contents.tokens)} tok" if contents.tokens else ""
        rows.append(f"{indent}{thread.agent_path}  {state}  {counts}  {thread.thread_id}")
        told = {"turns": len(contents.turns), "calls": len(contents.calls), "tokens": contents.tokens}
        data.append({"thread": thread, **told})
    document.add_text("by agent path", "\n".join(rows) or "none")
    document.data = {"threads": data}
    return document


def _compactions(index: TraceIndex, agent: str | None) -> Document:
    steps = compaction_steps(index) if agent is None else thread_steps(index, thread_asked_for(index, agent))
    document = Document(plural(len(steps), "compaction"))
    rows = [str(spans_text(title_spans(index, steps, place))).strip() for place in range(len(steps))]
    if rows:
        document.add_text("by number", "\n".join(rows))
    document.data = {
        "compactions": [
            {"number": number, "thread_id": step.thread_id, "seq": step.seq, "outcome": step.outcome}
            for number, step in enumerate(steps, 1)
        ]
    }
    return document
