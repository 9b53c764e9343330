"""What context and detail show, by key: sizes and shares, deltas against any call, origins, diffs, blobs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import NARROW, WIDE, Inspection, inspecting

from reducer import ObjectRef
from reducer.model import PayloadRefPart
from rollout_tui import progress
from rollout_tui.insight.contexts.delta import ContextDelta
from rollout_tui.insight.index import TraceIndex
from rollout_tui.panes import timeline as timeline_pane
from rollout_tui.panes.detail_tabs import Tab
from rollout_tui.screens.call_menu import CallMenu
from rollout_tui.screens.facts_screen import FactsScreen
from rollout_tui.screens.prompt import Prompt
from rollout_tui.views.filters import parse_filter
from rollout_tui.views.timeline import Timelines

Demo = Callable[[str], Path]


def index_of(inspection: Inspection) -> TraceIndex:
    assert inspection.screen.session.timelines is not None
    return inspection.screen.session.timelines.index


def base_of(inspection: Inspection) -> int | None:
    """The number of the call against which the context is shown."""
    view = inspection.screen.context.view
    if not isinstance(view, ContextDelta) or view.base is None:
        return None
    return index_of(inspection).place_of_call(view.base) + 1


# Context


async def test_the_context_says_exact_tokens_shares_and_where_the_prefix_ends(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=308) as inspection:
        screen = inspection.screen
        assert "3 Context  call 15 of 20" in inspection.screen_text()[1]
        assert "6 items  1,918 in, 896 cached" in inspection.screen_text()[2]
        rows = inspection.rows(screen.context.list)
        assert rows[0].split() == ["instructions", "none", "in", "this", "request"]
        assert rows[1].split()[:3] == ["tools", "7", "tools,"]
        assert any(row.startswith("── prefix breaks: 1 of 45; cached 896 of 1.9k") for row in rows)
        shares = [int(row.rsplit("≈", 1)[1].removesuffix("%")) for row in rows if "≈" in row]
        assert len(shares) == 5, "the sixth item is encrypted, and too small to be estimated"
        assert 95 <= sum(shares) <= 105
        assert any("(image/png, 131 B, 120x24)" in row for row in rows)


async def test_wide_rows_of_the_context_estimate_tokens_as_well(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=308) as inspection:
        narrow = inspection.rows(inspection.screen.context.list)
        await inspection.press("3", "z")
        rows = inspection.rows(inspection.screen.context.list)
        assert sum("≈" in row for row in rows) == sum("≈" in row for row in narrow)
        assert any("prefix breaks here: 1 of 45 items; cached 896 of 1.9k tokens" in row for row in rows)
        estimated = [row.split()[-2] for row in rows if "≈" in row]
        assert all(word.startswith("≈") for word in estimated)


async def test_a_call_that_goes_on_says_where_its_prefix_ends(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=40) as inspection:
        rows = inspection.rows(inspection.screen.context.list)
        place = next(place for place, row in enumerate(rows) if row.startswith("── prefix ends: "))
        assert rows[place - 1].startswith("= ")
        assert rows[place + 1].startswith("+ ")


@pytest.mark.quick
async def test_enter_on_the_end_of_the_prefix_tells_more(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=308) as inspection:
        context = inspection.screen.context
        await inspection.press("3")
        rows = inspection.rows(context.list)
        context.list.jump(next(place for place, row in enumerate(rows) if "prefix breaks" in row))
        await inspection.press("enter")
        assert isinstance(inspection.app.screen, FactsScreen)
        text = "\n".join(inspection.screen_text())
        assert "breaks at item 2, after 1 of 45 items of call 14" in text
        assert "exact: 896 of 1,918 input tokens cached" in text
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen


# Deltas


@pytest.mark.quick
async def test_d_shows_the_list_the_delta_and_a_delta_against_a_call_that_is_picked(
    demo_trace: Demo,
) -> None:
    async with inspecting(demo_trace("team"), at=308) as inspection:
        context = inspection.screen.context
        await inspection.press("d")
        assert base_of(inspection) == 14
        assert "against call 14" in inspection.screen_text()[1]
        await inspection.press("d")
        menu = inspection.app.screen
        assert isinstance(menu, CallMenu)
        text = "\n".join(inspection.screen_text())
        assert "Compare call 15 with" in text
        await inspection.press("j", "j", "j", "enter")
        assert base_of(inspection) == 3
        assert "against chosen call 3" in inspection.screen_text()[1]
        assert "across compaction at seq 307" in str(context.header._pieces)
        await inspection.press("d")
        assert not context.shows_delta
        assert base_of(inspection) is None


async def test_esc_in_the_list_of_calls_changes_nothing(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=308) as inspection:
        await inspection.press("d", "d")
        assert isinstance(inspection.app.screen, CallMenu)
        await inspection.press("escape")
        assert base_of(inspection) == 14


async def test_a_chosen_call_is_forgotten_with_the_call_for_which_it_was_chosen(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=308) as inspection:
        await inspection.press("d", "d", "j", "j", "j", "enter")
        assert base_of(inspection) == 3
        await inspection.press(")")
        assert base_of(inspection) == 15
        assert "against call 15" in inspection.screen_text()[1]
        await inspection.press("(")
        assert base_of(inspection) == 14, "coming back brings no old choice back"
        await inspection.press("d")
        assert isinstance(inspection.app.screen, CallMenu)
        await inspection.press("escape")
        await inspection.press("1", "j", "enter", ")")
        view = inspection.screen.context.view
        assert isinstance(view, ContextDelta)
        index = index_of(inspection)
        assert index.thread_path(view.call.thread_id) == "/root/repro"
        assert view.base is index.previous_call(view.call), "that of another agent cannot be compared with"


async def test_across_a_compaction_items_are_put_back_and_replaced(shared_dir: Path) -> None:
    async with inspecting(shared_dir / "bundles/compaction-remote/bundle") as inspection:
        index = index_of(inspection)
        compaction = next(iter(index.trace.compactions.values()))
        seq = index.first_seq(ObjectRef("Compaction", compaction.compaction_id)) or 0
        calls = index.contents[compaction.thread_id].calls
        after = next(call for call in calls if call.execution.started_seq > seq)
        inspection.screen.going.go_to(ObjectRef("InferenceCall", after.inference_call_id))
        await inspection.press("d", "3", "z")
        rows = inspection.rows(inspection.screen.context.list)
        assert any(row.startswith("= developer") for row in rows)
        assert any(row.startswith("» ") and row.endswith("put back, judged") for row in rows)
        assert any(f"compaction at seq {seq}: the contexts differ" in row for row in rows)


# Detail


async def turn_to(inspection: Inspection, name: str) -> Tab:
    """Turn to a tab of the detail by its name."""
    detail = inspection.screen.detail
    await inspection.press("4")
    for _ in range(len(detail.tabs.all)):
        if detail.tabs.shown.name == name:
            return detail.tabs.shown
        if detail.facts.display:
            await inspection.press("l")
        else:  # there the key moves within the text, too
            detail._turn_tab(1)
            await inspection.settle()
    if detail.tabs.shown.name == name:
        return detail.tabs.shown
    raise AssertionError(f"no tab {name} in {[tab.name for tab in detail.tabs.all]}")


@pytest.mark.quick
async def test_the_origin_is_a_tab_whose_rows_lead_there(shared_dir: Path) -> None:
    async with inspecting(shared_dir / "bundles/shell-tools/bundle") as inspection:
        index, screen = index_of(inspection), inspection.screen
        call = next(
            call
            for call in index.trace.tool_calls.values()
            if call.terminal_operation_id is not None and call.model_visible_output_item_ids
        )
        screen.going.go_to(ObjectRef("ConversationItem", call.model_visible_output_item_ids[0]))
        await turn_to(inspection, "origin")
        rows = inspection.rows(screen.detail.origin)
        assert [row.split()[0] for row in rows[::2][1:3]] == ["printed", "run"]
        assert all("seq" in row and "line" in row for row in rows if row.startswith("  log"))
        tool = next(place for place, row in enumerate(rows) if row.startswith("run by"))
        screen.detail.origin.jump(tool)
        await inspection.press("enter")
        assert screen.detail.ref == ObjectRef("ToolCall", call.tool_call_id)
        await inspection.press("[")
        await turn_to(inspection, "origin")
        screen.detail.origin.jump(1)
        await inspection.press("enter")
        assert screen.detail.ref is not None
        assert screen.detail.ref.type == "Event"


@pytest.mark.quick
async def test_a_patch_is_shown_as_a_coloured_diff(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        index, screen = index_of(inspection), inspection.screen
        patch = next(
            call for call in index.trace.tool_calls.values() if call.kind.name_of_type == "apply_patch"
        )
        screen.going.go_to(ObjectRef("ToolCall", patch.tool_call_id))
        await turn_to(inspection, "arguments")
        text = screen.detail.text
        assert text.text.startswith("*** Begin Patch")
        lines = text.text.split("\n")
        looks = {
            line[:1]: {one.style for one in text.line_spans(number, 200) if one.text.strip() == line.strip()}
            for number, line in enumerate(lines[: text.line_count])
            if line[:1] in "+-*" and len(line) < 80
        }
        assert looks["+"] == {"added"}
        assert looks["*"] == {"strong"}


async def test_an_image_is_named_by_type_size_and_pixels(shared_dir: Path) -> None:
    async with inspecting(shared_dir / "bundles/inputs/bundle") as inspection:
        index, screen = index_of(inspection), inspection.screen
        item = next(
            one
            for one in index.trace.conversation_items.values()
            if any(isinstance(part, PayloadRefPart) for part in one.body.parts)
        )
        screen.going.go_to(ObjectRef("ConversationItem", item.item_id))
        await turn_to(inspection, "user")
        assert "(image: image/png, " in screen.detail.text.text
        assert "base64" not in screen.detail.text.text


async def test_an_encrypted_item_says_how_large_it_is_and_where_it_is_from(shared_dir: Path) -> None:
    async with inspecting(shared_dir / "bundles/compaction-local/bundle") as inspection:
        index, screen = index_of(inspection), inspection.screen
        item = next(one for one in index.trace.conversation_items.values() if one.kind == "reasoning")
        screen.going.go_to(ObjectRef("ConversationItem", item.item_id))
        await inspection.settle()
        rows = inspection.rows(screen.detail.facts)
        assert any(row.startswith("encrypted ") and "from the answer of call" in row for row in rows), rows


async def test_the_events_of_an_object_can_be_opened(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=40) as inspection:
        screen = inspection.screen
        await inspection.press("4", "G")
        assert inspection.row(screen.detail.facts).startswith(("made by", "then"))
        await inspection.press("enter")
        assert screen.detail.ref is not None
        assert screen.detail.ref.type == "Event"
        assert any("line" in row for row in inspection.rows(screen.detail.facts))


# Filtering of what is long


@pytest.fixture
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_pane, "FILTERED_AT_ONCE", 0)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)


async def type_filter(inspection: Inspection, text: str) -> None:
    await inspection.press("&")
    assert isinstance(inspection.app.screen, Prompt)
    inspection.app.screen.input.value = text
    await inspection.press("enter")


@pytest.mark.usefixtures("everything_is_long")
async def test_long_timelines_are_filtered_in_a_thread(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline
        await type_filter(inspection, "kind:patch")
        assert not timeline.is_filtering
        rows = inspection.rows(timeline.list)
        assert len(rows) == 3
        assert all(" patch " in row for row in rows)
        patch = timeline.entry
        assert patch is not None
        await type_filter(inspection, "kind:patch|call")
        assert timeline.entry == patch, "the cursor stays on its entry"


@pytest.mark.quick
@pytest.mark.usefixtures("everything_is_long")
async def test_filtering_says_how_far_it_is_and_can_be_called_off(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        screen, timelines = inspection.screen, inspection.screen.session.timelines
        assert timelines is not None
        rows = screen.timeline.list.line_count
        screen.timeline.set_filter(timelines, screen.timeline.filter)
        started = []
        monkeypatch.setattr(type(screen.timeline), "_filter", lambda *arguments: started.append(arguments))
        screen.timeline.set_filter(timelines, parse_filter("kind:call"))
        assert screen.timeline.is_filtering
        assert started
        screen.timeline.on_timeline_pane_filter_progress(screen.timeline.FilterProgress(1200, 100_000))
        await inspection.pilot.pause()
        assert "filtering 1,200 of 100,000  &kind:call  esc cancels" in str(screen.timeline.title._text)
        await inspection.press("escape")
        assert not screen.timeline.is_filtering
        assert not screen.timeline.filter
        assert screen.timeline.list.line_count == rows


async def test_esc_clears_the_filter_when_there_is_nothing_else_to_leave(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline
        rows = timeline.list.line_count
        await type_filter(inspection, "kind:patch")
        assert timeline.list.line_count == 3
        entry = timeline.entry
        await inspection.press("enter", "escape")
        assert timeline.list.line_count == 3, "first the detail is left"
        await inspection.press("escape")
        assert timeline.list.line_count == rows
        assert timeline.entry == entry


@pytest.mark.usefixtures("everything_is_long")
async def test_a_log_that_grows_does_not_begin_the_filtering_anew(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline, timelines = inspection.screen.timeline, inspection.screen.session.timelines
        assert timelines is not None
        assert timeline.thread_id is not None
        started: list[Timelines] = []
        monkeypatch.setattr(type(timeline), "_filter", lambda _pane, one, *_rest: started.append(one))
        wanted = parse_filter("kind:call")
        timeline.set_filter(timelines, wanted)
        newer = Timelines.of(timelines.index)
        timeline.show(newer, timeline.thread_id)
        assert started == [timelines]
        rows = timelines.filtered(timeline.thread_id, wanted)
        timeline.on_timeline_pane_filtered(timeline.Filtered(timelines, rows, 1))
        assert all(" call " in row for row in inspection.rows(timeline.list))
        assert started == [timelines, newer], "what was added meanwhile is looked at then"


# Nothing to show


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("lines", range(4))
async def test_panes_say_what_is_not_there(
    demo_trace: Demo, tmp_path: Path, lines: int, size: tuple[int, int]
) -> None:
    bundle = shutil.copytree(demo_trace("team"), tmp_path / "begun")
    log = bundle / "trace.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:lines]))
    async with inspecting(bundle, size) as inspection:
        for key in "1234":
            await inspection.press(key)
            rows = inspection.screen_text()
            first = next(at for at, row in enumerate(rows) if f"{key} " in row[:2] or f"│{key} " in row)
            assert all(row.strip() for row in rows[:first]), rows
            assert any(row.strip("│ ─━") for row in rows[first + 1 : -1]), rows
            assert not rows[1].rstrip().endswith("›")
