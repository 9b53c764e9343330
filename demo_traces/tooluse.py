"""Tool calls of a story: what the model asks, what the runtime tells, and what comes back."""

from __future__ import annotations

from typing import Any, Protocol, Self

from demo_traces.agent import Agent
from demo_traces.identities import Names
from demo_traces.wire import WORKSPACE, Item, compact
from reducer.recorder import (
    ToolCallTrace,
    ToolInvocation,
    code_mode_response,
    direct_response,
    error_response,
)
from reducer.wire.events import ExecutionStatus, Mcp


class Caller(Protocol):
    """JavaScript that calls tools."""

    def start_tool_call(self, invocation: ToolInvocation) -> ToolCallTrace:
        """Dispatch a call for it."""


class ToolUse:
    """One tool call, asked for by the model or, if `cell` is given, by the JavaScript of a code cell."""

    name = ""
    namespace: str | None = None

    def __init__(
        self,
        agent: Agent,
        arguments: dict[str, Any] | str,
        *,
        cell: Caller | None = None,
        early: bool = False,
    ) -> None:
        self.agent = agent
        self.early = early
        self.cell = cell
        self.arguments = arguments
        self.call_id = "" if cell else agent.names.call_id()
        self._trace: ToolCallTrace | None = None
        self.started_ms = 0

    @property
    def trace(self) -> ToolCallTrace:
        assert self._trace is not None, f"{self.name} was never started"
        return self._trace

    def item(self, names: Names) -> Item:
        """The call as the model writes it."""
        if isinstance(self.arguments, str):
            return {
                "type": "custom_tool_call",
                "id": names.provider_id("ctc"),
                "call_id": self.call_id,
                "name": self.name,
                "input": self.arguments,
            }
        return {
            "type": "function_call",
            "id": names.provider_id("fc"),
            "name": self.name,
            **({"namespace": self.namespace} if self.namespace else {}),
            "arguments": compact(self.arguments),
            "call_id": self.call_id,
        }

    def start(self) -> Self:
        """The call is dispatched."""
        if isinstance(self.arguments, str):
            invocation = ToolInvocation.custom(self.name, self.arguments)
        else:
            invocation = ToolInvocation.function(self.name, compact(self.arguments), namespace=self.namespace)
        if self.cell is None:
            self._trace = self.agent.turn.start_tool_call(self.call_id, invocation)
        else:
            self._trace = self.cell.start_tool_call(invocation)
            self.call_id = self._trace.tool_call_id
        self.turn_id = self.agent.turn.codex_turn_id
        self.started_ms = self.agent.clock.now
        return self

    def started(self) -> Self:
        """The call, dispatched unless it was before."""
        return self if self._trace is not None else self.start()

    def seconds_so_far(self) -> float:
        return (self.agent.clock.now - self.started_ms) / 1000

    def give_back(
        self, output: str | list[Item], value: object = None, status: ExecutionStatus = "completed"
    ) -> None:
        """The result: `output` for the model, or `value` for the JavaScript of a cell."""
        if self.cell is not None:
            self.trace.end(code_mode_response(value), status=status)
            return
        kind = "custom_tool_call_output" if isinstance(self.arguments, str) else "function_call_output"
        item = {"type": kind, "call_id": self.call_id, "output": output}
        self.trace.end(direct_response(item), status=status)
        self._accept(kind, output)

    def fail(self, error: str) -> None:
        """The call could not be carried out."""
        self.trace.end(error_response(error), status="failed")
        if self.cell is None:
            custom = isinstance(self.arguments, str)
            self._accept("custom_tool_call_output" if custom else "function_call_output", error)

    def _accept(self, kind: str, output: str | list[Item]) -> None:
        prefix = "ctco" if kind == "custom_tool_call_output" else "fco"
        item_id = f"{prefix}_{self.agent.names.uuid7()}"
        item = {"type": kind, "id": item_id, "call_id": self.call_id, "output": output}
        self.agent.accept(self.agent.stamped(item))


class Command(ToolUse):
    """`exec_command`: a command in a terminal."""

    name = "exec_command"

    def __init__(
        self, agent: Agent, cmd: str, *, cell: Caller | None = None, early: bool = False, **options: Any
    ) -> None:
        super().__init__(agent, {"cmd": cmd, **options}, cell=cell, early=early)
        self.cmd = cmd
        self.process = agent.names.process_id()
        self.printed = ""
        self._begun_ms = 0

    def _event(self, **more: Any) -> dict[str, Any]:
        return {
            "call_id": self.call_id,
            "process_id": str(self.process),
            "turn_id": self.turn_id,
            **{key: more.pop(key) for key in ("started_at_ms", "completed_at_ms") if key in more},
            "command": ["/bin/bash", "-lc", self.cmd],
            "cwd": WORKSPACE,
            "parsed_cmd": [{"type": "unknown", "cmd": self.cmd}],
            "source": "unified_exec_startup",
            **more,
        }

    def begin(self) -> Self:
        """The shell is up."""
        self.started()
        self.agent.clock.sleep(0.08)
        self._begun_ms = self.agent.clock.now
        self.trace.start_runtime(self._event(started_at_ms=self._begun_ms))
        return self

    def run(self, output: str, *, seconds: float = 0.3, exit_code: int = 0) -> None:
        """The command runs to its end."""
        if not self._begun_ms:
            self.begin()
        self.agent.clock.sleep(seconds)
        self.printed += output
        self.exit(exit_code)
        self.show(output, exit_code)

    def open(self, output: str, *, seconds: float) -> None:
        """The command goes on running after this much of its output."""
        self.begin()
        self.agent.clock.sleep(seconds)
        self.printed += output
        self.show(output, None)

    def exit(self, exit_code: int, status: ExecutionStatus | None = None) -> None:
        """The process is gone."""
        now = self.agent.clock.now
        lasted = now - self._begun_ms
        status = status or ("completed" if exit_code == 0 else "failed")
        self.trace.end_runtime(
            self._event(
                completed_at_ms=now,
                aggregated_output=self.printed,
                exit_code=exit_code,
                duration={"secs": lasted // 1000, "nanos": lasted % 1000 * 1_000_000},
                status=status,
            ),
            status=status,
        )

    def abort(self) -> None:
        """The turn was stopped under the command: the model is told, the process is left alone."""
        self.trace.end(None, status="aborted")
        self._accept("function_call_output", f"aborted by user after {self.seconds_so_far():.1f}s")
        self.agent.left_running.append(self)

    def killed(self) -> None:
        """The session ended and took the process with it."""
        self.exit(-1, "failed")

    def show(self, output: str, exit_code: int | None, call: ToolUse | None = None) -> None:
        """What a look at the terminal gives; `call` is who looks, if it is not this call."""
        call = call or self
        chunk, tokens = self.agent.names.chunk_id(), (len(output) + 3) // 4
        waited = round(call.seconds_so_far(), 4)
        running = exit_code is None
        ended = f"running with session ID {self.process}" if running else f"exited with code {exit_code}"
        text = (
            f"Chunk ID: {chunk}\nWall time: {waited:.4f} seconds\nProcess {ended}\n"
            f"Original token count: {tokens}\nOutput:\n{output}"
        )
        value = {
            "chunk_id": chunk,
            "wall_time_seconds": waited,
            **({"session_id": self.process} if running else {"exit_code": exit_code}),
            "original_token_count": tokens,
            "output": output,
        }
        call.give_back(text, value)


class Write(ToolUse):
    """`write_stdin`: keys typed into a terminal, or with none a look at what it printed since."""

    name = "write_stdin"

    def __init__(self, agent: Agent, command: Command, chars: str, *, cell: Caller | None = None) -> None:
        arguments = {"session_id": command.process, "chars": chars, "yield_time_ms": 20_000}
        super().__init__(agent, arguments, cell=cell)
        self.command = command

    def run(self, output: str, *, seconds: float = 0.4, exit_code: int | None = None) -> None:
        """What the terminal prints; with an exit code the command is over."""
        self.started()
        self.trace.resolve_stdin(self.command.trace)
        self.agent.clock.sleep(seconds)
        self.command.printed += output
        self.command.show(output, exit_code, call=self)
        if exit_code is not None:
            self.command.exit(exit_code)


class Hunk:
    """A change to one place of a file: lines that begin with a space, `-` or `+`."""

    def __init__(self, path: str, line: int, body: str) -> None:
        self.path = path
        self.line = line
        self.body = body.strip("\n")

    def patch(self) -> str:
        """As `apply_patch` wants it."""
        return f"*** Update File: {self.path}\n@@\n{self.body}"

    def change(self) -> dict[str, Any]:
        """As the runtime tells it."""
        lines = self.body.split("\n")
        before = sum(line[:1] != "+" for line in lines)
        after = sum(line[:1] != "-" for line in lines)
        diff = f"@@ -{self.line},{before} +{self.line},{after} @@\n{self.body}\n"
        return {"type": "update", "unified_diff": diff, "move_path": None}


class Patch(ToolUse):
    """`apply_patch`."""

    name = "apply_patch"

    def __init__(self, agent: Agent, *hunks: Hunk, cell: Caller | None = None) -> None:
        body = "\n".join(hunk.patch() for hunk in hunks)
        super().__init__(agent, f"*** Begin Patch\n{body}\n*** End Patch", cell=cell)
        self.hunks = hunks

    def apply(self) -> None:
        """The files are changed."""
        self.started()
        changes = {f"{WORKSPACE}/{hunk.path}": hunk.change() for hunk in self.hunks}
        event = {"call_id": self.call_id, "turn_id": self.turn_id}
        self.trace.start_runtime({**event, "auto_approved": True, "changes": changes})
        self.agent.clock.sleep(0.02)
        files = "".join(f"M {path}\n" for path in dict.fromkeys(hunk.path for hunk in self.hunks))
        said = f"Success. Updated the following files:\n{files}"
        told = {"stdout": said, "stderr": "", "success": True, "changes": changes, "status": "completed"}
        self.trace.end_runtime({**event, **told})
        self.give_back(f"Exit code: 0\nWall time: 0 seconds\nOutput:\n{said}", {})

    def reject(self, reason: str) -> None:
        """The patch does not fit; nothing is changed."""
        self.started()
        self.fail(f"apply_patch verification failed: {reason}")


class CiCall(ToolUse):
    """A tool of the build server, which is an MCP server."""

    namespace = "mcp__ci"

    def __init__(
        self, agent: Agent, tool: str, arguments: dict[str, Any], *, cell: Caller | None = None
    ) -> None:
        self.name = tool
        super().__init__(agent, arguments, cell=cell)

    def answer(self, structured: dict[str, Any], *, seconds: float = 1.2) -> None:
        """The server answers."""
        self.started()
        event = {
            "call_id": self.call_id,
            "turn_id": self.turn_id,
            "invocation": {"server": "ci", "tool": self.name, "arguments": self.arguments},
        }
        self.trace.start_runtime(event, kind=Mcp("ci", self.name))
        self.trace.assign_mcp_call()
        self.agent.clock.sleep(seconds)
        text = compact(structured)
        result = {"content": [{"type": "text", "text": text}], "structuredContent": structured}
        self.trace.end_runtime({"result": {"Ok": result}})
        self.give_back(f"Wall time: {self.seconds_so_far():.4f} seconds\nOutput:\n{text}", result)
