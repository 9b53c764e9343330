"""The overview of a run: what it tells at every size, and where its rows lead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting
from msgspec.structs import replace
from patience import until

from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.overview import Overview, overview_of
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import spans_text, spans_width
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.overview import OverviewScreen
from rollout_tui.views.answer_rows import AnswerRow
from rollout_tui.views.overview_rows import overview_rows
from rollout_tui.views.timeline import Timelines
from rollout_tui.widgets.virtual_list import VirtualList

Demo = Callable[[str], Path]


@pytest.fixture(scope="module")
def found(team_timelines: Timelines) -> Overview:
    return overview_of(team_timelines.links, lambda _ref: None)


def rows_of(timelines: Timelines, found: Overview, width: int) -> list[tuple[AnswerRow, str]]:
    rows = overview_rows(timelines.index, found, is_narrow=width < 76)
    assert len({one.row.key for one in rows}) == len(rows)
    return [(one, spans_text(lay_out(one.row, width))) for one in rows]


@pytest.mark.parametrize("width", [40, 60, 76, 100, 116, 200])
def test_every_width_tells_the_same_and_no_verdict_is_cut(
    team_timelines: Timelines, found: Overview, width: int
) -> None:
    rows = rows_of(team_timelines, found, width)
    for one, _ in rows:
        assert spans_width(lay_out(one.row, width)) <= width
    (stress,) = (text for _, text in rows if text.lstrip().startswith("/stress"))
    assert "none ✗ 429" in stress
    (title,) = (text for _, text in rows if text.startswith("10 failures"))
    assert title
    assert len(rows) == len(rows_of(team_timelines, found, 200))


def test_columns_go_from_the_right_and_stand_below_their_heads(
    team_timelines: Timelines, found: Overview
) -> None:
    for width, heads in ((116, ("answer", "seen by", "waiting", "cached")), (76, ("answer", "seen by"))):
        rows = rows_of(team_timelines, found, width)
        (head,) = (text for _, text in rows if text.startswith("4 agents"))
        assert [one for one in ("answer", "seen by", "waiting", "cached") if one in head] == list(heads)
        (root,) = (text for _, text in rows if text.startswith("/root  "))
        assert root.index("3 of 4") == head.index("answer")
        assert root.index("the user") == head.index("seen by")


def test_rows_lead_to_what_they_tell_of(team_timelines: Timelines, found: Overview) -> None:
    index: TraceIndex = team_timelines.index
    refs = [one.ref for one, _ in rows_of(team_timelines, found, 116) if one.ref is not None]
    assert all(map(index.has, refs))
    assert {ref.type for ref in refs} >= {"Thread", "ToolCall", "InferenceCall", "Turn", "Compaction"}
    assert {ref.id for ref in refs if ref.type == "Thread"} == set(index.trace.threads)


def list_of(inspection: Inspection) -> VirtualList:
    assert isinstance(inspection.app.screen, OverviewScreen)
    return inspection.app.screen.query_one(VirtualList)


async def test_a_key_opens_it_and_a_row_leads_on(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("o")
        rows = list_of(inspection)
        assert "ended with an answer, after 18m23s" in "\n".join(inspection.screen_text())
        place = next(place for place, text in enumerate(inspection.rows(rows)) if text.startswith("seq 159 "))
        await inspection.press(*"j" * place, "enter")
        assert inspection.app.screen is inspection.screen
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert entry.seq == 159
        await inspection.press("[")
        assert inspection.app.screen is inspection.screen


async def test_an_agent_leads_to_its_timeline(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("o")
        rows = list_of(inspection)
        place = next(
            place for place, text in enumerate(inspection.rows(rows)) if text.lstrip().startswith("/reader")
        )
        await inspection.press(*"j" * place, "enter")
        screen = inspection.screen
        assert screen.session.timelines is not None
        index = screen.session.timelines.index
        assert index.thread_path(screen.panes.thread_id) == "/root/reader"


@pytest.mark.quick
async def test_a_row_about_the_run_leads_nowhere(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        await inspection.press("o", "j", "enter")
        assert isinstance(inspection.app.screen, OverviewScreen)
        await inspection.press("escape")
        assert isinstance(inspection.app.screen, InspectorScreen)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_every_size_has_room_for_the_outcome(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press("o")
        assert "ended with an answer" in "\n".join(inspection.screen_text())


@pytest.mark.quick
async def test_who_saw_an_item_is_not_said_to_be_looked_for_any_more(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        await inspection.press("3", "G", "v")
        assert "looking through the calls" not in "\n".join(inspection.screen_text())


def test_an_answer_is_no_success_while_something_failed(team_timelines: Timelines, found: Overview) -> None:
    def style_of_outcome(overview: Overview) -> str:
        rows = overview_rows(team_timelines.index, overview, is_narrow=False)
        words = "ended with an answer"
        (spans,) = (one.row.spans for one in rows if spans_text(one.row.spans).startswith(words))
        return spans[0].style

    assert found.run.failures
    assert style_of_outcome(found) != "good"
    assert style_of_outcome(replace(found, run=replace(found.run, failures=[]))) == "good"


# As what is seen first


@pytest.mark.quick
async def test_it_is_there_before_the_panes_and_they_are_below_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), overview=True) as inspection:
        assert "ended with an answer" in "\n".join(inspection.screen_text())
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen
        entry = inspection.screen.timeline.entry
        assert entry is not None
        await inspection.press("escape")
        assert inspection.app.is_running


async def test_it_grows_with_the_log_and_the_cursor_stays_on_its_row(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    log = bundle / "trace.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:200]))
    async with inspecting(bundle, overview=True) as inspection:
        rows = list_of(inspection)
        await inspection.press("R")
        place = next(
            place for place, text in enumerate(inspection.rows(rows)) if text.lstrip().startswith("/stress")
        )
        rows.jump(place)
        before, height = inspection.row(rows), len(inspection.rows(rows))
        await inspection.pilot.press("t")
        with log.open("ab") as file:
            file.write(b"".join(lines[200:]))
        await until(lambda: len(inspection.rows(rows)) > height, pause=inspection.pilot.pause)
        assert inspection.row(rows).split()[0] == before.split()[0]
        assert rows.cursor > place


@pytest.mark.quick
async def test_of_an_unknown_schema_it_tells_nothing(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    manifest = bundle / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"schema_version": 3', '"schema_version": 4'))
    log = bundle / "trace.jsonl"
    log.write_bytes(log.read_bytes().replace(b'{"schema_version":3,', b'{"schema_version":4,'))
    async with inspecting(bundle, overview=True) as inspection:
        assert isinstance(inspection.app.screen, OverviewScreen)
        assert "trace schema 4 is not known" in "\n".join(inspection.screen_text())
