"""What the kinds of events in a log tell, without reducing it: a line is looked at, and seldom parsed."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import orjson

from reducer import Bundle, BundleError
from reducer.wire.payload_refs import PayloadRef, read_ref
from rollout_tui.bundles.known_failures import KnownFailures

_KIND = re.compile(rb'"payload":\s*\{\s*"type":\s*"(\w+)"')
"""How codex and our own recorder begin a payload. Quotes in texts are escaped: nothing else looks so."""

_HEAD = 2_000
"""Bytes of a line in which its kind stands, if it stands where codex writes it."""

_PARSED = frozenset(
    {
        b"rollout_ended",
        b"thread_started",
        b"inference_started",
        b"inference_completed",
        b"inference_failed",
        b"inference_cancelled",
        b"protocol_event_observed",
    }
)
"""Kinds whose lines say something beyond that they are there."""

_THREAD = re.compile(rb'"thread_id":\s*"([^"\\]*)"')
"""How a body names a thread."""

_LOST = re.compile(rb'"capture":\s*\{[^{}]*"status":\s*"(?:truncated|omitted)"')
"""How a reference says that a limit of the recorder cut its payload or left it out."""

_END_STATUSES = ("completed", "failed", "aborted")


class LogScan:
    """Reads a log once, and what is added to it later from where it was.

    Attributes:
        kinds: how many events of which kind there are.
        thread_ids: the ids of all threads that were started.
        end_status: what `rollout_ended` says; None without one.
        responses: payloads of all responses, in order.
        first_request: payload of what the first request of the root thread showed.
        metadata: payload of the metadata of the root thread.
        configured: payloads of `session_configured` events, the first few.
        failures: what failed by the ends that events tell.
        has_lost_payloads: whether a limit of the recorder cut a payload or left one out.
    """

    MAX_CONFIGURED = 4

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._root = bundle.manifest.root_thread_id
        self._number, self._offset = 1, 0
        self.kinds: Counter[str] = Counter()
        self.thread_ids: set[str] = set()
        self.end_status: str | None = None
        self.responses: list[PayloadRef] = []
        self.first_request: PayloadRef | None = None
        self.metadata: PayloadRef | None = None
        self.configured: list[PayloadRef] = []
        self.failures = KnownFailures()
        self.has_lost_payloads = False

    @property
    def offset(self) -> int:
        """So many bytes of the log were read: all lines up to the last one that is ended."""
        return self._offset

    def read_on(self) -> None:
        """Read the lines that are new; one that is not ended yet is left for the next time.

        Raises:
            BundleError: the log is missing or unreadable.
        """
        for line in self._bundle.lines(self._number, self._offset):
            if not line.ended:
                return
            self._take(line.data)
            self._number = line.number + 1
            self._offset = line.offset + line.size

    def _take(self, data: bytes) -> None:
        if not self.has_lost_payloads and b'"capture"' in data:
            self.has_lost_payloads = _LOST.search(data) is not None
        found = _KIND.search(data, 0, _HEAD)
        if found is not None:
            self.failures.note(found[1], data, found.end())
        if found is not None and not self._is_wanted(found[1], data, found.end()):
            self.kinds[found[1].decode()] += 1
            return
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            return
        payload = event.get("payload") if isinstance(event, dict) else None
        if isinstance(payload, dict) and isinstance(payload.get("type"), str):
            self.kinds[payload["type"]] += 1
            self._note(payload)

    def _is_wanted(self, kind: bytes, data: bytes, start: int) -> bool:
        """Whether a line is to be parsed; most that could be are requests, which may name very many parts.

        Args:
            kind: of its event.
            data: the line.
            start: where the rest of the body begins.
        """
        if kind != b"inference_started":
            return kind in _PARSED
        if self.first_request is not None:
            return False
        thread = _THREAD.search(data, start, _HEAD)
        return thread is None or thread[1] == self._root.encode()

    def _note(self, payload: dict[str, Any]) -> None:
        kind = payload["type"]
        if kind == "rollout_ended" and payload.get("status") in _END_STATUSES:
            self.end_status = payload["status"]
        elif kind == "thread_started":
            if isinstance(payload.get("thread_id"), str):
                self.thread_ids.add(payload["thread_id"])
            if payload.get("thread_id") == self._root and self.metadata is None:
                self.metadata = read_ref(payload.get("metadata_payload"))
        elif kind == "inference_started":
            if self.first_request is None and payload.get("thread_id") == self._root:
                # A request that continues one that was not recorded has all of its input beside it.
                shown = payload.get("warmup_context_payload") or payload.get("request_payload")
                self.first_request = read_ref(shown)
        elif kind.startswith("inference_"):
            ref = read_ref(payload.get("response_payload") or payload.get("partial_response_payload"))
            if ref is not None:
                self.responses.append(ref)
        elif kind == "protocol_event_observed" and payload.get("event_type") == "session_configured":
            ref = read_ref(payload.get("event_payload"))
            if ref is not None and len(self.configured) < self.MAX_CONFIGURED:
                self.configured.append(ref)


def scan_log(bundle: Bundle, before: LogScan | None = None) -> LogScan:
    """Scan the log of a bundle.

    Args:
        bundle: the bundle.
        before: an earlier scan of it, which is continued if the log only grew.

    Raises:
        BundleError: the log is missing or unreadable.
    """
    scan = LogScan(bundle) if before is None or bundle.log_size() < before.offset else before
    try:
        scan.read_on()
    except BundleError:
        if not bundle.has_log():
            raise BundleError(f"{bundle.log_path}: there is no event log") from None
        raise
    return scan
