"""What a tool call did, in one line."""

from __future__ import annotations

import re

import orjson

from reducer.model import ExecCommandRequest, TerminalOperation, ToolCall, ToolCallAnchor
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
from rollout_tui.insight.tool_results import timed_out
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.words import duration, first_line, one_line

_PATCHED_FILE = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_TIMEOUT = re.compile(r'"timeout_ms"\s*:\s*(\d{1,12})\b')
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
        is_exec = call.kind.name == "exec" and index.cell_of_call(call) is not None
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
        return cell_words(index, cell.nested_tool_call_ids, cell.source_js)
    waited = index.cell_of_wait(call.tool_call_id)
    if waited is not None:
        return f"for {cell_words(index, waited.nested_tool_call_ids, waited.source_js)}"
    if isinstance(call.kind, WaitAgent):
        words = _wait_words(call)
        return f"timed out: {words}" if timed_out(index, call) else words
    name = call.kind.name if isinstance(call.kind, OtherTool) else ""
    return f"{name} {_preview(call)}".strip()


def cell_words(index: TraceIndex, nested_call_ids: list[str], source_js: str) -> str:
    """What a cell's JavaScript ran; the beginning of its source where it ran no tool."""
    calls = [index.trace.tool_calls[one] for one in nested_call_ids[:8] if one in index.trace.tool_calls]
    ran = "; ".join(tool_words(index, call) for call in calls)
    return ran or first_line(_without_directives(source_js))


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
            shown.append("\\n" if glyphs.active().ascii_only else "⏎")
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


def _wait_words(call: ToolCall) -> str:
    """For whom a call waits, and for how long at most."""
    summary = call.summary
    if isinstance(summary, WaitAgentSummary):
        target, limit = summary.target_agent_path or "any agent", summary.timeout_ms
    else:
        found = _TIMEOUT.search(_preview(call))
        target, limit = argument(call, "target") or "any agent", int(found[1]) if found else None
    return f"for {target}" if limit is None else f"for {target}, {duration(limit)} at most"


def argument(call: ToolCall, name: str) -> str | None:
    """A text argument of a call, read from the beginning of the arguments that the trace keeps."""
    preview = call.summary.input_preview if isinstance(call.summary, GenericSummary) else None
    if preview is None:
        return None
    found = re.search(rf'"{name}"\s*:\s*"((?:[^"\\]|\\.)*)("?)', preview, re.DOTALL)
    if found is None:
        return None
    text = found[1].removesuffix("...") if not found[2] else found[1]
    try:
        value = orjson.loads(f'"{text}"')
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, str) else None


def _preview(call: ToolCall) -> str:
    summary = call.summary
    if isinstance(summary, GenericSummary):
        return one_line(summary.input_preview or "")
    if isinstance(summary, AgentSummary):
        return one_line(f"{summary.target_agent_path} {summary.message_preview}")
    return ""


def _without_directives(source: str) -> str:
    """JavaScript without the `// @exec:` line in front of it."""
    return re.sub(r"\A\s*//\s*@exec:[^\n]*\n", "", source)
