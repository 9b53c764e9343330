"""A pilot walks through evidence in which every text is an attack: what was drawn, and who made it safe."""

from __future__ import annotations

import pytest
from inspecting import Inspection
from rich.segment import Segment

from rollout_tui import line_filter

MAX_STEPS = 80
"""More than there are steps; the walk ends where the cursor stays."""

TABS = 6
"""More than any object has."""


class Walk:
    """Steps through the inspector, and all lines that were on the screen after each.

    Attributes:
        sent: the lines as a terminal would get them, each once.
    """

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
        """Texts of the context, all agents, problems, help, a path to write to, and all read again."""
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
            ("escape", "w"),
            ("escape", "?"),
            ("G",),
            ("escape", "z"),
            ("z", "R"),
        ):
            await self.step(*keys)


def caught_by_the_last_net(patch: pytest.MonkeyPatch) -> list[str]:
    """What comes to the last net as nobody should have drawn it, until the patch is undone.

    The net makes it harmless. That all it has to do is nothing shows that texts were safe before it.
    """
    caught: list[str] = []
    clean = line_filter._clean

    def noted(segments: list[Segment]) -> list[Segment]:
        caught.append("".join(segment.text for segment in segments))
        return clean(segments)

    patch.setattr(line_filter, "_clean", noted)
    return caught
