"""Terminals: commands and what was written to them, with how they ended and what they gave."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from msgspec import structs

from reducer.certainty import AS_RUN
from reducer.model import (
    ConversationItem,
    ExecCommandRequest,
    TerminalObservation,
    TerminalOperation,
    TerminalSession,
    ToolCall,
    WriteStdinRequest,
)
from reducer.sessions.far_texts import FarTerminalResult
from reducer.sessions.fields import array, mapping, number, text
from reducer.sessions.graph import SessionGraph
from reducer.sessions.lines import Record
from reducer.wire.events import ExecutionStatus, TerminalSummary, WriteStdin

_HEAD = 400
"""Characters at the beginning of an output in which codex says how it went."""

_EXITED = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d{1,9})$", re.MULTILINE)
_RUNNING = re.compile(r"^Process running with session ID (\d{1,20})$", re.MULTILINE)
_CHUNK = re.compile(r"^Chunk ID: (\S+)$", re.MULTILINE)
_TOKENS = re.compile(r"^Original token count: (\d{1,15})$", re.MULTILINE)
_CUT = "... command output truncated for persistence ..."

EXIT_CODE = "result.exit_code"


class Terminals:
    """The terminals of one thread."""

    def __init__(self, graph: SessionGraph, thread_id: str) -> None:
        self._graph = graph
        self._thread_id = thread_id
        self._by_process: dict[str, str] = {}
        """The terminal that a process id was given to last."""

    def asked(self, record: Record, tool: ToolCall, value: dict[str, Any]) -> None:
        """A model wants a command to run, or something written to one that runs."""
        if isinstance(tool.kind, WriteStdin):
            self._write(record, tool, value)
            return
        command = value.get("cmd", value.get("command"))
        words = [one for one in command if isinstance(one, str)] if isinstance(command, list) else []
        shown = command if isinstance(command, str) else " ".join(words)
        if shown:
            request = ExecCommandRequest(
                words,
                shown,
                text(value, "workdir") or "",
                number(value, "yield_time_ms"),
                number(value, "max_output_tokens"),
            )
            operation = self._operation(record, tool, request)
            self._open(record, operation)
            self._graph.certainty.note(operation.operation_id, not_recorded=(AS_RUN, EXIT_CODE))

    def _write(self, record: Record, tool: ToolCall, value: dict[str, Any]) -> None:
        session = value.get("session_id")
        if not isinstance(session, (int, str)) or isinstance(session, bool):
            return
        request = WriteStdinRequest(
            text(value, "chars") or "", number(value, "yield_time_ms"), number(value, "max_output_tokens")
        )
        operation = self._operation(record, tool, request)
        terminal = self._graph.trace.terminal_sessions.get(self._by_process.get(str(session), ""))
        if terminal is not None:
            operation.terminal_id = terminal.terminal_id
            terminal.operation_ids.append(operation.operation_id)
            self._graph.touch("TerminalSession", terminal.terminal_id)

    def _operation(
        self, record: Record, tool: ToolCall, request: ExecCommandRequest | WriteStdinRequest
    ) -> TerminalOperation:
        operations = self._graph.trace.terminal_operations
        made = TerminalOperation(
            operation_id=f"terminal_operation:{len(operations) + 1}",
            tool_call_id=tool.tool_call_id,
            kind="exec_command" if isinstance(request, ExecCommandRequest) else "write_stdin",
            execution=self._graph.opened(record),
            request=request,
        )
        if tool.model_visible_call_item_ids:
            seen = TerminalObservation([*tool.model_visible_call_item_ids], [])
            made.model_observations.append(seen)
        operations[made.operation_id] = made
        tool.terminal_operation_id = made.operation_id
        tool.summary = TerminalSummary(made.operation_id)
        made.raw_payload_ids.append(self._graph.payload(record, "tool_invocation"))
        self._graph.touch("TerminalOperation", made.operation_id)
        return made

    def _open(self, record: Record, operation: TerminalOperation) -> None:
        terminal_id = f"terminal_session:{operation.operation_id}"
        operation.terminal_id = terminal_id
        self._graph.trace.terminal_sessions[terminal_id] = TerminalSession(
            terminal_id,
            self._thread_id,
            operation.operation_id,
            [operation.operation_id],
            self._graph.opened(record),
        )
        self._graph.touch("TerminalSession", terminal_id)

    def answered(self, record: Record, tool: ToolCall, item: ConversationItem, said: str) -> None:
        """The model was told how a command or a write went."""
        operation = self._of(tool)
        if operation is None:
            return
        head = said[:_HEAD].partition("\nOutput:\n")[0]
        running, exited = _RUNNING.search(head), _EXITED.search(head)
        chunk, tokens = _CHUNK.search(head), _TOKENS.search(head)
        if operation.terminal_id is not None and running is not None:
            self._by_process[running[1]] = operation.terminal_id
        known = operation.result or FarTerminalResult(None, "", "")
        operation.result = structs.replace(
            known,
            formatted_output=self._graph.far.result(said, record),
            original_token_count=None if tokens is None else int(tokens[1]),
            chunk_id=None if chunk is None else chunk[1],
        )
        if operation.model_observations:
            seen = operation.model_observations[0]
            outputs = [*seen.output_item_ids, item.item_id]
            operation.model_observations[0] = structs.replace(seen, output_item_ids=outputs)
        operation.raw_payload_ids.append(self._graph.payload(record, "tool_result"))
        if operation.kind == "write_stdin" or running is None:
            status = tool.execution.status
            operation.execution = self._graph.closed(operation.execution, record, status)
        self._graph.touch("TerminalOperation", operation.operation_id)
        if exited is not None:
            self._exited(record, operation, int(exited[1]))

    def _exited(self, record: Record, operation: TerminalOperation, code: int) -> None:
        """The model was told that a process has ended, perhaps when it wrote to it."""
        terminal = self._graph.trace.terminal_sessions.get(operation.terminal_id or "")
        if terminal is None:
            return
        command = self._graph.trace.terminal_operations[terminal.created_by_operation_id]
        result = command.result or FarTerminalResult(None, "", "")
        if result.exit_code is None:
            command.result = structs.replace(result, exit_code=code)
            status: ExecutionStatus = "completed" if code == 0 else "failed"
            command.execution = self._graph.closed(command.execution, record, status)
            self._graph.certainty.clear(command.operation_id, not_recorded=EXIT_CODE)
            self._graph.certainty.note(command.operation_id, rebuilt=(EXIT_CODE,))
            self._graph.touch("TerminalOperation", command.operation_id)

    def ended(self, record: Record, tool: ToolCall, event: dict[str, Any]) -> None:
        """Codex noted that the process of a command has ended; this may be long after."""
        item = mapping(event, "item")
        command = [word for word in array(item, "command") if isinstance(word, str)]
        cwd = _path(text(item, "cwd") or "")
        operation = self._of(tool)
        if operation is None:
            shown = command[-1] if len(command) == 3 else " ".join(command)
            operation = self._operation(record, tool, ExecCommandRequest(command, shown, cwd))
            self._open(record, operation)
        elif isinstance(operation.request, ExecCommandRequest):
            operation.request = structs.replace(operation.request, command=command, cwd=cwd)
        self._note_process(item, operation)
        said = text(item, "aggregated_output")
        known = operation.result or FarTerminalResult(None, "", "")
        operation.result = structs.replace(
            known,
            exit_code=number(item, "exit_code"),
            stdout=known.stdout if said is None else self._graph.far.result(said, record),
        )
        started = number(event, "started_at_ms")
        window = operation.execution
        if started is not None:
            window = structs.replace(window, started_at_unix_ms=started)
        status: ExecutionStatus = "completed" if operation.result.exit_code == 0 else "failed"
        ended = number(event, "completed_at_ms")
        operation.execution = self._graph.closed(window, record, status, ended)
        operation.raw_payload_ids.append(self._graph.payload(record, "tool_runtime_event"))
        self._note_certainty(operation, said)
        self._graph.touch("TerminalOperation", operation.operation_id)

    def _note_process(self, item: dict[str, Any], operation: TerminalOperation) -> None:
        process = text(item, "process_id")
        if process is not None and operation.terminal_id is not None:
            self._by_process.setdefault(process, operation.terminal_id)

    def _note_certainty(self, operation: TerminalOperation, said: str | None) -> None:
        certainty = self._graph.certainty
        if operation.result is not None and operation.result.exit_code is not None:
            certainty.clear(operation.operation_id, not_recorded=EXIT_CODE)
        if said is not None:
            certainty.clear(operation.operation_id, not_recorded=AS_RUN)
            if _CUT in said:
                certainty.note(operation.operation_id, not_recorded=(f"{AS_RUN}, the middle of it",))

    def _of(self, tool: ToolCall) -> TerminalOperation | None:
        return self._graph.trace.terminal_operations.get(tool.terminal_operation_id or "")


def _path(cwd: str) -> str:
    return unquote(cwd.removeprefix("file://")) if cwd.startswith("file://") else cwd
