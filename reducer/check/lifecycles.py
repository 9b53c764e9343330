"""What began and never ended, what ended and never began, and what probably happened."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct

from reducer.check.log_watch import LogWatch, RefusedEvent
from reducer.check.names import Running, name_of, running_objects
from reducer.check.report import Finding, Place, Recording
from reducer.model import (
    CodeCell,
    CompactionRequest,
    InferenceCall,
    RolloutTrace,
    TerminalOperation,
    Thread,
    ToolCall,
    Turn,
)
from reducer.model.objects import graph_type, ref_of, word_of


class Ending(Struct, frozen=True):
    """An event that goes on with something, or ends it.

    Attributes:
        type: the type of the object.
        id_field: the field that names it.
        start: the kind of event that should have begun it.
    """

    type: type[Struct]
    id_field: str
    start: str


ENDINGS = {
    "thread_ended": Ending(Thread, "thread_id", "thread_started"),
    "codex_turn_ended": Ending(Turn, "codex_turn_id", "codex_turn_started"),
    "inference_completed": Ending(InferenceCall, "inference_call_id", "inference_started"),
    "inference_failed": Ending(InferenceCall, "inference_call_id", "inference_started"),
    "inference_cancelled": Ending(InferenceCall, "inference_call_id", "inference_started"),
    "tool_call_runtime_started": Ending(ToolCall, "tool_call_id", "tool_call_started"),
    "tool_call_runtime_ended": Ending(ToolCall, "tool_call_id", "tool_call_started"),
    "tool_call_ended": Ending(ToolCall, "tool_call_id", "tool_call_started"),
    "code_cell_initial_response": Ending(CodeCell, "runtime_cell_id", "code_cell_started"),
    "code_cell_ended": Ending(CodeCell, "runtime_cell_id", "code_cell_started"),
    "compaction_request_completed": Ending(
        CompactionRequest, "compaction_request_id", "compaction_request_started"
    ),
    "compaction_request_failed": Ending(
        CompactionRequest, "compaction_request_id", "compaction_request_started"
    ),
}

_LAST_EVENTS = ENDINGS.keys() - {
    "tool_call_runtime_started",
    "tool_call_runtime_ended",
    "code_cell_initial_response",
}
"""Those after which nothing more is to come."""


class Lifecycles:
    """Looks for beginnings without end, and ends without beginning."""

    def __init__(self, trace: RolloutTrace, watch: LogWatch) -> None:
        self._trace = trace
        self._watch = watch
        self._refused_ends: dict[tuple[type[Struct], str], RefusedEvent] = {}
        self._refused_starts: dict[tuple[type[Struct], str], RefusedEvent] = {}
        starts = {ending.start: ending for ending in ENDINGS.values()}
        for event in watch.refused:
            ending = ENDINGS.get(event.kind)
            if ending is not None and event.kind in _LAST_EVENTS:
                self._refused_ends.setdefault((ending.type, event.ids.get(ending.id_field, "")), event)
            start = starts.get(event.kind)
            if start is not None:
                self._refused_starts.setdefault((start.type, event.ids.get(start.id_field, "")), event)

    @property
    def session_is_over(self) -> bool:
        """Whether the log says that the session ended."""
        return self._trace.status != "running" or self._trace.is_recorded_whole is True

    def findings(self) -> list[Finding]:
        """Open sessions, open objects by kind, and ends without beginning by kind."""
        return [*self._session(), *self._never_ended(), *self._never_started()]

    def _session(self) -> list[Finding]:
        trace, found = self._trace, []
        if trace.status == "running":
            words = "the recorder was killed, it crashed, or the session still goes on"
            if trace.is_recorded_whole is True:
                words = "the recording was completed all the same"
            place = Place(text=words)
            found.append(Finding("lifecycles", "open_session", "note", "the session never ended", [place]))
        if trace.is_recorded_whole is False:
            place = Place(text="what came after the last line is not recorded")
            found.append(
                Finding("lifecycles", "open_recording", "note", "the recording was not completed", [place])
            )
        return found

    # What never ended

    def _never_ended(self) -> list[Finding]:
        explained: dict[type[Struct], list[Place]] = defaultdict(list)
        unexplained: dict[type[Struct], list[Place]] = defaultdict(list)
        for target in running_objects(self._trace):
            if target.execution.ended_seq is not None:
                continue
            why = self._why_open(target)
            ref = ref_of(target)
            text = f"{name_of(target)}: {why or 'nothing in the log says why'}"
            place = Place(text=text, seq=target.execution.started_seq, type=ref.type, id=ref.id)
            (unexplained if why is None else explained)[type(target)].append(place)
        found = []
        for type_, places in unexplained.items():
            words = f"{word_of(type_)}s that never ended, though the session did"
            found.append(Finding("lifecycles", _rule("open", type_), "problem", words, places))
        for type_, places in explained.items():
            words = f"{word_of(type_)}s that never ended"
            found.append(Finding("lifecycles", _rule("open", type_), "note", words, places))
        return found

    def _why_open(self, target: Running) -> str | None:
        """What probably happened to something that never ended; None where nothing tells."""
        refused = self._refused_ends.get((type(target), self._end_id(target)))
        if refused is not None:
            return f"its end, line {refused.line}, could not be applied"
        if isinstance(target, TerminalOperation):
            call = self._trace.tool_calls.get(target.tool_call_id)
            if call is not None and call.execution.ended_seq is not None:
                return "its tool call returned, and it went on in the background"
        closed = self._closed_around(target)
        if closed is not None:
            return closed
        if not self.session_is_over:
            return "it ran when the recording stopped"
        if self._watch.lost_lines:
            return f"its end may be among the events lost at line {self._watch.lost_lines[0]}"
        return None

    @staticmethod
    def _end_id(target: Running) -> str:
        """The id by which the event that ends something names it."""
        return target.runtime_cell_id if isinstance(target, CodeCell) else ref_of(target).id

    def _closed_around(self, target: Running) -> str | None:
        """The end of the turn or thread that something ran in, if that came."""
        if isinstance(target, TerminalOperation):
            call = self._trace.tool_calls.get(target.tool_call_id)
            return None if call is None else self._closed_around(call)
        turn_id: str | None = None
        if isinstance(target, ToolCall):
            turn_id = target.started_by_codex_turn_id
        elif isinstance(target, InferenceCall | CodeCell | CompactionRequest):
            turn_id = target.codex_turn_id
        turn = None if turn_id is None else self._trace.codex_turns.get(turn_id)
        if turn is not None and turn.execution.ended_seq is not None:
            return _with_its_turn(turn)
        thread = None if isinstance(target, Thread) else self._trace.threads.get(target.thread_id)
        if thread is not None and thread.execution.ended_seq is not None and not isinstance(target, Turn):
            return f"its thread ended at seq {thread.execution.ended_seq}"
        return None

    # What never began

    def _never_started(self) -> list[Finding]:
        found: dict[type[Struct], list[Place]] = defaultdict(list)
        known = {(type(one), ref_of(one).id) for one in running_objects(self._trace)}
        seen: set[tuple[type[Struct], str, str | None]] = set()
        for event in self._watch.refused:
            ending = ENDINGS.get(event.kind)
            if ending is None or ending.id_field not in event.ids:
                continue
            object_id = event.ids[ending.id_field]
            thread_id = event.ids.get("thread_id") if ending.type is CodeCell else None
            key = (ending.type, object_id, thread_id)
            if key in seen or (ending.type, object_id) in known or self._has_cell(thread_id, object_id):
                continue
            seen.add(key)
            what = (
                f"runtime cell {object_id}"
                if ending.type is CodeCell
                else f"{word_of(ending.type)} {object_id}"
            )
            text = f"{what}: {self._why_unknown(ending.type, object_id)}"
            type_ = graph_type(ending.type)
            found[ending.type].append(
                Place(text=text, line=event.line, seq=event.seq, type=type_, id=object_id)
            )
        return [
            Finding(
                "lifecycles",
                _rule("unstarted", type_),
                "problem",
                f"{word_of(type_)}s that go on or end, and never started",
                places,
            )
            for type_, places in found.items()
        ]

    def _has_cell(self, thread_id: str | None, runtime_id: str) -> bool:
        return thread_id is not None and any(
            cell.thread_id == thread_id and cell.runtime_cell_id == runtime_id
            for cell in self._trace.code_cells.values()
        )

    def _why_unknown(self, type_: type[Struct], object_id: str) -> str:
        refused = None if type_ is CodeCell else self._refused_starts.get((type_, object_id))
        if refused is not None:
            return f"its start, line {refused.line}, could not be applied"
        if self._watch.lost_lines:
            return f"its start may be among the events lost at line {self._watch.lost_lines[0]}"
        return "no event of this log started it"


def _rule(what: str, type_: type[Struct]) -> str:
    return f"{what}_{word_of(type_).replace(' ', '_')}"


def _with_its_turn(turn: Turn) -> str:
    status = turn.execution.status
    what = {
        "completed": "its turn completed without it, and it went on or was given up",
        "cancelled": "it was cancelled with its turn",
        "aborted": "it was aborted with its turn",
        "failed": "its turn failed",
        "running": "its turn is over",
    }[status]
    return f"{what}, seq {turn.execution.ended_seq}"


def recording_words(trace: RolloutTrace) -> Recording:
    """Whether the recording was completed, and whether all payloads are whole; `not told` by some schemas."""
    if trace.is_recorded_whole is None:
        return "not told"
    if trace.recording_status == "closed_with_partial_payloads":
        return "completed with cut payloads"
    return "completed" if trace.is_recorded_whole else "unfinished"
