"""The screen of time: what its keys do, where it leads, and that it holds still while the run grows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting
from places import REPOSITORY

from rollout_tui import glyphs
from rollout_tui.insight.timing.run_time import run_time
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.time_screen import TimeScreen
from rollout_tui.session import Session
from rollout_tui.views.time_look import TimeLook

Demo = Callable[[str], Path]


def screen_of(inspection: Inspection) -> TimeScreen:
    screen = inspection.app.screen
    assert isinstance(screen, TimeScreen)
    return screen


def look_of(inspection: Inspection) -> TimeLook:
    look = screen_of(inspection).time_look
    assert look is not None
    return look


def agent_of(inspection: Inspection) -> str:
    screen = screen_of(inspection)
    assert screen.found is not None
    return screen.found.labels[screen.thread_id]


def text_of(inspection: Inspection) -> str:
    return "\n".join(inspection.screen_text())


@pytest.mark.quick
async def test_it_begins_at_the_entry_of_the_panes(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=159) as inspection:
        await inspection.press("L")
        assert agent_of(inspection) == "/root/repro/stress"
        assert look_of(inspection).spot.seq == 159
        assert inspection.row(screen_of(inspection).list).lstrip().startswith("/stress")
        assert "seq 159" in text_of(inspection)
        await inspection.press("escape")
        assert isinstance(inspection.app.screen, InspectorScreen)


async def test_the_spot_moves_and_zoom_holds_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("L", *"llll")
        look = look_of(inspection)
        assert look.column == 4
        await inspection.press("h", ">")
        assert look.column == 3 + look.columns // 10
        await inspection.press("<")
        spot = look.spot
        assert look.column == 3
        await inspection.press("+", "+")
        assert look.spot == spot
        assert look.window.ms == look.found.whole.ms // 4
        assert " to " in inspection.screen_text()[0]
        await inspection.press("-")
        assert look.window.ms // 2 == look.found.whole.ms // 4
        await inspection.press("z")
        assert look_of(inspection).zoomed is None
        await inspection.press("-")
        assert inspection.said == "this is the whole run"
        await inspection.press("z")
        assert look_of(inspection).zoomed is not None
        assert look.spot == spot
        await inspection.press("z", *["<"] * 11)
        assert look.spot.at == look.found.whole.begin
        assert inspection.said == "this is its first moment"
        await inspection.press(*["+"] * 30)
        assert inspection.said == "a column is as short as a clock can tell"
        assert look.window.ms == look.columns


@pytest.mark.quick
async def test_steps_lead_to_what_the_agent_did_and_to_its_kind(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("L", "s")
        look, thread_id = look_of(inspection), screen_of(inspection).thread_id
        first = look.here(thread_id).segment
        assert first is not None
        await inspection.press("s", "S")
        assert look.here(thread_id).segment == first
        await inspection.press("J")
        again = look.here(thread_id).segment
        assert again is not None
        assert (again.kind, again.first_seq > first.first_seq) == (first.kind, True)
        await inspection.press("K")
        assert look.here(thread_id).segment == first


@pytest.mark.quick
async def test_failures_and_compactions_are_gone_to_in_any_agent(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("L")
        marks = {
            True: [m for lane in look_of(inspection).found.lanes.values() for m in lane.marks if m.failure],
            False: [
                m for lane in look_of(inspection).found.lanes.values() for m in lane.marks if not m.failure
            ],
        }
        for forth, back, kind in (("e", "E", True), ("c", "C", False)):
            await inspection.press("z", "z", *["<"] * 11)
            refs = []
            for _ in marks[kind]:
                await inspection.press(forth)
                refs.append(look_of(inspection).spot.ref)
            assert set(refs) == {mark.ref for mark in marks[kind]}
            await inspection.press(forth)
            assert inspection.said.startswith("no ")
            await inspection.press(back)
            assert look_of(inspection).spot.ref == refs[-2]


@pytest.mark.quick
async def test_enter_opens_the_panes_there_and_esc_leads_back(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("L", *"eee", "+")
        look = look_of(inspection)
        wanted, zoomed, agent = look.spot, look.zoomed, screen_of(inspection).thread_id
        assert wanted.ref is not None
        await inspection.press("enter")
        assert inspection.app.screen is inspection.screen
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert entry.ref == wanted.ref
        await inspection.press("escape")
        assert (look_of(inspection).spot, look_of(inspection).zoomed) == (wanted, zoomed)
        assert screen_of(inspection).thread_id == agent


async def test_the_spot_follows_links_and_waits_and_they_lead_on(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("L")
        rows = screen_of(inspection).list
        texts = inspection.rows(rows)
        link = next(place for place, text in enumerate(texts) if "seq 77" in text and "command for" in text)
        wait = next(place for place, text in enumerate(texts) if "/root/repro's result" in text)
        await inspection.press(*"j" * link)
        assert (look_of(inspection).spot.seq, agent_of(inspection)) == (77, "/root/repro")
        await inspection.press(*"j" * (wait - link))
        assert look_of(inspection).spot.seq == 149
        await inspection.press("enter")
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert entry.seq == 149


async def test_what_leads_nowhere_says_so(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("L", *"jjjj", "enter")
        assert inspection.said == "this row is about no single place"


async def test_sums_are_those_of_show(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), (200, 60)) as inspection:
        await inspection.press("L")
        rows = inspection.rows(screen_of(inspection).list)
        (root,) = (row for row in rows if row.startswith("/root ") and "10m37s" in row)
        assert root.split()[1:5] == ["10m37s", "3m17s", "4m28s", "18m23s"]


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24), (120, 40), (200, 60)])
async def test_every_size_has_spot_axis_and_all_lanes(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press("L", "e")
        text = text_of(inspection)
        assert "|" in text
        assert all(name in text for name in ("/root", "/repro", "/reader"))
        width = size[0] - 1
        look, found = look_of(inspection), screen_of(inspection).found
        assert found is not None
        assert look.columns == width - 1 - screen_of(inspection)._cells(found, width)


async def test_without_colours_and_in_ascii_it_tells_the_same(demo_trace: Demo) -> None:
    glyphs.use(glyphs.ASCII)
    try:
        async with inspecting(demo_trace("team")) as inspection:
            await inspection.press("L")
            text = "\n".join(line[:-1] for line in inspection.screen_text())  # but for the scrollbar
            assert text.isascii()
            assert "C compaction" in text
            assert "x failure" in text
            assert inspection.rows(screen_of(inspection).list)[0].count("x") == 4
    finally:
        glyphs.use(glyphs.UNICODE)


@pytest.mark.quick
async def test_the_past_and_a_growing_run_hold_spot_and_zoom(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    log = bundle / "trace.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:250]))
    async with inspecting(bundle) as inspection:
        await inspection.press("L", *"llllll", "+", "+")
        look = look_of(inspection)
        spot, zoomed, whole = look.spot, look.zoomed, look.found.whole
        assert zoomed is not None
        log.write_bytes(b"".join(lines))
        await inspection.press("R")
        while look.found.whole == whole:
            await inspection.settle()
        assert (look.spot, look.zoomed) == (spot, zoomed)
        assert look.found.whole.end > whole.end
        await inspection.press("z")
        assert look.spot == spot
        assert look.window == look.found.whole


def test_values_of_a_session_file_say_that_they_are_rebuilt(shared_dir: Path) -> None:
    from rollout_tui.lines.spans import spans_text
    from rollout_tui.views.time_rows import REBUILT, rows_below, time_answer

    (path, *_) = sorted((shared_dir / "sessions/multi-agent-v2").rglob("rollout-*.jsonl"))
    links = Session(path).load(lambda _done, _total: None).links
    found = time_answer(links)
    assert run_time(links).whole == found.time.whole
    assert REBUILT in [spans_text(row.row.spans).strip() for row in rows_below(found)]


@pytest.mark.quick
@pytest.mark.parametrize("name", ["hostile", "hostile-2", "capped", "quickstart", "schema-1"])
async def test_every_demo_has_a_time(name: str) -> None:
    async with inspecting(REPOSITORY / "demo_traces" / name, (80, 24)) as inspection:
        await inspection.press("L", *"eEcCsSJKlh+-z<>G")
        assert screen_of(inspection).found is not None
        assert not any(
            ord(char) < 32 or char == "\u202e" for line in inspection.screen_text() for char in line
        )
