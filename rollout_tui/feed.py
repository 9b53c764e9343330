"""One recording as it is read, by a worker: views of what is there so far, of what was added, of the past."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from reducer import BundleError, EventRecord, Recording, UnreadablePayload
from reducer.reduce import without_cyclic_gc
from reducer.wire.json_text import JsonDocument, JsonError
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.bundles.liveness import logs_being_written
from rollout_tui.insight.following.follower import Follower
from rollout_tui.insight.timeline.entries import SHOWN_PROTOCOL_EVENTS
from rollout_tui.insight.timeline.turn_starts import (
    SESSION_TURN_ENDS,
    SESSION_TURN_STARTS,
    TURN_STARTED,
    read_turn_start,
)
from rollout_tui.progress import Progress
from rollout_tui.recordings import begin_reading
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.view_maker import ViewMaker

FIRST_VIEW = 0.03
"""Seconds of reading after which what is there is shown for the first time."""

VIEW_INTERVAL = 0.3
"""Seconds between two views, unless making them takes long."""

READ_SHARE, FOLLOW_SHARE = 8, 2
"""Seconds between two views for each second that it takes to make one, while a bundle is read for the first
time, and while it is followed: what is large is shown less often."""

MOST_UNTOLD = 30_000
"""Objects that are new or changed, of which a view is made at the latest: all of them are at hand then."""


class View(NamedTuple):
    """A graph that does not change, ready to be shown.

    Attributes:
        recording: where it is from.
        timelines: the graph with look-ups and timelines.
        follower: follows edges in it.
        last_seq: the last event that went into it; 0 for none.
    """

    recording: Recording
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
    """Reads one recording and makes views of it. Every method blocks and is meant for a worker thread.

    Attributes:
        recording: what is read.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._now = _Reading(recording)
        self._past: _Reading | None = None
        # A worker that was called off may still be at it when another one begins.
        self._now_lock, self._past_lock = Lock(), Lock()
        self._let_go: list[object] = []

    @property
    def offset(self) -> int:
        """Bytes of the log that were read."""
        return self._now.growing.offset

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
        total, pace = self.recording.log_size(), Pace(FIRST_VIEW, READ_SHARE)
        is_live, growing = self.is_being_written(), self._now.growing
        show = publish or _nobody

        def stop() -> bool:
            progress(growing.offset, total)
            return growing.untold >= MOST_UNTOLD or (publish is not None and pace.is_due())

        with self._now_lock:
            while growing.read_on(stop, is_whole=not is_live) and growing.has_more():
                with pace.making():
                    show(self._view(self._now))
            growing.verify_payloads(lambda: progress(growing.offset, total))
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
            return self._now.growing.read_on(stop) if self._now.growing.has_more() else 0

    def verify_payloads(self, progress: Progress) -> None:
        """Check the payloads that nothing has read, once nothing more will come.

        Args:
            progress: told now and then that the log is read; what it raises ends the check.
        """
        with self._now_lock:
            done = self._now.growing.offset
            self._now.growing.verify_payloads(lambda: progress(done, done))

    def is_being_written(self) -> bool:
        """Whether a process has the log open for writing, as far as that can be told."""
        return bool(logs_being_written(self.recording.log_paths))

    def view(self) -> View:
        """The view of what was read."""
        with self._now_lock:
            return self._view(self._now)

    def as_of(self, seq: int, progress: Progress) -> View:
        """The view as of an event: of a recording whose log ends with it.

        Args:
            seq: sequence number of the event.
            progress: told how far it is.

        Raises:
            BundleError: the log cannot be read.
        """
        total = self.recording.log_size()
        with self._past_lock:
            past = self._past
            if past is None or past.growing.last_seq > seq:
                past = self._past = _Reading(self.recording)
            growing = past.growing

            def stop() -> bool:
                progress(growing.offset, total)
                return growing.last_seq >= seq

            if growing.last_seq < seq:
                # A last line without a line feed is an event if it was taken for one before.
                growing.read_on(stop, is_whole=seq <= self._now.growing.last_seq)
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


def _nobody(view: View) -> None:
    """Nobody looks at a view before everything is read."""


class _Reading:
    """One way through a recording, with what its views have in common."""

    def __init__(self, recording: Recording) -> None:
        self.growing = begin_reading(recording)
        self._maker = ViewMaker()

    def view(self) -> View:
        """What was read so far, ready to be shown."""
        growing = self.growing
        reduction, events = growing.reduction(), growing.new_events()
        for event in events:
            if event.file:
                self._read_record(event)
            elif event.kind == "protocol_event_observed":
                if event.note in SHOWN_PROTOCOL_EVENTS:
                    self._read_protocol_event(event)
                elif event.note == TURN_STARTED:
                    self._read_turn_start(event)
        timelines, follower = self._maker.view(reduction, growing.changed(), events)
        return View(growing.recording, timelines, follower, growing.last_seq)

    def _read_record(self, event: EventRecord) -> None:
        """Note what a record of a session tells of how a turn began, and why it ended as it did."""
        if event.kind in SESSION_TURN_STARTS:
            self._note_turn_start(self._record(event))
        elif event.note and event.kind in SESSION_TURN_ENDS:
            self._maker.protocol_notes[event.seq] = (SESSION_TURN_ENDS[event.kind], event.note)
            if event.codex_turn_id is not None:
                self._maker.protocol_turns[event.seq] = event.codex_turn_id

    def _read_protocol_event(self, event: EventRecord) -> None:
        """Note what a protocol event says in words, and of which turn it speaks if it names one."""
        text = ""
        for value in map(self._json, event.payloads):
            if not isinstance(value, dict):
                continue
            said = (value.get(key) for key in ("message", "reason"))
            text = text or next((one for one in said if isinstance(one, str)), "")
            if isinstance(value.get("turn_id"), str):
                self._maker.protocol_turns[event.seq] = value["turn_id"]
        self._maker.protocol_notes[event.seq] = (event.note or "", text)

    def _read_turn_start(self, event: EventRecord) -> None:
        for payload in event.payloads:
            self._note_turn_start(self._json(payload))

    def _note_turn_start(self, value: Any) -> None:
        found = read_turn_start(value)
        if found is not None:
            turn_id, start = found
            self._maker.turn_starts.setdefault(turn_id, start)

    def _record(self, event: EventRecord) -> Any:
        """What a line of a session file records."""
        try:
            value = JsonDocument(self.growing.recording.read_line(event.offset, event.file)).value
        except (BundleError, JsonError):
            return None
        return value.get("payload") if isinstance(value, dict) else None

    def _json(self, ref: PayloadRef) -> Any:
        if ref.is_lost:
            return None
        try:
            return JsonDocument(self.growing.recording.read_payload(ref)).value
        except (UnreadablePayload, JsonError):
            return None
