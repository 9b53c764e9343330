"""Reading a bundle for whoever shows it: at first, while it grows, and as of any moment of its past."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, Protocol

from msgspec.structs import replace
from textual.dom import DOMNode
from textual.worker import Worker, get_current_worker

from reducer import BundleError
from rollout_tui.feed import FOLLOW_SHARE, Feed, Pace, View
from rollout_tui.progress import Cancelled, Progress, now_and_then
from rollout_tui.session import Session
from rollout_tui.views.reading_state import Following, ReadingState
from rollout_tui.views.scrubbing import EventLine

POLL_INTERVAL = 0.1
"""Seconds between two looks at a log that did not grow."""

SLICE = 0.2
"""Seconds for which a followed log is read before what was read is shown."""

WRITER_INTERVAL = 2.0
"""Seconds without a new line after which it is asked whether anybody still writes the log."""

READ, FOLLOW, PAST = "read", "follow", "past"
"""The groups of the workers of a reader."""


class Target(Protocol):
    """Who shows what is read."""

    def show_view(self, view: View, *, is_first: bool) -> None:
        """Show a view that the session has just taken over."""

    def show_state(self, state: ReadingState) -> None:
        """Show how far the reading is."""

    def fail(self, reason: str) -> None:
        """There is nothing to show."""

    def complain(self, reason: str) -> None:
        """What was asked for cannot be shown, and what is there stays."""


class BundleReader:
    """Reads one bundle by workers, and hands views of it to a target, in the loop of the application.

    Any number of them work side by side; each belongs to a node, and its workers end with that.

    Attributes:
        session: the bundle, and the view of it that is shown.
        state: how far it is read, and of which moment the view is.
    """

    def __init__(self, session: Session, node: DOMNode, target: Target) -> None:
        """Prepare to read.

        Args:
            session: the bundle.
            node: whose workers read. Of deaths in the groups of this module it tells `work_failed`.
            target: who shows what is read.
        """
        self.session = session
        self.state = ReadingState()
        self._node = node
        self._target = target
        self._before_reading = self.state
        self._feed: Feed | None = None
        self._newest: View | None = None

    def _work(self, work: Callable[[], None], group: str) -> None:
        self._node.run_worker(work, group=group, thread=True, exclusive=True, exit_on_error=False)

    def _cancel(self, group: str) -> None:
        self._node.workers.cancel_group(self._node, group)

    def _tell(self, what: Callable[..., None], *arguments: Any) -> None:
        """Go on in the loop; for workers. What is told after the node is gone goes nowhere."""
        self._node.call_later(what, *arguments)

    def _show_state(self) -> None:
        self._target.show_state(self.state)

    # Reading

    def read(self, *, follow: bool = False) -> None:
        """Read the bundle from its beginning.

        Args:
            follow: go on with what is added to it.
        """
        self._cancel(FOLLOW)
        self._cancel(PAST)
        if not self.state.is_reading:
            self._before_reading = self.state
        self.state = ReadingState(is_reading=True, wants_to_follow=follow)
        self._show_state()
        self._work(self._read, READ)

    def _read(self) -> None:
        worker = get_current_worker()
        try:
            feed = self.session.open_feed()
            seen = _unless_cancelled(worker, lambda view: self._seen_in_part(feed, view))
            # Where there is a view, its cursors stand on what the beginning of the log does not have.
            is_first = self.session.timelines is None
            view = feed.read(self._progress(worker), seen if is_first else None)
            is_live = not _is_over(view) and feed.is_being_written()
        except Cancelled:
            return
        except BundleError as error:
            self._tell(self._reading_failed, str(error))
            return
        self._tell(self._seen_whole, feed, view)
        if is_live:
            self._tell(self._is_live)

    def _seen_in_part(self, feed: Feed, view: View) -> None:
        """Have a view shown together with how much of the log is in it; for workers."""
        self._tell(self._progressed, feed.offset, feed.recording.log_size())
        self._tell(self._seen, feed, view)

    def _progress(self, worker: Worker[Any]) -> Progress:
        """Tells how far a worker is, now and then, and ends it once it is cancelled."""
        return now_and_then(
            lambda done, total: self._tell(self._progressed, done, total), lambda: worker.is_cancelled
        )

    def _progressed(self, done: int, total: int) -> None:
        self.state.done, self.state.total = done, total
        self._show_state()

    def cancel(self) -> bool:
        """Give up reading, and keep what is there; say whether it was under way."""
        state = self.state
        if not state.is_reading:
            return False
        self._cancel(PAST if state.looks_back else READ)
        state.was_cancelled = not state.looks_back
        state.is_reading, state.looks_back = False, False
        self._show_state()
        return True

    def _seen(self, feed: Feed, view: View) -> None:
        """There is a view of what was read so far; it waits while the past is shown."""
        self._feed, self._newest = feed, view
        self.state.last_seq, self.state.waiting = view.last_seq, 0
        if self.state.past_seq is None:
            self._show(view)

    def _seen_whole(self, feed: Feed, view: View) -> None:
        self.state.is_reading, self.state.was_cancelled = False, False
        self._seen(feed, view)
        if self.state.wants_to_follow:
            self.follow()

    def _show(self, view: View) -> None:
        is_first = self.session.timelines is None
        before = self.session.adopt(view)
        self._target.show_view(view, is_first=is_first)
        if self._feed is not None:
            self._feed.let_go(before)
        self._show_state()

    # What goes wrong

    def work_failed(self, group: str, reason: str) -> None:
        """A worker died."""
        if group == READ:
            self._reading_failed(reason)
        elif group == PAST:
            self._past_failed(reason)
        else:
            self._following_ended(Following.LOST, reason)

    def _reading_failed(self, reason: str) -> None:
        """There is nothing to show, or nothing new: then what was read before stays."""
        if self.session.timelines is None:
            self.state.is_reading = False
            self._target.fail(reason)
            return
        before = self._before_reading
        self.state = replace(before, is_reading=False, looks_back=False)
        if before.is_following:
            self.state.following, self.state.reason = Following.LOST, reason
        self._show_state()
        self._target.complain(f"not read again: {reason}")

    def _past_failed(self, reason: str) -> None:
        self.state.is_reading = self.state.looks_back = False
        self._show_state()
        self._target.complain(f"the past cannot be shown: {reason}")

    # Following

    def follow(self) -> None:
        """Show what is added to the log; the cursor stays where it is."""
        feed = self._feed
        if feed is None or self.state.is_reading:
            self.state.wants_to_follow = True
            return
        self.state.is_paused = False
        if self._newest is not None and _is_over(self._newest):
            self._following_ended(Following.COMPLETE)
            return
        self.state.following = Following.ON
        self._show_state()
        self._work(lambda: self._follow(feed), FOLLOW)

    def stop_following(self) -> None:
        """Do not look at the log any more."""
        self._cancel(FOLLOW)
        self.state.following, self.state.is_paused, self.state.wants_to_follow = Following.OFF, False, False
        self._show_state()

    def pause_following(self) -> None:
        """Hold what is shown still, and count what is added; or go on."""
        self.state.is_paused = not self.state.is_paused
        self._show_state()

    def _follow(self, feed: Feed) -> None:
        worker = get_current_worker()
        pace, unshown, told, asked = Pace(0, FOLLOW_SHARE), 0, 0, monotonic()
        had_writer = feed.is_being_written()
        while not worker.is_cancelled:
            began = monotonic()
            try:
                lines = feed.read_on(lambda: worker.is_cancelled or monotonic() - began > SLICE)  # noqa: B023
            except BundleError as error:
                self._tell(self._following_ended, Following.LOST, str(error))
                return
            unshown += lines
            if unshown and pace.is_due():
                if self.state.shows_new:
                    with pace.making():
                        view = feed.view()
                    unshown = told = 0
                    self._tell(self._seen, feed, view)
                    if _is_over(view):
                        try:
                            silent = now_and_then(lambda _done, _total: None, lambda: worker.is_cancelled)
                            feed.verify_payloads(silent)
                        except Cancelled:
                            return
                        self._tell(self._seen, feed, feed.view())
                        self._tell(self._following_ended, Following.COMPLETE)
                        return
                elif unshown != told:
                    told = unshown
                    self._tell(self._lines_wait, unshown)
            if lines:
                asked = monotonic()
            elif monotonic() - asked >= WRITER_INTERVAL:
                asked, has_writer = monotonic(), feed.is_being_written()
                if had_writer and not has_writer:
                    self._tell(self._following_ended, Following.ABANDONED)
                had_writer = has_writer
            if not lines:
                sleep(POLL_INTERVAL)

    def _lines_wait(self, lines: int) -> None:
        self.state.waiting = lines
        self._show_state()

    def _following_ended(self, following: Following, reason: str = "") -> None:
        """The log is over, or it cannot be followed any more, or nobody writes it."""
        self.state.following, self.state.reason = following, reason
        self._show_state()

    def _is_live(self) -> None:
        """Somebody writes the log: that goes without saying once it is followed."""
        if not self.state.is_following:
            self._following_ended(Following.LIVE)

    # The past

    def event_line(self) -> EventLine | None:
        """The events that are known, to move along; None while there are none."""
        if self._newest is None:
            return None
        line = EventLine(self._newest.timelines.index.reduction.provenance.events)
        return line if len(line) else None

    def look_back(self, seq: int) -> None:
        """Show everything as of an event, as if the log ended with it."""
        feed = self._feed
        self.state.is_reading = self.state.looks_back = True
        if feed is not None:
            self._work(lambda: self._look_back(feed, seq), PAST)

    def _look_back(self, feed: Feed, seq: int) -> None:
        worker = get_current_worker()
        try:
            view = feed.as_of(seq, self._progress(worker))
        except Cancelled:
            return
        except BundleError as error:
            self._tell(self._past_failed, str(error))
            return
        if not worker.is_cancelled:
            self._tell(self._past_seen, view)

    def _past_seen(self, view: View) -> None:
        state = self.state
        state.is_reading, state.looks_back, state.past_seq = False, False, view.last_seq
        self._show(view)

    def look_now(self) -> bool:
        """Show everything as it is now; say whether the past was shown."""
        if self.state.past_seq is None or self._newest is None:
            return False
        self._cancel(PAST)
        self.state.past_seq, self.state.is_reading, self.state.looks_back = None, False, False
        self._show(self._newest)
        return True


def _is_over(view: View) -> bool:
    """Whether nothing more will come."""
    index = view.timelines.index
    return index.trace.is_recorded_whole is True or (index.is_over and not index.tells_end)


def _unless_cancelled(worker: Worker[Any], publish: Callable[[View], None]) -> Callable[[View], None]:
    def given(view: View) -> None:
        if not worker.is_cancelled:
            publish(view)

    return given
