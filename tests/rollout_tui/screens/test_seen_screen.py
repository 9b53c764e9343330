"""Who saw something: asked in panes, on hits, in steppers and by a command; where the answer leads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.contexts.seen import AgentSight, Wanted, seen_text, who_saw
from rollout_tui.insight.contexts.visibility import Run
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import spans_text, spans_width
from rollout_tui.screens.compaction_stepper import CompactionStepper
from rollout_tui.screens.exec_stepper import ExecStepper
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.search import SearchScreen
from rollout_tui.screens.seen_screen import SeenScreen
from rollout_tui.views.seen_rows import bar, seen_rows, sight_facts, wanted_words
from rollout_tui.views.timeline import Timelines
from rollout_tui.widgets.virtual_list import VirtualList

Demo = Callable[[str], Path]


def told(inspection: Inspection) -> list[str]:
    """The title and the rows, trimmed."""
    screen = inspection.app.screen
    assert isinstance(screen, SeenScreen)
    return inspection.rows(screen.query_one(VirtualList))


# Rows


@pytest.mark.parametrize("width", [34, 60, 74, 114, 194])
def test_bars_stand_below_each_other_at_every_width(team_timelines: Timelines, width: int) -> None:
    found = seen_text(team_timelines.links.sightings, "sweep", lambda _ref: None)
    rows = seen_rows(team_timelines.index, found, width)
    texts = [spans_text(lay_out(one.row, width)) for one in rows]
    assert all(spans_width(lay_out(one.row, width)) <= width for one in rows)
    full, empty = "▒", "·"
    begins = {min(text.index(mark) for mark in (full, empty) if mark in text) for text in texts}
    assert len(begins) == 1
    for one, text in zip(found, texts, strict=True):
        assert (full in text) == bool(one.runs)


def test_a_column_stands_for_several_calls_where_there_are_many() -> None:
    sight = AgentSight("t", 1000, [], [Run(500, 500), Run(990, 999)])
    drawn = bar(sight, 10)
    assert drawn == "·····▒···▒"
    glyphs.use(glyphs.ASCII)
    try:
        assert bar(sight, 10) == ".....#...#"
    finally:
        glyphs.use(glyphs.UNICODE)


@pytest.mark.parametrize("columns", [1, 7, 60])
def test_a_bar_says_which_calls_saw_it(team_timelines: Timelines, columns: int) -> None:
    sightings = team_timelines.links.sightings
    for one in seen_text(sightings, "sweep", lambda _ref: None):
        drawn, calls = bar(one, columns), one.calls
        assert len(drawn) == min(columns, calls)
        for place, mark in enumerate(drawn):
            first, end = place * calls // len(drawn), (place + 1) * calls // len(drawn)
            assert (mark == "▒") == any(map(one.sees, range(first, end)))


def test_what_is_gone_nobody_saw(team_timelines: Timelines) -> None:
    for wanted in (Wanted("item", "gone"), Wanted("tool", "gone")):
        found = who_saw(team_timelines.links.sightings, wanted, lambda _ref: None)
        assert len(found) == 4
        assert not any(one.runs for one in found)
        assert sight_facts(team_timelines.index, found) == []
        assert wanted_words(team_timelines.index, wanted).endswith(f"{wanted.kind} gone")


def test_what_a_tool_call_gave_is_seen_where_its_outputs_are(team_timelines: Timelines) -> None:
    index, sightings = team_timelines.index, team_timelines.links.sightings
    asked = 0
    for call in index.trace.tool_calls.values():
        for item_id in call.model_visible_output_item_ids if index.cell_around(call) is None else ():
            found = who_saw(sightings, Wanted("tool", call.tool_call_id), lambda _ref: None)
            (agent,) = (one for one in found if one.thread_id == call.thread_id)
            assert set(sightings.runs(item_id)) <= set(agent.runs) or len(agent.items) > 1
            assert ObjectRef("ConversationItem", item_id) in agent.items
            asked += 1
    assert asked > 10


# Keys


@pytest.mark.quick
async def test_in_the_panes_an_item_a_tool_call_and_a_text(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=40) as inspection:
        await inspection.press("3", "v")
        rows = told(inspection)
        assert sum("of 20 calls" in row for row in rows) == 1
        assert any(row.startswith("seen by") and "calls 3 to 14 of /root" in row for row in rows)
        assert any(row.strip().startswith("removed by") for row in rows)
        await inspection.press("escape", "2", *":tool 1", "enter", "v")
        assert "what came of mcp ci.list_failures" in "\n".join(inspection.screen_text())
        assert any("calls 2 to 14" in row for row in told(inspection))
        await inspection.press("escape", *":seen SWEEP", "enter")
        assert all("never" in row for row in told(inspection))
        await inspection.press("escape", *":seen sweep", "enter")
        assert '"sweep"' in "\n".join(inspection.screen_text())
        await inspection.press("enter")
        entry = inspection.screen.timeline.entry
        assert inspection.app.screen is inspection.screen
        assert entry is not None
        await inspection.press(*":seen ", "enter")
        assert "there must be a text" in "\n".join(inspection.screen_text())


@pytest.mark.quick
async def test_from_a_hit_and_from_there_to_its_place(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("ctrl+f", *"last_swept", "enter", "v")
        assert isinstance(inspection.app.screen, SeenScreen)
        assert sum("▒" in row for row in told(inspection)) == 3
        await inspection.press("escape")
        assert isinstance(inspection.app.screen, SearchScreen)
        assert "looking" not in "\n".join(inspection.screen_text())
        await inspection.press("v", "enter")
        assert isinstance(inspection.app.screen, InspectorScreen)


@pytest.mark.quick
async def test_from_a_stepper_and_back_into_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("c", "v")
        rows = told(inspection)
        assert any("▒" in row for row in rows)
        await inspection.press("escape")
        assert isinstance(inspection.app.screen, CompactionStepper)
        place = next(place for place, row in enumerate(rows) if row.startswith("seen by"))
        await inspection.press("v", *"j" * place, "enter")
        assert isinstance(inspection.app.screen, InspectorScreen)
        await inspection.press("escape")
        assert isinstance(inspection.app.screen, CompactionStepper)
        await inspection.press("4", "g", "v")
        assert isinstance(inspection.app.screen, SeenScreen | CompactionStepper)


@pytest.mark.quick
async def test_from_a_line_of_a_script_or_of_what_came_back(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("x")
        stepper = inspection.app.screen
        assert isinstance(stepper, ExecStepper)
        await inspection.press("1", "v")
        line = stepper.source.line.strip()
        assert line in "\n".join(inspection.screen_text()) or line[:40] in "\n".join(inspection.screen_text())
        assert any("▒" in row for row in told(inspection))
        await inspection.press("escape", "4", "v")
        assert any("▒" in row for row in told(inspection))
        await inspection.press("enter")
        assert isinstance(inspection.app.screen, InspectorScreen)
        await inspection.press("escape")
        assert isinstance(inspection.app.screen, ExecStepper)


@pytest.mark.quick
async def test_where_there_is_nothing_to_look_for_it_says_so(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("c", "2", "v")
        assert isinstance(inspection.app.screen, CompactionStepper)
        assert "go to one of them" in inspection.screen_text()[-1]


@pytest.mark.quick
@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_every_size_shows_a_bar(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press(*":seen sweep", "enter")
        assert "▒" in "\n".join(inspection.screen_text())
