"""What a session should say, by the bundle that was recorded in the same run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graph_values import item_values, kind_name

from reducer import Reduction
from reducer.model import InferenceCall, ItemAnchor, RolloutTrace, ThreadAnchor, ToolCallAnchor
from reducer.sessions import SessionReduction
from rollout_tui.lines.spans import spans_text
from rollout_tui.session import Session

_NESTED = "exec-"
_TOOK = re.compile(r"~?\d+\.\d+s")


def differences(bundles: list[Reduction], session: SessionReduction) -> list[str]:
    """What of the bundles of a run is otherwise in its session; nothing of what no session keeps.

    Args:
        bundles: of the processes of the run, in order.
        session: the run.
    """
    return [
        f"{what}: {there!r} in the bundle, {here!r} in the session"
        for what, there, here in _pairs(bundles, session)
        if there != here
    ]


def rows_shown(path: Path) -> list[tuple[str, str, str]]:
    """Agent, words, and state with tokens of the timelines, without what only one of the two can have.

    That is times and numbers of events, marks of what is rebuilt, and warnings.
    """
    timelines = Session(path).load(lambda done, total: None)
    found = []
    for thread in timelines.index.threads:
        rows = timelines.rows(thread.thread_id)
        for place in range(len(timelines.tree(thread.thread_id))):
            row = rows.row(place)
            words = spans_text(row.spans)[5:].replace("~ ", "").strip()
            tail = _TOOK.sub("", spans_text(row.tail)).replace("~", "")
            if not words.startswith("warning"):
                found.append((thread.agent_path, words, " ".join(tail.split())))
    return found


def _pairs(bundles: list[Reduction], session: SessionReduction) -> Iterator[tuple[str, Any, Any]]:
    graphs = [bundle.trace for bundle in bundles]
    ours = session.trace
    for what, values in (("threads", _threads), ("cells", _cells), ("edges", _edges)):
        yield what, _merged(map(values, graphs)), values(ours)
    turns = _turns(ours)
    if graphs[0].schema_version == 1:  # it has no failed turns: the session knows better
        turns = {
            key: (one, {"failed": "completed"}.get(status, status)) for key, (one, status) in turns.items()
        }
    yield "turns", _merged(map(_turns, graphs)), turns
    there, here = [_calls(graph) for graph in graphs], _calls(ours)
    for thread_id in {thread_id for calls in there for thread_id in calls}:
        calls = [one for found in there for one in found.get(thread_id, [])]
        yield f"number of calls of {thread_id}", len(calls), len(here.get(thread_id, []))
        for at, (one, other) in enumerate(zip(calls, here.get(thread_id, []), strict=False)):
            for name, value in one.items():
                yield f"{name} of call {at + 1} of {thread_id}", value, other[name]
    tools = {key: one for graph in graphs for key, one in _tools(graph).items()}
    for tool_id, values in tools.items():
        found = _tools(ours).get(tool_id)
        # What a program called is only noted when it was done, and writing to a terminal never is.
        if found is not None or not tool_id.startswith(_NESTED):
            yield f"tool {tool_id}", values, found
    compactions = [one for graph in graphs for one in _compactions(graph)]
    yield "compactions", compactions, [one for one in _compactions(ours) if one in compactions]


def _merged(found: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """What was said last of each."""
    return {key: value for values in found for key, value in values.items()}


def _threads(graph: RolloutTrace) -> dict[str, Any]:
    return {
        key: (one.agent_path, one.nickname, one.origin.__struct_config__.tag)
        for key, one in graph.threads.items()
    }


def _turns(graph: RolloutTrace) -> dict[str, Any]:
    return {key: (one.thread_id, one.execution.status) for key, one in graph.codex_turns.items()}


def _calls(graph: RolloutTrace) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for call in sorted(graph.inference_calls.values(), key=lambda one: one.execution.started_seq):
        found.setdefault(call.thread_id, []).append(_call(graph, call))
    return found


def _call(graph: RolloutTrace, call: InferenceCall) -> dict[str, Any]:
    items = graph.conversation_items
    return {
        "turn": call.codex_turn_id,
        "status": call.execution.status,
        "model": call.model,
        "context": [item_values(items[item_id]) for item_id in call.request_item_ids],
        "response": [item_values(items[item_id]) for item_id in call.response_item_ids],
        "response id": call.response_id,
        "tokens": call.usage,
    }


def _tools(graph: RolloutTrace) -> dict[str, Any]:
    found = {}
    for tool_id, tool in graph.tool_calls.items():
        operation = graph.terminal_operations.get(tool.terminal_operation_id or "")
        result = None if operation is None else operation.result
        # What a write gave is told otherwise: a session has only what the model was shown.
        has_output = operation is not None and operation.kind == "exec_command"
        found[tool_id] = (
            tool.thread_id,
            tool.started_by_codex_turn_id,
            kind_name(tool),
            tool.execution.status,
            getattr(tool.requester, "code_cell_id", None),
            (result.exit_code, result.stdout) if has_output and result is not None else None,
        )
    return found


def _cells(graph: RolloutTrace) -> dict[str, Any]:
    return {
        key: (one.thread_id, one.runtime_status, one.source_js, one.wait_tool_call_ids)
        for key, one in graph.code_cells.items()
    }


def _compactions(graph: RolloutTrace) -> list[Any]:
    items = graph.conversation_items
    return [
        (
            one.thread_id,
            one.codex_turn_id,
            [item_values(items[item_id]) for item_id in one.input_item_ids],
            [item_values(items[item_id]) for item_id in one.replacement_item_ids],
        )
        for one in graph.compactions.values()
    ]


def _edges(graph: RolloutTrace) -> dict[str, Any]:
    def end(anchor: ItemAnchor | ToolCallAnchor | ThreadAnchor) -> Any:
        if isinstance(anchor, ItemAnchor):
            item = graph.conversation_items[anchor.item_id]
            return (item.thread_id, item_values(item))
        return anchor

    return {key: (one.kind, end(one.source), end(one.target)) for key, one in graph.interaction_edges.items()}
