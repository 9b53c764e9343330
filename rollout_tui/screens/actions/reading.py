"""Reading the bundle, following its log, and looking at its past."""

from __future__ import annotations

from typing import Protocol

from textual.dom import DOMNode

from rollout_tui.feed import View
from rollout_tui.insight.numbers import seq_from_line
from rollout_tui.language.locations import LineNumber, Place
from rollout_tui.panes.four_panes import FourPanes
from rollout_tui.reader import FOLLOW, PAST, READ, BundleReader
from rollout_tui.screens.actions.going import Going
from rollout_tui.screens.actions.jumping import Jumping
from rollout_tui.screens.actions.needs import Actions, Opens
from rollout_tui.session import Session
from rollout_tui.views.reading_state import ReadingState


class Frame(Protocol):
    """What stands round the panes."""

    def show_state(self, state: ReadingState) -> None:
        """Say how far the reading is."""

    def view_shown(self) -> None:
        """A view was made, and is shown now."""

    def fail(self, reason: str) -> None:
        """There is nothing to show."""


class Reading:
    """Fills the panes with what a reader reads, which tells it by the methods of `reader.Target`.

    Attributes:
        reader: reads the bundle.
    """

    def __init__(
        self,
        screen: Opens,
        frame: Frame,
        session: Session,
        node: DOMNode,
        panes: FourPanes,
        going: Going,
        jumping: Jumping,
        at: Place | None,
    ) -> None:
        """Prepare to read.

        Args:
            screen: where it is said what cannot be read.
            frame: where it is said how far it is.
            session: the bundle.
            node: whose workers read.
            panes: what is to be filled.
            going: leads to where the reader begins, and to the moment that is shown.
            jumping: says where that led.
            at: where to begin; None for the beginning.
        """
        self.reader = BundleReader(session, node, self)
        self._screen = screen
        self._frame = frame
        self._panes = panes
        self._going = going
        self._jumping = jumping
        self._at = at

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {
            "reload": self._reload,
            "follow_log": self._turn_following,
            "pause": self._pause,
            "scrub": self._scrub,
        }

    def past_words(self) -> str:
        """Of which moment the view is, behind a sentence about what is not in it."""
        past = self.reader.state.past_seq
        return "" if past is None else f" (shown as of seq {past}; esc shows everything as it is now)"

    # What the reader tells

    def show_view(self, view: View, *, is_first: bool) -> None:
        """Fill the panes, or bring them up to date."""
        if is_first:
            self._panes.show(view.timelines)
        else:
            self._panes.refresh_view(view.timelines)
        state = self.reader.state
        if state.past_seq is not None:
            self._going.go_to_seq(state.past_seq)
        # Where the reader wants to begin may not be read at first.
        if self._at is not None:
            seq = self._at
            if isinstance(seq, LineNumber):
                seq = seq_from_line(view.timelines.index, seq.number)
            if view.last_seq >= seq or not state.is_reading:
                self._jumping.tell(self._going.go_to_seq(seq))
                self._at = None
        self._frame.view_shown()

    def show_state(self, state: ReadingState) -> None:
        """Say how far the reading is."""
        self._frame.show_state(state)

    def fail(self, reason: str) -> None:
        """There is nothing to show."""
        self._frame.fail(reason)

    def complain(self, reason: str) -> None:
        """Say why nothing else is shown."""
        self._screen.say(reason, bad=True)

    def work_failed(self, group: str, reason: str) -> bool:
        """Tell the reader that a worker died, if it is one of its own; say whether it is."""
        is_own = group in (READ, FOLLOW, PAST)
        if is_own:
            self.reader.work_failed(group, reason)
        return is_own

    # The log

    def _reload(self) -> None:
        """Read the bundle again; the cursor stays on what it is on."""
        self.reader.read(follow=self.reader.state.is_following)

    def _turn_following(self) -> None:
        """Show what is added to the log, or do not look at it any more."""
        if self.reader.state.is_following:
            self.reader.stop_following()
        else:
            self.reader.follow()

    def _pause(self) -> None:
        """Hold what is shown still, and count what is added; or go on."""
        if self.reader.state.is_following:
            self.reader.pause_following()
        else:
            self._screen.say("nothing is followed: t follows the log")

    # The past

    def look_at(self, percent: float | None) -> None:
        """Show everything as of a share of all events, from 0 to 100 percent; None for now."""
        line = self.reader.event_line()
        if percent is None:
            if not self.reader.look_now():
                self._screen.say("this is how everything is now")
        elif line is None:
            self._screen.say("nothing has happened yet")
        else:
            self.reader.look_back(line.seq(line.place_at(percent)))

    def _scrub(self) -> None:
        """Move along the log; on the way back everything is as it was before."""
        from rollout_tui.screens.scrubber import Scrubber

        reader = self.reader
        line, before = reader.event_line(), reader.state.past_seq
        if line is None:
            self._screen.say("nothing has happened yet")
            return

        def left(seq: int | None) -> None:
            if seq is not None:
                reader.look_back(seq)
            elif before is not None:
                reader.look_back(before)
            else:
                reader.look_now()

        at = line.place_of(before) if before is not None else len(line)
        self._screen.open_above(Scrubber(line, at, reader.look_back), left)
