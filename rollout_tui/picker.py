"""The application that lets one pick a bundle of a trace root, before the inspector opens on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from textual import work
from textual.app import SystemCommand
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from reducer import BundleError
from rollout_tui import keys
from rollout_tui.app import WENT_BACK, prepare_drawing, run_inspector
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.bundles.root import ListedBundle, TraceRoot
from rollout_tui.bundles.summary import BundleSummary
from rollout_tui.commands.output import plain_reason
from rollout_tui.key_order import KeyOrderApp, Typed
from rollout_tui.line_filter import SafeLineFilter
from rollout_tui.progress import Cancelled, now_and_then
from rollout_tui.screens.picker import PickerScreen
from rollout_tui.terminal_app import run_app

LOOK_SECONDS = 1.0
"""Seconds between two looks at the trace root."""


class PickerApp(AwaitingWork, KeyOrderApp[BundleSummary]):
    """Shows a trace root. Its result is the bundle to open; None when the reader left."""

    TITLE = "rollout-tui"
    CSS_PATH = "theme.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = [*keys.bindings(keys.Context.EVERYWHERE)]

    class Looked(Message):
        """What a look found, if it differs from what the one before found."""

        def __init__(self, bundles: list[ListedBundle], *, is_whole: bool = True) -> None:
            super().__init__()
            self.bundles, self.is_whole = bundles, is_whole

    class LookProgress(Message):
        """So many bundles of the first look were read."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done, self.total = done, total

        def can_replace(self, message: Message) -> bool:
            """A later count makes an earlier one superfluous."""
            return isinstance(message, PickerApp.LookProgress)

    class LookFailed(Message):
        """The trace root cannot be listed, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(
        self,
        root: TraceRoot,
        *,
        at: Path | None = None,
        words: str | None = None,
        typed: Typed | None = None,
    ) -> None:
        """Prepare to show a trace root.

        Args:
            root: the trace root; what it knows of earlier looks is not read again.
            at: the bundle to put the cursor on.
            words: a sentence to begin with, on something that went wrong.
            typed: what was typed before, to be served first; what is left at the end stays in it.
        """
        super().__init__(typed)
        self._root = root
        self._words = words
        self._leaving = Event()
        self.picker = PickerScreen(root.path, at)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last net: nothing that a terminal would obey gets past it."""
        return [*super().get_line_filters(), SafeLineFilter()]

    def on_mount(self) -> None:
        """Show the empty list at once."""
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.push_screen(self.picker)
        self.look()

    def on_unmount(self) -> None:
        """Let the thread that looks end at once."""
        self._leaving.set()

    @work(thread=True, exclusive=True, group="look", exit_on_error=False)
    def look(self) -> None:
        """Look at the trace root again and again, in a thread."""
        worker = get_current_worker()
        shown: list[ListedBundle] | str | None = None
        progress = now_and_then(
            lambda done, total: self.post_message(self.LookProgress(done, total)),
            lambda: worker.is_cancelled or self._leaving.is_set(),
        )

        while not worker.is_cancelled:
            try:
                publish = self._publish if shown is None else None
                found = self._root.look(progress, publish)
            except Cancelled:
                return
            except OSError as error:
                reason = f"this directory cannot be listed: {plain_reason(error)}"
                if reason != shown:
                    shown = reason
                    self.post_message(self.LookFailed(reason))
            else:
                if found != shown:
                    shown = found
                    self.post_message(self.Looked(found))
            if self._leaving.wait(LOOK_SECONDS):
                return

    def _publish(self, bundles: list[ListedBundle]) -> None:
        self.post_message(self.Looked(bundles, is_whole=False))

    def work_failed(self, group: str, reason: str) -> None:
        """Say that nothing new will appear."""
        self.picker.say(f"this directory is not looked at any more: {reason}", bad=True)

    def on_picker_app_looked(self, message: Looked) -> None:
        """Show what there is."""
        self.picker.show(message.bundles, is_whole=message.is_whole)
        if self._words is not None:
            self.picker.say(self._words, bad=True)
            self._words = None

    def on_picker_app_look_progress(self, message: LookProgress) -> None:
        """Say how far it is."""
        self.picker.say_progress(message.done, message.total)

    def on_picker_app_look_failed(self, message: LookFailed) -> None:
        """Say why nothing new appears."""
        self.picker.say(message.reason, bad=True)

    def on_picker_screen_picked(self, message: PickerScreen.Picked) -> None:
        """Leave with a bundle."""
        self._leave(message.bundle)

    # Actions

    async def action_back(self) -> None:
        """End a search, or close what is above the list."""
        if self.screen is not self.picker:
            self.pop_screen()
        else:
            self.picker.end_search()

    def action_leave(self) -> None:
        """Quit."""
        if self.screen is not self.picker:
            self.pop_screen()
        else:
            self._leave(None)

    async def action_quit(self) -> None:
        """Quit."""
        self._leave(None)

    def action_help(self) -> None:
        """Show what the keys do here."""
        from rollout_tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(keys.Pane.PICKER))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette offers what the keys do."""
        for entry in keys.palette_entries((keys.Pane.PICKER,)):
            yield SystemCommand(entry.title, entry.help, lambda action=entry.action: self.run_action(action))

    def _leave(self, bundle: BundleSummary | None) -> None:
        self._leaving.set()
        self.exit(bundle)


def run_picker(root: Path, *, ascii_only: bool, color: bool, mouse: bool) -> int:
    """Let the reader pick bundles and look at them until they leave.

    Args:
        root: a trace root.
        ascii_only: draw with plain ASCII.
        color: use colours.
        mouse: let the mouse work.

    Returns:
        The exit status.
    """
    prepare_drawing(ascii_only=ascii_only, color=color)
    trace_root = TraceRoot(root)
    picked: BundleSummary | None = None
    words: str | None = None
    typed = Typed()
    while True:
        app = PickerApp(trace_root, at=None if picked is None else picked.path, words=words, typed=typed)
        picked, words = run_app(app, mouse=mouse), None
        if picked is None:
            return app.return_code or 0
        try:
            status = run_inspector(
                picked.path,
                ascii_only=ascii_only,
                color=color,
                mouse=mouse,
                at_seq=None,
                from_picker=True,
                follow=picked.status == "live",
                typed=typed,
            )
        except BundleError as error:
            words = str(error)
        else:
            if status != WENT_BACK:
                return status
