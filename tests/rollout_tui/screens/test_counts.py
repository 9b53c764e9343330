"""A number before a movement, and the way back into a stepper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import inspecting

from rollout_tui.screens.compaction_stepper import CompactionStepper
from rollout_tui.screens.exec_stepper import ExecStepper
from rollout_tui.views.compaction.history_rows import State

Demo = Callable[[str], Path]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("typed", "row"),
    [("5j", 5), ("20G", 19), ("012G", 11), ("10j", 10), ("6g", 5), ("9999999999G", -1), ("5j7k", 0)],
)
async def test_a_number_counts_the_movement_after_it(demo_trace: Demo, typed: str, row: int) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press(*typed)
        rows = inspection.screen.timeline.list
        assert rows.cursor == row % rows.line_count


@pytest.mark.quick
async def test_a_number_that_begins_with_the_key_of_a_pane_stays_in_this_one(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("5", "j", "3")
        context = inspection.screen.context
        assert inspection.screen.panes.active is context
        await inspection.press("g", "1", "0", "j")
        assert inspection.screen.panes.active is context
        assert context.list.cursor == 10
        await inspection.press("1", "2", "j")
        assert inspection.screen.panes.active is inspection.screen.timeline


async def test_escape_and_other_keys_forget_a_number(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("5", "escape", "j")
        assert inspection.screen.timeline.list.cursor == 1
        await inspection.press("5", "z", "z", "j")
        assert inspection.screen.timeline.list.cursor == 2


@pytest.mark.quick
async def test_a_number_counts_steps(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        steps = ["right_parenthesis"] * 5
        await inspection.press(*steps)
        expected = inspection.screen.timeline.entry
        await inspection.press("g", "5", ")")
        assert inspection.screen.timeline.entry == expected
        await inspection.press("9", "9", "9", ")")
        assert "no call after this" in "\n".join(inspection.screen_text())


@pytest.mark.quick
async def test_escape_leads_back_into_the_compaction_stepper(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("c", "s", "s", "j", "j")
        stepper = inspection.app.screen
        assert isinstance(stepper, CompactionStepper)
        assert stepper.state is State.CHECKPOINT
        await inspection.press("enter", "4", "escape", "escape")
        again = inspection.app.screen
        assert isinstance(again, CompactionStepper)
        assert again is not stepper
        assert (again.place, again.state) == (stepper.place, State.CHECKPOINT)
        assert again.query("Column").first().list.cursor == 2
        await inspection.press("escape", "escape")
        assert inspection.app.screen is inspection.screen


@pytest.mark.quick
async def test_escape_leads_back_into_the_exec_stepper(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("x", "s", "s")
        stepper = inspection.app.screen
        assert isinstance(stepper, ExecStepper)
        await inspection.press("enter", "escape")
        again = inspection.app.screen
        assert isinstance(again, ExecStepper)
        assert (again.place, again.list.cursor) == (stepper.place, 2)


async def test_a_jump_to_elsewhere_ends_the_way_back(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("x", "enter", "left_square_bracket", "escape")
        assert inspection.app.screen is inspection.screen


async def test_leaving_a_dialog_twice_leaves_one_screen(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("question_mark")
        dialog = inspection.app.screen
        dialog.dismiss(None)
        dialog.dismiss(None)
        inspection.app.pop_screen()
        await inspection.press()
        assert inspection.app.screen is inspection.screen


async def test_a_covered_dialog_leaves_when_it_is_on_top_again(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("w", "f1")
        form, help_screen = inspection.app.screen_stack[-2:]
        form.dismiss(None)
        await inspection.press()
        assert inspection.app.screen is help_screen
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen
