"""Compaction: requests to compact a history, and the checkpoint that replaces it."""

from __future__ import annotations

from reducer.changes import GraphWork, Handlers
from reducer.errors import Inconsistent
from reducer.model import Compaction, CompactionProducer, CompactionRequest, ExecutionWindow
from reducer.rules.conversation import Conversation, Sighting
from reducer.rules.items import ItemStore
from reducer.rules.normalize import NormalItem, normalize_list
from reducer.rules.threads import Referrer, Threads
from reducer.schemas.v1 import (
    CompactionInstalled,
    CompactionRequestCompleted,
    CompactionRequestFailed,
    CompactionRequestStarted,
)
from reducer.storage.payloads import Payloads
from reducer.wire.events import ExecutionStatus, RawEvent
from reducer.wire.payload_refs import PayloadRef
from reducer.wire.typed_json import dig

_MARKER = NormalItem("assistant", None, "compaction_marker", [])


class Compactions:
    """Applies the events of compactions."""

    def __init__(
        self,
        work: GraphWork,
        payloads: Payloads,
        threads: Threads,
        items: ItemStore,
        conversation: Conversation,
    ) -> None:
        self._work = work
        self._payloads = payloads
        self._threads = threads
        self._items = items
        self._conversation = conversation
        self._requests: dict[str, list[str]] = {}

    def handlers(self) -> Handlers:
        """What is done on the events that concern this."""
        return {
            CompactionRequestStarted: self.request_started,
            CompactionRequestCompleted: self.request_completed,
            CompactionRequestFailed: self.request_failed,
            CompactionInstalled: self.installed,
        }

    def request_started(self, raw: RawEvent, event: CompactionRequestStarted) -> None:
        """Make the request."""
        request_id = event.compaction_request_id
        if request_id in self._work.trace.compaction_requests:
            raise Inconsistent(
                f"compaction request {request_id} was started before",
                f"duplicate compaction request start for {request_id}",
            )
        self._threads.known_thread(event.thread_id)
        what = f"compaction request {request_id}"
        self._threads.turn_of_thread(event.codex_turn_id, event.thread_id, Referrer(what, what))
        request = CompactionRequest(
            request_id,
            event.compaction_id,
            event.thread_id,
            event.codex_turn_id,
            ExecutionWindow.opened_by(raw),
            event.model,
            event.provider_name,
            event.request_payload.raw_payload_id,
        )
        changes = self._work.changes
        changes.create(self._work.trace.compaction_requests, request_id, request)
        changes.insert_sorted(changes.entry(self._requests, event.compaction_id, list), request_id, str)

    def request_completed(self, raw: RawEvent, event: CompactionRequestCompleted) -> None:
        """The request was answered."""
        self._end_request(raw, event, "completed", event.response_payload.raw_payload_id)

    def request_failed(self, raw: RawEvent, event: CompactionRequestFailed) -> None:
        """The request failed."""
        self._end_request(raw, event, "failed", None)

    def _end_request(
        self,
        raw: RawEvent,
        event: CompactionRequestCompleted | CompactionRequestFailed,
        status: ExecutionStatus,
        payload_id: str | None,
    ) -> None:
        request = self._work.trace.compaction_requests.get(event.compaction_request_id)
        if request is None:
            raise Inconsistent(
                f"compaction request {event.compaction_request_id} ended, but it was never started",
                f"compaction request completion referenced unknown request {event.compaction_request_id}",
            )
        if request.compaction_id != event.compaction_id:
            raise Inconsistent(
                f"compaction request {event.compaction_request_id} ended for compaction "
                f"{event.compaction_id}, but started for {request.compaction_id}",
                f"compaction request {event.compaction_request_id} completion used compaction "
                f"{event.compaction_id}, but start used {request.compaction_id}",
            )
        self._work.changes.change(request).execution = request.execution.ended_by(raw, status)
        request.raw_response_payload_id = payload_id

    def installed(self, raw: RawEvent, event: CompactionInstalled) -> None:
        """Map both histories of the checkpoint; the next full request compares with the replacement only."""
        thread_id, turn_id = self._check_install(raw, event)
        before, after = self._read_checkpoint(event.checkpoint_payload)
        context = self._conversation.context(thread_id)
        producer = CompactionProducer(event.compaction_id)
        input_ids = self._conversation.map_history(
            before, context.snapshot, Sighting(thread_id, turn_id, raw)
        )
        marker = self._items.create(thread_id, turn_id, raw.wall_time_unix_ms, _MARKER, (producer,))
        replacement_ids = self._conversation.map_history(
            after, (), Sighting(thread_id, turn_id, raw, (producer,))
        )
        self._items.list_items([*input_ids, marker.item_id, *replacement_ids])
        self._work.changes.change(context).pending_replacement = replacement_ids
        compaction = Compaction(
            event.compaction_id,
            thread_id,
            turn_id,
            raw.wall_time_unix_ms,
            marker.item_id,
            [*self._requests.get(event.compaction_id, ())],
            input_ids,
            replacement_ids,
        )
        self._work.changes.create(self._work.trace.compactions, event.compaction_id, compaction)

    def _read_checkpoint(self, ref: PayloadRef) -> tuple[list[NormalItem], list[NormalItem]]:
        """The histories before and after; of a checkpoint that is lost, nothing."""
        if self._payloads.is_lost(ref):
            return [], []
        payload_id, schema = ref.raw_payload_id, self._work.schema
        document = self._payloads.parse(ref)
        for key in ("input_history", "replacement_history"):
            if not isinstance(dig(document.value, key), list):
                raise Inconsistent(
                    f"compaction checkpoint {payload_id} has no array {key}",
                    f"compaction checkpoint payload {payload_id} did not contain array {key}",
                )
        before = normalize_list(document, payload_id, "input_history", schema)
        return before, normalize_list(document, payload_id, "replacement_history", schema)

    def _check_install(self, raw: RawEvent, event: CompactionInstalled) -> tuple[str, str]:
        what = f"compaction {event.compaction_id}"
        says = f"compaction installed event {event.compaction_id}"
        if raw.thread_id is None:
            raise Inconsistent(f"{what} names no thread", f"{says} did not include a thread id")
        if raw.codex_turn_id is None:
            raise Inconsistent(f"{what} names no turn", f"{says} did not include a codex turn id")
        if event.compaction_id in self._work.trace.compactions:
            raise Inconsistent(
                f"{what} was installed before", f"duplicate compaction install for {event.compaction_id}"
            )
        self._threads.known_thread(raw.thread_id)
        referrer = Referrer(what, f"compaction install {event.compaction_id}")
        self._threads.turn_of_thread(raw.codex_turn_id, raw.thread_id, referrer)
        return raw.thread_id, raw.codex_turn_id
