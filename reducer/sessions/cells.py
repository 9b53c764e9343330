"""Code cells: how the outputs tell they went, and which tools their programs called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reducer.model import CellProducer, CodeCell, CodeCellRequester, ConversationItem, ToolCall
from reducer.sessions.fields import array, mapping, number, text
from reducer.sessions.graph import SessionGraph
from reducer.sessions.lines import Record
from reducer.sessions.tools import Asked, kind_of
from reducer.wire.events import AnyToolKind, CellStatus, ExecutionStatus, Mcp

_SCRIPT = re.compile(r"Script (completed|failed|terminated|running with cell ID (\S+))")
_PRAGMA = re.compile(r"// @exec:[^\n]*\n?")
_ENDS: dict[CellStatus, ExecutionStatus] = {
    "completed": "completed",
    "failed": "failed",
    "terminated": "cancelled",
}
_EARLY_MS = 100
"""A cell begins up to so long before its call is written down."""

_LATE_MS = 20
_LOOKED_BACK = 256
"""Cells that are looked at for one that a nested call may belong to, besides those that still run."""

NESTED = "exec-"
"""How the ids of calls begin that programs of cells made."""

CELL_REBUILT = "requester (the cell, by the time and its source)"


class Cells:
    """The code cells of one thread."""

    def __init__(self, graph: SessionGraph, thread_id: str) -> None:
        self._graph = graph
        self._thread_id = thread_id
        self._by_call: dict[str, CodeCell] = {}
        self._by_runtime: dict[str, CodeCell] = {}
        self._open: dict[str, CodeCell] = {}
        self._order: list[CodeCell] = []
        self._waited_for: dict[str, CodeCell] = {}

    def started(
        self, record: Record, asked: Asked, item: ConversationItem, turn_id: str, tool: ToolCall
    ) -> None:
        """A model sent a program."""
        cell_id = f"code_cell:{asked.call_id}"
        if cell_id in self._graph.trace.code_cells:
            cell_id = f"{cell_id}:{record.seq}"
        cell = CodeCell(
            code_cell_id=cell_id,
            model_visible_call_id=asked.call_id,
            thread_id=self._thread_id,
            codex_turn_id=turn_id,
            source_item_id=item.item_id,
            runtime_cell_id="",
            execution=self._graph.opened(record),
            runtime_status="running",
            source_js=_PRAGMA.sub("", asked.arguments, count=1)
            if asked.arguments.startswith("// @exec:")
            else asked.arguments,
        )
        self._graph.trace.code_cells[cell_id] = cell
        self._by_call[asked.call_id] = self._open[cell_id] = cell
        self._order.append(cell)
        tool.started_code_cell_id = cell_id
        self._graph.certainty.note(
            cell_id,
            rebuilt=("runtime_status (read from the output's text)",),
            not_recorded=("runtime_cell_id", "nested write_stdin and failed nested calls"),
        )
        self._touch(cell)

    def waited(self, asked: Asked, tool: ToolCall) -> None:
        """A model waits for a cell that runs on."""
        runtime_id = asked.value.get("cell_id")
        cell = self._by_runtime.get(str(runtime_id)) if isinstance(runtime_id, (str, int)) else None
        if cell is None:
            return
        cell.wait_tool_call_ids.append(tool.tool_call_id)
        tool.resolved_wait_runtime_cell_id = str(runtime_id)
        self._waited_for[asked.call_id] = cell
        self._touch(cell)

    def answered(self, record: Record, call_id: str, item: ConversationItem, said: str) -> None:
        """An output says how a cell went; a cell may send notes besides."""
        own, awaited = self._by_call.get(call_id), self._waited_for.get(call_id)
        cell = own or awaited
        if cell is None:
            return
        if own is not None:
            item.produced_by.append(CellProducer(cell.code_cell_id))
            cell.output_item_ids.append(item.item_id)
        found = _SCRIPT.match(said)
        self._touch(cell)
        if found is None:
            return
        status = _cell_status(found[1])
        if own is not None and cell.initial_response_status is None:
            cell.initial_response_at_unix_ms = self._graph.time(record)
            cell.initial_response_seq = record.seq
            cell.initial_response_status = "yielded" if status is None else status
            cell.raw_initial_response_payload_id = self._graph.payload(record, "tool_result")
        if status is None:
            self._yielded(record, cell, found[2])
        else:
            self._end(record, cell, status, self._graph.payload(record, "tool_result"))

    def _yielded(self, record: Record, cell: CodeCell, runtime_id: str) -> None:
        cell.runtime_cell_id = runtime_id
        self._by_runtime[runtime_id] = cell
        if cell.yielded_at_unix_ms is None:
            cell.yielded_at_unix_ms, cell.yielded_seq = self._graph.time(record), record.seq
        self._graph.certainty.clear(cell.code_cell_id, not_recorded="runtime_cell_id")

    def _end(self, record: Record, cell: CodeCell, status: CellStatus, payload_id: str | None) -> None:
        if self._open.pop(cell.code_cell_id, None) is None:
            return
        cell.runtime_status = status
        cell.raw_result_payload_id = payload_id
        cell.execution = self._graph.closed(cell.execution, record, _ENDS[status])
        self._touch(cell)

    def turn_interrupted(self, record: Record, turn_id: str) -> None:
        """What ran in a turn that was interrupted does not run on."""
        for cell in [cell for cell in self._open.values() if cell.codex_turn_id == turn_id]:
            self._end(record, cell, "terminated", None)

    def nest(self, tool: ToolCall, cell: CodeCell) -> None:
        """The program of a cell made a call."""
        tool.requester = CodeCellRequester(cell.code_cell_id)
        cell.nested_tool_call_ids.append(tool.tool_call_id)
        self._graph.certainty.note(tool.tool_call_id, rebuilt=(CELL_REBUILT,))
        self._touch(cell)

    def caller(self, record: Record, event: dict[str, Any]) -> CodeCell | None:
        """The cell whose program must have made a call that is done now.

        Args:
            record: which says that it is done.
            event: what the record says.
        """
        started = number(event, "started_at_ms")
        started = self._graph.time(record) if started is None else started
        running = [cell for cell in self._recent() if _ran_at(cell, started)]
        if len(running) < 2:
            return running[0] if running else self._last_before(started)
        words = _words_of(mapping(event, "item"))
        named = [cell for cell in running if any(word in cell.source_js for word in words)]
        return (named or running)[0]

    def _recent(self) -> Iterator[CodeCell]:
        """The cells that may have made a call, the latest first."""
        recent = self._order[-_LOOKED_BACK:]
        yield from reversed(recent)
        if len(self._order) > _LOOKED_BACK:
            looked_at = {id(cell) for cell in recent}
            yield from (cell for cell in reversed(self._open.values()) if id(cell) not in looked_at)

    def _last_before(self, started: int) -> CodeCell | None:
        """Where no cell ran, the last that had begun: programs go on after their cell has ended."""
        begun = (cell for cell in self._recent() if cell.execution.started_at_unix_ms - _EARLY_MS <= started)
        return next(begun, None)

    def _touch(self, cell: CodeCell) -> None:
        self._graph.touch("CodeCell", cell.code_cell_id)


def _cell_status(word: str) -> CellStatus | None:
    """How a cell stands by the first words of its output; None if it runs on."""
    match word:
        case "completed":
            return "completed"
        case "failed":
            return "failed"
        case "terminated":
            return "terminated"
    return None


def _ran_at(cell: CodeCell, at_ms: int) -> bool:
    ended = cell.execution.ended_at_unix_ms
    return cell.execution.started_at_unix_ms - _EARLY_MS <= at_ms and (
        ended is None or at_ms <= ended + _LATE_MS
    )


def _words_of(item: dict[str, Any]) -> list[str]:
    """What would stand in the source of a program that made a call."""
    command = array(item, "command")
    if command and isinstance(command[-1], str):
        return [command[-1]]
    words = [text(item, "tool"), _SPOKEN.get(text(item, "type") or "")]
    return [word for word in words if word]


_SPOKEN = {
    "CommandExecution": "exec_command",
    "FileChange": "apply_patch",
    "ImageView": "view_image",
    "SubAgentActivity": "agent",
}
_COLLAB_NAMES = {"wait": "wait_agent", "send_input": "send_message"}
_ACTIVITIES = {"started": "spawn_agent", "interrupted": "interrupt_agent"}


def nested_kind(item: dict[str, Any], cell_source: str) -> AnyToolKind | None:
    """What sort of tool a program called; None for what is no call of a tool.

    Args:
        item: what was noted of it.
        cell_source: the program.
    """
    type_, tool = text(item, "type"), text(item, "tool") or ""
    match type_:
        case "CommandExecution" | "FileChange" | "ImageView":
            return kind_of(_SPOKEN[type_], None)
        case "McpToolCall":
            return Mcp(text(item, "server") or "", tool)
        case "DynamicToolCall":
            return kind_of(tool, None)
        case "CollabAgentToolCall":
            return kind_of(_COLLAB_NAMES.get(tool, tool), None)
        case "SubAgentActivity":
            activity = text(item, "kind") or ""
            sent = "followup_task" if "followup_task" in cell_source else "send_message"
            return kind_of(_ACTIVITIES.get(activity, sent), None)
    return None
