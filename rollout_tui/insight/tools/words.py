"""What a tool call did, in one line."""

from __future__ import annotations

import re

import orjson

from reducer.model import CodeCell, ExecCommandRequest, TerminalOperation, ToolCall, ToolCallAnchor
from reducer.wire.events import (
    AgentSummary,
    ApplyPatch,
    AssignAgentTask,
    CloseAgent,
    ExecCommand,
    GenericSummary,
    ImageGeneration,
    Mcp,
    OtherTool,
    SendMessage,
    SpawnAgent,
    WaitAgent,
    WaitAgentSummary,
    Web,
    WriteStdin,
)
from rollout_tui import glyphs
from rollout_tui.insight.agents.waits import WaitEnd, wait_end, wait_targets
from rollout_tui.insight.cells.script_words import script_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.texts.short_forms import duration, one_line

_PATCHED_FILE = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_TIMEOUT = re.compile(r'"timeout_ms"\s*:\s*(\d{1,12})\b')
NAMED_CALLS = 100
"""Characters up to which the calls of a script are named; of more than one call the rest is counted."""

_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_LABELS: dict[type, str] = {
    ExecCommand: "command",
    WriteStdin: "stdin",
    ApplyPatch: "patch",
    Mcp: "mcp",
    Web: "web",
    ImageGeneration: "image",
    SpawnAgent: "spawn",
    AssignAgentTask: "task",
    SendMessage: "message",
    WaitAgent: "wait",
    CloseAgent: "close",
}


def tool_label(index: TraceIndex, call: ToolCall) -> str:
    """The word for a tool call's kind, such as `command`, `stdin`, `exec`, `spawn`."""
    if isinstance(call.kind, OtherTool):
        is_exec = call.kind.name == "exec" and (index.cell_of_call(call) is not None or _has_script(call))
        is_wait = call.kind.name == "wait" and index.cell_of_wait(call.tool_call_id) is not None
        is_wait = is_wait or call.resolved_wait_runtime_cell_id is not None
        return "exec" if is_exec else "wait" if is_wait else "tool"
    return _LABELS[type(call.kind)]


def tool_words(index: TraceIndex, call: ToolCall) -> str:
    """What a tool call did: the command, the keys written, the files patched, the agent addressed."""
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is not None:
        return operation_words(operation)
    if isinstance(call.kind, ApplyPatch):
        return _patched_files(call)
    if isinstance(call.kind, (SpawnAgent, AssignAgentTask, SendMessage, CloseAgent)):
        return _agent_words(index, call)
    if isinstance(call.kind, Mcp):
        return f"{call.kind.server}.{call.kind.tool} {_preview(call)}".rstrip()
    cell = index.cell_of_call(call)
    if cell is not None:
        return cell_words(index, cell)
    if isinstance(call.kind, OtherTool) and call.kind.name == "exec" and _has_script(call):
        return script_words(_input(call))
    waited = index.cell_of_wait(call.tool_call_id)
    if waited is not None:
        return f"for {cell_words(index, waited)}"
    if isinstance(call.kind, WaitAgent):
        end, words = wait_end(index, call), _wait_words(index, call)
        return words if end is None else f"{wait_end_words(end)}: {words}"
    if isinstance(call.kind, ExecCommand) and (command := argument(call, "cmd")):
        return one_line(command)  # it never began, so no operation has it
    name = call.kind.name if isinstance(call.kind, OtherTool) else call.kind.name_of_type
    return f"{name} {_preview(call)}".strip()


def cell_words(index: TraceIndex, cell: CodeCell) -> str:
    """What a cell's JavaScript ran, `git status; make +3`; what its script says where it ran no tool."""
    calls = index.calls_in_order(cell.nested_tool_call_ids)
    ran = ""
    for number, call in enumerate(calls):
        words = f"{ran}; {_nested_words(index, call)}" if ran else _nested_words(index, call)
        if ran and len(words) > NAMED_CALLS:
            return f"{ran} +{len(calls) - number}"
        ran = words
    return ran or script_words(cell.source_js)


def _nested_words(index: TraceIndex, call: ToolCall) -> str:
    """What a script ran. A cell is not told again within the words of one: it may be the very same."""
    is_of_cell = index.cell_of_call(call) is not None or index.cell_of_wait(call.tool_call_id) is not None
    return tool_label(index, call) if is_of_cell else tool_words(index, call)


def _has_script(call: ToolCall) -> bool:
    """Whether the input of an `exec` call is JavaScript: a tool of that name may take JSON."""
    return bool(_input(call)) and not _input(call).lstrip().startswith("{")


def _input(call: ToolCall) -> str:
    """The beginning of the arguments of a call, as the trace keeps it."""
    preview = call.summary.input_preview if isinstance(call.summary, GenericSummary) else None
    return preview or ""


def operation_words(operation: TerminalOperation) -> str:
    """The command line of a terminal operation, or the keys it wrote."""
    request = operation.request
    if isinstance(request, ExecCommandRequest):
        return one_line(command_line(request))
    return "(poll)" if not request.stdin else f"{one_line(visible_keys(request.stdin))!r}"


def command_line(request: ExecCommandRequest) -> str:
    """What was run, without the shell that was wrapped around it."""
    command = request.command
    if len(command) == 3 and command[0].rsplit("/", 1)[-1] in _SHELLS and command[1] in ("-c", "-lc"):
        return command[2]
    return request.display_command


def visible_keys(stdin: str) -> str:
    """Keys written to a terminal: `y⏎`, `^D`."""
    shown = []
    for char in stdin[:400]:
        if char in "\r\n":
            shown.append(glyphs.active().line_feed)
        elif char < " ":
            shown.append("^" + chr(ord(char) + 64))
        else:
            shown.append(char)
    return "".join(shown)


def _patched_files(call: ToolCall) -> str:
    preview = call.summary.input_preview if isinstance(call.summary, GenericSummary) else None
    files = _PATCHED_FILE.findall(preview or "")
    return ", ".join(files) if files else one_line(preview or "")


def _agent_words(index: TraceIndex, call: ToolCall) -> str:
    marks = glyphs.active()
    edges = index.edges_from(ToolCallAnchor(call.tool_call_id))
    message = argument(call, "message") or argument(call, "prompt") or ""
    if edges:
        target = index.thread_of_anchor(edges[0].target)
        to = index.thread_path(target) if target is not None else ""
    elif isinstance(call.summary, AgentSummary):
        to = call.summary.target_agent_path
    else:
        to = argument(call, "target") or argument(call, "task_name") or ""
    return f"{marks.edge_out} {to}  {one_line(message)}".rstrip()


def wait_end_words(end: WaitEnd) -> str:
    """`/root/alpha's result`, `timed out`: what ended a wait for agents."""
    if end.kind in ("result", "message"):
        return f"{end.sender}'s {end.kind}"
    return {"timeout": "timed out", "interrupted": "interrupted by new input"}.get(end.kind, end.kind)


def _wait_words(index: TraceIndex, call: ToolCall) -> str:
    """For whom a call waits, and for how long at most."""
    summary = call.summary
    if isinstance(summary, WaitAgentSummary):
        target, limit = summary.target_agent_path, summary.timeout_ms
    else:
        found, targets = _TIMEOUT.search(_preview(call)), wait_targets(call)
        target = argument(call, "target") or ", ".join(map(index.thread_path, targets))
        limit = int(found[1]) if found else None
    words = f"for {target or 'any agent'}"
    return words if limit is None else f"{words}, {duration(limit)} at most"


def argument(call: ToolCall, name: str) -> str | None:
    """A text argument of a call, read from the beginning of the arguments that the trace keeps."""
    found = argument_part(call, name)
    return None if found is None else found[0]


def argument_part(call: ToolCall, name: str) -> tuple[str, bool] | None:
    """The same, and whether it goes on behind what the trace keeps."""
    summary = call.summary
    if isinstance(summary, AgentSummary):
        told = {"message": summary.message_preview, "target": summary.target_agent_path or None}
        said = told.get(name) if name != "task_name" else summary.task_name
        return None if said is None else (said.removesuffix("..."), said.endswith("..."))
    preview = summary.input_preview if isinstance(summary, GenericSummary) else None
    if preview is None:
        return None
    found = re.search(rf'"{name}"\s*:\s*"((?:[^"\\]|\\.)*)("?)', preview, re.DOTALL)
    if found is None:
        return None
    text = found[1].removesuffix("...") if not found[2] else found[1]
    try:
        value = orjson.loads(f'"{text}"')
    except orjson.JSONDecodeError:
        return text, not found[2]
    return (value, not found[2]) if isinstance(value, str) else None


def _preview(call: ToolCall) -> str:
    summary = call.summary
    if isinstance(summary, GenericSummary):
        return one_line(summary.input_preview or "")
    if isinstance(summary, AgentSummary):
        return one_line(f"{summary.target_agent_path} {summary.message_preview}")
    return ""
