"""Inference calls: what each request showed the model, and what came back."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import Any

from reducer.changes import GraphWork, Handlers
from reducer.errors import Inconsistent
from reducer.model import OUTPUT_KINDS, ExecutionWindow, InferenceCall, InferenceProducer, Turn, Usage
from reducer.rules.conversation import Conversation, Sighting
from reducer.rules.items import ItemStore
from reducer.rules.normalize import NormalItem, normalize_list
from reducer.rules.request_sharing import RequestSharing
from reducer.rules.threads import Referrer, Threads
from reducer.schemas.v1 import (
    InferenceCancelled,
    InferenceCompleted,
    InferenceFailed,
    InferenceStarted,
)
from reducer.schemas.v3 import InferenceStartedV3
from reducer.storage.payloads import Payloads
from reducer.wire.events import ExecutionStatus, RawEvent
from reducer.wire.json_text import JsonDocument
from reducer.wire.payload_refs import PayloadRef
from reducer.wire.typed_json import dig

_TOKEN_COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")

_STATUS_AT_TURN_END: dict[ExecutionStatus, ExecutionStatus] = {
    "completed": "cancelled",
    "cancelled": "cancelled",
    "failed": "failed",
    "aborted": "aborted",
}
"""How a call that is still running ends with its turn, by the turn's status."""


class Inference:
    """Applies the events of inference calls."""

    def __init__(
        self,
        work: GraphWork,
        payloads: Payloads,
        threads: Threads,
        items: ItemStore,
        conversation: Conversation,
        answers: ResponseIndex,
        sharing: RequestSharing,
    ) -> None:
        self._work = work
        self._payloads = payloads
        self._threads = threads
        self._items = items
        self._conversation = conversation
        self._answers = answers
        self._sharing = sharing
        self._calls_by_turn: dict[str, list[str]] = {}

    def handlers(self) -> Handlers:
        """What is done on the events that concern this."""
        return {
            InferenceStarted: self.started,
            InferenceStartedV3: self.started,
            InferenceCompleted: self.completed,
            InferenceFailed: self.failed,
            InferenceCancelled: self.cancelled,
        }

    def started(self, raw: RawEvent, event: InferenceStarted) -> None:
        """Map the request's items, and make them the thread's live context."""
        call_id = event.inference_call_id
        if call_id in self._work.trace.inference_calls:
            raise Inconsistent(
                f"inference call {call_id} was started before", f"duplicate inference start for {call_id}"
            )
        if event.mislabels:
            raise Inconsistent(
                f"the payloads of inference call {call_id} are of other kinds than they must be",
                f"inference {call_id} has mislabeled request evidence",
            )
        referrer = Referrer(f"inference call {call_id}", f"inference start {call_id}")
        self._threads.turn_of_thread(event.codex_turn_id, event.thread_id, referrer)
        changes = self._work.changes
        context = self._conversation.context(event.thread_id)
        item_ids: list[str] = []
        if not self._payloads.is_lost(event.visible_payload):
            item_ids = self._map_request(event, Sighting(event.thread_id, event.codex_turn_id, raw))
            changes.change(context).snapshot = item_ids
        changes.change(context).latest_inference_id = call_id
        call = InferenceCall(
            call_id,
            event.thread_id,
            event.codex_turn_id,
            ExecutionWindow.opened_by(raw),
            event.model,
            event.provider_name,
            response_id=None,
            upstream_request_id=None,
            request_item_ids=item_ids,
            response_item_ids=[],
            tool_call_ids_started_by_response=[],
            usage=None,
            raw_request_payload_id=event.request_payload.raw_payload_id,
            prepared_prompt_payload_id=event.prompt_payload_id,
        )
        changes.create(self._work.trace.inference_calls, call_id, call)
        changes.append(changes.entry(self._calls_by_turn, event.codex_turn_id, list), call_id)

    def _map_request(self, event: InferenceStarted, seen: Sighting) -> list[str]:
        """The ids of the items that the request shows the model; they all become listed."""
        context = self._conversation.context(event.thread_id)
        replacement = context.pending_replacement
        base = context.snapshot if replacement is None else replacement
        visible = event.visible_payload
        if event.output_ids:
            request = self._sharing.read_whole(visible)
        else:
            request = self._sharing.read(event.thread_id, visible, base)
        normals = self._read_request(request.document, event)
        previous = request.document.value.get("previous_response_id")
        if isinstance(previous, str):
            return self._map_appended(event, previous, seen)
        known = request.known
        self._conversation.link_again(self._sharing.to_link_again(event.thread_id, known), seen.raw)
        item_ids = self._conversation.map_full(normals, base, seen, known.position_of)
        self._items.list_items(item_ids)
        self._work.changes.change(context).pending_replacement = None
        shown = [*known.item_ids, *item_ids]
        if not event.output_ids:
            self._sharing.remember(event.thread_id, request, normals, item_ids)
        return shown

    def _map_appended(self, event: InferenceStarted, previous: str, seen: Sighting) -> list[str]:
        """The ids of the items of a request that continues a response, whose items it does not repeat."""
        answered = self._answers.call_that_gave(event.thread_id, previous)
        if answered is None:
            raise Inconsistent(
                f"inference call {event.inference_call_id} continues response {previous}, "
                f"which no call of its thread gave",
                f"incremental inference request {event.inference_call_id} referenced unknown "
                f"previous_response_id {previous}",
            )
        normals = self._read_request(self._payloads.parse(event.visible_payload), event)
        prefix = [*answered.request_item_ids, *answered.response_item_ids]
        if self._has_holes(answered):
            appended = self._conversation.map_new(normals, seen)
        else:
            appended = self._conversation.map_append(normals, len(prefix), seen)
        # What the earlier request showed is listed already.
        self._items.list_items([*answered.response_item_ids, *appended])
        return [*prefix, *appended]

    def _has_holes(self, call: InferenceCall) -> bool:
        """Whether something of a call's request or response is lost; then its items are not all known."""
        payloads = self._work.trace.raw_payloads
        ids = (call.raw_request_payload_id, call.raw_response_payload_id)
        return any(one is not None and self._payloads.is_partial(payloads[one]) for one in ids)

    def _read_request(self, document: JsonDocument, event: InferenceStarted) -> list[NormalItem]:
        """The items that a request, or the context that stands for it, carries."""
        payload_id = event.visible_payload.raw_payload_id
        if not isinstance(document.value, dict) or "input" not in document.value:
            raise Inconsistent(
                f"inference request {payload_id} has no input",
                f"inference request payload {payload_id} did not contain input",
            )
        if not isinstance(document.value["input"], list):
            raise Inconsistent(
                f"the input of inference request {payload_id} is not an array",
                f"inference request payload {payload_id} had non-array input",
            )
        if event.output_ids:
            document = _with_output_ids(document, event.output_ids)
        return normalize_list(document, payload_id, "input", self._work.schema)

    def completed(self, raw: RawEvent, event: InferenceCompleted) -> None:
        """The model answered."""
        self._end(raw, event, "completed", event.response_id, event.response_payload)

    def failed(self, raw: RawEvent, event: InferenceFailed) -> None:
        """The call failed."""
        self._end(raw, event, "failed", None, event.partial_response_payload)

    def cancelled(self, raw: RawEvent, event: InferenceCancelled) -> None:
        """The call was cancelled."""
        self._end(raw, event, "cancelled", None, event.partial_response_payload)

    def _end(
        self,
        raw: RawEvent,
        event: InferenceCompleted | InferenceFailed | InferenceCancelled,
        status: ExecutionStatus,
        response_id: str | None,
        payload: PayloadRef | None,
    ) -> None:
        call = self._work.trace.inference_calls.get(event.inference_call_id)
        if call is None:
            raise Inconsistent(
                f"inference call {event.inference_call_id} ended, but it was never started",
                f"inference completion referenced unknown call {event.inference_call_id}",
            )
        self._work.changes.change(call)
        if payload is not None:
            self._take_response(raw, call, payload)
        self._answers.set_response_id(call, response_id)
        if event.upstream_request_id is not None:
            call.upstream_request_id = event.upstream_request_id
        if call.execution.status == "running":
            call.execution = call.execution.ended_by(raw, status)

    def _take_response(self, raw: RawEvent, call: InferenceCall, payload: PayloadRef) -> None:
        payload_id = payload.raw_payload_id
        if self._payloads.is_lost(payload):
            call.raw_response_payload_id = payload_id
            self._answers.set_response_items(call, [])
            return
        document = self._payloads.parse(payload)
        if not isinstance(dig(document.value, "output_items"), list):
            raise Inconsistent(
                f"inference response {payload_id} has no array output_items",
                f"inference response payload {payload_id} did not contain output_items",
            )
        normals = normalize_list(document, payload_id, "output_items", self._work.schema)
        producer = InferenceProducer(call.inference_call_id)
        seen = Sighting(call.thread_id, call.codex_turn_id, raw, (producer,))
        item_ids = self._conversation.map_response(normals, seen)
        self._continue_context(call, item_ids)
        usage = _usage(dig(document.value, "token_usage"))
        if usage is not None:
            call.usage = usage
        call.raw_response_payload_id = payload_id
        self._answers.set_response_items(call, item_ids)

    def _continue_context(self, call: InferenceCall, item_ids: list[str]) -> None:
        """Let what a response holds follow the thread's live context, where the schema says that it does."""
        context = self._conversation.context(call.thread_id)
        if self._work.schema.responses_continue:
            self._items.list_items(item_ids)
            self._work.changes.change(context).snapshot = [*context.snapshot, *item_ids]
        elif context.latest_inference_id == call.inference_call_id and context.pending_replacement is None:
            self._work.changes.change(context).snapshot = [*call.request_item_ids, *item_ids]

    def turn_ended(self, raw: RawEvent, turn: Turn, status: ExecutionStatus) -> None:
        """End the calls of a turn that are still running."""
        final = _STATUS_AT_TURN_END.get(status)
        if final is None:
            return
        for call_id in self._calls_by_turn.get(turn.codex_turn_id, ()):
            call = self._work.trace.inference_calls[call_id]
            if call.execution.status == "running":
                self._work.changes.change(call).execution = call.execution.ended_by(raw, final)


class ResponseIndex:
    """Finds inference calls by what they answered."""

    def __init__(self, work: GraphWork) -> None:
        self._work = work
        self._calls_by_response: dict[tuple[str, str], list[str]] = {}
        self._calls_by_item: dict[str, list[str]] = {}

    def call_that_gave(self, thread_id: str, response_id: str) -> InferenceCall | None:
        """The call of this thread that gave a response; of several, the one with the smallest id."""
        call_ids = self._calls_by_response.get((thread_id, response_id))
        return self._work.trace.inference_calls[call_ids[0]] if call_ids else None

    def calls_that_answered(self, item_id: str) -> Sequence[str]:
        """The inference calls whose stored response holds this item."""
        return self._calls_by_item.get(item_id, ())

    def set_response_id(self, call: InferenceCall, response_id: str | None) -> None:
        """Set the response id of a call that was announced as changed."""
        changes = self._work.changes
        if call.response_id is not None:
            changes.remove(self._calls_by_response[call.thread_id, call.response_id], call.inference_call_id)
        call.response_id = response_id
        if response_id is not None:
            key = (call.thread_id, response_id)
            ids = [*self._calls_by_response.get(key, ())]
            insort(ids, call.inference_call_id)
            changes.put(self._calls_by_response, key, ids)

    def set_response_items(self, call: InferenceCall, item_ids: list[str]) -> None:
        """Replace the response items of a call that was announced as changed."""
        for item_id in set(call.response_item_ids):
            self._work.changes.remove(self._calls_by_item[item_id], call.inference_call_id)
        call.response_item_ids = item_ids
        for item_id in dict.fromkeys(item_ids):
            ids = self._work.changes.entry(self._calls_by_item, item_id, list)
            self._work.changes.append(ids, call.inference_call_id)


def _with_output_ids(document: JsonDocument, ids: Sequence[tuple[int, str]]) -> JsonDocument:
    """A request whose outputs of tools have the ids that it was sent without.

    Raises:
        Inconsistent: there is no output without an id at one of the positions.
    """
    restored = JsonDocument(document.data, document.holes)
    items = restored.value["input"]
    for position, item_id in ids:
        if position >= len(items):
            raise Inconsistent(
                f"the request has no item {position}, whose id {item_id} was taken out",
                "stripped tool output index outside request",
            )
        item = items[position]
        # Its type may be anything, also what no set can be asked for.
        if dig(item, "type") not in [*OUTPUT_KINDS] or "id" in item:
            raise Inconsistent(
                f"item {position} of the request is no output without id, from which {item_id} was taken out",
                f"stripped tool output ID does not refer to an ID-less output at input {position}",
            )
        items[position] = {**item, "id": item_id}
    return restored


def _usage(value: Any) -> Usage | None:
    """Token counts, when all that are required are integers of 64 bits; negative ones count as 0."""
    counts = [_token_count(dig(value, name)) for name in _TOKEN_COUNTS]
    if any(count is None for count in counts):
        return None
    read, cached, written, reasoning = (count or 0 for count in counts)
    cache_write = _token_count(dig(value, "cache_write_input_tokens")) or 0
    return Usage(read, cached, cache_write, written, reasoning)


def _token_count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return max(value, 0)
