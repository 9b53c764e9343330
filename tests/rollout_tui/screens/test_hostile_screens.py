"""A walk through bundles in which every text is an attack: no screen of any size has anything that is obeyed.

A shorter walk in a terminal is in `tests/end_to_end/test_hostile_walk.py`; here the lines are a pilot's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_evidence import assert_harmless
from inspecting import NARROW, WIDE, Inspection, inspecting

from rollout_tui import glyphs

Demo = Callable[[str], Path]

MAX_STEPS = 80
"""More than there are steps; the walk ends where the cursor stays."""

TABS = 6
"""More than any object has."""


class Walk:
    """Steps through the inspector, and all lines that were on the screen after each."""

    def __init__(self, at: Inspection) -> None:
        self.at = at
        self.sent: dict[bytes, None] = {}

    async def step(self, *keys: str) -> list[bytes]:
        """Press keys, each drawn before the next; the lines of the screen then."""
        for key in keys:
            await self.at.pilot.press(key)
        await self.at.settle()
        strips = self.at.app.screen._compositor.render_strips()
        lines = [strip.render(self.at.app.console).encode() for strip in strips]
        self.sent |= dict.fromkeys(lines)
        return lines

    async def tabs(self) -> None:
        """The beginning and the end of every tab of the detail pane."""
        before = await self.step("4")
        for _ in range(TABS):
            await self.step("G")
            after = await self.step("l")
            if after == before:
                break
            before = after
        await self.step(*"h" * TABS)

    async def timeline(self, stride: int) -> int:
        """Every so many entries of the timeline; how many steps that were."""
        previous = await self.step("2", "g")
        for count in range(1, MAX_STEPS):
            await self.tabs()
            await self.step("3", "G")
            await self.step("2")
            rows = await self.step(*"j" * stride)
            if rows == previous:
                return count
            previous = rows
        raise AssertionError("the timeline has no end")

    async def elsewhere(self) -> None:
        """Texts of the context, all agents, problems, help, and the bundle read again."""
        await self.step("3", "g")
        for _ in range(6):
            await self.step("3", "j", "enter", "G")
        await self.step("a", "2", "G", "pageup", "g")
        for _ in range(2):
            await self.step("1", "j", "enter", "2", "j", "G", "3", "4")
        for keys in (
            ("i",),
            ("j", "G"),
            ("enter",),
            ("4", "i"),
            ("escape", "?"),
            ("G",),
            ("escape", "z"),
            ("z", "R"),
        ):
            await self.step(*keys)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("demo", "size", "drawing", "stride", "steps"),
    [
        ("hostile", WIDE, glyphs.UNICODE, 1, 20),
        ("hostile", NARROW, glyphs.UNICODE, 4, 5),
        ("hostile", NARROW, glyphs.ASCII, 4, 5),
        ("hostile-2", NARROW, glyphs.UNICODE, 1, 5),
    ],
    ids=["every entry", "80x24", "ascii", "files"],
)
async def test_no_screen_of_a_hostile_bundle_has_anything_that_is_obeyed(
    demo_trace: Demo,
    monkeypatch: pytest.MonkeyPatch,
    demo: str,
    size: tuple[int, int],
    drawing: glyphs.GlyphSet,
    stride: int,
    steps: int,
) -> None:
    monkeypatch.setattr(glyphs, "_active", drawing)
    bundle = demo_trace(demo)
    async with inspecting(bundle, size) as at:
        walk = Walk(at)
        assert await walk.timeline(stride) > steps
        await walk.elsewhere()
        assert at.app.is_running
    assert len(walk.sent) > 200
    assert_harmless(b"\x1b[1;1H".join(walk.sent), bundle)
