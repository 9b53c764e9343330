"""Pictures of the inspector on the team demo; the first is the one in the README."""

from __future__ import annotations

import pytest
from inspecting import NARROW, WIDE, inspecting
from places import REPOSITORY
from snapshot_support import assert_svg_snapshot

TEAM = REPOSITORY / "demo_traces/team"


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    [
        ("readme", WIDE, ("j",) * 8),
        ("screens/context-after-compaction", WIDE, (*"}}k", "3")),
        ("screens/raw-request", WIDE, (*"jjjjjjjj", "4", "l", "l")),
        ("screens/timeline-narrow", NARROW, ("j",) * 8),
        ("screens/javascript-narrow", NARROW, (*"jjjj", "enter", "l")),
        ("screens/help-narrow", NARROW, ("?",)),
        ("screens/all-agents", WIDE, (*"jjjj", "a")),
    ],
)
async def test_screens(name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async with inspecting(TEAM, size) as inspection:
        for key in keys:
            await inspection.press(key)
        assert_svg_snapshot(inspection.app, name)
