"""Marks, the steppers one back, and hits of the search over everything in their payloads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import NARROW, WIDE, Inspection, inspecting

from rollout_tui.screens.compaction_stepper import CompactionStepper
from rollout_tui.screens.exec_stepper import ExecStepper

Demo = Callable[[str], Path]
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def said(inspection: Inspection) -> str:
    return inspection.screen_text()[-1].strip()


def seq(inspection: Inspection) -> int:
    entry = inspection.screen.timeline.entry
    assert entry is not None
    return entry.seq


@SIZES
async def test_a_mark_is_set_and_gone_to(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size, at=40) as inspection:
        await inspection.press("m")
        assert said(inspection) == "mark this place: a letter, esc none"
        await inspection.press("a")
        assert said(inspection) == "mark a is at seq 40; ' a comes back"
        await inspection.press("G")
        last = seq(inspection)
        await inspection.press("'")
        assert said(inspection).startswith("go to mark: a seq 40")
        await inspection.press("a")
        assert seq(inspection) == 40
        await inspection.press("[")
        assert seq(inspection) == last


async def test_a_mark_brings_back_pane_and_agent(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=40) as inspection:
        await inspection.press("3", "G")
        item = inspection.screen.detail.ref
        await inspection.press("m", "Z", "1", "G", "2", "'", "Z")
        assert inspection.screen.panes.active is inspection.screen.context
        assert inspection.screen.detail.ref == item
        assert inspection.screen.timeline.thread_id == inspection.screen.threads.list.cursor_key


@pytest.mark.quick
async def test_the_last_place_is_toggled(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("'", "'")
        assert said(inspection) == "there is no last place yet"
        await inspection.press("e")
        failure = seq(inspection)
        await inspection.press("'", "'")
        assert seq(inspection) == 4
        await inspection.press("'", "'")
        assert seq(inspection) == failure


async def test_what_is_no_mark_says_so_and_esc_sets_none(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("'", "q")
        assert said(inspection) == "There is no mark q; m q sets it."
        assert inspection.app.return_value is None, "the letter meant no other key"
        await inspection.press("m", "1")
        assert said(inspection).startswith("A mark is a letter")
        assert inspection.screen.panes.active is inspection.screen.timeline
        await inspection.press("m", "escape")
        assert said(inspection) == "no mark was set"
        await inspection.press("j")
        assert said(inspection).startswith("j/k move")
        await inspection.press("m", "tab")
        assert said(inspection) == "no mark was set"
        assert inspection.screen.panes.active is inspection.screen.timeline


@pytest.mark.slow
@SIZES
async def test_the_compaction_before_opens_its_stepper(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press("C")
        assert said(inspection) == "no compaction before this"
        await inspection.press("G", "C")
        stepper = inspection.app.screen
        assert isinstance(stepper, CompactionStepper)
        assert stepper.walk.step is not None
        assert stepper.walk.step.seq < seq(inspection)
        await inspection.press("c", "c", "c")
        assert said(inspection) == "this is the last compaction"
        await inspection.press("C", "C", "C")
        assert said(inspection) == "this is the first compaction"
        await inspection.press("s")
        assert "s/S state" in said(inspection)


@pytest.mark.slow
@SIZES
async def test_the_cell_before_opens_its_stepper(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size, at=4) as inspection:
        await inspection.press("X")
        assert said(inspection) == "no code cell before this"
        await inspection.press("G", "x")
        nearest = inspection.app.screen
        assert isinstance(nearest, ExecStepper)
        assert nearest.steps is not None
        at = nearest.steps.cell.execution.started_seq
        await inspection.press("escape")
        inspection.screen.going.go_to_seq(at)
        await inspection.press("X")
        before = inspection.app.screen
        assert isinstance(before, ExecStepper)
        assert before.steps is not None
        assert before.steps.cell.execution.started_seq < at
        await inspection.press("X", "X", "X", "X", "X", "X", "X", "X")
        assert said(inspection) == "this is the first cell"


@pytest.mark.slow
@SIZES
async def test_a_hit_in_a_payload_is_shown_there(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press("ctrl+f", *"nightly-linux")
        await inspection.settle()
        await inspection.press("enter", "enter")
        screen = inspection.screen
        assert inspection.app.screen is screen
        assert screen.panes.active is screen.detail
        assert screen.detail.shows_raw
        assert "nightly-linux" in screen.detail.payload_tree.value_text()
        payload = screen.detail.payload
        assert payload is not None
        assert "nightly-linux" in json.dumps(json.loads(inspection.screen.session.payload(payload)))
        assert screen.detail.payload_tree.path not in ("", ".")
        await inspection.press("n")
        assert "nightly-linux" in screen.detail.payload_tree.value_text()
        await inspection.press("escape", "escape", "escape")
        assert screen.panes.active is screen.timeline
        await inspection.press("[")
        assert seq(inspection) == 4


@pytest.mark.quick
async def test_a_hit_of_an_expression_is_marked_by_what_matched(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("ctrl+f", *"/nightly-[a-z]+/")
        await inspection.settle()
        await inspection.press("enter", "enter")
        tree = inspection.screen.detail.payload_tree
        assert inspection.screen.detail.shows_raw
        assert tree._highlight is not None
        assert tree._highlight.pattern.startswith("nightly")
        await inspection.press("escape")
        assert tree._highlight is None
