"""The Textual application: wiring only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from textual import work
from textual.app import App, SystemCommand
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.worker import get_current_worker

from reducer import BundleError
from rollout_tui import glyphs, keys
from rollout_tui.line_filter import SafeLineFilter
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.session import Session
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.words import size
from rollout_tui.widgets.scroll_bar import BlockScrollBar

PROGRESS_INTERVAL = 0.2
"""Seconds between two words about progress: what takes less is not worth mentioning."""


class Cancelled(Exception):  # noqa: N818 - the reader's wish, no error
    """The reader does not want to wait any longer."""


class InspectorApp(App[int]):
    """The inspector of one bundle. Its return value is the exit status of the program."""

    TITLE = "rollout-tui"
    CSS_PATH = "theme.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = [*keys.bindings(keys.Context.APP, keys.Context.EVERYWHERE)]

    class LoadProgress(Message):
        """So much of the log was read."""

        def __init__(self, done: int, total: int) -> None:
            """Both in bytes."""
            super().__init__()
            self.done, self.total = done, total

        def can_replace(self, message: Message) -> bool:
            """A later count makes an earlier one superfluous."""
            return isinstance(message, InspectorApp.LoadProgress)

    class Loaded(Message):
        """The graph is there."""

        def __init__(self, timelines: Timelines) -> None:
            super().__init__()
            self.timelines = timelines

    class LoadFailed(Message):
        """There is no graph, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self, session: Session, *, at_seq: int | None = None) -> None:
        """Prepare to show a bundle.

        Args:
            session: the bundle.
            at_seq: sequence number to begin at; by default the beginning.
        """
        # Told before the theme is: Textual decides at once how it leaves out colours for NO_COLOR.
        super().__init__(ansi_color=True)
        self.session = session
        self.failure: str | None = None
        self._at_seq = at_seq
        self.inspector = InspectorScreen(session)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last net: nothing that a terminal would obey gets past it."""
        return [*super().get_line_filters(), SafeLineFilter()]

    def on_mount(self) -> None:
        """Show the panes at once, and fill them when the graph is there."""
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.push_screen(self.inspector)
        self.load()

    # Loading

    @work(thread=True, exclusive=True, group="load", exit_on_error=False)
    def load(self) -> None:
        """Reduce the bundle in a thread."""
        worker = get_current_worker()
        last_word = monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal last_word
            if worker.is_cancelled:
                raise Cancelled
            if monotonic() - last_word >= PROGRESS_INTERVAL:
                last_word = monotonic()
                self.post_message(self.LoadProgress(done, total))

        try:
            timelines = self.session.load(progress)
        except Cancelled:
            return
        except BundleError as error:
            self.post_message(self.LoadFailed(str(error)))
        else:
            self.post_message(self.Loaded(timelines))

    def on_inspector_app_load_progress(self, message: LoadProgress) -> None:
        """Say how far the loading is."""
        share = 100 * message.done // max(1, message.total)
        self.inspector.say_loading(f"reading {share}% of {size(message.total)}, esc cancels")

    def on_inspector_app_loaded(self, message: Loaded) -> None:
        """Show the graph."""
        self.inspector.show(message.timelines)
        if self._at_seq is not None:
            self.inspector.go_to_seq(self._at_seq)
            self._at_seq = None

    def on_inspector_app_load_failed(self, message: LoadFailed) -> None:
        """There is nothing to show: leave, and say why on the way out."""
        self.failure = message.reason
        self.exit(2)

    # Actions

    async def action_back(self) -> None:
        """Back one level; while loading, give up."""
        if self.screen is not self.inspector:
            self.pop_screen()
        elif self.session.timelines is None:
            self.workers.cancel_group(self, "load")
            self.inspector.say_loading("cancelled; R reads it again, q quits")
        else:
            self.inspector.step_back()

    async def action_leave(self) -> None:
        """Back one level; at the root, quit."""
        if self.screen is not self.inspector:
            self.pop_screen()
        elif not self.inspector.step_back():
            self.exit(0)

    async def action_quit(self) -> None:
        """Quit."""
        self.workers.cancel_all()
        self.exit(0)

    def action_reload(self) -> None:
        """Read the bundle again; the cursor stays on what it is on."""
        self.inspector.say_loading("reading again")
        self.load()

    def action_help(self) -> None:
        """Show what the keys do in the focused pane."""
        from rollout_tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.inspector.focus_name()))

    def action_problems(self) -> None:
        """List the problems found in the bundle."""
        from rollout_tui.screens.problems import ProblemsScreen

        timelines = self.session.timelines
        if timelines is not None:
            self.push_screen(ProblemsScreen(timelines.index.reduction.problems), self._show_problem)

    def _show_problem(self, place: int | None) -> None:
        if place is not None:
            self.inspector.show_problem(place)

    def action_write(self) -> None:
        """Write state.json."""
        from rollout_tui.screens.write_form import WriteForm

        if self.session.timelines is not None:
            self.push_screen(WriteForm(self.session), self._say_written)

    def _say_written(self, sentence: str | None) -> None:
        if sentence is not None:
            self.inspector.say(sentence)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette offers what the keys do."""
        for entry in keys.palette_entries():
            yield SystemCommand(entry.title, entry.help, partial(self._run_by_name, entry.action))

    async def _run_by_name(self, action: str) -> None:
        """Run an action where the keys go: it belongs to the focused widget, its screen, or the app."""
        place: DOMNode | None = self.inspector.focused or self.inspector
        while place is not None:
            if await self.run_action(action, place):
                return
            place = place.parent


def run_inspector(
    bundle_path: Path, *, ascii_only: bool, color: bool, mouse: bool, at_seq: int | None
) -> int:
    """Open the inspector and stay in it until the reader leaves.

    Args:
        bundle_path: a bundle directory, or a file in one.
        ascii_only: draw with plain ASCII.
        color: use colours.
        mouse: let the mouse work; the terminal's own selection then needs its modifier key.
        at_seq: sequence number to begin at; None for the beginning.

    Returns:
        The exit status.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
    """
    if not color:
        os.environ["NO_COLOR"] = "1"  # what Textual goes by, too
    ScrollBar.renderer = BlockScrollBar
    session = Session(bundle_path)
    glyphs.use(glyphs.for_terminal(sys.stdout.encoding, ascii_only))
    app = InspectorApp(session, at_seq=at_seq)
    status = app.run(mouse=mouse)
    if app.failure is not None:
        raise BundleError(app.failure)
    return status if status is not None else app.return_code or 0
