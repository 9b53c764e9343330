"""Searching in whatever has the keys: every pane, every screen, by `/`, `n`, `N` and `esc`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inspecting import NARROW, WIDE, Inspection, inspecting
from patience import until

from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.compaction_stepper import CompactionStepper
from rollout_tui.screens.exec_stepper import ExecStepper
from rollout_tui.screens.prompt import Prompt
from rollout_tui.texts.view_search import MAX_HITS, Looked, SearchableView, ViewSearch
from rollout_tui.widgets.json_tree import JsonTree
from rollout_tui.widgets.text_view import TextView
from rollout_tui.widgets.virtual_list import VirtualList

Demo = Callable[[str], Path]
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def said(inspection: Inspection) -> str:
    return inspection.said


async def find(inspection: Inspection, text: str) -> str:
    """Search for a text with the keys; what is said then."""
    await inspection.press("/")
    prompt = inspection.app.screen
    assert isinstance(prompt, Prompt)
    await inspection.press(*text, "enter")
    assert inspection.app.screen is not prompt
    return said(inspection)


# The pure part


def finding(hits: list[int], start: int = 0, size: int = 100) -> ViewSearch:
    made = ViewSearch("x", None, start, size)
    looked = [*(hit for hit in hits if hit >= start), *(hit for hit in hits if hit < start)]
    for _pause in made.steps(Looked(hit, True) for hit in looked):
        pass
    return made


def test_hits_go_round_in_both_directions() -> None:
    made = finding([2, 5, 9], start=4)
    assert made.count == 3
    assert made.first() == (5, False)
    assert made.next_after(5) == (9, False)
    assert made.next_after(9) == (2, True)
    assert made.next_after(2) == (5, False)
    assert made.last_before(5) == (2, False)
    assert made.last_before(2) == (9, True)
    assert [made.number_of(hit) for hit in (2, 5, 9)] == [1, 2, 3]
    assert finding([2], start=4).first() == (2, True)
    assert finding([]).first() is None
    assert finding([]).next_after(0) is None
    assert finding([]).last_before(0) is None


def test_what_is_known_already_can_be_gone_to_and_the_rest_not_yet() -> None:
    made = ViewSearch("x", None, 10, 100)
    steps = made.steps(iter([Looked(20, True), Looked(60, False), Looked(5, True), Looked(6, False)]))
    next(steps)
    assert made.fraction == 0.5
    assert made.first() == (20, False)
    assert made.next_after(20) is None
    assert made.last_before(20) is None
    next(steps)
    assert made.fraction == 0.96
    assert made.next_after(20) is None
    assert next(steps, "done") == "done"
    assert made.is_done
    assert made.fraction == 1
    assert made.next_after(20) == (5, True)


def test_too_many_hits_end_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_HITS == 100_000
    monkeypatch.setattr("rollout_tui.texts.view_search.MAX_HITS", 10)
    made = finding(list(range(50)))
    assert made.is_cut
    assert made.is_done
    assert made.count == 10


@pytest.mark.parametrize("view", [VirtualList, TextView, JsonTree])
def test_every_view_can_be_searched(view: type[VirtualList | TextView | JsonTree]) -> None:
    made = view()
    assert isinstance(made, SearchableView)
    assert list(made.find_hits("x", 0)) == []


# The panes


@pytest.mark.quick
@SIZES
async def test_the_timeline_is_searched_round_and_back(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        timeline = inspection.screen.timeline.list
        wanted = [row for row, text in enumerate(inspection.rows(timeline)) if "spawn" in text]
        words = await find(inspection, "spawn")
        assert words == f"1 of {len(wanted)}  /spawn"
        assert timeline.cursor == wanted[0]
        for place, row in enumerate(wanted[1:], 2):
            await inspection.press("n")
            assert timeline.cursor == row
            assert said(inspection).startswith(f"{place} of {len(wanted)}")
        await inspection.press("n")
        assert timeline.cursor == wanted[0]
        assert "round from the beginning" in said(inspection)
        await inspection.press("N")
        assert timeline.cursor == wanted[-1]
        assert "round from the end" in said(inspection)
        assert inspection.screen.panes.active is inspection.screen.timeline


async def test_capitals_count_only_if_there_are_any(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        assert (await find(inspection, "spawn")).startswith("1 of ")
        assert await find(inspection, "Spawn") == "not found: Spawn"


async def test_a_folded_row_is_found_and_unfolded(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=4) as inspection:
        timeline = inspection.screen.timeline.list
        rows = timeline.line_count
        await inspection.press("g", "h")
        assert timeline.line_count < rows
        await find(inspection, "stress_sweep")
        assert "stress_sweep" in spans_text(timeline.line_spans(timeline.cursor, 1000))
        assert timeline.line_count > 1
        assert inspection.screen.timeline.entry is not None
        assert inspection.screen.detail.ref == inspection.screen.timeline.entry.ref
        await inspection.press("[")
        assert timeline.cursor == 0


async def test_each_hit_in_a_list_is_a_place_to_go_back_to(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline.list
        await find(inspection, "spawn")
        first = timeline.cursor
        await inspection.press("n")
        second = timeline.cursor
        await inspection.press("[")
        assert timeline.cursor == first
        await inspection.press("[")
        assert timeline.cursor == 0
        await inspection.press("]", "]")
        assert timeline.cursor == second


@pytest.mark.quick
@SIZES
async def test_the_threads_are_searched(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press("1")
        await find(inspection, "reader")
        threads = inspection.screen.threads.list
        assert "reader" in inspection.row(threads)
        index = inspection.screen.session.timelines.index  # type: ignore[union-attr]
        assert index.thread_path(inspection.screen.timeline.thread_id or "") == "/root/reader"


@pytest.mark.quick
@SIZES
async def test_the_context_is_searched_also_beyond_first_lines(
    demo_trace: Demo, size: tuple[int, int]
) -> None:
    async with inspecting(demo_trace("team"), size, at=40) as inspection:
        await inspection.press("3")
        context = inspection.screen.context
        rows = inspection.rows(context.list)
        items = inspection.screen.session.timelines.index.trace.conversation_items  # type: ignore[union-attr]
        hidden = next(
            line.strip()[:30]
            for seen in context.view.seen  # type: ignore[union-attr]
            if seen.ref is not None and seen.ref.id in items
            for part in items[seen.ref.id].body.parts
            for line in getattr(part, "text", "").splitlines()[1:]
            if len(line.strip()) > 30 and line.isascii() and not any(line.strip()[:30] in row for row in rows)
        )
        words = await find(inspection, hidden)
        assert "in the text of this row" in words
        assert inspection.screen.detail.ref == context.seen.ref  # type: ignore[union-attr]


@pytest.mark.slow
@SIZES
async def test_fields_texts_and_payloads_are_searched(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size, at=40) as inspection:
        detail = inspection.screen.detail
        await inspection.press("4")
        await find(inspection, "model")
        assert "model" in inspection.row(detail.facts)
        await inspection.press("l")
        text = detail.text.text
        await find(inspection, "agent")
        assert "agent" in inspection.row(detail.text).lower()
        await inspection.press("n", "n", "N", "N", "N")
        assert f"of {text.lower().count('agent')}" in said(inspection)
        await inspection.press("l", "l")
        assert detail.shows_raw
        words = await find(inspection, "stress_sweep")
        assert words == "not found: stress_sweep"
        await find(inspection, "exec_command")
        assert "exec_command" in detail.payload_tree.value_text()
        before = detail.payload_tree.path
        await inspection.press("n")
        assert detail.payload_tree.path != before
        assert "exec_command" in detail.payload_tree.value_text()


async def test_esc_takes_the_marks_away_and_then_means_back(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline.list
        await find(inspection, "spawn")
        marked = [part for part in timeline._fitted(timeline.cursor, 80) if part.style == "match"]
        assert [part.text for part in marked] == ["spawn"]
        await inspection.press("4", "escape")
        assert inspection.screen.panes.active is inspection.screen.detail
        assert not any(part.style == "match" for part in timeline._fitted(timeline.cursor, 80))
        await inspection.press("escape")
        assert inspection.screen.panes.active is inspection.screen.timeline


@pytest.mark.quick
async def test_the_next_hit_without_a_search_or_in_another_pane(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("n")
        assert said(inspection) == "nothing was searched for yet"
        await find(inspection, "reader")
        await inspection.press("1", "n")
        assert "reader" in inspection.row(inspection.screen.threads.list)


async def test_a_search_can_be_called_off(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("/", "escape")
        assert inspection.app.screen is inspection.screen
        await inspection.press("/", "enter")
        assert inspection.app.screen is inspection.screen
        assert inspection.screen.timeline.list.cursor == 0


@pytest.mark.quick
async def test_a_long_search_says_how_far_it_is_and_esc_ends_it(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline.list

        def endless(_query: str, _start: int) -> Iterator[Looked]:
            while True:
                yield Looked(timeline.line_count // 2, False)

        monkeypatch.setattr(timeline, "find_hits", endless)
        monkeypatch.setattr(timeline, "find_is_quick", lambda: False)
        await inspection.pilot.press("/")
        await inspection.pilot.pause(0.1)
        await inspection.pilot.press("x", "enter")
        await until(
            lambda: "searching 4" in said(inspection), lambda: said(inspection), inspection.pilot.pause
        )
        assert "esc cancels" in said(inspection)
        await inspection.pilot.press("j")
        assert timeline.cursor == 1, "other keys work meanwhile"
        await inspection.press("escape")
        assert said(inspection) == "stopped searching for x"
        await inspection.press("e", "[")
        assert timeline.cursor == 1


# Other screens


@pytest.mark.slow
@SIZES
async def test_both_steppers_are_searched(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size, at=333) as inspection:
        await inspection.press("c")
        stepper = inspection.app.screen
        assert isinstance(stepper, CompactionStepper)
        await find(inspection, "spawn")
        assert "spawn" in inspection.row(stepper._single)
        await inspection.press("3")
        assert (await find(inspection, "spawn")).partition("of")[0].strip().isdecimal()
        assert "spawn" in inspection.row(stepper._checkpoint.before.list)
        await inspection.press("escape", "escape")
        assert inspection.app.screen is inspection.screen
        await inspection.press("x")
        cells = inspection.app.screen
        assert isinstance(cells, ExecStepper)
        await inspection.press("1")
        await find(inspection, "const")
        assert "const" in inspection.row(cells.source)
        await inspection.press("2")
        await inspection.press("n")
        await find(inspection, "ended")
        assert "ended" in inspection.row(cells.list)
        assert cells.step is cells.steps.steps[cells.list.cursor]  # type: ignore[union-attr]


@pytest.mark.quick
@SIZES
async def test_dialogs_with_lists_are_searched(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press("?")
        rows = inspection.app.screen.query_one(VirtualList)
        await find(inspection, "follow the edge")
        assert "follow the edge" in inspection.row(rows)
        assert "1 of 1" in said(inspection)
        await inspection.press("escape")
        assert inspection.app.screen is not inspection.screen, "first esc ends the search"
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen


@pytest.mark.quick
async def test_hits_of_the_search_over_everything_are_searched(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("ctrl+f", *"reader")
        await inspection.settle()
        await inspection.press("enter")
        hits = inspection.app.screen.query_one(VirtualList)
        assert hits.has_focus
        await find(inspection, "payload")
        assert "payload" in inspection.row(hits)


async def test_rows_that_come_meanwhile_do_not_lose_the_search(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline.list
        basis = iter([("before", 1), ("after", 2)])
        monkeypatch.setattr(timeline, "find_basis", lambda: next(basis, ("after", 2)))
        await find(inspection, "spawn")
        assert "spawn" in inspection.row(timeline)
        assert said(inspection).startswith("1 of ")
