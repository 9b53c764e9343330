"""Terminal operations - commands and writes - and the sessions they belong to."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from reducer.changes import GraphWork
from reducer.errors import Inconsistent, Malformed
from reducer.model import (
    ExecCommandRequest,
    ExecutionWindow,
    TerminalObservation,
    TerminalOperation,
    TerminalResult,
    TerminalSession,
    ToolCall,
    WriteStdinRequest,
)
from reducer.storage.payloads import Payloads
from reducer.wire.events import (
    ExecCommand,
    ExecutionStatus,
    RawEvent,
    WriteStdin,
)
from reducer.wire.json_text import JsonDocument, Numeral, compact_exact
from reducer.wire.parser_words import fault_of_command_end
from reducer.wire.payload_refs import PayloadRef
from reducer.wire.typed_json import convert, decode_strictly, refuse_wide_integers

I32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Unsigned = Annotated[int, Meta(ge=0)]


class _Begin(Struct, kw_only=True):
    """What the runtime says when it starts a command or a write."""

    process_id: str | None = None
    command: list[str]
    cwd: str
    interaction_input: str | None = None


class _End(Struct, kw_only=True):
    """What the runtime says when a command or a write has ended. Its other texts repeat the output."""

    exit_code: I32
    process_id: str | None = None
    aggregated_output: str = ""


class _InvocationPayload(Struct):
    type: str
    arguments: str | None = None


class _Invocation(Struct, kw_only=True):
    """A tool invocation as it was dispatched."""

    tool_name: str
    tool_namespace: str | None = None
    payload: _InvocationPayload


class _WriteArguments(Struct, kw_only=True):
    session_id: Any
    chars: str = ""
    yield_time_ms: Unsigned | None = None
    max_output_tokens: Unsigned | None = None


class _DirectResponse(Struct, tag_field="type", tag="direct_response"):
    response_item: Any


class _CodeModeResponse(Struct, tag_field="type", tag="code_mode_response"):
    value: Any


class _ErrorResponse(Struct, tag_field="type", tag="error"):
    error: str


_DispatchResult = _DirectResponse | _CodeModeResponse | _ErrorResponse


class _CodeModeOutput(Struct, kw_only=True):
    output: str
    exit_code: I32 | None = None
    original_token_count: Unsigned | None = None
    chunk_id: str | None = None


class Terminals:
    """Makes, ends and moves terminal operations."""

    def __init__(self, work: GraphWork, payloads: Payloads) -> None:
        self._work = work
        self._payloads = payloads
        self._process: dict[str, str] = {}
        self._current: dict[str, dict[str, str]] = {}

    def refuse_second(self, call: ToolCall) -> None:
        """Refuse that the runtime starts a command or a write twice, even if it is lost how.

        Raises:
            Inconsistent: the call has a terminal operation.
        """
        if call.terminal_operation_id is not None:
            raise Inconsistent(
                f"tool call {call.tool_call_id} already has a terminal operation",
                f"tool runtime start would create a second terminal operation for {call.tool_call_id}",
            )

    def begun_by_runtime(self, raw: RawEvent, ref: PayloadRef, call: ToolCall) -> TerminalOperation:
        """The operation of a command or a write that the runtime started; the first of its call."""
        begin = convert(
            self._payloads.parse_whole(ref).value,
            _Begin,
            f"terminal start in payload {ref.raw_payload_id}",
            f"parse terminal runtime start payload {ref.raw_payload_id}",
        )
        request: ExecCommandRequest | WriteStdinRequest
        if isinstance(call.kind, ExecCommand):
            request = ExecCommandRequest(begin.command, " ".join(begin.command), begin.cwd)
        else:
            request = WriteStdinRequest(begin.interaction_input or "")
        return self._create(raw, call.tool_call_id, call.thread_id, request, ref, begin.process_id)

    def begun_by_write(
        self, raw: RawEvent, tool_call_id: str, thread_id: str, ref: PayloadRef
    ) -> TerminalOperation | None:
        """The operation of a dispatched `write_stdin`, if its arguments tell one.

        Raises:
            Inconsistent: the invocation is not one of `write_stdin` with function arguments, or the schema
                wants them to tell a write and they do not.
        """
        what = f"write_stdin invocation in payload {ref.raw_payload_id}"
        says = f"parse terminal invocation payload {ref.raw_payload_id} as dispatch payload"
        strict = self._work.schema.wants_sound_writes
        invocation = convert(self._payloads.parse_whole(ref).value, _Invocation, what, says)
        if invocation.tool_namespace is not None and not strict:
            return None
        if invocation.tool_name != "write_stdin":
            raise Inconsistent(f"{what} is for {invocation.tool_name}", says)
        if invocation.payload.type != "function":
            said = f"{what} has a payload of type {invocation.payload.type}, not function"
            raise Inconsistent(said, says)
        if invocation.payload.arguments is None:
            raise Inconsistent(f"{what} has no arguments", says)
        arguments = _write_arguments(invocation.payload.arguments)
        if arguments is None and strict:
            raise Inconsistent(f"{what} has arguments that tell no write", says)
        if arguments is None:
            return None
        request = WriteStdinRequest(arguments.chars, arguments.yield_time_ms, arguments.max_output_tokens)
        return self._create(raw, tool_call_id, thread_id, request, ref, arguments.session_id)

    def _create(
        self,
        raw: RawEvent,
        tool_call_id: str,
        thread_id: str,
        request: ExecCommandRequest | WriteStdinRequest,
        ref: PayloadRef,
        process_id: str | None,
    ) -> TerminalOperation:
        operations = self._work.trace.terminal_operations
        operation = TerminalOperation(
            operation_id=f"terminal_operation:{len(operations) + 1}",
            tool_call_id=tool_call_id,
            kind="exec_command" if isinstance(request, ExecCommandRequest) else "write_stdin",
            execution=ExecutionWindow.opened_by(raw),
            request=request,
            raw_payload_ids=[ref.raw_payload_id],
        )
        self._work.changes.create(operations, operation.operation_id, operation)
        if process_id is not None:
            self._work.changes.put(self._process, operation.operation_id, process_id)
            self._attach(operation, thread_id, process_id)
        return operation

    def end(self, raw: RawEvent, call: ToolCall, status: ExecutionStatus, ref: PayloadRef | None) -> None:
        """End the operation of a tool call; a payload, if given, holds its result."""
        if call.terminal_operation_id is None:
            return
        operation = self._work.trace.terminal_operations[call.terminal_operation_id]
        ended = None if ref is None or self._payloads.is_lost(ref) else self._read_result(operation, ref)
        changes = self._work.changes
        changes.change(operation).execution = operation.execution.ended_by(raw, status)
        operation_id = operation.operation_id
        if ref is not None:
            changes.append_once(operation.raw_payload_ids, ref.raw_payload_id, operation)
        if ended is not None:
            operation.result, process_id = ended
            known = self._process.get(operation_id)
            if process_id is not None and known is not None and known != process_id:
                raise Inconsistent(
                    f"{operation_id} belongs to process {known}, but its end names process {process_id}",
                    f"terminal operation {operation_id} changed process id from {known} to {process_id}",
                )
            if process_id is not None:
                changes.put(self._process, operation_id, process_id)
        process_id = self._process.get(operation_id)
        if operation.terminal_id is None and process_id is not None:
            self._attach(operation, call.thread_id, process_id)

    def _read_result(
        self, operation: TerminalOperation, ref: PayloadRef
    ) -> tuple[TerminalResult, str | None]:
        """The result in a payload, and the process id it names."""
        document = self._payloads.parse_whole(ref)
        try:
            what = f"the end of a command in payload {ref.raw_payload_id}"
            says = f"parse exec terminal response {ref.raw_payload_id}"
            end = convert(document.value, _End, what, says)
        except Inconsistent:
            if operation.kind == "exec_command":
                raise
            return _dispatch_result(document, ref), None
        return TerminalResult(end.exit_code, end.aggregated_output, ""), end.process_id

    def _attach(self, operation: TerminalOperation, thread_id: str, process_id: str) -> None:
        """A command opens a session; a write joins the session of its process, or opens one."""
        current = self._work.changes.entry(self._current, thread_id, dict)
        terminal_id = current.get(process_id)
        if operation.kind == "exec_command" or terminal_id is None:
            terminal_id = f"terminal_session:{operation.operation_id}"
            self._work.changes.put(current, process_id, terminal_id)
        self._join(operation, terminal_id, thread_id)

    def _join(self, operation: TerminalOperation, terminal_id: str, thread_id: str) -> None:
        changes, sessions = self._work.changes, self._work.trace.terminal_sessions
        joined, changes.change(operation).terminal_id = operation.terminal_id == terminal_id, terminal_id
        session = sessions.get(terminal_id)
        if session is None:
            window = ExecutionWindow(operation.execution.started_at_unix_ms, operation.execution.started_seq)
            session = TerminalSession(terminal_id, thread_id, operation.operation_id, [], window)
            changes.create(sessions, terminal_id, session)
        if not joined:
            changes.append(session.operation_ids, operation.operation_id)
            changes.touch(session)

    def thread_resumed(self, thread_id: str) -> None:
        """Forget which terminals the process ids of a thread stand for: its new runtime has none of them."""
        self._work.changes.drop(self._current, thread_id)

    def stdin_target_resolved(self, call: ToolCall, target: ToolCall) -> None:
        """Move the write of one call to the terminal of another, if both have got that far."""
        operations, changes = self._work.trace.terminal_operations, self._work.changes
        operation = operations.get(call.terminal_operation_id or "")
        source = operations.get(target.terminal_operation_id or "")
        if operation is None or source is None or source.terminal_id is None:
            return
        process_id = self._process.get(source.operation_id)
        if process_id is not None:
            changes.put(self._process, operation.operation_id, process_id)
        old = self._work.trace.terminal_sessions.get(operation.terminal_id or "")
        if old is not None and old.terminal_id != source.terminal_id:
            changes.remove(old.operation_ids, operation.operation_id)
            changes.touch(old)
            if not old.operation_ids:
                changes.drop(self._work.trace.terminal_sessions, old.terminal_id)
        self._join(operation, source.terminal_id, call.thread_id)

    def sync_observation(self, call: ToolCall) -> None:
        """Say through which items the model saw the call's operation."""
        operation = self._work.trace.terminal_operations.get(call.terminal_operation_id or "")
        if operation is None:
            return
        calls, outputs = call.model_visible_call_item_ids, call.model_visible_output_item_ids
        if calls or outputs:
            observation = TerminalObservation([*calls], [*outputs])
            if operation.model_observations != [observation]:
                self._work.changes.change(operation).model_observations = [observation]


def is_terminal(kind: object) -> bool:
    """Whether a tool kind has terminal operations."""
    return isinstance(kind, (ExecCommand, WriteStdin))


def _write_arguments(text: str) -> _WriteArguments | None:
    """The arguments of a write; None where they are not what a write needs. The process id is text."""
    try:
        arguments = decode_strictly(text.encode(), _WriteArguments)
    except Malformed:
        return None
    session = arguments.session_id
    if isinstance(session, (int, float, Numeral)) and not isinstance(session, bool):
        session = compact_exact(session)
    if not isinstance(session, str) or not session:
        return None
    arguments.session_id = session
    return arguments


def _dispatch_result(document: JsonDocument, ref: PayloadRef) -> TerminalResult:
    """The result of a write as it was handed to whoever asked for it."""
    what = f"the result of a write in payload {ref.raw_payload_id}"
    says = (
        f"parse write_stdin terminal response {ref.raw_payload_id} as protocol payload "
        f"({fault_of_command_end(document.exact_value())}) or dispatch payload"
    )
    try:
        result: Any = convert(document.value, _DispatchResult, what)  # type: ignore[arg-type]
    except Inconsistent as error:
        raise Inconsistent(f"{error}, nor the end of a command", says) from None
    refuse_wide_integers(document.exact_value(), what, says)
    if isinstance(result, _ErrorResponse):
        return TerminalResult(None, "", result.error, result.error)
    if isinstance(result, _DirectResponse):
        item = result.response_item
        output = item.get("output") if isinstance(item, dict) else None
        text = _text_of(document, output, ("response_item", "output"))
        if text is None:
            text = document.compact(item, ("response_item",))
        return TerminalResult(None, text, "", text)
    try:
        output = convert(result.value, _CodeModeOutput, what)
    except Inconsistent:
        text = _text_of(document, result.value, ("value",))
        if text is None:
            text = document.compact(result.value, ("value",))
        return TerminalResult(None, text, "", text)
    return TerminalResult(
        output.exit_code, output.output, "", output.output, output.original_token_count, output.chunk_id
    )


def _text_of(document: JsonDocument, value: Any, path: tuple[str, ...]) -> str | None:
    """What a value says as text: strings as they are, the texts of an array's elements, else compact JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        texts = [entry.get("text") for entry in value if isinstance(entry, dict)]
        return "\n".join(text for text in texts if isinstance(text, str)) or None
    return document.compact(value, path)
