"""The Textual application: wiring only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import SystemCommand
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen
from textual.scrollbar import ScrollBar

from reducer import BundleError, ObjectRef
from rollout_tui import glyphs, keys
from rollout_tui.feed import View
from rollout_tui.key_order import Typed
from rollout_tui.line_filter import SafeLineFilter
from rollout_tui.reading_app import ReadingApp
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.scrubber import Scrubber
from rollout_tui.session import Session
from rollout_tui.terminal_app import run_app
from rollout_tui.widgets.scroll_bar import BlockScrollBar

WENT_BACK = -1
"""What `run_inspector` returns when the reader went back to the list of bundles that it was opened from."""


SWITCH_INTERVAL = 0.0005
"""Seconds after which a worker has to let the UI loop run; Python's own 5 ms are felt with every key."""


class InspectorApp(ReadingApp):
    """The inspector of one bundle. Its return value is the exit status of the program."""

    TITLE = "rollout-tui"
    CSS_PATH = "theme.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = [*keys.bindings(keys.Context.APP, keys.Context.EVERYWHERE)]

    def __init__(
        self,
        session: Session,
        *,
        at_seq: int | None = None,
        from_picker: bool = False,
        follow: bool = False,
        typed: Typed | None = None,
    ) -> None:
        """Prepare to show a bundle.

        Args:
            session: the bundle.
            at_seq: sequence number to begin at; by default the beginning.
            from_picker: whether going back at the root leads to a list of bundles: the result is `WENT_BACK`
                then, and `esc` does it as well.
            follow: whether to show what is added to its log from the start.
            typed: what was typed before, to be served first; what is left at the end stays in it.
        """
        super().__init__(session, typed)
        self.failure: str | None = None
        self._at_seq = at_seq
        self._from_picker = from_picker
        self._follows = follow
        self.inspector = InspectorScreen(session)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last net: nothing that a terminal would obey gets past it."""
        return [*super().get_line_filters(), SafeLineFilter()]

    def on_mount(self) -> None:
        """Show the panes at once, and fill them when the graph is there."""
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.push_screen(self.inspector)
        self.read(follow=self._follows)

    # Reading

    def show_view(self, view: View, *, is_first: bool) -> None:
        """Fill the panes, or bring them up to date."""
        if is_first:
            self.inspector.show(view.timelines)
        else:
            self.inspector.refresh_view(view.timelines)
        if self.state.past_seq is not None:
            self.inspector.go_to_seq(self.state.past_seq)
        # Where the reader wants to begin may not be read at first.
        if self._at_seq is not None and (view.last_seq >= self._at_seq or not self.state.is_reading):
            self.inspector.go_to_seq(self._at_seq)
            self._at_seq = None

    def show_state(self) -> None:
        """Say in the header how far the reading is."""
        self.inspector.show_header(self.state)

    def fail(self, reason: str) -> None:
        """There is nothing to show: leave, and say why on the way out."""
        self.failure = reason
        self.exit(2)

    def complain(self, reason: str) -> None:
        """Say why nothing else is shown."""
        self.inspector.say(reason, bad=True)

    # Actions

    async def action_back(self) -> None:
        """Back one level; while loading, give up."""
        if self.screen is not self.inspector:
            self.pop_screen()
        elif (
            not self.cancel_reading()
            and not self.inspector.end_search()
            and not self.inspector.lead_back()
            and not self.inspector.step_back()
            and not self.look_now()
            and self._from_picker
        ):
            self.exit(WENT_BACK)

    async def action_leave(self) -> None:
        """Back one level; at the root, quit."""
        if self.screen is not self.inspector:
            self.pop_screen()
        elif not self.inspector.step_back():
            self.exit(WENT_BACK if self._from_picker else 0)

    async def action_quit(self) -> None:
        """Quit."""
        self.workers.cancel_all()
        self.exit(0)

    def action_reload(self) -> None:
        """Read the bundle again; the cursor stays on what it is on."""
        self.read(follow=self.state.is_following)

    def action_follow_log(self) -> None:
        """Show what is added to the log, or do not look at it any more."""
        if self.state.is_following:
            self.stop_following()
        else:
            self.follow()

    def action_pause(self) -> None:
        """Hold what is shown still, and count what is added; or go on."""
        if self.state.is_following:
            self.pause_following()
        else:
            self.inspector.say("nothing is followed: t follows the log")

    def action_help(self) -> None:
        """Show what the keys do in the focused pane."""
        from rollout_tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.inspector.focus_name()))

    def action_problems(self) -> None:
        """List what is wrong: with the recording, and in the run."""
        from rollout_tui.screens.problems import ProblemsScreen

        timelines = self.session.timelines
        if timelines is not None:
            self.push_screen(ProblemsScreen(timelines), self._show_wrong)

    def _show_wrong(self, ref: ObjectRef | None) -> None:
        if ref is not None and ref.type == "Problem":
            self.inspector.history.leave(self.inspector.here())
            self.inspector.show_problem(int(ref.id))
        elif ref is not None:
            self.inspector.jump(ref)

    def action_write(self) -> None:
        """Write the graph, a payload or a context."""
        self.inspector.ask_to_write()

    # The past

    def on_panes_screen_moment_wanted(self, message: InspectorScreen.MomentWanted) -> None:
        """Show everything as of a moment."""
        line = self.event_line()
        if message.seq is None and message.percent is None:
            self.look_now()
        elif line is None or (message.seq is not None and message.seq < line.seq(0)):
            self.inspector.say("nothing had happened by then")
        elif message.seq is not None:
            self.look_back(line.seq(line.place_of(message.seq)))
        elif message.percent is not None:
            self.look_back(line.seq(line.place_at(message.percent)))

    def action_scrub(self) -> None:
        """Move along the log; on the way back everything is as it was before."""
        line, before = self.event_line(), self.state.past_seq
        if line is None:
            self.inspector.say("nothing has happened yet")
            return

        def left(seq: int | None) -> None:
            if seq is not None:
                self.look_back(seq)
            elif before is not None:
                self.look_back(before)
            else:
                self.look_now()

        at = line.place_of(before) if before is not None else len(line)
        self.push_screen(Scrubber(line, at, self.look_back), left)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette offers what the keys do."""
        for entry in keys.palette_entries(keys.INSPECTOR_PANES):
            yield SystemCommand(entry.title, entry.help, partial(self._run_by_name, entry.action))

    async def _run_by_name(self, action: str) -> None:
        """Run an action where the keys go: it belongs to the focused widget, its screen, or the app."""
        place: DOMNode | None = self.inspector.focused or self.inspector
        while place is not None:
            if await self.run_action(action, place):
                return
            place = place.parent


def prepare_drawing(*, ascii_only: bool, color: bool) -> None:
    """Settle what holds for the whole process, before anything is drawn.

    Args:
        ascii_only: draw with plain ASCII.
        color: use colours.
    """
    if not color:
        os.environ["NO_COLOR"] = "1"  # what Textual goes by, too
    sys.setswitchinterval(SWITCH_INTERVAL)
    ScrollBar.renderer = BlockScrollBar
    glyphs.use(glyphs.for_terminal(sys.stdout.encoding, ascii_only))


def run_inspector(
    bundle_path: Path,
    *,
    ascii_only: bool,
    color: bool,
    mouse: bool,
    at_seq: int | None,
    from_picker: bool = False,
    follow: bool = False,
    typed: Typed | None = None,
) -> int:
    """Open the inspector and stay in it until the reader leaves.

    Args:
        bundle_path: a bundle directory, or a file in one.
        ascii_only: draw with plain ASCII.
        color: use colours.
        mouse: let the mouse work; the terminal's own selection then needs its modifier key.
        at_seq: sequence number to begin at; None for the beginning.
        from_picker: whether it was opened from a list of bundles, to which the reader may go back.
        follow: show what is added to its log from the start.
        typed: what was typed before, to be served first; what is left at the end stays in it.

    Returns:
        The exit status, or `WENT_BACK`.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
    """
    session = Session(bundle_path)
    prepare_drawing(ascii_only=ascii_only, color=color)
    app = InspectorApp(session, at_seq=at_seq, from_picker=from_picker, follow=follow, typed=typed)
    status = run_app(app, mouse=mouse)
    if app.failure is not None:
        raise BundleError(app.failure)
    return status if status is not None else app.return_code or 0
