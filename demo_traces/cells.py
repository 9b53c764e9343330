"""Code cells of a story: JavaScript that calls tools, answers early, and is waited for."""

from __future__ import annotations

from typing import Any, Self

from demo_traces.agent import Agent
from demo_traces.tooluse import ToolUse
from demo_traces.wire import Item, text_parts
from reducer.recorder import CodeCellTrace, ToolCallTrace, ToolInvocation
from reducer.wire.events import ExecutionStatus


class Cell(ToolUse):
    """`exec`: JavaScript that calls tools."""

    name = "exec"

    def __init__(self, agent: Agent, source: str, *, early: bool = False) -> None:
        super().__init__(agent, source.strip("\n"), early=early)
        self._code: CodeCellTrace | None = None
        self.runtime_cell_id = ""

    @property
    def code(self) -> CodeCellTrace:
        assert self._code is not None, "the cell was never started"
        return self._code

    def start_tool_call(self, invocation: ToolInvocation) -> ToolCallTrace:
        """The JavaScript calls a tool."""
        return self.code.start_tool_call(invocation)

    def start(self) -> Self:
        """The call is dispatched, and the JavaScript begins to run."""
        super().start()
        self.agent.clock.sleep(0.03)
        self.runtime_cell_id = self.agent.next_cell()
        self._code = self.agent.turn.start_code_cell(
            self.runtime_cell_id, model_visible_call_id=self.call_id, source_js=str(self.arguments)
        )
        return self

    def _lasted(self) -> dict[str, int]:
        lasted = self.agent.clock.now - self.started_ms
        return {"secs": lasted // 1000, "nanos": lasted % 1000 * 1_000_000}

    def _response(self, variant: str, texts: tuple[str, ...], **more: Any) -> dict[str, Any]:
        parts = {"cell_id": self.runtime_cell_id, "content_items": text_parts(*texts)}
        return {variant: {**parts, **more, "code_mode_host_duration": self._lasted()}}

    def shown(self, head: str, call: ToolUse, texts: tuple[str, ...]) -> list[Item]:
        """What the model gets to see of an answer."""
        return text_parts(f"{head}\nWall time {call.seconds_so_far():.1f} seconds\nOutput:\n", *texts)

    def complete(self, *texts: str) -> None:
        """The script runs to its end before it answers."""
        response = self._response("Result", texts, error_text=None)
        self.code.respond("completed", response)
        self.code.end("completed", response)
        self.give_back(self.shown("Script completed", self, texts))

    def throw(self, error: str, *texts: str) -> None:
        """The script dies of an exception."""
        texts = (*texts, f"Script error:\n{error}")
        response = self._response("Result", texts, error_text=error)
        self.code.respond("failed", response)
        self.code.end("failed", response)
        self.give_back(self.shown("Script failed", self, texts), status="failed")

    def yield_control(self, *texts: str) -> None:
        """The script answers and goes on."""
        self.code.respond("yielded", self._response("Yielded", texts))
        self.give_back(self.shown(f"Script running with cell ID {self.runtime_cell_id}", self, texts))

    def complete_later(self, call: ToolUse, *texts: str) -> None:
        """A script that had yielded runs to its end while `call` waits for it."""
        self.code.end("completed", self._response("Result", texts, error_text=None))
        call.give_back(self.shown("Script completed", call, texts))


class WaitForCell(ToolUse):
    """`wait`: for a cell that yielded."""

    name = "wait"

    def __init__(self, agent: Agent, cell: Cell, yield_time_ms: int) -> None:
        super().__init__(agent, {"cell_id": cell.runtime_cell_id, "yield_time_ms": yield_time_ms})
        self.waited_for = cell

    def give_back(
        self, output: str | list[Item], value: object = None, status: ExecutionStatus = "completed"
    ) -> None:
        """The result; just before it the runtime tells which cell this has waited for."""
        self.trace.resolve_wait(self.waited_for.runtime_cell_id)
        super().give_back(output, value, status)

    def in_vain(self) -> None:
        """The cell has nothing to say yet."""
        head = f"Script running with cell ID {self.waited_for.runtime_cell_id}"
        self.give_back(f"{head}\nWall time {self.seconds_so_far():.1f} seconds\nOutput:\n")
