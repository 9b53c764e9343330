"""Lists of what a graph has as documents, with the numbers by which each element is asked for."""

from __future__ import annotations

from typing import Any

from reducer import ObjectRef
from reducer.model import ExecutionWindow
from rollout_tui.insight.agents.turn_time import turn_time
from rollout_tui.insight.certainty import (
    MARK,
    data_of,
    is_start_rebuilt,
    is_state_rebuilt,
    is_there_rebuilt,
    marked,
)
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import cut_count_words, cut_payloads, lost_words
from rollout_tui.language.asking import AllOf, Single
from rollout_tui.lines.spans import spans_text
from rollout_tui.showing.asked_for import TYPES, numbered_ids, thread_asked_for
from rollout_tui.showing.document import Document
from rollout_tui.showing.naming import encodable, graph_object, payload_data
from rollout_tui.texts.short_forms import count, duration, one_line, plural, window_ms
from rollout_tui.views.detail.describe import describe

_ONE: dict[str, Single] = {
    "turns": "turn",
    "calls": "call",
    "tools": "tool",
    "cells": "cell",
    "items": "item",
    "edges": "edge",
    "problems": "problem",
}


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
        rows = listed_rows(index, what, thread)
        total += len(rows)
        data += _listed_data(index, what, thread)
        if rows and thread is not None:
            path = index.thread_path(thread_asked_for(index, thread))
            document.add_list(path, rows, wish.what)
        elif rows:
            document.add_list("by number", rows, wish.what)
    document.title = plural(total, what)
    document.data = {wish.what: data}
    return document


def listed_rows(index: TraceIndex, what: Single, thread: str | None) -> list[str]:
    """The rows of a list, with the numbers by which each is asked for; arguments as in `numbered_ids`."""
    rows = []
    for number, id_ in numbered_ids(index, what, thread):
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
    for number, id_ in numbered_ids(index, what, thread):
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
    rows, cut = listed_rows(index, "problem", None), cut_payloads(index.trace)
    document = Document(", ".join(filter(None, [plural(len(rows), "problem"), cut_count_words(cut)])))
    if rows:
        document.add_list("by number", rows, "problems")
    if cut:
        lines = (f"{one.raw_payload_id} {one.kind.type} {lost_words(one)}" for one in cut)
        document.add_list("payloads that were cut", map(one_line, lines), "cut_payloads")
    told = [{**payload_data(one), "lost": lost_words(one)} for one in cut]
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
    if rows:
        document.add_list("by agent path", rows, "threads")
    else:
        document.add_text("by agent path", "none")
    document.data = {"threads": data}
    return document


def _compactions(index: TraceIndex, agent: str | None) -> Document:
    from rollout_tui.insight.compaction.steps import compaction_steps, thread_steps
    from rollout_tui.views.compaction.titles import title_spans

    steps = compaction_steps(index) if agent is None else thread_steps(index, thread_asked_for(index, agent))
    document = Document(plural(len(steps), "compaction"))
    rows = [str(spans_text(title_spans(index, steps, place))).strip() for place in range(len(steps))]
    if rows:
        document.add_list("by number", rows, "compactions")
    document.data = {
        "compactions": [
            {"number": number, "thread_id": step.thread_id, "seq": step.seq, "outcome": step.outcome}
            for number, step in enumerate(steps, 1)
        ]
    }
    return document
