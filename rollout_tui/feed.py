"""One bundle as it is read, by a worker: views of what is there so far, of what was added, of the past."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from reducer import Bundle, EventRecord, UnreadablePayload
from reducer.growing import GrowingReduction
from reducer.reduce import without_cyclic_gc
from reducer.storage.bundle import LogLine
from reducer.wire.json_text import JsonDocument, JsonError
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.bundles.liveness import logs_being_written
from rollout_tui.progress import Progress
from rollout_tui.views.edges.following import Follower
from rollout_tui.views.entries import SHOWN_PROTOCOL_EVENTS
from rollout_tui.views.growth import Growth
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.turn_starts import TURN_STARTED, read_turn_start

FIRST_VIEW = 0.03
"""Seconds of reading after which what is there is shown for the first time."""

VIEW_INTERVAL = 0.3
"""Seconds between two views, unless making them takes long."""

READ_SHARE, FOLLOW_SHARE = 8, 2
"""Seconds between two views for each second that it takes to make one, while a bundle is read for the first
time, and while it is followed: what is large is shown less often."""


class View(NamedTuple):
    """A graph that does not change, ready to be shown.

    Attributes:
        bundle: where it is from.
        timelines: the graph with look-ups and timelines.
        follower: follows edges in it.
        last_seq: the last event that went into it; 0 for none.
    """

    bundle: Bundle
    timelines: Timelines
    follower: Follower
    last_seq: int


class Pace:
    """Says when it is time for the next view."""

    def __init__(self, first: float, share: int) -> None:
        """Begin to wait.

        Args:
            first: seconds until the first view.
            share: seconds between two views for each second that it takes to make one.
        """
        self._next = monotonic() + first
        self._share = share

    def is_due(self) -> bool:
        """Whether it is time."""
        return monotonic() >= self._next

    @contextmanager
    def making(self) -> Iterator[None]:
        """Around the making of a view: the longer it takes, the later the next one."""
        began = monotonic()
        yield
        now = monotonic()
        self._next = now + max(VIEW_INTERVAL, self._share * (now - began))


class Feed:
    """Reads one bundle and makes views of it. Every method blocks and is meant for a worker thread.

    Attributes:
        bundle: the bundle that is read.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._now = _Reading(bundle)
        self._past: _Reading | None = None
        # A worker that was called off may still be at it when another one begins.
        self._now_lock, self._past_lock = Lock(), Lock()
        self._let_go: list[object] = []

    def read(self, progress: Progress, publish: Callable[[View], None] | None = None) -> View:
        """Read all that the log has.

        Args:
            progress: told how far it is.
            publish: given views of what is there so far.

        Returns:
            The view of all of it.

        Raises:
            BundleError: the log cannot be read.
        """
        total, pace, is_live = self.bundle.log_size(), Pace(FIRST_VIEW, READ_SHARE), self.is_being_written()

        def stop(line: LogLine) -> bool:
            progress(line.offset, total)
            return publish is not None and pace.is_due()

        with self._now_lock:
            while self._now.read_on(stop, is_whole=not is_live) and self._now.offset < total:
                if publish is not None and pace.is_due():
                    with pace.making():
                        publish(self._view(self._now))
            self._now.verify_payloads()
            return self._view(self._now)

    def read_on(self, stop: Callable[[], bool]) -> int:
        """Read what was added to the log.

        Args:
            stop: whether to leave the rest for the next time.

        Returns:
            How many lines that was.

        Raises:
            LogChangedError: it is not the same log any more.
            BundleError: it cannot be read.
        """
        with self._now_lock:
            return self._now.read_on(lambda line: stop()) if self._now.has_more() else 0

    def verify_payloads(self) -> None:
        """Check the payloads that nothing has read, once nothing more will come."""
        with self._now_lock:
            self._now.verify_payloads()

    def is_being_written(self) -> bool:
        """Whether a process has the log open for writing, as far as that can be told."""
        return bool(logs_being_written([self.bundle.log_path]))

    def view(self) -> View:
        """The view of what was read."""
        with self._now_lock:
            return self._view(self._now)

    def as_of(self, seq: int, progress: Progress) -> View:
        """The view as of an event: of a bundle whose log ends with it.

        Args:
            seq: sequence number of the event.
            progress: told how far it is.

        Raises:
            BundleError: the log cannot be read.
        """
        total = self.bundle.log_size()
        with self._past_lock:
            past = self._past
            if past is None or past.last_seq > seq:
                past = self._past = _Reading(self.bundle)

            def stop(line: LogLine) -> bool:
                progress(line.offset, total)
                return past.last_seq >= seq

            if past.last_seq < seq:
                # A last line without a line feed is an event if it was taken for one before.
                past.read_on(stop, is_whole=seq <= self._now.last_seq)
            return self._view(past)

    def let_go(self, view: object) -> None:
        """Take a view that is not shown any more: to free a large one takes longer than the UI loop may."""
        self._let_go.append(view)

    def _view(self, reading: _Reading) -> View:
        self._let_go.clear()
        with without_cyclic_gc():
            view = reading.view()
        # Nothing in a view refers back to it, so the collector of cycles need not walk through it: with many
        # events that would stop the UI loop for a second.
        gc.freeze()
        return view


class _Reading(GrowingReduction):
    """One way through the log, with what its views have in common."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self._growth = Growth()

    def view(self) -> View:
        """What was read so far, ready to be shown."""
        reduction, events = self.reduction(), self.new_events()
        for event in events:
            if event.kind == "protocol_event_observed":
                if event.note in SHOWN_PROTOCOL_EVENTS:
                    self._read_protocol_event(event)
                elif event.note == TURN_STARTED:
                    self._read_turn_start(event)
        timelines, follower = self._growth.view(reduction, self.changed(), events)
        return View(self.bundle, timelines, follower, self.last_seq)

    def _read_protocol_event(self, event: EventRecord) -> None:
        """Note what a protocol event says in words, and of which turn it speaks if it names one."""
        text = ""
        for value in map(self._json, event.payloads):
            if not isinstance(value, dict):
                continue
            said = (value.get(key) for key in ("message", "reason"))
            text = text or next((one for one in said if isinstance(one, str)), "")
            if isinstance(value.get("turn_id"), str):
                self._growth.protocol_turns[event.seq] = value["turn_id"]
        self._growth.protocol_notes[event.seq] = (event.note or "", text)

    def _read_turn_start(self, event: EventRecord) -> None:
        for found in map(read_turn_start, map(self._json, event.payloads)):
            if found is not None:
                turn_id, start = found
                self._growth.turn_starts.setdefault(turn_id, start)

    def _json(self, ref: PayloadRef) -> Any:
        if ref.is_lost:
            return None
        try:
            return JsonDocument(self.bundle.read_payload(ref)).value
        except (UnreadablePayload, JsonError):
            return None
