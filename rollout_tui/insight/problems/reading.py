"""Reads the line that a problem is about, and finds the objects that it touches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from reducer import BundleError, ObjectRef, Problem
from reducer.model.objects import OBJECTS, GraphType
from reducer.wire.json_text import JsonError, refuse_excess
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.problems.line import ProblemLine
from rollout_tui.insight.search.refused import line_at, payloads_in
from rollout_tui.insight.type_names import TYPE_NAMES

_FIELDS: dict[str, tuple[GraphType, str]] = {
    "thread_id": ("Thread", "thread"),
    "child_thread_id": ("Thread", "child"),
    "parent_thread_id": ("Thread", "parent"),
    "codex_turn_id": ("Turn", "turn"),
    "child_codex_turn_id": ("Turn", "turn of child"),
    "inference_call_id": ("InferenceCall", "inference call"),
    "tool_call_id": ("ToolCall", "tool call"),
    "exec_tool_call_id": ("ToolCall", "tool of terminal"),
    "compaction_id": ("Compaction", "compaction"),
    "compaction_request_id": ("CompactionRequest", "request"),
    "edge_id": ("InteractionEdge", "edge"),
}
"""The fields of an event that name an object: its type, and what it is to the event."""

_FIELD_IN_TORN_LINE = re.compile(r'"(\w+_id)":"([^"\\]{1,200})"')
_ID_IN_REASON = re.compile(r"[\w:.-]+")


def read_problem(index: TraceIndex, problem: Problem) -> ProblemLine:
    """Read the line of a problem and look for what it touches. This reads the log: not for the UI loop.

    Args:
        index: the graph.
        problem: one of its problems.
    """
    offset, data = None, b""
    if problem.line is not None:
        try:
            line = line_at(index, problem.line, file=problem.file or "")
        except BundleError:
            line = None  # the log went away after it was reduced
        if line is not None:
            offset, data = line.offset, line.data
    fields = list(_fields(data))
    touched = [*_named_by_fields(index, fields), *_named_in(index, problem.reason)]
    unique = {ref: words for words, ref in reversed(touched)}
    return ProblemLine(
        offset, tuple((words, ref) for ref, words in reversed(unique.items())), tuple(payloads_in(data))
    )


def _fields(data: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a line that hold ids; of one that is not JSON, as far as they can be told."""
    try:
        refuse_excess(data)
        value: Any = orjson.loads(data)
    except (JsonError, orjson.JSONDecodeError):
        yield from _FIELD_IN_TORN_LINE.findall(data[:_LOOKED_AT].decode(errors="replace"))
        return
    if not isinstance(value, dict):
        return
    body = value.get("payload")
    requester = body.get("requester") if isinstance(body, dict) else None
    for holder in (value, body, requester):
        if isinstance(holder, dict):
            yield from ((name, found) for name, found in holder.items() if isinstance(found, str))


_LOOKED_AT = 100_000
"""Bytes of a broken line in which ids are looked for."""


def _named_by_fields(index: TraceIndex, fields: list[tuple[str, str]]) -> Iterator[tuple[str, ObjectRef]]:
    known = dict(fields)
    for name, found in fields:
        if name in _FIELDS:
            type_, words = _FIELDS[name]
            if index.has(ref := ObjectRef(type_, found)):
                yield words, ref
        elif name == "model_visible_call_id":
            yield from _of_call_id(index, found)
        elif name == "runtime_cell_id":
            for cell in index.trace.code_cells.values():
                if (cell.thread_id, cell.runtime_cell_id) == (known.get("thread_id"), found):
                    yield "code cell", ObjectRef("CodeCell", cell.code_cell_id)
        elif name == "item_id":
            for item in index.trace.conversation_items.values():
                if item.responses_item_id == found:
                    yield "item", ObjectRef("ConversationItem", item.item_id)


def _of_call_id(index: TraceIndex, call_id: str) -> Iterator[tuple[str, ObjectRef]]:
    for call in index.trace.tool_calls.values():
        if call.model_visible_call_id == call_id:
            yield "tool call", ObjectRef("ToolCall", call.tool_call_id)
    cell = ObjectRef("CodeCell", f"code_cell:{call_id}")
    if index.has(cell):
        yield "code cell", cell


def _named_in(index: TraceIndex, reason: str) -> Iterator[tuple[str, ObjectRef]]:
    """The objects whose ids stand in a sentence."""
    for word in _ID_IN_REASON.findall(reason):
        for type_ in _LOOKED_FOR:
            if index.has(ref := ObjectRef(type_, word.rstrip(".:"))):
                yield TYPE_NAMES[type_].fact, ref


_LOOKED_FOR: tuple[GraphType, ...] = tuple(type_ for type_ in OBJECTS if type_ != "TerminalSession")
"""Types whose ids are looked for in a sentence; those of terminals are plain numbers."""
