"""Pictures of the inspector on the team demo; the first is the one in the README."""

from __future__ import annotations

import pytest
from inspecting import NARROW, WIDE, inspecting
from places import REPOSITORY
from snapshot_support import assert_svg_snapshot

TEAM = REPOSITORY / "demo_traces/team"
SESSIONS = REPOSITORY / "demo_traces/both/sessions"
"""Of a run that was not only traced."""


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
        ("screens/timeline-40x10", (40, 10), ("e",)),
        ("screens/threads-40x10", (40, 10), ("1",)),
        ("screens/context-40x10", (40, 10), ("j", "3")),
        ("screens/detail-40x10", (40, 10), ("j", "4")),
        ("screens/compaction-40x10", (40, 10), ("c", "3")),
        ("screens/cell-40x10", (40, 10), ("x", "s")),
        ("screens/problems-40x10", (40, 10), ("i",)),
        ("screens/timeline-80x23", (80, 23), ("e",)),
        ("screens/compaction-80x23", (80, 23), ("c", "3")),
        ("screens/two-panes-100x30", (100, 30), ("e",)),
        ("screens/context-100x30", (100, 30), ("j", "3", "j")),
        ("screens/overview", WIDE, ("o",)),
        ("screens/overview-narrow", NARROW, ("o",)),
        ("screens/overview-40x10", (40, 10), ("o",)),
        ("screens/time", WIDE, ("L", *"eee")),
        ("screens/time-narrow", NARROW, ("L", *"eee")),
        ("screens/time-200x60", (200, 60), ("L", *"eee", "+")),
        ("screens/time-40x10", (40, 10), ("L", *"eee")),
        ("screens/overview-200x60", (200, 60), ("o",)),
        ("screens/seen", WIDE, (*":seen", "space", *"last_swept", "enter")),
        ("screens/seen-narrow", NARROW, ("3", "j", "v")),
        ("screens/seen-200x60", (200, 60), ("c", "v")),
        ("screens/tokens", WIDE, ("$",)),
        ("screens/tokens-by-call", WIDE, ("$", "tab", "tab", *"j" * 14)),
        ("screens/tokens-narrow", NARROW, ("$", *["tab"] * 4)),
        ("screens/tokens-40x10", (40, 10), ("$",)),
        ("screens/tokens-200x60", (200, 60), ("$", *["tab"] * 3)),
    ],
)
async def test_screens(name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async with inspecting(TEAM, size) as inspection:
        for key in keys:
            await inspection.press(key)
        assert_svg_snapshot(inspection.app, name)


@pytest.mark.parametrize(
    ("name", "keys"), [("screens/session", (*"}jjjj", "a")), ("screens/session-overview", ("o",))]
)
async def test_screens_of_a_session(name: str, keys: tuple[str, ...]) -> None:
    file = min(SESSIONS.rglob("rollout-*.jsonl"))
    async with inspecting(file, WIDE) as inspection:
        for key in keys:
            await inspection.press(key)
        assert_svg_snapshot(inspection.app, name)
