"""Recording code-mode cells and the tool calls that their JavaScript makes."""

from __future__ import annotations

import itertools

from reducer.recorder.scope import TurnScope
from reducer.recorder.tools import ToolCallTrace, ToolInvocation
from reducer.schemas.v1 import CodeCellEnded, CodeCellInitialResponse, CodeCellStarted
from reducer.wire.events import CellRequester, CellStatus
from reducer.wire.payload_refs import PayloadRef


class CodeCellTrace:
    """One code cell: the JavaScript of an `exec` call while it runs.

    Attributes:
        runtime_cell_id: the runtime's number of the cell, unique within its thread.
    """

    def __init__(
        self, scope: TurnScope, runtime_cell_id: str, *, model_visible_call_id: str, source_js: str
    ) -> None:
        self.runtime_cell_id = runtime_cell_id
        self._scope = scope.after(CodeCellStarted(runtime_cell_id, model_visible_call_id, source_js))
        self._tool_numbers = itertools.count(1)

    def start_tool_call(
        self, invocation: ToolInvocation, *, tool_call_id: str | None = None
    ) -> ToolCallTrace:
        """The JavaScript calls a tool; the call id is made by the recorder unless the host has one."""
        return ToolCallTrace(
            self._scope,
            tool_call_id or f"exec-{self._scope.ids.new_uuid()}",
            invocation,
            requester=CellRequester(self.runtime_cell_id),
            runtime_tool_id=f"tool-{next(self._tool_numbers)}",
        )

    def respond(self, status: CellStatus, response: object | None) -> None:
        """The cell answers its `exec` call for the first time.

        Args:
            status: `yielded` when it goes on running, else how it ended.
            response: the runtime's own, `{"Result": ...}`, `{"Yielded": ...}` or `{"Terminated": ...}`.
        """
        self._scope.record(
            CodeCellInitialResponse(self.runtime_cell_id, status, self._response_payload(response))
        )

    def end(self, status: CellStatus, response: object | None) -> None:
        """The cell ends, also when its first response was its last; parameters as for `respond`."""
        self._scope.record(CodeCellEnded(self.runtime_cell_id, status, self._response_payload(response)))

    def _response_payload(self, response: object | None) -> PayloadRef | None:
        return None if response is None else self._scope.payload("tool_result", {"response": response})
