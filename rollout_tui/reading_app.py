"""Reading the bundle that an app shows: at first, while it grows, and as of any moment of its past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic, sleep

from textual import events, work
from textual.message import Message
from textual.worker import Worker, get_current_worker

from reducer import BundleError
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.feed import FOLLOW_SHARE, Feed, Pace, View
from rollout_tui.key_order import KeyOrderApp, Typed
from rollout_tui.progress import Cancelled, Progress, now_and_then
from rollout_tui.screens_kept import LOOK_SECONDS, KeptScreens
from rollout_tui.session import Session
from rollout_tui.views.reading_state import Following, ReadingState
from rollout_tui.views.scrubbing import EventLine

POLL_INTERVAL = 0.1
"""Seconds between two looks at a log that did not grow."""

SLICE = 0.2
"""Seconds for which a followed log is read before what was read is shown."""

WRITER_INTERVAL = 2.0
"""Seconds without a new line after which it is asked whether anybody still writes the log."""


class ReadingApp(AwaitingWork, KeyOrderApp[int]):
    """Has a session, and views of it made by workers; what is done with them is its subclass's business.

    Attributes:
        session: the bundle.
        state: how far it is read, and of which moment the view is.
    """

    class Progressed(Message):
        """So much of the log was read."""

        def __init__(self, done: int, total: int) -> None:
            """Both in bytes."""
            super().__init__()
            self.done, self.total = done, total

        def can_replace(self, message: Message) -> bool:
            """A later count makes an earlier one superfluous."""
            return isinstance(message, ReadingApp.Progressed)

    class Seen(Message):
        """There is a view: of what was read so far, of all of it, or of the past."""

        def __init__(self, feed: Feed, view: View, *, is_whole: bool = False, is_past: bool = False) -> None:
            super().__init__()
            self.feed, self.view, self.is_whole, self.is_past = feed, view, is_whole, is_past

    class Waiting(Message):
        """Lines were read that are not shown."""

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

        def can_replace(self, message: Message) -> bool:
            """A later count makes an earlier one superfluous."""
            return isinstance(message, ReadingApp.Waiting)

    class FollowingChanged(Message):
        """The log is over, or it cannot be followed any more, or nobody writes it."""

        def __init__(self, following: Following, reason: str = "") -> None:
            super().__init__()
            self.following, self.reason = following, reason

    class Failed(Message):
        """There is no view, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    class PastFailed(Message):
        """There is no view of the past, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self, session: Session, typed: Typed | None = None) -> None:
        super().__init__(typed)
        self.session = session
        self.state = ReadingState()
        self._before_reading = self.state
        self._feed: Feed | None = None
        self._newest: View | None = None
        self.kept_screens = KeptScreens()

    def on_ready(self) -> None:
        """Free what was closed, now and then."""
        self.set_interval(LOOK_SECONDS, lambda: self.kept_screens.look(self.screen_stack))

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody types."""
        if isinstance(event, events.Key):
            self.kept_screens.key_came()
        await super().on_event(event)

    # What a subclass does with it

    def show_view(self, view: View, *, is_first: bool) -> None:
        """Show a view."""
        raise NotImplementedError

    def show_state(self) -> None:
        """Show how far the reading is."""
        raise NotImplementedError

    def fail(self, reason: str) -> None:
        """There is nothing to show."""
        raise NotImplementedError

    def complain(self, reason: str) -> None:
        """What was asked for cannot be shown, and what is there stays."""
        raise NotImplementedError

    # Reading

    def read(self, *, follow: bool = False) -> None:
        """Read the bundle from its beginning.

        Args:
            follow: go on with what is added to it.
        """
        self.workers.cancel_group(self, "follow")
        self.workers.cancel_group(self, "past")
        if not self.state.is_reading:
            self._before_reading = self.state
        self.state = ReadingState(is_reading=True, wants_to_follow=follow)
        self.show_state()
        self._read()

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _read(self) -> None:
        worker = get_current_worker()
        try:
            feed = self.session.open_feed()
            seen = _unless_cancelled(worker, lambda view: self.post_message(self.Seen(feed, view)))
            # Where there is a view, its cursors stand on what the beginning of the log does not have.
            is_first = self.session.timelines is None
            view = feed.read(self._progress(worker), seen if is_first else None)
            is_live = not view.timelines.index.is_over and feed.is_being_written()
        except Cancelled:
            return
        except BundleError as error:
            self.post_message(self.Failed(str(error)))
            return
        self.post_message(self.Seen(feed, view, is_whole=True))
        if is_live:
            self.post_message(self.FollowingChanged(Following.LIVE))

    def _progress(self, worker: Worker[None]) -> Progress:
        """Posts how far a worker is, now and then, and ends it once it is cancelled."""
        return now_and_then(
            lambda done, total: self.post_message(self.Progressed(done, total)), lambda: worker.is_cancelled
        )

    def cancel_reading(self) -> bool:
        """Give up reading, and keep what is there; say whether it was under way."""
        state = self.state
        if not state.is_reading:
            return False
        self.workers.cancel_group(self, "past" if state.looks_back else "read")
        state.was_cancelled = not state.looks_back
        state.is_reading, state.looks_back = False, False
        self.show_state()
        return True

    def on_reading_app_progressed(self, message: Progressed) -> None:
        """Say how far it is."""
        self.state.done, self.state.total = message.done, message.total
        self.show_state()

    def on_reading_app_failed(self, message: Failed) -> None:
        """There is nothing to show, or nothing new: then what was read before stays."""
        self._reading_failed(message.reason)

    def _reading_failed(self, reason: str) -> None:
        if self.session.timelines is None:
            self.state.is_reading = False
            self.fail(reason)
            return
        before = self._before_reading
        self.state = replace(before, is_reading=False, looks_back=False)
        if before.is_following:
            self.state.following, self.state.reason = Following.LOST, reason
        self.show_state()
        self.complain(f"not read again: {reason}")

    def work_failed(self, group: str, reason: str) -> None:
        """A worker died."""
        if group == "read":
            self._reading_failed(reason)
        elif group == "past":
            self._past_failed(reason)
        else:
            self.post_message(self.FollowingChanged(Following.LOST, reason))

    def _past_failed(self, reason: str) -> None:
        self.state.is_reading = self.state.looks_back = False
        self.show_state()
        self.complain(f"the past cannot be shown: {reason}")

    def on_reading_app_seen(self, message: Seen) -> None:
        """Show a view, unless the reader looks at the past or holds the log still."""
        state = self.state
        if message.is_past:
            state.is_reading, state.looks_back, state.past_seq = False, False, message.view.last_seq
            self._show(message.view)
            return
        self._feed, self._newest = message.feed, message.view
        state.last_seq, state.waiting = message.view.last_seq, 0
        if message.is_whole:
            state.is_reading, state.was_cancelled = False, False
        if state.past_seq is None:
            self._show(message.view)
        if message.is_whole and state.wants_to_follow:
            self.follow()

    def _show(self, view: View) -> None:
        is_first = self.session.timelines is None
        before = self.session.adopt(view)
        self.show_view(view, is_first=is_first)
        self.kept_screens.note(self.screen_stack)
        if self._feed is not None:
            self._feed.let_go(before)
        self.show_state()

    # Following

    def follow(self) -> None:
        """Show what is added to the log; the cursor stays where it is."""
        feed = self._feed
        if feed is None or self.state.is_reading:
            self.state.wants_to_follow = True
            return
        self.state.following, self.state.is_paused = Following.ON, False
        self.show_state()
        self._follow(feed)

    def stop_following(self) -> None:
        """Do not look at the log any more."""
        self.workers.cancel_group(self, "follow")
        self.state.following, self.state.is_paused, self.state.wants_to_follow = Following.OFF, False, False
        self.show_state()

    def pause_following(self) -> None:
        """Hold what is shown still, and count what is added; or go on."""
        self.state.is_paused = not self.state.is_paused
        self.show_state()

    @work(thread=True, exclusive=True, group="follow", exit_on_error=False)
    def _follow(self, feed: Feed) -> None:
        worker = get_current_worker()
        pace, unshown, asked, had_writer = Pace(0, FOLLOW_SHARE), 0, monotonic(), False
        while not worker.is_cancelled:
            began = monotonic()
            try:
                lines = feed.read_on(lambda: worker.is_cancelled or monotonic() - began > SLICE)  # noqa: B023
            except BundleError as error:
                self.post_message(self.FollowingChanged(Following.LOST, str(error)))
                return
            unshown += lines
            if unshown and pace.is_due():
                if self.state.shows_new:
                    with pace.making():
                        view = feed.view()
                    unshown = 0
                    self.post_message(self.Seen(feed, view))
                    index = view.timelines.index
                    if index.trace.is_recorded_whole is True or (index.is_over and not index.tells_end):
                        feed.verify_payloads()
                        self.post_message(self.Seen(feed, feed.view()))
                        self.post_message(self.FollowingChanged(Following.COMPLETE))
                        return
                elif lines:
                    self.post_message(self.Waiting(unshown))
            if lines:
                asked = monotonic()
            elif monotonic() - asked >= WRITER_INTERVAL:
                asked, has_writer = monotonic(), feed.is_being_written()
                if had_writer and not has_writer:
                    self.post_message(self.FollowingChanged(Following.ABANDONED))
                had_writer = has_writer
            if not lines:
                sleep(POLL_INTERVAL)

    def on_reading_app_waiting(self, message: Waiting) -> None:
        """Say how many lines wait."""
        self.state.waiting = message.lines
        self.show_state()

    def on_reading_app_following_changed(self, message: FollowingChanged) -> None:
        """Say what became of the log; that it is live goes without saying once it is followed."""
        if message.following is Following.LIVE and self.state.is_following:
            return
        self.state.following, self.state.reason = message.following, message.reason
        self.show_state()

    # The past

    def event_line(self) -> EventLine | None:
        """The events that are known, to move along; None while there are none."""
        if self._newest is None:
            return None
        line = EventLine(self._newest.timelines.index.reduction.provenance.events)
        return line if len(line) else None

    def look_back(self, seq: int) -> None:
        """Show everything as of an event, as if the log ended with it."""
        self.state.is_reading = self.state.looks_back = True
        self._look_back(seq)

    @work(thread=True, exclusive=True, group="past", exit_on_error=False)
    def _look_back(self, seq: int) -> None:
        worker, feed = get_current_worker(), self._feed
        if feed is None:
            return
        try:
            view = feed.as_of(seq, self._progress(worker))
        except Cancelled:
            return
        except BundleError as error:
            self.post_message(self.PastFailed(str(error)))
            return
        if not worker.is_cancelled:
            self.post_message(self.Seen(feed, view, is_past=True))

    def on_reading_app_past_failed(self, message: PastFailed) -> None:
        """What is shown stays."""
        self._past_failed(message.reason)

    def look_now(self) -> bool:
        """Show everything as it is now; say whether the past was shown."""
        if self.state.past_seq is None or self._newest is None:
            return False
        self.workers.cancel_group(self, "past")
        self.state.past_seq, self.state.is_reading, self.state.looks_back = None, False, False
        self._show(self._newest)
        return True


def _unless_cancelled(worker: Worker[None], publish: Callable[[View], object]) -> Callable[[View], None]:
    def given(view: View) -> None:
        if not worker.is_cancelled:
            publish(view)

    return given
