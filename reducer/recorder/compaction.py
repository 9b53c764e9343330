"""Recording compactions and the requests they are made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reducer.recorder.scope import TurnScope
from reducer.schemas.v1 import (
    CompactionInstalled,
    CompactionRequestCompleted,
    CompactionRequestFailed,
    CompactionRequestStarted,
)


class CompactionTrace:
    """One compaction of a thread's history. A request that failed may be followed by another one.

    Attributes:
        compaction_id: chosen by the host.
    """

    def __init__(self, scope: TurnScope, compaction_id: str) -> None:
        self.compaction_id = compaction_id
        self._scope = scope

    def start_request(self, *, model: str, provider_name: str, request: object) -> CompactionRequestTrace:
        """The history goes to a model; `request` is the body sent."""
        return CompactionRequestTrace(
            self._scope, self.compaction_id, model=model, provider_name=provider_name, request=request
        )

    def install(self, input_history: Sequence[Any], replacement_history: Sequence[Any]) -> None:
        """The compacted history takes the place of the old one.

        Args:
            input_history: Responses items before.
            replacement_history: Responses items from now on.
        """
        checkpoint = {"input_history": input_history, "replacement_history": replacement_history}
        payload = self._scope.payload("compaction_checkpoint", checkpoint)
        if payload is not None:
            self._scope.record(CompactionInstalled(self.compaction_id, payload))


class CompactionRequestTrace:
    """One request to compact a history.

    Attributes:
        compaction_request_id: made by the recorder.
    """

    def __init__(
        self, scope: TurnScope, compaction_id: str, *, model: str, provider_name: str, request: object
    ) -> None:
        self.compaction_request_id = scope.ids.new_compaction_request()
        self._compaction_id = compaction_id
        payload = scope.payload("compaction_request", request)
        self._scope = scope.after(
            None
            if payload is None
            else CompactionRequestStarted(
                compaction_id=compaction_id,
                compaction_request_id=self.compaction_request_id,
                thread_id=scope.thread_id,
                codex_turn_id=scope.codex_turn_id,
                model=model,
                provider_name=provider_name,
                request_payload=payload,
            )
        )

    def complete(self, output_items: Sequence[Any]) -> None:
        """The request was answered with these items."""
        payload = self._scope.payload("compaction_response", {"output_items": output_items})
        if payload is not None:
            self._scope.record(
                CompactionRequestCompleted(self._compaction_id, self.compaction_request_id, payload)
            )

    def fail(self, error: str) -> None:
        """The request failed."""
        self._scope.record(CompactionRequestFailed(self._compaction_id, self.compaction_request_id, error))
