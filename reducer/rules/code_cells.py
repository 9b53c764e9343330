"""Code cells: JavaScript that the model sent with `exec`, from start to end."""

from __future__ import annotations

from msgspec import Struct

from reducer.changes import GraphWork, Handlers, LateFailure
from reducer.errors import Inconsistent
from reducer.model import (
    CellProducer,
    CodeCell,
    CodeCellRequester,
    ConversationItem,
    ExecutionWindow,
    ToolCall,
    Turn,
)
from reducer.model.objects import ObjectRef
from reducer.rules.items import ItemStore
from reducer.rules.normalize import NormalItem
from reducer.rules.threads import Referrer, Threads
from reducer.schemas.v1 import CodeCellEnded, CodeCellInitialResponse, CodeCellStarted
from reducer.wire.events import (
    CellStatus,
    ExecutionStatus,
    ModelRequester,
    OtherTool,
    RawEvent,
)
from reducer.wire.payload_refs import PayloadRef

_EXECUTION_BY_CELL_STATUS: dict[CellStatus, ExecutionStatus] = {
    "completed": "completed",
    "failed": "failed",
    "terminated": "cancelled",
}
_CELL_STATUS_AT_TURN_END: dict[ExecutionStatus, CellStatus] = {
    "failed": "failed",
    "cancelled": "terminated",
    "aborted": "terminated",
}

Lifecycle = CodeCellInitialResponse | CodeCellEnded


class CellStart(Struct, frozen=True):
    """The start of a cell, which waits until the `exec` item is seen."""

    raw: RawEvent
    event: CodeCellStarted
    thread_id: str
    line: int


class CodeCells:
    """Applies the events of code cells and links them to items and tool calls.

    Cells are keyed by the call id of their `exec` call alone; the runtime's own cell id is unique per thread
    only, and only until the thread is resumed.
    """

    def __init__(self, work: GraphWork, threads: Threads, items: ItemStore) -> None:
        self._work = work
        self._threads = threads
        self._items = items
        self._bound: dict[str, dict[str, str]] = {}
        self._queued: dict[str, CellStart] = {}
        self._ready: set[str] = set()
        self._queued_waits: dict[str, list[str]] = {}
        self._waiting: dict[str, list[tuple[RawEvent, Lifecycle]]] = {}
        self._derived_response: set[str] = set()
        self._by_turn: dict[str, list[str]] = {}
        self._nested_calls: dict[str, list[str]] = {}
        self._model_calls: dict[str, ToolCall] = {}

    def handlers(self) -> Handlers:
        """What is done on the events that concern this."""
        return {
            CodeCellStarted: self.started,
            CodeCellInitialResponse: self.initial_response,
            CodeCellEnded: self.ended,
        }

    def started(self, raw: RawEvent, event: CodeCellStarted) -> None:
        """Start the cell if its `exec` item is known; else queue it until the item is seen."""
        referrer = _referrer(f"code cell {event.runtime_cell_id}", f"code cell start {event.runtime_cell_id}")
        thread_id = self._thread(raw, referrer)
        cell_id = f"code_cell:{event.model_visible_call_id}"
        bound = self._bound_cell(thread_id, event.runtime_cell_id)
        if bound is not None and bound != cell_id:
            raise Inconsistent(
                f"runtime cell {event.runtime_cell_id} of thread {thread_id} is both {bound} and {cell_id}",
                f"runtime code cell {event.runtime_cell_id} in thread {thread_id} mapped to both {bound} "
                f"and {cell_id}",
            )
        changes = self._work.changes
        changes.put(changes.entry(self._bound, thread_id, dict), event.runtime_cell_id, cell_id)
        start = CellStart(raw, event, thread_id, self._work.line_number)
        if self._source_item(start) is not None:
            self._start(cell_id, start)
        elif cell_id in self._work.trace.code_cells or cell_id in self._queued:
            raise _started_before(cell_id)
        else:
            changes.put(self._queued, cell_id, start)
            changes.concern(ObjectRef("CodeCell", cell_id))

    def _thread(self, raw: RawEvent, referrer: Referrer) -> str:
        or_of_turn = not self._work.schema.cells_name_their_thread
        return self._threads.thread_of_envelope(raw, referrer, or_of_turn=or_of_turn)

    def _source_item(self, start: CellStart) -> str | None:
        call_id = start.event.model_visible_call_id
        return self._items.first_call(start.thread_id, call_id, "custom_tool_call")

    def start_queued(self) -> None:
        """Start the queued cells whose item exists by now, in order of cell id.

        A start that turns out inconsistent is the fault of its own event, not of the one being applied.
        """
        changes = self._work.changes
        for cell_id in sorted(self._ready):
            start = self._queued[cell_id]
            changes.discard(self._ready, cell_id)
            changes.drop(self._queued, cell_id)
            try:
                self._start(cell_id, start)
            except Inconsistent as error:
                changes.drop(self._waiting, cell_id)
                changes.drop(self._queued_waits, cell_id)
                changes.append(self._work.late_failures, LateFailure(start.raw, start.line, error))

    def _start(self, cell_id: str, start: CellStart) -> None:
        cell = self._make(cell_id, start)
        call_id = start.event.model_visible_call_id
        for item_id in self._items.with_call(start.thread_id, call_id, ("custom_tool_call_output",)):
            self._link_output(cell, self._items[item_id])
        waiting = self._waiting.get(cell_id, [])
        self._work.changes.drop(self._waiting, cell_id)
        for raw, event in sorted(waiting, key=lambda queued: queued[0].seq):
            self._apply(cell, raw, event)

    def _make(self, cell_id: str, start: CellStart) -> CodeCell:
        raw, event, thread_id = start.raw, start.event, start.thread_id
        source_item_id = self._source_item(start)
        if cell_id in self._work.trace.code_cells:
            raise _started_before(cell_id)
        if raw.codex_turn_id is None:
            raise Inconsistent(
                f"the start of {cell_id} names no turn",
                f"code cell start {cell_id} did not include a Codex turn id",
            )
        self._threads.known_thread(thread_id, "code cell start")
        referrer = _referrer(cell_id, "code cell start")
        self._threads.turn_of_thread(raw.codex_turn_id, thread_id, referrer)
        cell = CodeCell(
            code_cell_id=cell_id,
            model_visible_call_id=event.model_visible_call_id,
            thread_id=thread_id,
            codex_turn_id=raw.codex_turn_id,
            source_item_id=source_item_id or "",
            runtime_cell_id=event.runtime_cell_id,
            execution=ExecutionWindow.opened_by(raw),
            source_js=event.source_js,
            nested_tool_call_ids=sorted(self._nested_calls.get(cell_id, ())),
            wait_tool_call_ids=[*self._queued_waits.get(cell_id, ())],
        )
        changes = self._work.changes
        changes.create(self._work.trace.code_cells, cell_id, cell)
        changes.insert_sorted(changes.entry(self._by_turn, raw.codex_turn_id, list), cell_id, str)
        call = self._model_calls.get(event.model_visible_call_id)
        if call is not None:
            self.link_started(call)
        return cell

    def initial_response(self, raw: RawEvent, event: CodeCellInitialResponse) -> None:
        """The cell answered its `exec` call for the first time, finished or not."""
        self._lifecycle(raw, event, "initial response")

    def ended(self, raw: RawEvent, event: CodeCellEnded) -> None:
        """The cell ended."""
        self._lifecycle(raw, event, "end")

    def _lifecycle(self, raw: RawEvent, event: Lifecycle, what: str) -> None:
        runtime_id = event.runtime_cell_id
        referrer = _referrer(f"the {what} of code cell {runtime_id}", f"code cell {what} {runtime_id}")
        thread_id = self._thread(raw, referrer)
        cell_id = self.bound_cell(thread_id, runtime_id, f"the {what} of a code cell", f"code cell {what}")
        cell = self._work.trace.code_cells.get(cell_id)
        if cell is not None:
            self._apply(cell, raw, event)
        elif cell_id in self._queued:
            changes = self._work.changes
            changes.append(changes.entry(self._waiting, cell_id, list), (raw, event))
            changes.concern(ObjectRef("CodeCell", cell_id))
        else:
            raise Inconsistent(f"the start of {cell_id} could not be applied")

    def bound_cell(self, thread_id: str, runtime_cell_id: str, what: str, reference_calls: str) -> str:
        """The cell id that a runtime cell id of a thread stands for; the cell may still be queued.

        Args:
            thread_id: id of a thread.
            runtime_cell_id: a cell of that thread's runtime.
            what: what refers to it, for the error message.
            reference_calls: what the reference calls that.

        Raises:
            Inconsistent: no cell of the thread was started under this runtime id.
        """
        cell_id = self._bound_cell(thread_id, runtime_cell_id)
        if cell_id is None:
            raise Inconsistent(
                f"{what} refers to runtime cell {runtime_cell_id}, which thread {thread_id} does not have",
                f"{reference_calls} referenced unknown runtime cell {runtime_cell_id} in thread {thread_id}",
            )
        return cell_id

    def _bound_cell(self, thread_id: str, runtime_cell_id: str) -> str | None:
        return self._bound.get(thread_id, {}).get(runtime_cell_id)

    def thread_resumed(self, thread_id: str) -> None:
        """Forget which cells the runtime ids of a thread stand for: its new runtime counts from the start."""
        self._work.changes.drop(self._bound, thread_id)

    def _apply(self, cell: CodeCell, raw: RawEvent, event: Lifecycle) -> None:
        if isinstance(event, CodeCellEnded):
            self._end(cell, raw, event.status, event.response_payload)
        else:
            self._respond(cell, raw, event)

    def _respond(self, cell: CodeCell, raw: RawEvent, event: CodeCellInitialResponse) -> None:
        changes = self._work.changes
        changes.change(cell).runtime_status = event.status
        # Two threads may have bound runtime cells to the same cell; the one that answers last gives its id.
        cell.runtime_cell_id = event.runtime_cell_id
        if cell.initial_response_seq is None or cell.code_cell_id in self._derived_response:
            changes.discard(self._derived_response, cell.code_cell_id)
            cell.initial_response_at_unix_ms = raw.wall_time_unix_ms
            cell.initial_response_seq = raw.seq
            cell.initial_response_status = event.status
            cell.raw_initial_response_payload_id = _payload_id(event.response_payload)
        if event.status == "yielded":
            cell.yielded_at_unix_ms, cell.yielded_seq = raw.wall_time_unix_ms, raw.seq

    def _end(self, cell: CodeCell, raw: RawEvent, status: CellStatus, payload: PayloadRef | None) -> None:
        changes = self._work.changes
        changes.change(cell)
        if cell.initial_response_seq is None:
            cell.initial_response_at_unix_ms = raw.wall_time_unix_ms
            cell.initial_response_seq = raw.seq
            changes.add(self._derived_response, cell.code_cell_id)
        cell.execution = cell.execution.ended_by(raw, _EXECUTION_BY_CELL_STATUS.get(status, "running"))
        cell.runtime_status = status
        cell.raw_result_payload_id = _payload_id(payload)

    def turn_ended(self, raw: RawEvent, turn: Turn, status: ExecutionStatus) -> None:
        """End the running cells of a turn that did not complete; queued ones are not reached."""
        cell_status = _CELL_STATUS_AT_TURN_END.get(status)
        if cell_status is None:
            return
        for cell_id in self._by_turn.get(turn.codex_turn_id, ()):
            cell = self._work.trace.code_cells[cell_id]
            if cell.execution.status == "running":
                self._end(cell, raw, cell_status, None)

    def item_seen(
        self, item: ConversationItem, seen_as: NormalItem | ConversationItem, raw: RawEvent
    ) -> None:
        """Link an output of an `exec` call to its cell; let such a call start a queued cell."""
        if seen_as.call_id is None:
            return
        cell_id = f"code_cell:{seen_as.call_id}"
        if seen_as.kind == "custom_tool_call":
            queued = self._queued.get(cell_id)
            if queued is not None and queued.thread_id == item.thread_id:
                self._work.changes.add(self._ready, cell_id)
        elif seen_as.kind == "custom_tool_call_output":
            cell = self._work.trace.code_cells.get(cell_id)
            if cell is not None:
                self._link_output(cell, item)

    def _link_output(self, cell: CodeCell, item: ConversationItem) -> None:
        self._work.changes.append_once(cell.output_item_ids, item.item_id, cell)
        self._work.changes.append_once(item.produced_by, CellProducer(cell.code_cell_id), item)

    def link_call(self, call: ToolCall) -> None:
        """Link a new tool call to the cell that it starts, and to the one whose JavaScript asked for it.

        A cell that has not started yet is linked when it does.
        """
        changes = self._work.changes
        if call.model_visible_call_id is not None:
            changes.put(self._model_calls, call.model_visible_call_id, call)
            self.link_started(call)
        if not isinstance(call.requester, CodeCellRequester):
            return
        cell_id = call.requester.code_cell_id
        changes.append(changes.entry(self._nested_calls, cell_id, list), call.tool_call_id)
        cell = self._work.trace.code_cells.get(cell_id)
        if cell is not None:
            changes.append(cell.nested_tool_call_ids, call.tool_call_id)
            changes.touch(cell)

    def wait(self, thread_id: str, runtime_cell_id: str, tool_call_id: str) -> None:
        """Link a `wait` call to its cell, if the cell has started by now.

        Where an event tells the cell of a wait, a cell that is queued is linked when it starts.
        """
        changes = self._work.changes
        cell_id = self._bound_cell(thread_id, runtime_cell_id) or ""
        cell = self._work.trace.code_cells.get(cell_id)
        if cell is not None:
            changes.append_once(cell.wait_tool_call_ids, tool_call_id, cell)
        elif cell_id in self._queued and not self._work.schema.reads_waits:
            changes.append(changes.entry(self._queued_waits, cell_id, list), tool_call_id)

    def link_started(self, call: ToolCall) -> None:
        """Let a tool call say which cell it started, now that it, its kind or the cell is new."""
        cell_id = self._cell_started_by(call)
        if cell_id != call.started_code_cell_id:
            self._work.changes.change(call).started_code_cell_id = cell_id

    def _cell_started_by(self, call: ToolCall) -> str | None:
        if not self._work.schema.tells_started_cells:
            return None
        if call.kind != OtherTool("exec") or not isinstance(call.requester, ModelRequester):
            return None
        cell = self._work.trace.code_cells.get(f"code_cell:{call.model_visible_call_id}")
        if cell is None or call.model_visible_call_id is None or cell.thread_id != call.thread_id:
            return None
        turn_id = call.started_by_codex_turn_id
        return cell.code_cell_id if turn_id is None or turn_id == cell.codex_turn_id else None


def _referrer(ours: str, theirs: str) -> Referrer:
    return Referrer(ours, theirs, "Codex turn")


def _started_before(cell_id: str) -> Inconsistent:
    return Inconsistent(f"{cell_id} was started before", f"duplicate code cell start for {cell_id}")


def _payload_id(ref: PayloadRef | None) -> str | None:
    return None if ref is None else ref.raw_payload_id
