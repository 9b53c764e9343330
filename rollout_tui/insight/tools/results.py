"""What the result of a tool call says of how it went, from what the graph keeps of it: no payload is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reducer.model import ExecCommandRequest, TerminalOperation, TextPart, ToolCall
from reducer.wire.events import GenericSummary, WaitAgent
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.output.outputs import read_output

_TIMED_OUT = re.compile(r'(?<!\\)"timed_out"\s*:\s*true\b')
_EXITED = re.compile(r"^Process exited with code (-?\d{1,10})$", re.MULTILINE)
_HEADER = 1_000
"""Characters at the beginning of an output in which codex says how its process ended."""


def timed_out(index: TraceIndex, call: ToolCall) -> bool:
    """Whether the result of a wait for agents says that its time was over before anything came.

    Such a call completed like any other; only its result tells. It is looked for in what the model saw, and
    in the beginning of the result that the trace keeps.
    """
    if not isinstance(call.kind, WaitAgent):
        return False
    return any(text.lstrip()[:1] == "{" and _TIMED_OUT.search(text) for text in result_texts(index, call))


def exit_code(index: TraceIndex, call: ToolCall) -> int | None:
    """The exit status of the process that a tool call ran; None where it ran none, or none is told.

    The runtime tells it in the result of the terminal operation. Where that does not, as when a limit of the
    recorder cut it, the header of the output that the model was shown does: `Process exited with code 1`. The
    status of a process belongs to the command that started it; to a call that wrote to the process only if it
    is the one place where the status is told.
    """
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is None:
        return None
    if operation.result is not None and operation.result.exit_code is not None:
        return operation.result.exit_code
    if not isinstance(operation.request, ExecCommandRequest) and _is_told_to_another(index, operation):
        return None
    shown = (_EXITED.search(text, 0, _HEADER) for text in result_texts(index, call))
    return next((int(found[1]) for found in shown if found is not None), None)


def _is_told_to_another(index: TraceIndex, operation: TerminalOperation) -> bool:
    """Whether the operation that started the process has its exit status."""
    session = index.trace.terminal_sessions.get(operation.terminal_id or "")
    opener = None if session is None else index.trace.terminal_operations.get(session.created_by_operation_id)
    if opener is None or opener is operation:
        return False
    return opener.result is not None and opener.result.exit_code is not None


def never_ended(index: TraceIndex, call: ToolCall) -> bool:
    """Whether the process of a command was still running when the session was over."""
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is None or operation.execution.status != "running" or not index.is_over:
        return False
    return exit_code(index, call) is None


def first_words(index: TraceIndex, call: ToolCall) -> str:
    """The first line of what a tool call gave back that says something, beside what codex puts around it.

    Empty if the trace keeps nothing of it. It is evidence: not safe for a terminal.
    """
    return read_output(_said_by(index, call)).line


def telling_words(index: TraceIndex, call: ToolCall) -> str:
    """The line of what a failed tool call gave back that tells the failure, likewise."""
    return read_output(_said_by(index, call), failed=True).line


def _said_by(index: TraceIndex, call: ToolCall) -> list[str]:
    """What the process said, or else what the model was shown: the error of a script before its output."""
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is not None and operation.result is not None:
        result = operation.result
        if result.stdout.strip() or result.stderr.strip():
            return [result.stdout, result.stderr]
    texts = list(result_texts(index, call))
    return sorted(texts, key=lambda text: not text.startswith("Script error:"))


def result_texts(index: TraceIndex, call: ToolCall) -> Iterator[str]:
    """The texts of the result: what the model was shown, and the beginning that the trace keeps."""
    for item in index.items(call.model_visible_output_item_ids):
        yield from (part.text for part in item.body.parts if isinstance(part, TextPart))
    if isinstance(call.summary, GenericSummary) and call.summary.output_preview:
        yield call.summary.output_preview
