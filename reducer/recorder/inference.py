"""Recording inference calls."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from reducer.recorder.prompts import prompt_of_request
from reducer.recorder.scope import TurnScope
from reducer.schemas.v1 import (
    InferenceCancelled,
    InferenceCompleted,
    InferenceFailed,
    InferenceStarted,
)
from reducer.schemas.v3 import InferenceStartedV3
from reducer.wire.events import Event
from reducer.wire.payload_refs import PayloadRef, ShardRef


class TokenUsage(Struct, frozen=True, kw_only=True):
    """Tokens of one inference call, in the order of the payload. `total_tokens` is input plus output."""

    input_tokens: int
    cached_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    output_tokens: int
    reasoning_output_tokens: int = 0
    total_tokens: int


class InferenceRequest(Struct, frozen=True, kw_only=True):
    """What goes to the model.

    Attributes:
        model: which model.
        provider_name: whose model.
        body: the request body; `msgspec.Raw` directly under a top-level key is ready-made JSON.
        prompt: what the body was made from, see `prepared_prompt`; by default as far as the body tells.
            Schemas before 3 do not keep it.
        warmup_context: if the body continues a response that is not recorded, all items that the model is
            shown. Schemas before 3 do not keep them, so the body must hold them there.
        stripped_tool_output_ids: ids of tool outputs that the body lacks, each with its position in the
            input, or in `warmup_context` if there is one, counted from 0. Those of outputs that a limit of
            the recording cuts or leaves out are not kept: they would make codex refuse the recording.
    """

    model: str
    provider_name: str
    body: object
    prompt: dict[str, Any] | None = None
    warmup_context: Sequence[Any] | None = None
    stripped_tool_output_ids: Sequence[tuple[int, str]] = ()


class InferenceTrace:
    """One attempt to get an answer from the model.

    It ends once: after the first of `complete`, `fail` and `cancel` the others do nothing, so that a host may
    cancel whatever is left over without keeping account.

    Attributes:
        inference_call_id: made by the recorder.
    """

    def __init__(
        self, scope: TurnScope, request: InferenceRequest, *, inference_call_id: str | None = None
    ) -> None:
        self.inference_call_id = inference_call_id or scope.ids.new_uuid()
        self._scope = scope.after(_start(scope, request, self.inference_call_id))
        self._ended = threading.Lock()

    def complete(
        self,
        output_items: Sequence[Any],
        *,
        response_id: str | None = None,
        upstream_request_id: str | None = None,
        token_usage: TokenUsage | None = None,
    ) -> None:
        """The model answered.

        Args:
            output_items: Responses items of the answer.
            response_id: id of the response.
            upstream_request_id: the provider's id of the request.
            token_usage: tokens that the provider counted.
        """
        if not self._end():
            return
        payload = self._response(output_items, response_id, upstream_request_id, token_usage)
        if payload is not None:
            self._scope.record(
                InferenceCompleted(
                    inference_call_id=self.inference_call_id,
                    response_id=response_id,
                    upstream_request_id=upstream_request_id,
                    response_payload=payload,
                )
            )

    def fail(
        self, error: str, *, upstream_request_id: str | None = None, output_items: Sequence[Any] = ()
    ) -> None:
        """The request failed, perhaps after a part of the answer.

        Args:
            error: what went wrong.
            upstream_request_id: the provider's id of the request.
            output_items: items that were complete by then; none, and there is no partial response.
        """
        if self._end():
            self._scope.record(
                InferenceFailed(
                    inference_call_id=self.inference_call_id,
                    upstream_request_id=upstream_request_id,
                    error=error,
                    partial_response_payload=self._partial_response(output_items, upstream_request_id),
                )
            )

    def cancel(
        self, reason: str, *, upstream_request_id: str | None = None, output_items: Sequence[Any] = ()
    ) -> None:
        """Nobody waits for the answer any more; parameters as for `fail`."""
        if self._end():
            self._scope.record(
                InferenceCancelled(
                    inference_call_id=self.inference_call_id,
                    upstream_request_id=upstream_request_id,
                    reason=reason,
                    partial_response_payload=self._partial_response(output_items, upstream_request_id),
                )
            )

    def _end(self) -> bool:
        return self._ended.acquire(blocking=False)

    def _partial_response(
        self, output_items: Sequence[Any], upstream_request_id: str | None
    ) -> PayloadRef | None:
        if not output_items:
            return None
        return self._response(output_items, None, upstream_request_id, None)

    def _response(
        self,
        output_items: Sequence[Any],
        response_id: str | None,
        upstream_request_id: str | None,
        token_usage: TokenUsage | None,
    ) -> PayloadRef | None:
        response = {
            "response_id": response_id,
            "upstream_request_id": upstream_request_id,
            "token_usage": token_usage,
            "output_items": output_items,
        }
        return self._scope.payload("inference_response", response)


def _start(scope: TurnScope, request: InferenceRequest, inference_call_id: str) -> Event | None:
    """The event that begins the call; None when a payload that it needs could not be written."""
    body = scope.payload("inference_request", request.body)
    if body is None:
        return None
    start: InferenceStarted[PayloadRef] = InferenceStarted(
        inference_call_id=inference_call_id,
        thread_id=scope.thread_id,
        codex_turn_id=scope.codex_turn_id,
        model=request.model,
        provider_name=request.provider_name,
        request_payload=body,
    )
    if not scope.sink.keeps(InferenceStartedV3, "prepared_prompt_payload"):
        return start
    prompt = scope.payload("prepared_prompt", request.prompt or prompt_of_request(request.body))
    if prompt is None:
        return None
    context = None
    if request.warmup_context is not None:
        context = scope.payload("warmup_context", {"input": request.warmup_context})
        if context is None:
            return None
    return InferenceStartedV3(
        **asdict(start),
        prepared_prompt_payload=prompt,
        warmup_context_payload=context,
        stripped_tool_output_ids=_ids_of_kept(request.stripped_tool_output_ids, context or body),
    )


def _ids_of_kept(ids: Sequence[tuple[int, str]], shown: PayloadRef) -> tuple[tuple[int, str], ...]:
    """The ids without those of outputs that a limit cut: what stands in for such a one can have none.

    Args:
        ids: with their positions in the input.
        shown: the payload that says what the model is shown.
    """
    parts = shown.parts if isinstance(shown, ShardRef) else ()
    # Items are stored one by one or not at all; pictures in them are of another kind.
    items = [part for part in parts if part.kind.type == "model_item"]
    lost = {position for position, item in enumerate(items) if item.is_lost}
    return tuple((position, item_id) for position, item_id in ids if position not in lost)
