"""What failed in a run, and why: the one definition that rows, counts, steps, filters and lists share.

A failure is work that did not come to the end it was begun for:

- an inference call or a request to compact that failed or was cancelled; its cause is what the log says;
- a tool call (command, patch, MCP, agent and other tools) that failed, was refused, cancelled or aborted; one
  whose process ended with an exit status other than 0, also if the call itself completed; a wait for agents
  whose time was over; its cause is what its result says;
- a code cell that failed or was terminated, and a call whose script did; where a tool call started the cell,
  the two are one failure, that of the call;
- a turn that failed, or was cancelled or aborted, by the user too; and one that is said to be completed
  though its last call failed, since schema 1 knows no failed turns; its cause is that of the call or request
  that ended it, or what an event of the protocol says;
- anything of these that still runs when the session is over: it never ended. While a session may go on, as in
  a recording that stops in the middle, what runs is no failure;
- an `error` or `turn_aborted` event, but only where no turn that failed accounts for it.

No failures are: warnings, retries that codex announces, rolled back turns, a write to a terminal that reports
the exit status of the command that its process belongs to, the running of a failed command by a script that
goes on, and problems of the recording. An agent and a session have a verdict, too, but are not counted: what
failed in them is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Literal

import orjson
from msgspec import Struct
from msgspec.structs import replace

from reducer import ObjectRef
from reducer.model import ExecutionWindow, InferenceCall, Thread, ToolCall, Turn
from reducer.model.objects import RefType
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.lookups import started_seq
from rollout_tui.insight.timeline.entries import event_entry
from rollout_tui.insight.timeline.turn_starts import SESSION_TURN_ENDS
from rollout_tui.insight.tools.results import exit_code, first_words, never_ended, telling_words, timed_out
from rollout_tui.texts.short_forms import one_line

Manner = Literal["failed", "aborted", "never ended"]
"""How: by itself, because somebody or something ended it, or not at all."""

NEVER_ENDED: Literal["never ended"] = "never ended"
NO_CAUSE = "no cause was recorded"
FAILING_EVENTS = frozenset({"error", "turn_aborted"})
"""Protocol events that report a failure."""

_HTTP_STATUS = re.compile(r"\bstatus(?: code)?:? ([1-5]\d\d)\b")
_LOOKED_AT = 10_000
_MANNERS: dict[str, Manner] = {"failed": "failed", "cancelled": "aborted", "aborted": "aborted"}
_COUNTED: tuple[RefType, ...] = (
    "Turn",
    "InferenceCall",
    "ToolCall",
    "CodeCell",
    "CompactionRequest",
    "Event",
)


class Failure(Struct, frozen=True):
    """One failure.

    Attributes:
        ref: what failed; `Event` by its sequence number.
        thread_id: the agent in whose timeline it stands.
        seq: sequence number with which it began.
        manner: how it failed.
        verdict: that in a word: an exit status such as `127`, the status of a response such as `429`, or
            `failed`, `aborted`, `cancelled`, `terminated`, `timeout`, `never ended`.
        cause: one line that says why. It is evidence: not safe for a terminal.
    """

    ref: ObjectRef
    thread_id: str
    seq: int
    manner: Manner
    verdict: str
    cause: str


class _Found(Struct, frozen=True):
    """What is the matter with something, whatever it is; an empty cause if none is known."""

    manner: Manner
    verdict: str
    cause: str = ""


def failure_of(index: TraceIndex, ref: ObjectRef) -> Failure | None:
    """The failure of an object: why it is one, or None if it is none.

    Args:
        index: the graph.
        ref: a turn, a call, a tool call, a cell, a request to compact, a protocol event or a thread; anything
            else never fails.
    """
    judge = _JUDGES.get(ref.type)
    return None if judge is None else judge(index, ref.id)


def failures(index: TraceIndex) -> list[Failure]:
    """All failures of a run, in the order of the log; of what is one entry of the timeline there is one.

    This looks at everything in the graph. The timelines of a graph that grows keep the same list.
    """
    found = (failure_of(index, ref) for ref in _counted(index))
    return sorted((one for one in found if one is not None), key=in_log_order)


def in_log_order(failure: Failure) -> tuple[int, int]:
    """What failures are sorted by."""
    return failure.seq, _COUNTED.index(failure.ref.type)


def session_verdict(index: TraceIndex) -> str | None:
    """The state of a session that failed: `failed` or `aborted`, as the log says; None if it did not."""
    status = index.trace.status
    return status if status in _MANNERS else None


def _counted(index: TraceIndex) -> Iterator[ObjectRef]:
    trace = index.trace
    for turn_id in trace.codex_turns:
        yield ObjectRef("Turn", turn_id)
    for call_id in trace.inference_calls:
        yield ObjectRef("InferenceCall", call_id)
    for tool_call_id in trace.tool_calls:
        yield ObjectRef("ToolCall", tool_call_id)
    for cell in trace.code_cells.values():
        if (ref := index.entry_of_cell(cell)).type == "CodeCell":
            yield ref
    for request_id in trace.compaction_requests:
        yield ObjectRef("CompactionRequest", request_id)
    for event in index.reduction.provenance.events if index.is_schema_known else ():
        if event.kind == "protocol_event_observed" and event.note in FAILING_EVENTS:
            yield ObjectRef("Event", str(event.seq))


def _by_status(index: TraceIndex, execution: ExecutionWindow) -> _Found | None:
    """What the state of something says by itself."""
    if execution.status in _MANNERS:
        return _Found(_MANNERS[execution.status], execution.status)
    if execution.status == "running" and index.is_over:
        return _Found(NEVER_ENDED, NEVER_ENDED, "still running when the session was over")
    return None


def _failure(
    ref: ObjectRef, thread_id: str, execution: ExecutionWindow, found: _Found | None
) -> Failure | None:
    if found is None:
        return None
    cause = one_line(found.cause) or NO_CAUSE
    return Failure(ref, thread_id, execution.started_seq, found.manner, found.verdict, cause)


# Requests to a model


def _call(index: TraceIndex, call_id: str) -> Failure | None:
    call, ref = index.trace.inference_calls.get(call_id), ObjectRef("InferenceCall", call_id)
    if call is None:
        return None
    found = _of_request(index, ref, call.execution, _ended_by(index, call))
    return _failure(ref, call.thread_id, call.execution, found)


def _ended_by(index: TraceIndex, call: InferenceCall) -> Turn | None:
    """The turn that ended with a call, if it was the last one."""
    is_last = index.lookups.calls_of_turn.get(call.codex_turn_id, [])[-1:] == [call.inference_call_id]
    return index.trace.codex_turns.get(call.codex_turn_id) if is_last else None


def _compaction_request(index: TraceIndex, request_id: str) -> Failure | None:
    request, ref = index.trace.compaction_requests.get(request_id), ObjectRef("CompactionRequest", request_id)
    if request is None:
        return None
    return _failure(ref, request.thread_id, request.execution, _of_request(index, ref, request.execution))


def _of_request(
    index: TraceIndex, ref: ObjectRef, execution: ExecutionWindow, ended: Turn | None = None
) -> _Found | None:
    """What became of a request. The event that ended it says why, or the end of the turn `ended` by it."""
    found = _by_status(index, execution)
    if found is None or found.manner == NEVER_ENDED:
        return found
    events = index.events_of(ref)
    notes = [event.note for event in events if event.note and event.kind not in SESSION_TURN_ENDS]
    if not notes and ended is not None:
        notes = [_told_of(index, ended)]
    if not notes or not notes[-1]:
        return replace(found, cause="its turn ended" if found.manner == "aborted" else "")
    status = _HTTP_STATUS.search(notes[-1], 0, _LOOKED_AT)
    verdict = status[1] if status is not None and found.manner == "failed" else found.verdict
    return _Found(found.manner, verdict, plain_error(notes[-1]))


def plain_error(text: str) -> str:
    """The sentence in an error of a provider, which may be the JSON body of a response, or end with one."""
    start = text.find("{", 0, _LOOKED_AT)
    if start < 0 or len(text) > _LOOKED_AT:
        return text
    try:
        body = orjson.loads(text[start:])
    except orjson.JSONDecodeError:
        return text
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return text[:start] + message if isinstance(message, str) and message.strip() else text


# Tools


def _tool_call(index: TraceIndex, call_id: str) -> Failure | None:
    call = index.trace.tool_calls.get(call_id)
    if call is None:
        return None
    found = _of_tool(index, call)
    return _failure(ObjectRef("ToolCall", call_id), call.thread_id, call.execution, found)


def _of_tool(index: TraceIndex, call: ToolCall) -> _Found | None:
    cell = index.cell_of_call(call)
    own = _by_status(index, call.execution)
    if own is not None and own.manner == "aborted":
        # What was aborted may end with a status all the same, or its script come to its end.
        return replace(own, cause=first_words(index, call) or _why_it_was_ended(index, call))
    code = exit_code(index, call)
    if code:
        said = telling_words(index, call)
        return _Found("failed", str(code), f"exit {code}: {said}" if said else f"exit {code}")
    script = None if cell is None else _of_cell(index, cell.code_cell_id)
    if cell is not None and (own is None or own.manner == NEVER_ENDED):
        own = script  # a call runs as long as its cell
    if own is not None and own.manner == "failed":
        return replace(own, cause=telling_words(index, call) or _where_to_look(call))
    if own is not None:
        return own if own is script else replace(own, cause=first_words(index, call) or own.cause)
    if timed_out(index, call):
        return _Found("failed", "timeout", "timed out before anything came")
    if never_ended(index, call):
        return _Found(NEVER_ENDED, NEVER_ENDED, "its process was still running when the session was over")
    return None


def _where_to_look(call: ToolCall) -> str:
    return "" if call.raw_result_payload_id is None else "the graph keeps no cause: see its raw result"


def _why_it_was_ended(index: TraceIndex, call: ToolCall) -> str:
    turn = index.trace.codex_turns.get(call.started_by_codex_turn_id or "")
    return "" if turn is None or turn.execution.status not in _MANNERS else "its turn was ended"


def _cell(index: TraceIndex, cell_id: str) -> Failure | None:
    cell = index.trace.code_cells.get(cell_id)
    if cell is None:
        return None
    found = _of_cell(index, cell_id)
    if found is not None and found.manner == "failed":
        entry = index.entry_of_cell(cell)
        call = index.trace.tool_calls.get(entry.id) if entry.type == "ToolCall" else None
        found = replace(found, cause="" if call is None else telling_words(index, call))
    return _failure(ObjectRef("CodeCell", cell_id), cell.thread_id, cell.execution, found)


def _of_cell(index: TraceIndex, cell_id: str) -> _Found | None:
    cell = index.trace.code_cells[cell_id]
    found = _by_status(index, cell.execution)
    if found is not None and found.manner == "aborted" and cell.runtime_status == "terminated":
        return _Found("aborted", "terminated", "the script was terminated before its end")
    return found


# Turns and agents


def _turn(index: TraceIndex, turn_id: str) -> Failure | None:
    turn = index.trace.codex_turns.get(turn_id)
    if turn is None:
        return None
    return _failure(ObjectRef("Turn", turn_id), turn.thread_id, turn.execution, _of_turn(index, turn))


def _of_turn(index: TraceIndex, turn: Turn) -> _Found | None:
    found, call = _by_status(index, turn.execution), _last_call(index, turn)
    if call is not None and call.manner == "failed" and turn.execution.status in ("completed", "failed"):
        return _Found("failed", call.verdict, call.cause)
    if found is None or found.manner == NEVER_ENDED:
        return found
    told = _request_of(index, turn) if found.manner == "failed" else None
    if told is not None:
        return _Found("failed", told.verdict, told.cause)
    return replace(found, cause=_told_of(index, turn))


def _last_call(index: TraceIndex, turn: Turn) -> Failure | None:
    """The failure of the last call of a turn, if that failed."""
    calls = [
        call_id
        for call_id in index.lookups.calls_of_turn.get(turn.codex_turn_id, [])
        if call_id in index.trace.inference_calls
    ]
    return _call(index, calls[-1]) if calls else None


def _request_of(index: TraceIndex, turn: Turn) -> Failure | None:
    """The failure of the last request to compact of a turn, if that failed."""
    requests = [one for one in index.requests_of(turn.thread_id) if one.codex_turn_id == turn.codex_turn_id]
    return _compaction_request(index, requests[-1].compaction_request_id) if requests else None


def _told_of(index: TraceIndex, turn: Turn) -> str:
    """What events of the protocol say of the end of a turn: those that name it, or came while it ran."""
    said = ""
    for seq, (name, text) in index.protocol_notes.items():
        named = index.protocol_turns.get(seq)
        if name not in FAILING_EVENTS or (named or turn.codex_turn_id) != turn.codex_turn_id:
            continue
        if text and (named is not None or _runs_at(turn, seq)):
            said = plain_error(text)
    return said


def _runs_at(turn: Turn, seq: int) -> bool:
    window = turn.execution
    return window.started_seq <= seq and (window.ended_seq is None or seq <= window.ended_seq)


def _thread(index: TraceIndex, thread_id: str) -> Failure | None:
    """An agent fails as its last turn does, or if the log says so."""
    thread = index.trace.threads.get(thread_id)
    if thread is None:
        return None
    return _failure(ObjectRef("Thread", thread_id), thread_id, thread.execution, _of_thread(index, thread))


def _of_thread(index: TraceIndex, thread: Thread) -> _Found | None:
    found = _by_status(index, thread.execution)
    turns = index.contents[thread.thread_id].turns
    last = _turn(index, turns[-1].codex_turn_id) if turns else None
    if last is not None and (found is None or found.manner != NEVER_ENDED):
        return _Found(last.manner, last.verdict, last.cause)
    return found


# Events of the protocol


def _event(index: TraceIndex, seq: str) -> Failure | None:
    event = index.event_at(int(seq)) if index.is_schema_known else None
    if event is None or event.kind != "protocol_event_observed" or event.note not in FAILING_EVENTS:
        return None
    named = event.codex_turn_id or index.protocol_turns.get(event.seq)
    if _is_accounted_for(index, event.seq, named):
        return None
    found = _MANNERS["aborted" if event.note == "turn_aborted" else "failed"]
    _, text = index.protocol_notes.get(event.seq, ("", ""))
    cause = one_line(plain_error(text)) or NO_CAUSE
    entry = event_entry(index, event)
    return Failure(entry.ref, entry.thread_id, event.seq, found, found, cause)


def _is_accounted_for(index: TraceIndex, seq: int, named: str | None) -> bool:
    """Whether a turn that failed accounts for an event: the one that it names, or one that ran then."""
    turn = index.trace.codex_turns.get(named or "")
    if turn is not None:
        return _of_turn(index, turn) is not None
    for contents in index.contents.values():
        place = bisect_right(contents.turns, seq, key=started_seq)
        turn = contents.turns[place - 1] if place else None
        if turn is not None and _runs_at(turn, seq) and _of_turn(index, turn) is not None:
            return True
    return False


_JUDGES: dict[RefType, Callable[[TraceIndex, str], Failure | None]] = {
    "Turn": _turn,
    "InferenceCall": _call,
    "ToolCall": _tool_call,
    "CodeCell": _cell,
    "CompactionRequest": _compaction_request,
    "Event": _event,
    "Thread": _thread,
}
