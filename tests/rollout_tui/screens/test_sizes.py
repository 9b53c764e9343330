"""Any terminal from 40x10 up: what is shown at each size, and what a change of size leaves as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inspecting import SCREENS, Inspection, inspecting
from places import REPOSITORY
from rich.cells import cell_len
from textual.geometry import Size

from reducer import ObjectRef
from rollout_tui.insight.cells.steps import cell_steps, cells_in_order
from rollout_tui.insight.compaction.steps import compaction_steps
from rollout_tui.insight.failures.definition import failure_of, failures
from rollout_tui.insight.failures.words import verdict
from rollout_tui.key_order import ROOT_SCREENS
from rollout_tui.lines.rows import Row, lay_out
from rollout_tui.lines.spans import Piece, drop_to_fit, span, spans_text, spans_width, wrap
from rollout_tui.screens.sized_screen import TOO_SMALL
from rollout_tui.screens.sizes import FOUR_PANES, SMALLEST, TWO_PANES, panes_at_once
from rollout_tui.session import Session
from rollout_tui.views.cell_rows import cell_header, step_row
from rollout_tui.views.compaction.titles import title_spans
from rollout_tui.views.failure_rows import failure_row
from rollout_tui.views.overview import overview
from rollout_tui.views.thread_rows import ThreadRows
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeNode

Demo = Callable[[str], Path]

DEMOS = ("team", "quickstart", "capped", "schema-1", "schema-2", "hostile", "hostile-2")
SIZES = [(40, 10), (60, 15), (79, 24), (80, 23), (100, 30), (119, 18), (120, 17), (120, 40)]
NARROWEST_PANE = 23
"""Cells of a row in the pane of the agents where four panes are 120 columns."""


@pytest.fixture(scope="module", params=DEMOS)
def timelines(request: pytest.FixtureRequest) -> Timelines:
    return Session(REPOSITORY / "demo_traces" / request.param).load(lambda _done, _total: None)


def rows_with_verdicts(timelines: Timelines) -> Iterator[Row]:
    """Every row of the demo that says how something ended."""
    entries = timelines.rows(None)
    yield from (entries.whole_row(place) for place in range(entries.whole_count))
    for thread in timelines.index.threads:
        within = timelines.rows(thread.thread_id)
        yield from (within.whole_row(place) for place in range(within.whole_count))
        yield ThreadRows(timelines).row(TreeNode(thread, timelines.index.depth[thread.thread_id]))
    for cell in cells_in_order(timelines.index):
        yield from (step_row(step, 3) for step in cell_steps(timelines.index, cell).steps)


def test_a_verdict_is_whole_in_every_row_at_every_width(timelines: Timelines) -> None:
    rows = [row for row in rows_with_verdicts(timelines) if row.verdict is not None]
    assert rows
    for row in rows:
        assert row.verdict in row.tail
        for width in range(NARROWEST_PANE, 141):
            line = spans_text(lay_out(row, width))
            assert cell_len(line) <= width
            assert f" {row.verdict.text}" in line, (width, line)


def test_what_failed_has_its_verdict_in_its_row(timelines: Timelines) -> None:
    index = timelines.index
    entries = timelines.rows(None)
    for place, entry in enumerate(entries.values):
        failure = failure_of(index, entry.ref)
        if failure is not None:
            row = entries.whole_row(place)
            assert row.verdict is not None
            assert row.verdict.text == verdict(failure)
    for failure in failures(index):
        line = lay_out(failure_row(index, failure, is_narrow=True), SMALLEST.width - 1)
        assert verdict(failure) in spans_text(line)


def test_the_lines_above_keep_the_verdict_and_fit(timelines: Timelines) -> None:
    index = timelines.index
    cells, compactions = cells_in_order(index), compaction_steps(index)
    for width in range(SMALLEST.width, 141):
        header = spans_text(overview(timelines, "demo", (), width))
        assert cell_len(header) <= width
        assert ("failure" in header) == bool(timelines.failed)
        for place, cell in enumerate(cells):
            words = cell_header(index, cell_steps(index, cell), place, len(cells), width)
            failure = failure_of(index, ObjectRef("CodeCell", cell.code_cell_id))
            assert (cell.runtime_status if failure is None else verdict(failure)) in spans_text(words)
            assert spans_width(words) <= width
        for place, step in enumerate(compactions):
            title = title_spans(index, compactions, place, width)
            whole = title_spans(index, compactions, place)
            assert title[0] == whole[0]
            assert step.outcome != "failed" or "recorded, failed" in spans_text(title)


def test_pieces_go_by_their_rank_and_stay_in_their_order() -> None:
    pieces = [Piece(rank, [span(text)]) for rank, text in ((2, "ab"), (0, "cd"), (3, "ef"), (1, "gh"))]
    shown = [spans_text(drop_to_fit(pieces, width)) for width in (9, 8, 7, 5, 3, 1)]
    assert shown == ["abcdefgh", "abcdefgh", "abcdgh", "cdgh", "cd", "cd"]
    assert spans_text(drop_to_fit(pieces, None)) == "abcdefgh"


@pytest.mark.parametrize("width", range(12, 60))
def test_a_sentence_is_broken_at_blanks_and_nothing_of_it_is_lost(width: int) -> None:
    words = [span(" nothing is followed: ", "strong"), span("t follows the log and then goes on")]
    lines = wrap(words, width, 20)
    assert all(spans_width(line) <= width for line in lines)
    assert all(spans_text(line).startswith(" ") for line in lines)
    assert " ".join(spans_text(line).strip() for line in lines) == spans_text(words).strip()
    assert [style for line in lines for text, style in line if "nothing" in text] == ["strong"]
    assert len(wrap(words, width, 2)) <= 2


def test_how_many_panes_there_is_room_for() -> None:
    assert panes_at_once(FOUR_PANES) == 4
    assert panes_at_once(Size(120, 17)) == 2
    assert {panes_at_once(Size(width, 40)) for width in range(TWO_PANES, 120)} == {2}
    assert {panes_at_once(Size(width, 40)) for width in range(40, TWO_PANES)} == {1}


def shown_panes(inspection: Inspection) -> list[str]:
    """The names of the panes on the screen, from left to right."""
    panes = (pane for pane in inspection.screen.panes.panes.values() if pane.region.area and pane.display)
    return [pane.own_focus.value for pane in sorted(panes, key=lambda pane: (pane.region.y, pane.region.x))]


@pytest.mark.quick
@pytest.mark.parametrize("size", [(100, 30), (119, 12), (140, 17)])
async def test_two_panes_are_the_list_with_the_keys_and_the_detail(
    demo_trace: Demo, size: tuple[int, int]
) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        assert shown_panes(inspection) == ["Timeline", "Detail"]
        widths = [pane.size.width for pane in (inspection.screen.timeline, inspection.screen.detail)]
        assert sum(widths) == size[0] - 1
        assert abs(widths[0] - widths[1]) <= 1
        for key, expected in (
            ("4", ["Timeline", "Detail"]),
            ("3", ["Context", "Detail"]),
            ("tab", ["Context", "Detail"]),
            ("tab", ["Threads", "Detail"]),
            ("enter", ["Timeline", "Detail"]),
            ("z", ["Timeline"]),
            ("4", ["Detail"]),
            ("z", ["Timeline", "Detail"]),
        ):
            await inspection.press(key)
            assert shown_panes(inspection) == expected, key
            assert inspection.app.focused is not None
            assert inspection.screen.panes.active in inspection.app.focused.ancestors


@pytest.mark.quick
async def test_what_opens_from_the_context_stands_beside_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), (110, 30)) as inspection:
        await inspection.press("j", "3", "j", "enter")
        assert shown_panes(inspection) == ["Context", "Detail"]
        assert inspection.screen.panes.active is inspection.screen.detail
        await inspection.press("escape")
        assert inspection.screen.panes.active is inspection.screen.context


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
async def test_every_screen_is_served_at_every_size(demo_trace: Demo, size: tuple[int, int]) -> None:
    """The keys go to something that is seen, whatever they do no error comes of it, and esc leads back."""
    async with inspecting(demo_trace("team"), size) as inspection:
        for name, (opening, _focus) in SCREENS.items():
            await inspection.press("2", "g", "j", *opening)
            text = "\n".join(inspection.screen_text())
            assert TOO_SMALL not in text, name
            focused = inspection.app.focused
            assert focused is not None, name
            assert focused.size.height >= 1, name
            assert inspection.app.screen.region.contains_region(focused.region), name
            await inspection.press("down", "end", "pageup")
            assert inspection.app.focused is focused or name == "inspector", name
            assert (inspection.app.screen is inspection.screen) == (name == "inspector"), name
            if name != "inspector":
                await inspection.press("escape")
                assert inspection.app.screen is inspection.screen, name


@pytest.mark.slow
@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen_that_was_resized_is_as_if_opened_at_that_size(demo_trace: Demo, name: str) -> None:
    """Also what is to be seen below it, and what is there once it is closed."""
    bundle, pressed = demo_trace("team"), ("j", *SCREENS[name][0])
    fresh: dict[tuple[int, int], tuple[list[str], list[str]]] = {}
    for size in ((40, 10), (80, 23), (110, 30)):
        async with inspecting(bundle, size) as inspection:
            await inspection.press(*pressed)
            opened = inspection.screen_text()
            await inspection.press("escape")
            fresh[size] = opened, inspection.screen_text()
    async with inspecting(bundle, (120, 40)) as inspection:
        await inspection.press(*pressed)
        for size in (*fresh, (39, 10), (40, 9), *reversed(fresh)):
            await inspection.pilot.resize_terminal(*size)
            await inspection.settle()
            shown = inspection.screen_text()
            if size in fresh:
                assert shown == fresh[size][0], size
            else:
                assert " ".join(" ".join(shown).split()) == TOO_SMALL
        await inspection.press("escape")
        assert inspection.screen_text() == fresh[next(iter(fresh))][1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tokens", "compactions", "cells"])
async def test_what_is_below_two_others_is_as_if_opened_at_that_size(demo_trace: Demo, name: str) -> None:
    """Though what covers the whole terminal keeps it from being drawn meanwhile."""
    bundle, size = demo_trace("team"), (80, 23)
    async with inspecting(bundle, size) as inspection:
        fresh = inspection.screen_text()
    async with inspecting(bundle, (140, 40)) as inspection:
        await inspection.press(*SCREENS[name][0], "/")
        assert len(inspection.app.screen_stack) == ROOT_SCREENS + 2
        await inspection.pilot.resize_terminal(*size)
        while len(inspection.app.screen_stack) > ROOT_SCREENS:
            await inspection.press("escape")
        assert inspection.screen_text() == fresh


@pytest.mark.slow
async def test_verdicts_are_whole_on_the_screen(demo_trace: Demo) -> None:
    """The row of each failure that `e` leads to, in terminals of many widths."""
    async with inspecting(demo_trace("team"), (40, 10)) as inspection:
        timelines = inspection.screen.session.timelines
        assert timelines is not None
        for width in (40, 47, 60, 79, 99, 100, 119, 120):
            await inspection.pilot.resize_terminal(width, 20)
            await inspection.settle()
            await inspection.press("g")
            for _ in range(timelines.failed):
                await inspection.press("e")
                entry = inspection.screen.timeline.entry
                assert entry is not None
                failure = failure_of(timelines.index, entry.ref)
                assert failure is not None
                row = f"{entry.seq} "
                lines = [line for line in inspection.screen_text() if row in line]
                assert any(f" {verdict(failure)} " in f"{line} " for line in lines), (width, lines)


async def test_a_sentence_is_read_whole_in_a_narrow_terminal(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), (40, 10)) as inspection:
        await inspection.press("v")
        words = " ".join(" ".join(inspection.screen_text()).split())
        assert words.endswith("this is about items, tool calls and agents: go to one of them")
        await inspection.press("j")
        assert inspection.screen_text()[-1].endswith("? help           ")
        await inspection.press(":", *"seq x", "enter")
        words = " ".join(" ".join(inspection.screen_text()).split())
        assert words.endswith("After seq there must be a number, as in seq 12. :seq x")
