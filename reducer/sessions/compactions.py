"""Compactions: which items a history was replaced by, and what of them is new."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.certainty import START
from reducer.errors import NotApplicable
from reducer.model import (
    Compaction,
    CompactionProducer,
    CompactionRequest,
    ConversationItem,
    ExecutionWindow,
    Usage,
)
from reducer.rules.normalize import NormalItem
from reducer.sessions.call_objects import read_usage
from reducer.sessions.calls import Calls
from reducer.sessions.fields import array, mapping, number, text
from reducer.sessions.graph import SessionGraph
from reducer.sessions.history import Entry, History
from reducer.sessions.items import NOT_IN_LISTS, ItemForm, content_key, entry_for
from reducer.sessions.lines import Record

NO_REPLACEMENT = "The contexts of the calls that follow are only known from there on."
ITEM_LEFT_OUT = "The item is missing in the contexts of the calls that follow."


class CompactionCall(Struct, frozen=True):
    """The model's answer that made a compaction.

    Attributes:
        response_id: of the answer; None where it is not told.
        usage: its tokens; None where they are not told.
        is_local: whether it is a text that codex asked for, and not sealed by the provider.
    """

    response_id: str | None
    usage: Usage | None
    is_local: bool


class Compactions:
    """The compactions of one file.

    Attributes:
        calls: the answers that made them, by the ids of the compactions. It is shared by all files.
    """

    def __init__(
        self, graph: SessionGraph, thread_id: str, file_id: str, calls: dict[str, CompactionCall]
    ) -> None:
        self.calls = calls
        self._graph = graph
        self._thread_id = thread_id
        self._file_id = file_id
        self._made = 0
        self._summaries: set[str] = set()
        self._usage: dict[str, Usage | None] = {}

    def summary(self, item_id: str) -> None:
        """An item is what a compaction gave; it is about to be installed."""
        self._summaries.add(item_id)

    def answered(self, payload: dict[str, Any]) -> None:
        """The tokens of a compaction's answer were noted."""
        response_id = text(payload, "response_id")
        if response_id is not None:
            self._usage[response_id] = read_usage(mapping(payload, "usage"))

    def installed(self, record: Record, history: History, form: ItemForm, calls: Calls) -> None:
        """A history was replaced, and that by a call of a turn."""
        payload = record.payload
        response_id = text(payload, "compaction_response_id")
        message = text(payload, "message") or ""
        summary = calls.compacted(response_id, message)
        self._summaries.update(summary.item_ids)
        self._made += 1
        compaction_id = f"{self._file_id}:compaction:{self._made}"
        turn_id = "" if calls.turn is None else calls.turn.turn_id
        producer = CompactionProducer(compaction_id)
        input_ids = [id_ for id_ in history.visible(None) if id_ not in self._summaries]
        marker = self._marker(record, turn_id, producer)
        entries = self.replacement(record, history, form, (producer,))
        self._graph.trace.compactions[compaction_id] = Compaction(
            compaction_id,
            self._thread_id,
            turn_id,
            self._graph.time(record),
            marker.item_id,
            [self._request(record, compaction_id, calls)],
            input_ids,
            [entry.item_id for entry in entries],
        )
        self._graph.touch("Compaction", compaction_id)
        usage = summary.usage or self._usage.pop(response_id or "", None)
        usage = usage or read_usage(mapping(mapping(payload, "latest_token_usage_record"), "usage"))
        self.calls[compaction_id] = CompactionCall(response_id, usage, bool(message))
        history.replace(record.ordinal, entries)
        self._summaries.clear()

    def _marker(self, record: Record, turn_id: str, producer: CompactionProducer) -> ConversationItem:
        return self._graph.item(
            NormalItem("assistant", None, "compaction_marker", []),
            record,
            self._thread_id,
            turn_id or None,
            (producer,),
        )

    def _request(self, record: Record, compaction_id: str, calls: Calls) -> str:
        request_id = f"{compaction_id}:request"
        turn = calls.turn
        at = self._graph.time(record)
        self._graph.trace.compaction_requests[request_id] = CompactionRequest(
            request_id,
            compaction_id,
            self._thread_id,
            "" if turn is None else turn.turn_id,
            ExecutionWindow(at, record.seq, at, record.seq, "completed"),
            "" if turn is None else turn.model,
            calls.provider,
            "",
            self._graph.payload(record, "compaction_response"),
        )
        self._graph.touch("CompactionRequest", request_id)
        self._graph.certainty.note(request_id, rebuilt=(START,), not_recorded=("request (its prompt)",))
        return request_id

    def replacement(
        self,
        record: Record,
        history: History,
        form: ItemForm,
        produced_by: tuple[CompactionProducer, ...],
    ) -> list[Entry]:
        """The items that a history is replaced by; those that it has already stay the same.

        Args:
            record: which has them.
            history: as it was before.
            form: in which a model gets items.
            produced_by: by what the new ones of them are made.
        """
        values = record.payload.get("replacement_history")
        if not isinstance(values, list):
            history.is_whole = False
            self._graph.report(
                "the compaction does not say by what it replaced the history",
                NO_REPLACEMENT,
                record.line,
                record,
            )
            return []
        metadata = array(record.payload, "replacement_history_metadata")
        known = _Known(self._graph, history)
        entries = []
        for position, value in enumerate(values):
            fields = value if isinstance(value, dict) else {}
            if text(fields, "type") in NOT_IN_LISTS:
                continue
            path = ("payload", "replacement_history", position)
            try:
                normal = self._graph.normal(form, record, path, value)
            except NotApplicable as error:
                self._graph.report(str(error), ITEM_LEFT_OUT, record.line, record)
                continue
            item = known.take(normal)
            if item is None:
                item = self._graph.item(normal, record, self._thread_id, None, produced_by)
            told = metadata[position] if position < len(metadata) else None
            entries.append(entry_for(item.item_id, fields, record, number(told, "history_sequence")))
        return entries


class _Known:
    """The items of a history by their content, each to be taken once."""

    def __init__(self, graph: SessionGraph, history: History) -> None:
        self._items: dict[tuple[object, ...], list[ConversationItem]] = {}
        for item_id in reversed(history.visible(None)):
            item = graph.trace.conversation_items[item_id]
            self._items.setdefault(content_key(item, item.body.parts), []).append(item)

    def take(self, normal: NormalItem) -> ConversationItem | None:
        """The first item with the same content that was not taken yet, and that may have the same id."""
        found = self._items.get(content_key(normal, normal.parts), [])
        for at in range(len(found) - 1, -1, -1):
            ids = {found[at].responses_item_id, normal.responses_item_id} - {None}
            if len(ids) < 2:
                return found.pop(at)
        return None
