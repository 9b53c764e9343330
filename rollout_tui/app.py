"""The Textual application: a list of runs, and an inspector on each that is opened. Wiring only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual import events
from textual.app import SystemCommand
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen
from textual.scrollbar import ScrollBar

from reducer import BundleError
from rollout_tui import glyphs, keys
from rollout_tui.bundles.root import RunList
from rollout_tui.insight.tokens.prices import Price
from rollout_tui.key_order import KeyOrderApp
from rollout_tui.language.locations import Place
from rollout_tui.line_filter import SafeLineFilter
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.picker import PickerScreen
from rollout_tui.screens.speaking import SpeakingScreen
from rollout_tui.screens_kept import LOOK_SECONDS, KeptScreens
from rollout_tui.session import Session
from rollout_tui.terminal_app import run_app
from rollout_tui.widgets.scroll_bar import BlockScrollBar

SWITCH_INTERVAL = 0.0005
"""Seconds after which a worker has to let the UI loop run; Python's own 5 ms are felt with every key."""


class RolloutApp(KeyOrderApp[int]):
    """Begins with one screen and ends with it. Its return value is the exit status of the program.

    Attributes:
        failure: why there is nothing to show; None if there is something.
        kept_screens: those that were open while a view was made.
    """

    TITLE = "rollout-tui"
    CSS_PATH = "theme.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = [*keys.bindings(keys.Scope.EVERYWHERE)]

    def __init__(self, first: InspectorScreen | PickerScreen) -> None:
        super().__init__()
        self.failure: str | None = None
        self.kept_screens = KeptScreens()
        self._first = first

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last net: nothing that a terminal would obey gets past it."""
        return [*super().get_line_filters(), SafeLineFilter()]

    def on_mount(self) -> None:
        """Show the first screen at once; it fills itself when there is something."""
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.push_screen(self._first, self._left)

    def _left(self, failure: str | None) -> None:
        """The first screen was left, by the reader or because there is nothing to show."""
        self.failure = failure
        self.exit(0 if failure is None else 2)

    # What was closed

    def on_ready(self) -> None:
        """Free what was closed, now and then."""
        self.set_interval(LOOK_SECONDS, lambda: self.kept_screens.look(self.screen_stack))

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody types."""
        if isinstance(event, events.Key):
            self.kept_screens.key_came()
        await super().on_event(event)

    def on_inspector_screen_view_shown(self) -> None:
        """Note what was open while a view was made."""
        self.kept_screens.note(self.screen_stack)

    # Actions

    def action_command_palette(self) -> None:
        """Open the command palette."""
        from rollout_tui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_help(self) -> None:
        """Show what the keys do in the focused pane."""
        from rollout_tui.screens.help import HelpScreen

        if isinstance(self.screen, SpeakingScreen):
            self.push_screen(HelpScreen(self.screen.focus_name()))

    async def action_quit(self) -> None:
        """Quit."""
        self.workers.cancel_all()
        self.exit(0)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette offers what the keys do."""
        panes = (keys.Focus.PICKER,) if isinstance(screen, PickerScreen) else keys.IN_INSPECTOR
        for entry in keys.palette_entries(panes):
            yield SystemCommand(entry.title, entry.help, partial(self._run_by_name, screen, entry.action))

    async def _run_by_name(self, screen: Screen[Any], action: str) -> None:
        """Run an action where the keys go: it belongs to the focused widget, its screen, or the app."""
        place: DOMNode | None = screen.focused or screen
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
    glyphs.use(glyphs.for_terminal(sys.stdout.encoding, ascii_only, os.environ.get("TERM")))


def run_inspector(
    bundle_path: Path,
    *,
    ascii_only: bool,
    color: bool,
    mouse: bool,
    at: Place | None,
    follow: bool = False,
    begins_with_overview: bool = False,
    prices: Mapping[str, Price] | None = None,
) -> int:
    """Open the inspector and stay in it until the reader leaves.

    Args:
        bundle_path: a bundle directory, or a file in one.
        ascii_only: draw with plain ASCII.
        color: use colours.
        mouse: let the mouse work; the terminal's own selection then needs its modifier key.
        at: where to begin; None for the beginning.
        follow: show what is added to its log from the start.
        begins_with_overview: tell the run at a glance first, above the panes.
        prices: what tokens cost, by model; None for no prices.

    Returns:
        The exit status.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
    """
    session = Session(bundle_path)
    prepare_drawing(ascii_only=ascii_only, color=color)
    inspector = InspectorScreen(
        session, at=at, follow=follow, begins_with_overview=begins_with_overview, prices=prices
    )
    return _run(RolloutApp(inspector), mouse=mouse)


def run_picker(
    runs: RunList,
    *,
    ascii_only: bool,
    color: bool,
    mouse: bool,
    begins_with_overview: bool = False,
    prices: Mapping[str, Price] | None = None,
) -> int:
    """Let the reader pick runs and look at them until they leave.

    Args:
        runs: the list.
        ascii_only: draw with plain ASCII.
        color: use colours.
        mouse: let the mouse work.
        begins_with_overview: tell each run at a glance first that is opened.
        prices: what tokens cost, by model; None for no prices.

    Returns:
        The exit status.
    """
    prepare_drawing(ascii_only=ascii_only, color=color)
    return _run(
        RolloutApp(PickerScreen(runs, prices, begins_with_overview=begins_with_overview)), mouse=mouse
    )


def _run(app: RolloutApp, *, mouse: bool) -> int:
    status = run_app(app, mouse=mouse)
    if app.failure is not None:
        raise BundleError(app.failure)
    return status if status is not None else app.return_code or 0
