"""What a command printed, beside what the model was shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from reducer.certainty import AS_RUN
from reducer.model import (
    CodeCell,
    CodeCellRequester,
    ConversationItem,
    ExecCommandRequest,
    TerminalOperation,
    ToolCall,
)
from reducer.wire.events import ApplyPatch, Mcp
from rollout_tui.insight.cells.texts import (
    call_items,
    exec_call,
    exec_items,
    first_call_that_saw,
    handed_back,
    part_text,
    unseen_words,
)
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.tools.words import operation_words, tool_label, tool_words
from rollout_tui.texts.short_forms import one_line


class Shown(Struct, frozen=True):
    """One output for the model.

    Attributes:
        heading: where it came from, and which call saw it.
        sections: its texts.
        seen: whether any call of the model saw it.
    """

    heading: str
    sections: tuple[TextSection, ...]
    seen: bool = True


class SawRan(Struct, frozen=True):
    """What a command printed and what the model was shown.

    Attributes:
        ran: what the process printed, over its whole life; None where the log does not have it.
        shown: the outputs for the model, in order: of the command, and of whatever was done later with its
            terminal.
        in_script: whether a script stood between the two.
        verb: what the process, patch or server did: `printed`, `said` or `answered`.
    """

    ran: TextSection | None
    shown: tuple[Shown, ...]
    in_script: bool
    verb: str = "printed"


def saw_ran(index: TraceIndex, call: ToolCall) -> SawRan | None:
    """The two sides of a command, of a write to a terminal, of a patch or of a call of an MCP server.

    A terminal's process goes on after the call that opened it returned, and later writes show more of what it
    printed: they all are one command here.

    Returns:
        None for any other call.
    """
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is None and not isinstance(call.kind, ApplyPatch | Mcp):
        return None
    operations = [] if operation is None else _session_operations(index, operation)
    calls = [index.trace.tool_calls[one.tool_call_id] for one in operations] or [call]
    ran = _ran_of_runtime(index, call) if operation is None else _ran_of_terminal(index, operations)
    in_script = any(isinstance(one.requester, CodeCellRequester) for one in calls)
    verb = "printed" if operation is not None else "said" if isinstance(call.kind, ApplyPatch) else "answered"
    return SawRan(ran, tuple(_shown(index, calls, call)), in_script, verb)


def _session_operations(index: TraceIndex, operation: TerminalOperation) -> list[TerminalOperation]:
    session = index.trace.terminal_sessions.get(operation.terminal_id or "")
    if session is None:
        return [operation]
    known = index.trace.terminal_operations
    operations = [known[one] for one in session.operation_ids if one in known]
    return sorted(operations, key=lambda one: one.execution.started_seq)


def _ran_of_terminal(index: TraceIndex, operations: Iterable[TerminalOperation]) -> TextSection | None:
    """What the process of a terminal printed: the runtime says so when the process has ended."""
    for operation in operations:
        if isinstance(operation.request, ExecCommandRequest) and operation.result is not None:
            if AS_RUN in index.reduction.certainty.of(operation.operation_id).not_recorded:
                return None
            return TextSection("printed", "text", operation.result.stdout + operation.result.stderr)
    return None


def _ran_of_runtime(index: TraceIndex, call: ToolCall) -> TextSection | None:
    """What a patch or an MCP server answered, from the last thing that the runtime said."""
    payloads = [index.trace.raw_payloads.get(one) for one in call.raw_runtime_payload_ids]
    # Of a session there is the end alone, of a bundle the beginning before it.
    least = 2 if index.reduction.rebuilt_from is None else 1
    if len(payloads) < least or payloads[-1] is None:
        return None
    return TextSection("printed", "text", "(not in the log)", payloads[-1], runtime_output)


def runtime_output(payload: Any) -> str | None:
    """The output in what the runtime said at the end of a patch, a command or a call of an MCP server."""
    if not isinstance(payload, dict):
        return None
    record = payload.get("payload")
    if isinstance(record, dict) and isinstance(record.get("item"), dict):  # the end of it in a session
        payload = record["item"]
    if isinstance(payload.get("aggregated_output"), str):
        return str(payload["aggregated_output"])
    printed = [payload[key] for key in ("stdout", "stderr") if isinstance(payload.get(key), str)]
    if printed:
        return "".join(printed)
    result = payload.get("result")
    answer = result.get("Ok") if isinstance(result, dict) else None
    if isinstance(answer, dict):
        content = answer.get("content")
        texts = (
            [one.get("text") for one in content if isinstance(one, dict)] if isinstance(content, list) else []
        )
        return "\n".join(text for text in texts if isinstance(text, str))
    error = result.get("Err") if isinstance(result, dict) else None
    return error if isinstance(error, str) else None


def _shown(index: TraceIndex, calls: Sequence[ToolCall], chosen: ToolCall) -> Iterator[Shown]:
    """The outputs for the model of some calls: their own, or those of the cells that asked for them."""
    cells: set[str] = set()
    for call in calls:
        cell = index.cell_around(call)
        if cell is None:
            words = f"{_call_words(index, call)}{' (this one)' if call is chosen and len(calls) > 1 else ''}"
            yield from _outputs(index, words, call_items(index, call), call)
        elif cell.code_cell_id not in cells:
            cells.add(cell.code_cell_id)
            yield from _cell_outputs(index, cell)


def _call_words(index: TraceIndex, call: ToolCall) -> str:
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    words = tool_words(index, call) if operation is None else operation_words(operation)
    return f"{tool_label(index, call)} {one_line(words, 60)}"


def _cell_outputs(index: TraceIndex, cell: CodeCell) -> Iterator[Shown]:
    yield from _outputs(index, "the script", exec_items(index, cell), exec_call(index, cell))
    for number, call in enumerate(index.calls_in_order(cell.wait_tool_call_ids), start=1):
        yield from _outputs(index, f"wait {number} for the script", call_items(index, call), call)


def _outputs(
    index: TraceIndex, words: str, items: list[ConversationItem], call: ToolCall | None
) -> Iterator[Shown]:
    for item in items:
        saw = first_call_that_saw(index, item)
        told = (
            f"but {unseen_words(index, item)}" if saw is None else f"in call {index.place_of_call(saw) + 1}"
        )
        texts = (TextSection("shown", "text", part_text(part)) for part in item.body.parts)
        yield Shown(f"{words}, {told}", tuple(texts), seen=saw is not None)
    payload = index.trace.raw_payloads.get(call.raw_result_payload_id or "") if call is not None else None
    if not items and payload is not None:
        section = TextSection("shown", "text", "", payload, handed_back)
        yield Shown(f"{words}, but no call of the model saw it", (section,), seen=False)
