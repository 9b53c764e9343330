"""Drives the inspector without a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from patience import LOOK_SECONDS
from textual.pilot import Pilot

from rollout_tui import keys
from rollout_tui.app import RolloutApp
from rollout_tui.language.locations import Place
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.scrubber import Scrubber
from rollout_tui.screens.speaking import SpeakingScreen
from rollout_tui.session import Session
from rollout_tui.widgets.line_view import LineView

WIDE = (120, 40)
NARROW = (80, 24)

SCREENS: dict[str, tuple[tuple[str, ...], keys.Focus]] = {
    "inspector": ((), keys.Focus.TIMELINE),
    "compactions": (("c",), keys.Focus.COMPACTION),
    "cells": (("x",), keys.Focus.EXEC),
    "help": (("?",), keys.Focus.DIALOG),
    "search": (("ctrl+f",), keys.Focus.HITS),
    "command": ((":",), keys.Focus.PROMPT),
    "filter": (("&",), keys.Focus.PROMPT),
    "find": (("/",), keys.Focus.PROMPT),
    "write": (("w",), keys.Focus.FORM),
    "problems": (("i",), keys.Focus.DIALOG),
    "overview": (("o",), keys.Focus.OVERVIEW),
    "tokens": (("$",), keys.Focus.TOKENS),
    "time": (("L",), keys.Focus.TIME),
    "visibility": (("1", "v"), keys.Focus.DIALOG),
}
"""What opens each screen, and whose keys hold there."""


def inspector_of(app: RolloutApp) -> InspectorScreen:
    """The inspector that was opened last."""
    return next(one for one in reversed(app.screen_stack) if isinstance(one, InspectorScreen))


class Inspection:
    """A running inspector, and what can be seen of it."""

    def __init__(self, app: RolloutApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> InspectorScreen:
        return inspector_of(self.app)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything that was asked for is on the screen."""
        await self.pilot.pause()
        while self.app.is_running and (self.is_reading or self._is_about_to_look):
            await self.pilot.pause(LOOK_SECONDS)
        await self.pilot.pause()
        # What a worker found may make another one begin.
        while any(not worker.is_finished for worker in self.app.workers):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    @property
    def is_reading(self) -> bool:
        """Whether the bundle is still read, or a moment of the past is looked for."""
        inspectors = [one for one in self.app.screen_stack if isinstance(one, InspectorScreen)]
        return any(one.reader.state.is_reading or one.session.timelines is None for one in inspectors)

    @property
    def _is_about_to_look(self) -> bool:
        """Whether a moment of the past was gone to, and is looked for once the cursor rests."""
        screen = self.app.screen
        return isinstance(screen, Scrubber) and screen._timer is not None

    def rows(self, view: LineView) -> list[str]:
        """The text of all rows of a view, cut to its width."""
        return [spans_text(view.line_spans(row, 200)).rstrip() for row in range(view.line_count)]

    def row(self, view: LineView) -> str:
        """The text of the row under the cursor."""
        return spans_text(view.line_spans(view.cursor, 200)).rstrip()

    def rows_of_tabs(self) -> str:
        """The line of tabs of the detail."""
        bar = self.screen.detail.tab_bar
        return "".join(segment.text for segment in bar.render_line(0))

    @property
    def said(self) -> str:
        """The sentence at the foot of the screen, which may take several lines."""
        screen = self.app.screen
        assert isinstance(screen, SpeakingScreen)
        height = screen.said_bar().size.height
        return " ".join(line.strip() for line in self.screen_text()[-height:])

    def screen_text(self) -> list[str]:
        """What is on the screen, line by line."""
        width, height = self.app.size
        lines = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip)[:width] for strip in lines[:height]]


@asynccontextmanager
async def inspecting(
    bundle: Path, size: tuple[int, int] = WIDE, at: Place | None = None, *, overview: bool = False
) -> AsyncIterator[Inspection]:
    """Open a bundle, with the overview first if that is wanted, and wait until it is loaded."""
    app = RolloutApp(InspectorScreen(Session(bundle), at=at, begins_with_overview=overview))
    async with app.run_test(size=size) as pilot:
        inspection = Inspection(app, pilot)
        await inspection.settle()
        yield inspection
