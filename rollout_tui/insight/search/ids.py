"""What the graph itself can answer to a search: objects by their ids, and texts that stand in no payload."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reducer import ObjectRef
from reducer.model import RolloutTrace, SpawnedOrigin, Thread, ToolCall
from reducer.model.objects import GraphType
from reducer.wire.events import GenericSummary, Mcp, OtherTool
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.search.owners import Owner

SHORTEST_PREFIX = 8
"""Characters of an id from which on its beginning is enough."""

MOST_BY_PREFIX = 50
"""Objects that one beginning of an id may find."""

_NUMBERED = re.compile(r"(seq|line|item|payload)\s+#?(\d{1,18})", re.IGNORECASE)
_PAYLOAD_FILE = re.compile(r"payloads/(\d{1,18})\.json")
_OF_CALLS = ("inference_", "compaction_request_")
_NUMBERED_IDS = {"item": "conversation_item", "payload": "raw_payload"}


class Found(NamedTuple):
    """An object that has an id: the id, and in words what it is to the object."""

    owner: Owner
    id: str
    what: str


class Said(NamedTuple):
    """A text of the graph that stands in no payload, and in words what it is to the object."""

    owner: Owner
    what: str
    text: str


def find_ids(index: TraceIndex, text: str) -> list[Found]:
    """The objects with an id, or else those whose ids begin with it if it is long enough.

    Args:
        index: the graph.
        text: an id of any object, the id of a call or response as the model knows it, `seq 812`, `line 40`,
            `item 12`, `payload 33`, or the name of a payload file.
    """
    wanted = text.strip()
    numbered = _NUMBERED.fullmatch(wanted)
    if numbered is not None:
        word, number = numbered[1].lower(), int(numbered[2])
        if word in ("seq", "line"):
            return _event(index, word, number)
        if word in _NUMBERED_IDS:
            wanted = f"{_NUMBERED_IDS[word]}:{number}"
    file = _PAYLOAD_FILE.fullmatch(wanted)
    if file is not None:
        wanted = f"raw_payload:{int(file[1])}"
    if not wanted:
        return []
    exact = [found for found in _ids(index.trace) if found.id == wanted]
    if exact or len(wanted) < SHORTEST_PREFIX:
        return exact
    begun = (found for found in _ids(index.trace) if found.id.startswith(wanted))
    return [found for found, _ in zip(begun, range(MOST_BY_PREFIX), strict=False)]


def _event(index: TraceIndex, word: str, number: int) -> list[Found]:
    return [
        Found(Owner(ObjectRef("Event", str(event.seq)), event.thread_id), f"{word} {number}", event.kind)
        for event in index.reduction.provenance.events
        if (event.seq if word == "seq" else event.line) == number
    ]


def _ids(trace: RolloutTrace) -> Iterator[Found]:
    """Every id in the graph. Payloads are given without an owner: who asks knows it."""
    for owner, ids in _ids_of_objects(trace):
        seen: set[str] = set()
        for what, one in ids:
            if one and one not in seen:
                seen.add(one)
                yield Found(owner, one, what)
    for payload_id in trace.raw_payloads:
        yield Found(Owner(ObjectRef("Payload", payload_id), None), payload_id, "payload")


def _ids_of_objects(trace: RolloutTrace) -> Iterator[tuple[Owner, Iterable[tuple[str, str | None]]]]:
    for thread_id in trace.threads:
        yield _owner("Thread", thread_id, thread_id), (("thread id", thread_id),)
    for turn in trace.codex_turns.values():
        yield _owner("Turn", turn.codex_turn_id, turn.thread_id), (("turn id", turn.codex_turn_id),)
    for item in trace.conversation_items.values():
        ids = ("item id", item.item_id), ("responses id", item.responses_item_id), ("call id", item.call_id)
        yield _owner("ConversationItem", item.item_id, item.thread_id), ids
    for call in trace.inference_calls.values():
        yield (
            _owner("InferenceCall", call.inference_call_id, call.thread_id),
            (
                ("inference call id", call.inference_call_id),
                ("response id", call.response_id),
                ("upstream id", call.upstream_request_id),
            ),
        )
    for tool in trace.tool_calls.values():
        yield (
            _owner("ToolCall", tool.tool_call_id, tool.thread_id),
            (
                ("tool call id", tool.tool_call_id),
                ("call id", tool.model_visible_call_id),
                ("mcp call id", tool.mcp_call_id),
                ("runtime tool id", tool.code_mode_runtime_tool_id),
                ("terminal operation", tool.terminal_operation_id),
            ),
        )
    for cell in trace.code_cells.values():
        yield _owner("CodeCell", cell.code_cell_id, cell.thread_id), (("cell id", cell.code_cell_id),)
    yield from _ids_of_the_rest(trace)


def _ids_of_the_rest(trace: RolloutTrace) -> Iterator[tuple[Owner, Iterable[tuple[str, str | None]]]]:
    for session in trace.terminal_sessions.values():
        owner = _owner("TerminalSession", session.terminal_id, session.thread_id)
        yield owner, (("terminal id", session.terminal_id),)
    for compaction in trace.compactions.values():
        owner = _owner("Compaction", compaction.compaction_id, compaction.thread_id)
        yield owner, (("compaction id", compaction.compaction_id),)
    for request in trace.compaction_requests.values():
        owner = _owner("CompactionRequest", request.compaction_request_id, request.thread_id)
        yield owner, (("compaction request id", request.compaction_request_id),)
    for edge in trace.interaction_edges.values():
        yield Owner(ObjectRef("InteractionEdge", edge.edge_id), None), (("edge id", edge.edge_id),)


def _owner(type_: GraphType, object_id: str, thread_id: str) -> Owner:
    return Owner(ObjectRef(type_, object_id), thread_id)


def texts_of_log(index: TraceIndex) -> list[tuple[int, Said]]:
    """What the log says of objects beside their payloads, with the sequence number at which it says so."""
    said = [*_names(index.trace), *_notes(index)]
    for cell in index.trace.code_cells.values():
        if cell.source_item_id not in index.trace.conversation_items:
            owner = _owner("CodeCell", cell.code_cell_id, cell.thread_id)
            said.append((cell.execution.started_seq, Said(owner, "source", cell.source_js)))
    for place, problem in enumerate(index.reduction.problems):
        owner = Owner(index.problem_ref(place), None)
        said.append((problem.seq or 0, Said(owner, "problem", problem.reason)))
    return sorted(said, key=lambda one: one[0])


def _names(trace: RolloutTrace) -> Iterator[tuple[int, Said]]:
    """Names of agents and tools."""
    for thread in trace.threads.values():
        owner = _owner("Thread", thread.thread_id, thread.thread_id)
        for what, text in _thread_texts(thread):
            if text:
                yield thread.execution.started_seq, Said(owner, what, text)
    for tool in trace.tool_calls.values():
        owner = _owner("ToolCall", tool.tool_call_id, tool.thread_id)
        for name in _tool_names(tool):
            yield tool.execution.started_seq, Said(owner, "tool", name)


def _notes(index: TraceIndex) -> Iterator[tuple[int, Said]]:
    """Types of protocol events, and why calls and compactions failed or were cancelled."""
    trace, told = index.trace, set()
    calls = [
        *(
            _owner("InferenceCall", one.inference_call_id, one.thread_id)
            for one in trace.inference_calls.values()
        ),
        *(
            _owner("CompactionRequest", one.compaction_request_id, one.thread_id)
            for one in trace.compaction_requests.values()
        ),
    ]
    for owner in calls:
        for event in index.events_of(owner.ref):
            if event.note and event.kind.startswith(_OF_CALLS):
                told.add(event.seq)
                yield event.seq, Said(owner, event.kind.replace("_", " "), event.note)
    for event in index.reduction.provenance.events:
        if event.note and event.seq not in told:
            owner = Owner(ObjectRef("Event", str(event.seq)), event.thread_id)
            yield event.seq, Said(owner, event.kind.replace("_", " "), event.note)


def _thread_texts(thread: Thread) -> Iterator[tuple[str, str | None]]:
    yield "agent path", thread.agent_path
    yield "nickname", thread.nickname
    if isinstance(thread.origin, SpawnedOrigin):
        yield "task", thread.origin.task_name
        yield "role", thread.origin.agent_role


def _tool_names(tool: ToolCall) -> list[str]:
    """The names under which a tool was called."""
    names = []
    if isinstance(tool.kind, Mcp):
        names.append(f"{tool.kind.server}.{tool.kind.tool}")
    elif isinstance(tool.kind, OtherTool):
        names.append(tool.kind.name)
    if isinstance(tool.summary, GenericSummary) and tool.summary.label not in names:
        names.append(tool.summary.label)
    return names
