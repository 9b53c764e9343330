"""Recording threads and their turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reducer.recorder.cells import CodeCellTrace
from reducer.recorder.compaction import CompactionTrace
from reducer.recorder.inference import InferenceRequest, InferenceTrace
from reducer.recorder.metadata import SessionMetadata
from reducer.recorder.scope import Scope, TurnScope
from reducer.recorder.tools import ToolCallTrace, ToolInvocation
from reducer.schemas.v1 import (
    AgentResultObserved,
    CodexTurnEnded,
    CodexTurnStarted,
    ThreadEnded,
    ThreadStarted,
)
from reducer.schemas.v2 import ThreadResumed
from reducer.schemas.v3 import HistoryItemAcceptedV3
from reducer.wire.events import ExecutionStatus, RolloutStatus, ToolSummary
from reducer.wire.payload_refs import PayloadRef

_RECEIPT_FIELDS = {
    "agent_message": "agent_message_payload",
    "function_call_output": "tool_output_payload",
    "custom_tool_call_output": "tool_output_payload",
}
"""Under which field a receipt brings an item of this type along."""


class ThreadTrace:
    """One thread: the root's, or one that another thread spawned.

    Attributes:
        metadata: what it was started with.
    """

    def __init__(self, scope: Scope, metadata: SessionMetadata) -> None:
        self.metadata = metadata
        payload = scope.payload("session_metadata", metadata)
        self._scope = scope.after(ThreadStarted(metadata.thread_id, metadata.agent_path, payload))

    @property
    def thread_id(self) -> str:
        """Id of the thread."""
        return self.metadata.thread_id

    @property
    def agent_path(self) -> str:
        """Path of the agent whose thread it is."""
        return self.metadata.agent_path

    def spawn(
        self,
        thread_id: str,
        task_name: str,
        *,
        nickname: str | None = None,
        agent_role: str | None = None,
        rollout_path: str | None = None,
    ) -> ThreadTrace:
        """A child thread begins, in the same bundle. Parameters as for `SessionMetadata.spawned`."""
        metadata = self.metadata.spawned(
            thread_id, task_name, nickname=nickname, agent_role=agent_role, rollout_path=rollout_path
        )
        return ThreadTrace(self._scope, metadata)

    def start_turn(self, codex_turn_id: str) -> TurnTrace:
        """A turn of this thread begins."""
        return TurnTrace(TurnScope(self._scope.sink, self._scope.ids, self.thread_id, codex_turn_id))

    def end(self, status: RolloutStatus = "completed") -> None:
        """The thread ends."""
        self._scope.record(ThreadEnded(self.thread_id, status))

    def resume(self) -> None:
        """The thread, which had ended, runs again."""
        self._scope.record(ThreadResumed(self.thread_id))


class TurnTrace:
    """One turn of a thread: from what set it off to the answer.

    Attributes:
        thread_id: the thread it belongs to.
        codex_turn_id: id of the turn.
    """

    def __init__(self, scope: TurnScope) -> None:
        self.thread_id = scope.thread_id
        self.codex_turn_id = scope.codex_turn_id
        self._scope = scope.after(CodexTurnStarted(self.codex_turn_id, self.thread_id))

    def accept_item(self, item: Mapping[str, Any]) -> None:
        """A Responses item entered the thread's history. One without an id leaves no trace.

        The contents of an agent message go with its acceptance, for no other payload need ever show it; in
        schema 3, those of tool outputs do, too.
        """
        item_id = item.get("id")
        if not isinstance(item_id, str):
            return
        field = _RECEIPT_FIELDS.get(str(item.get("type")))
        payload = None
        if field is not None and self._scope.sink.keeps(HistoryItemAcceptedV3, field):
            payload = self._scope.payload("protocol_event", item)
        receipt = HistoryItemAcceptedV3[PayloadRef](item_id, **{field: payload} if field and payload else {})
        self._scope.record(receipt)

    def start_inference(
        self,
        *,
        model: str,
        provider_name: str,
        request: object,
        inference_call_id: str | None = None,
        prompt: dict[str, Any] | None = None,
        warmup_context: Sequence[Any] | None = None,
        stripped_tool_output_ids: Sequence[tuple[int, str]] = (),
    ) -> InferenceTrace:
        """A request goes to the model.

        Args:
            model: which model.
            provider_name: whose model.
            request: the request body.
            inference_call_id: by default the recorder makes a UUID.
            prompt: see `InferenceRequest`, also for what follows.
            warmup_context: all items that the model is shown, if the body continues what is not recorded.
            stripped_tool_output_ids: ids of tool outputs that the body lacks.
        """
        sent = InferenceRequest(
            model=model,
            provider_name=provider_name,
            body=request,
            prompt=prompt,
            warmup_context=warmup_context,
            stripped_tool_output_ids=stripped_tool_output_ids,
        )
        return InferenceTrace(self._scope, sent, inference_call_id=inference_call_id)

    def start_tool_call(
        self, call_id: str, invocation: ToolInvocation, *, summary: ToolSummary | None = None
    ) -> ToolCallTrace:
        """A call that the model asked for is dispatched.

        Args:
            call_id: `call_id` of the call item.
            invocation: what was asked.
            summary: how the call is described; by default from the invocation.
        """
        return ToolCallTrace(self._scope, call_id, invocation, summary=summary)

    def start_code_cell(
        self, runtime_cell_id: str, *, model_visible_call_id: str, source_js: str
    ) -> CodeCellTrace:
        """The JavaScript of an `exec` call begins to run; the call itself is recorded like any other."""
        return CodeCellTrace(
            self._scope, runtime_cell_id, model_visible_call_id=model_visible_call_id, source_js=source_js
        )

    def start_compaction(self, compaction_id: str | None = None) -> CompactionTrace:
        """The history is to be compacted; nothing is written yet. By default the recorder makes the id."""
        return CompactionTrace(self._scope, compaction_id or self._scope.ids.new_uuid())

    def hand_over_result(
        self, parent_thread_id: str, *, child_agent_path: str, message: str, status: object
    ) -> None:
        """This turn of a child is over, and its result is handed to the parent.

        Args:
            parent_thread_id: thread that gets the result.
            child_agent_path: path of this turn's agent.
            message: text that the parent is sent.
            status: how the child's turn ended, such as `{"completed": text}` or `{"errored": text}`.
        """
        result = {"child_agent_path": child_agent_path, "message": message, "status": status}
        self._scope.record(
            AgentResultObserved(
                edge_id=f"edge:agent_result:{self.thread_id}:{self.codex_turn_id}:{parent_thread_id}",
                child_thread_id=self.thread_id,
                child_codex_turn_id=self.codex_turn_id,
                parent_thread_id=parent_thread_id,
                message=message,
                carried_payload=self._scope.payload("agent_result", result),
            )
        )

    def end(self, status: ExecutionStatus = "completed") -> None:
        """The turn ends; a turn that somebody interrupted ends as `cancelled`."""
        self._scope.record(CodexTurnEnded(self.codex_turn_id, status))
