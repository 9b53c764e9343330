"""Bodies and items as they go over the wire between codex and the provider, with texts of our own."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

Item = dict[str, Any]

PROVIDER = "OpenAI"
MODEL = "gpt-5.5"
HOME = "/home/mara"
WORKSPACE = f"{HOME}/src/quaycache"

INSTRUCTIONS = """\
You are Codex, a coding agent that works in a terminal next to the person who asked.

# How to work
- Read before you write. Look for the smallest change that is right, and leave the rest alone.
- Prefer `rg` to `grep`. Ask for independent things in one go.
- Say in one sentence what you are about to do before you do something that takes a while.
- A fix is done when a test fails without it and passes with it.

# How to answer
- Plain sentences, the result first. Paths and commands in backticks.
- If something was not checked, say so."""

PERMISSIONS = (
    "<permissions instructions>\n`sandbox_mode` is `workspace-write`: files outside the workspace cannot be "
    "changed, and commands have no network. Approval policy is currently never.\n</permissions instructions>"
)

TEAM_OF_ROOT = (
    "You are `/root`, the first agent of a team. `spawn_agent` starts another agent on a task of its own, "
    "`send_message` tells it something, `followup_task` gives it more to do, `wait_agent` waits for whoever "
    "reports next. Agents share the workspace, so say who may write where."
)

TEAM_OF_CHILD = (
    "You are one agent of a team. Your task is in the message below. What you say last in a turn goes back "
    "to the agent that asked. You may spawn agents of your own."
)


def rollout_path(thread_id: str) -> str:
    """Where codex keeps its own record of a thread."""
    return f"{HOME}/.codex/sessions/2026/11/23/rollout-{thread_id}.jsonl"


def compact(value: object) -> str:
    """JSON the way models write arguments."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def environment(cwd: str, date: str) -> str:
    return (
        f"<environment_context>\n  <cwd>{cwd}</cwd>\n  <shell>bash</shell>\n"
        f"  <current_date>{date}</current_date>\n  <timezone>Europe/Lisbon</timezone>\n</environment_context>"
    )


def text_parts(*texts: str) -> list[Item]:
    return [{"type": "input_text", "text": text} for text in texts]


def message(item_id: str, role: str, content: list[Item]) -> Item:
    return {"type": "message", "id": item_id, "role": role, "content": content}


def request_body(items: list[Item], tools: str, cache_key: str, client_metadata: dict[str, Any]) -> Item:
    """A request with the whole conversation; `tools` is JSON text and stays as it is."""
    return {
        "model": MODEL,
        "stream": True,
        "input": items,
        "tools": Raw(tools.encode()),
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": cache_key,
        "text": {"verbosity": "low"},
        "client_metadata": client_metadata,
    }


def _function(name: str, description: str, required: list[str], **parameters: str) -> Item:
    properties = {key: {"type": kind} for key, kind in parameters.items()}
    return {
        "type": "function",
        "name": name,
        "description": description,
        "strict": False,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }


_EXEC_COMMAND = _function(
    "exec_command",
    "Runs a shell command in a terminal. Gives its output, or a session to go on with if it still runs.",
    ["cmd"],
    cmd="string",
    workdir="string",
    tty="boolean",
    yield_time_ms="number",
    max_output_tokens="number",
)
_WRITE_STDIN = _function(
    "write_stdin",
    "Types into a terminal that is still running, or with no characters just looks what it printed.",
    ["session_id"],
    session_id="number",
    chars="string",
    yield_time_ms="number",
    max_output_tokens="number",
)
_APPLY_PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Changes files by a patch. The input is the patch itself, not JSON.",
    "format": {"type": "text"},
}
_EXEC = {
    "type": "custom",
    "name": "exec",
    "description": "Runs JavaScript that calls the other tools as `await tools.NAME({...})`. `text(...)` "
    "shows something, `yield_control()` answers now and goes on in the background.",
    "format": {"type": "text"},
}
_WAIT = _function(
    "wait",
    "Waits for a cell of `exec` that went on in the background.",
    ["cell_id"],
    cell_id="string",
    yield_time_ms="number",
    terminate="boolean",
)
_ADDRESSED = {"target": "string", "message": "string"}
_COLLABORATION = {
    "type": "namespace",
    "name": "collaboration",
    "description": "Agents that work beside this one.",
    "tools": [
        _function(
            "spawn_agent",
            "Starts an agent on a task.",
            ["task_name", "message"],
            task_name="string",
            message="string",
            fork_turns="string",
        ),
        _function(
            "send_message",
            "Tells an agent something.",
            ["target", "message"],
            target="string",
            message="string",
        ),
        _function(
            "followup_task",
            "Gives an agent more to do.",
            ["target", "message"],
            target="string",
            message="string",
        ),
        _function("wait_agent", "Waits for the next report.", [], timeout_ms="number"),
        _function("interrupt_agent", "Stops what an agent is doing.", ["target"], target="string"),
    ],
}
_CI = {
    "type": "namespace",
    "name": "mcp__ci",
    "description": "The build server.",
    "tools": [
        _function(
            "list_failures", "Failed runs of a job.", ["job"], job="string", test="string", days="number"
        ),
        _function("rerun", "Runs a job again.", ["job", "ref"], job="string", ref="string", times="number"),
    ],
}

SOLO_TOOLS = compact([_EXEC_COMMAND, _WRITE_STDIN, _APPLY_PATCH])
TEAM_TOOLS = compact([_EXEC, _WAIT, _EXEC_COMMAND, _WRITE_STDIN, _APPLY_PATCH, _CI, _COLLABORATION])
