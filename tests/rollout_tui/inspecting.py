"""Drives the inspector without a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from rollout_tui.app import InspectorApp
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.session import Session
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.spans import spans_text

WIDE = (120, 40)
NARROW = (80, 24)

SCREEN_SWITCH = 0.06
"""Seconds; Textual holds keys back for 50 ms after another screen came up."""


class Inspection:
    """A running inspector, and what can be seen of it."""

    def __init__(self, app: InspectorApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> InspectorScreen:
        return self.app.inspector

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything that was asked for is on the screen."""
        await self.pilot.pause(SCREEN_SWITCH)
        while self.app.is_running and (self.app.state.is_reading or self.app.session.timelines is None):
            await self.pilot.pause(SCREEN_SWITCH)
        await self.pilot.pause()
        # What a worker found may make another one begin.
        while any(not worker.is_finished for worker in self.app.workers):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    def rows(self, view: LineView) -> list[str]:
        """The text of all rows of a view, cut to its width."""
        return [spans_text(view.line_spans(row, 200)).rstrip() for row in range(view.line_count)]

    def row(self, view: LineView) -> str:
        """The text of the row under the cursor."""
        return spans_text(view.line_spans(view.cursor, 200)).rstrip()

    def screen_text(self) -> list[str]:
        """What is on the screen, line by line."""
        width, height = self.app.size
        lines = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip)[:width] for strip in lines[:height]]


@asynccontextmanager
async def inspecting(
    bundle: Path, size: tuple[int, int] = WIDE, at_seq: int | None = None
) -> AsyncIterator[Inspection]:
    """Open a bundle and wait until it is loaded."""
    app = InspectorApp(Session(bundle), at_seq=at_seq)
    async with app.run_test(size=size) as pilot:
        inspection = Inspection(app, pilot)
        await inspection.settle()
        yield inspection
