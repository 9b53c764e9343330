"""Jumps, the way back from them, and the steppers that lead to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from inspecting import Inspection, inspecting

from rollout_tui.screens.compaction_stepper import CompactionStepper

Demo = Callable[[str], Path]


def where(inspection: Inspection) -> tuple[int, str]:
    entry = inspection.screen.timeline.entry
    assert entry is not None
    return entry.seq, inspection.screen.active.pane.value


async def test_a_link_leads_away_and_the_history_back_and_forth(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        screen = inspection.screen
        await inspection.press(*"jjjjjjjj", "4")
        before = where(inspection)
        facts = inspection.rows(screen.detail.facts)
        screen.detail.facts.jump(
            next(row for row, text in enumerate(facts) if text.startswith("started  ") and "spawn" in text)
        )
        await inspection.press("enter")
        after = where(inspection)
        assert after[0] == 46
        await inspection.press("[")
        assert where(inspection) == before
        assert screen.detail.heading == "call 3 of 20, /root"
        await inspection.press("]")
        assert where(inspection) == after
        await inspection.press("]")
        assert "no place to go forward to" in inspection.screen_text()[-1]


async def test_failures_are_jumps_too(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("e")
        assert where(inspection)[0] != 4
        await inspection.press("[")
        assert where(inspection)[0] == 4
        assert inspection.screen.timeline.thread_id == inspection.screen.threads.list.cursor_key
        await inspection.press("[")
        assert "no place to go back to" in inspection.screen_text()[-1]


async def test_the_compaction_stepper_opens_at_the_nearest_and_leads_to_an_item(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at_seq=330) as inspection:
        await inspection.press("c")
        stepper = inspection.app.screen
        assert isinstance(stepper, CompactionStepper)
        await inspection.press("3", "enter")
        assert inspection.app.screen is inspection.screen
        assert inspection.screen.detail.ref is not None
        assert inspection.screen.detail.ref.type == "ConversationItem"
        await inspection.press("[")
        assert where(inspection)[0] == 330
