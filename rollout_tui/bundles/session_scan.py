"""What the records of a session file tell, without rebuilding a graph: a line is looked at, seldom parsed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import orjson
from msgspec import structs

from reducer.sessions.fields import mapping, number, text
from reducer.sessions.headers import Header, is_older, read_header
from reducer.sessions.sources import COMPRESSED, LineSource
from reducer.storage.confinement import BundleFolder
from rollout_tui.bundles.instructions import asked_by, text_of

MAX_SCANNED = 64_000_000
"""Bytes of a file that are looked at from its beginning on; of a larger one, its end besides."""

TAIL = 1_000_000
"""Bytes at the end of a larger file that are looked at: they tell how it ended."""

_KIND = re.compile(rb'"type":\s*"(\w+)",\s*"payload":\s*\{(?:\s*"type":\s*"(\w+)")?')
"""How codex begins a record. Quotes in texts are escaped: nothing else looks so."""

_HEAD = 300
"""Bytes of a line in which its kind stands, if it stands where codex writes it."""

_ORDINAL = re.compile(rb'"ordinal":\s*(\d+)')
_SUMMARY_ITEM = re.compile(rb'"compaction_output":\s*true')
_MODEL_MADE = frozenset(
    {
        b"reasoning",
        b"function_call",
        b"custom_tool_call",
        b"local_shell_call",
        b"web_search_call",
        b"image_generation_call",
        b"tool_search_call",
    }
)
_TURN_STARTS = frozenset({b"task_started", b"turn_started"})
_COUNTED_EVENTS = _TURN_STARTS | frozenset(
    {
        b"task_complete",
        b"turn_complete",
        b"turn_aborted",
        b"token_count",
    }
)

End = Literal["completed", "failed", "aborted"]


class SessionScan:
    """Reads one file once, and what is added to it later from where it was.

    What a file copied from another thread is left out, as far as the file tells.

    Attributes:
        header: what the file says of itself, without the base instructions; None before it was found.
        model: of the first turn that names one.
        instruction: the last thing a user says before the first answer.
        turns: how many turns there are.
        calls: how many responses were counted; calls that came to nothing leave none.
        tokens: input and output tokens of them.
        compactions: how often the history was replaced.
        failures: turns that failed or were aborted, and what of tools says by itself that it failed.
        end: how the last turn ended; None while it runs, or if there is none.
        is_partial: whether the middle of the file was left out.
        share: of the bytes of a partial one, those that were looked at.
        fault: why the rest could not be read; None if it could.
    """

    __slots__ = (
        "_compactions_of",
        "_counted",
        "_has_answer",
        "_has_summary",
        "_is_own",
        "_items_wait",
        "_notes_usage",
        "_said",
        "_source",
        "_total",
        "calls",
        "compactions",
        "end",
        "failures",
        "fault",
        "header",
        "instruction",
        "is_partial",
        "model",
        "share",
        "tokens",
        "turns",
    )

    def __init__(self, folder: BundleFolder, file: str) -> None:
        """Nothing is read yet.

        Args:
            folder: that holds the file.
            file: its path in the folder.
        """
        self._source = LineSource(folder, file)
        self.header: Header | None = None
        self.model = self.instruction = ""
        self.turns = self.calls = self.tokens = self.compactions = self.failures = 0
        self.end: End | None = None
        self.is_partial, self.share = False, 1.0
        self.fault: str | None = None
        self._is_own = True
        self._has_answer = self._has_summary = self._items_wait = self._notes_usage = False
        self._total: object = None
        self._counted: tuple[str | None, int] | None = None
        self._said = ""
        self._compactions_of: set[str] = set()

    @property
    def offset(self) -> int:
        """Bytes of the plain text that were looked at, or left out."""
        return self._source.offset

    def read_on(self, size: int) -> None:
        """Read the lines that are new; one that is not ended yet is left for the next time.

        Args:
            size: bytes of the file.
        """
        source, began = self._source, self._source.offset
        for line in source.lines(is_whole=False):
            self._take(line.data)
            if source.offset - began > MAX_SCANNED:
                self._leave_out_middle(size)
                break
        else:
            self.fault = source.fault

    def _leave_out_middle(self, size: int) -> None:
        source = self._source
        self.is_partial = True
        if source.file.endswith(COMPRESSED):
            return  # how much of it there is nobody knows without decoding it
        begin = max(source.offset, size - TAIL)
        self.share = min(self.share, source.offset / max(1, size))
        source.offset = begin
        lines = source.lines(is_whole=False)
        next(lines, None)  # the rest of a line
        for line in lines:
            self._take(line.data, only_end=True)
        self.fault = source.fault

    def _take(self, data: bytes, *, only_end: bool = False) -> None:
        found = _KIND.search(data, 0, _HEAD)
        if found is None:
            self._take_parsed(data, only_end=only_end)
            return
        kind, what = found[1], found[2]
        if not self._is_own and kind != b"session_meta" and not self._own_begins(data, kind, what):
            return
        if kind == b"response_item":
            self._item(data, what)
        elif kind == b"event_msg":
            if what in _COUNTED_EVENTS or (what == b"item_completed" and b'"failed"' in data):
                self._take_parsed(data, only_end=only_end)
        elif kind in (b"session_meta", b"token_usage_record", b"compacted") or (
            kind == b"turn_context" and not self.model
        ):
            self._take_parsed(data, only_end=only_end)

    def _own_begins(self, data: bytes, kind: bytes, what: bytes) -> bool:
        """Whether a line is the first that is not copied, or stands behind it."""
        header = self.header
        first = None if header is None else header.own_from_ordinal
        ordinal = None if first is None else _ORDINAL.search(data, 0, _HEAD)
        if first is not None and ordinal is not None:
            self._is_own = int(ordinal[1]) >= first
        elif header is not None and kind == b"event_msg" and what in _TURN_STARTS:
            turn_id = text(_parsed(data).get("payload"), "turn_id")
            self._is_own = turn_id is None or not is_older(turn_id, header.thread_id)
        return self._is_own

    def _item(self, data: bytes, what: bytes) -> None:
        """An item of the history; few are of interest."""
        if what in _MODEL_MADE:
            self._has_answer = self._items_wait = True
        elif what == b"message" and not (self._has_answer and self._notes_usage):
            payload = mapping(_parsed(data), "payload")
            if payload.get("role") == "assistant":
                self._has_answer = self._items_wait = True
                self._said = text_of(payload)
            elif not self._has_answer:
                self.instruction = asked_by(payload) or self.instruction
        if _SUMMARY_ITEM.search(data, max(0, len(data) - _HEAD)):
            self._has_summary = True

    def _take_parsed(self, data: bytes, *, only_end: bool) -> None:
        record = _parsed(data)
        payload, kind = mapping(record, "payload"), text(record, "type")
        if kind == "event_msg":
            kind = text(payload, "type")
        if kind is None or (only_end and kind not in _ENDS):
            return
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, payload)

    # What is counted

    def _session_meta(self, payload: dict[str, Any]) -> None:
        header = read_header(payload)
        if header is None:
            return
        if self.header is not None:
            self._is_own = self._is_own and header.thread_id == self.header.thread_id
            return
        # The instructions are most of a header, and a list has very many.
        self.header = structs.replace(header, instructions=None)
        self._is_own = header.base is not None or (header.forked_from_id is None and header.parent_id is None)

    def _turn_context(self, payload: dict[str, Any]) -> None:
        self.model = self.model or text(payload, "model") or ""

    def _turn_starts(self, payload: dict[str, Any]) -> None:
        self.turns += 1
        self.end = None

    def _turn_completes(self, payload: dict[str, Any]) -> None:
        failed = bool(mapping(payload, "error"))
        self.failures += failed
        self.end = "failed" if failed else "completed"

    def _turn_aborted(self, payload: dict[str, Any]) -> None:
        self.failures += 1
        self.end = "aborted"

    def _item_completed(self, payload: dict[str, Any]) -> None:
        self.failures += text(mapping(payload, "item"), "status") == "failed"

    def _usage(self, payload: dict[str, Any]) -> None:
        self._notes_usage = True
        response_id = text(payload, "response_id")
        if self._has_summary or response_id in self._compactions_of:
            return
        self._count(response_id, mapping(payload, "usage"))

    def _token_count(self, payload: dict[str, Any]) -> None:
        """In old files a sum that changed tells of a response, if there were items of one."""
        info = mapping(payload, "info")
        total = info.get("total_token_usage")
        changed = total is not None and total != self._total
        self._total = total if total is not None else self._total
        if changed and self._items_wait and not self._notes_usage:
            self._items_wait = False
            self._count(None, mapping(info, "last_token_usage"))

    def _count(self, response_id: str | None, usage: dict[str, Any]) -> None:
        tokens = sum(max(0, number(usage, name) or 0) for name in ("input_tokens", "output_tokens"))
        self.calls += 1
        self.tokens += tokens
        self._counted = response_id, tokens

    def _compacted(self, payload: dict[str, Any]) -> None:
        """The response that gave a summary is none of a call, though it was counted before that was known."""
        self.compactions += 1
        self._has_summary = False
        response_id = text(payload, "compaction_response_id")
        if response_id is not None:
            self._compactions_of.add(response_id)
        counted, self._counted = self._counted, None
        message = text(payload, "message") or ""
        if counted is not None and self._gave_summary(counted[0], response_id, message):
            self.calls -= 1
            self.tokens -= counted[1]

    def _gave_summary(self, counted: str | None, response_id: str | None, message: str) -> bool:
        if counted is not None or response_id is not None:
            return counted == response_id
        return bool(self._said) and message.endswith(self._said)


_ENDS = frozenset({"task_started", "turn_started", "task_complete", "turn_complete", "turn_aborted"})

_HANDLERS: dict[str, Callable[[SessionScan, dict[str, Any]], None]] = {
    "session_meta": SessionScan._session_meta,
    "turn_context": SessionScan._turn_context,
    "task_started": SessionScan._turn_starts,
    "turn_started": SessionScan._turn_starts,
    "task_complete": SessionScan._turn_completes,
    "turn_complete": SessionScan._turn_completes,
    "turn_aborted": SessionScan._turn_aborted,
    "item_completed": SessionScan._item_completed,
    "token_usage_record": SessionScan._usage,
    "token_count": SessionScan._token_count,
    "compacted": SessionScan._compacted,
}
"""By the kind of a record or of its event."""


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
