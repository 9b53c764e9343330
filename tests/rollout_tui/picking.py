"""The list of runs, driven by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from inspecting import WIDE, Inspection
from patience import until
from textual.pilot import Pilot

from rollout_tui.app import RolloutApp
from rollout_tui.bundles.root import RunList
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.picker import PickerScreen


class Picking:
    """A running list of bundles."""

    def __init__(self, picker: PickerScreen, app: RolloutApp, pilot: Pilot[int]) -> None:
        self.picker = picker
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def rows(self) -> list[str]:
        view = self.picker.list
        return [spans_text(view.line_spans(row, 200)).rstrip() for row in range(view.line_count)]

    @property
    def row(self) -> str:
        return self.rows[self.picker.list.cursor]

    @property
    def screen(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def until(self, wanted: str) -> None:
        """Wait for a text on the screen."""
        await until(lambda: wanted in self.screen, lambda: f"{wanted!r} on\n{self.screen}", self.pilot.pause)


@asynccontextmanager
async def picking(
    root: Path | RunList, size: tuple[int, int] = WIDE, *, is_whole: bool = True
) -> AsyncIterator[Picking]:
    """A list of runs; by default once all of it was read."""
    picker = PickerScreen(root if isinstance(root, RunList) else RunList(root))
    app = RolloutApp(picker)
    async with app.run_test(size=size) as pilot:
        running = Picking(picker, app, pilot)
        if is_whole:
            await until(lambda: picker._looked, pause=pilot.pause)
        await pilot.pause()
        yield running


async def opened(running: Picking, *keys: str) -> Inspection:
    """Open a bundle from the list, and wait until it is read."""
    await running.press(*keys)
    inspection = Inspection(running.app, running.pilot)
    await inspection.settle()
    return inspection
