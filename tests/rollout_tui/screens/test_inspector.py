"""The main screen: every key that works there, in a wide and in a narrow terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import NARROW, WIDE, Inspection, inspecting
from patience import until

from reducer import reduce_bundle, state_json
from rollout_tui.screens.help import HelpScreen
from rollout_tui.screens.problems import ProblemsScreen
from rollout_tui.screens.sized_screen import TOO_SMALL
from rollout_tui.screens.write_form import WriteForm

Demo = Callable[[str], Path]


def entry_seq(inspection: Inspection) -> int:
    entry = inspection.screen.timeline.entry
    assert entry is not None
    return entry.seq


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_panes_answer_for_the_entry_under_the_cursor(
    demo_trace: Demo, size: tuple[int, int]
) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        screen = inspection.screen
        agents = [row.split("/")[1].split()[0] for row in inspection.rows(screen.threads.list)]
        assert agents == ["root", "repro", "stress", "reader"]
        await inspection.press(*"jjjjjjjj")
        assert " call " in inspection.row(screen.timeline.list)
        call = screen.context.view
        assert call is not None
        assert call.call.inference_call_id == screen.timeline.entry.ref.id  # type: ignore[union-attr]
        assert str(screen.detail.heading) == "call 3 of 20, /root"


async def test_down_and_up_move_the_cursor_by_one(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        timeline = inspection.screen.timeline.list
        for down, up in (("j", "k"), ("down", "up")):
            await inspection.press(down, down)
            assert timeline.cursor == 2
            await inspection.press(up, up)
            assert timeline.cursor == 0


async def test_pages_and_ends(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline.list
        await inspection.press("ctrl+d")
        half = timeline.cursor
        assert half == timeline.page_height // 2
        await inspection.press("ctrl+u")
        assert timeline.cursor == 0
        await inspection.press("pagedown")
        assert timeline.cursor > half
        await inspection.press("pageup")
        assert timeline.cursor == 0
        for bottom, top in (("G", "g"), ("end", "home")):
            await inspection.press(bottom)
            assert timeline.cursor == timeline.line_count - 1
            await inspection.press(top)
            assert timeline.cursor == 0


@pytest.mark.quick
async def test_left_folds_a_turn_and_right_unfolds_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline.list
        rows = timeline.line_count
        for fold, unfold in (("h", "l"), ("left", "right")):
            await inspection.press(fold)
            assert timeline.line_count < rows
            await inspection.press(unfold)
            assert timeline.line_count == rows
        await inspection.press("j", "j", "h")
        assert timeline.cursor == 0, "left on a leaf goes to its turn"


async def test_numbers_and_tab_go_to_the_panes(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        screen = inspection.screen
        panes = (screen.threads, screen.timeline, screen.context, screen.detail)
        for number, pane in enumerate(panes, 1):
            await inspection.press(str(number))
            assert inspection.app.focused is not None
            assert pane in inspection.app.focused.ancestors
        await inspection.press("tab")
        assert screen.threads.list.has_focus
        await inspection.press("shift+tab")
        assert screen.detail.facts.has_focus


@pytest.mark.quick
async def test_zoom_gives_a_pane_the_whole_screen(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        timeline = inspection.screen.timeline
        before = timeline.size
        await inspection.press("z")
        assert timeline.size.width == WIDE[0]
        assert timeline.size.height > before.height
        await inspection.press("escape")
        assert timeline.size == before


async def test_a_narrow_terminal_shows_one_pane_and_where_it_is(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), NARROW) as inspection:
        await inspection.press("3")
        text = inspection.screen_text()
        assert "/root" in text[1]
        assert "Context" in text[1]
        assert text[2].startswith("3 Context")
        assert not any(line.startswith("2 Timeline") for line in text)


@pytest.mark.parametrize("size", [(39, 24), (80, 9), (1, 1)])
async def test_a_tiny_terminal_gets_a_sentence(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("quickstart"), size) as inspection:
        words = " ".join(" ".join(inspection.screen_text()).split())
        assert words == TOO_SMALL[: len(words)]
        await inspection.pilot.resize_terminal(40, 10)
        await inspection.settle()
        assert inspection.screen_text()[1].startswith("2 Timeline")
        await inspection.press("j")
        assert inspection.screen.timeline.list.cursor == 1


async def test_enter_goes_from_agent_to_timeline_to_detail(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        screen = inspection.screen
        await inspection.press("1", "j")
        assert screen.timeline.thread_id == screen.threads.list.cursor_key
        assert "agent /root/repro" in screen.detail.heading
        await inspection.press("enter")
        assert screen.timeline.list.has_focus
        await inspection.press("j", "enter")
        assert screen.detail.facts.has_focus
        await inspection.press("escape")
        assert screen.timeline.list.has_focus


async def test_enter_follows_a_link_of_the_detail(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        screen = inspection.screen
        await inspection.press(*"jjjjjjjj", "4")
        facts = inspection.rows(screen.detail.facts)
        started = next(
            row for row, text in enumerate(facts) if text.startswith("started  ") and "spawn" in text
        )
        screen.detail.facts.jump(started)
        await inspection.press("enter")
        assert screen.timeline.entry is not None
        assert screen.timeline.entry.ref.type == "ToolCall"
        assert "spawn" in inspection.row(screen.timeline.list)


async def test_the_tabs_of_the_detail_hold_text_and_raw_evidence(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        detail = inspection.screen.detail
        await inspection.press(*"jjjjjjjj", "4", "l")
        assert detail.text.display
        assert "I'll have one agent reproduce it" in detail.text.text
        await inspection.press("W")
        assert not detail.text.wrap
        await inspection.press("W", "l", "l")
        assert detail.payload_tree.display
        assert detail.payload_tree.data == _request(inspection)
        await inspection.press("escape")
        assert detail.facts.display


def _request(inspection: Inspection) -> bytes:
    view = inspection.screen.context.view
    assert view is not None
    assert inspection.screen.session.timelines is not None
    trace = inspection.screen.session.timelines.index.trace
    return inspection.screen.session.recording.read_payload(
        trace.raw_payloads[view.call.raw_request_payload_id]
    )


@pytest.mark.quick
async def test_instructions_open_in_the_raw_request(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        screen = inspection.screen
        await inspection.press(*"jjjjjjjj", "3", "g", "j", "enter")
        assert screen.detail.payload_tree.has_focus
        assert screen.detail.payload_tree.path == ".tools"


@pytest.mark.quick
async def test_an_item_opens_raw_at_its_place_in_the_payload(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        screen = inspection.screen
        await inspection.press(*"jjjjjjjj", "3")
        assert screen.context.seen is not None
        screen.context.list.jump(4)
        await inspection.press("enter", "l", "l")
        assert screen.detail.payload_tree.display
        assert screen.detail.payload_tree.path == ".input[2]"


async def test_all_agents_are_interleaved_and_back(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline
        await inspection.press(*"jjjj")
        entry, alone = timeline.entry, timeline.list.line_count
        await inspection.press("a")
        assert timeline.entry == entry
        assert timeline.list.line_count > alone
        seqs = [timeline._rows.node(row).value.seq for row in range(timeline.list.line_count)]  # type: ignore[union-attr]
        assert seqs == sorted(seqs)
        await inspection.press("a")
        assert timeline.entry == entry
        assert timeline.list.line_count == alone


async def test_help_lists_the_keys_of_the_pane(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        for key in ("?", "f1"):
            await inspection.press(key)
            assert isinstance(inspection.app.screen, HelpScreen)
            assert any("Keys in Timeline" in line for line in inspection.screen_text())
            await inspection.press("escape")
        assert inspection.app.screen is inspection.screen


async def test_problems_are_listed_and_one_can_be_looked_at(demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    lines = (bundle / "trace.jsonl").read_bytes().splitlines(keepends=True)
    (bundle / "trace.jsonl").write_bytes(b"".join([*lines[:10], b"{torn", b"\n", *lines[10:]]))
    async with inspecting(bundle) as inspection:
        assert "1 problem" in inspection.screen_text()[0]
        await inspection.press("i")
        assert isinstance(inspection.app.screen, ProblemsScreen)
        await inspection.press("enter")
        assert inspection.screen.detail.heading == "problem"
        assert any("line 11" in row for row in inspection.rows(inspection.screen.detail.facts))


async def test_write_makes_the_same_bytes_as_reduce(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    async with inspecting(bundle) as inspection:
        await inspection.press("w")
        assert isinstance(inspection.app.screen, WriteForm)
        await inspection.press("enter")
        assert (bundle / "state.json").read_bytes() == state_json(reduce_bundle(bundle).trace)
        assert "Wrote" in inspection.screen_text()[-1]


@pytest.mark.quick
async def test_write_asks_before_it_overwrites(demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    (bundle / "state.json").write_text("mine")
    async with inspecting(bundle) as inspection:
        await inspection.press("w", "enter")
        assert isinstance(inspection.app.screen, WriteForm)
        assert any("Overwrite state.json?" in line for line in inspection.screen_text())
        await inspection.press("escape")
        assert (bundle / "state.json").read_text() == "mine"
        await inspection.press("w", "enter", "enter")
        assert (bundle / "state.json").read_bytes().startswith(b"{")


@pytest.mark.quick
async def test_write_says_why_it_could_not(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        await inspection.press("w")
        form = inspection.app.screen
        assert isinstance(form, WriteForm)
        form.query_one("#path").value = "/nowhere/state.json"  # type: ignore[attr-defined]
        await inspection.press("enter")
        assert isinstance(inspection.app.screen, WriteForm)
        assert any("Not written" in line for line in inspection.screen_text())


async def test_reload_reads_what_was_added_and_keeps_the_cursor(demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    log = bundle / "trace.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:30]))
    async with inspecting(bundle) as inspection:
        timeline = inspection.screen.timeline
        await inspection.press(*"jjj")
        entry, rows = timeline.entry, timeline.list.line_count
        log.write_bytes(whole)
        await inspection.press("R")
        assert timeline.entry is not None
        assert entry is not None
        assert timeline.entry.ref == entry.ref
        assert timeline.list.line_count > rows


async def test_back_and_quit(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        await inspection.press("enter", "q")
        assert inspection.screen.timeline.list.has_focus
        assert inspection.app.is_running
        await inspection.press("q")
        assert inspection.app.return_value == 0


@pytest.mark.quick
@pytest.mark.parametrize("key", ["Q", "ctrl+c"])
async def test_quit_from_anywhere(demo_trace: Demo, key: str) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        await inspection.press("4", key)
        assert inspection.app.return_value == 0


async def test_it_opens_at_a_sequence_number(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=142) as inspection:
        assert entry_seq(inspection) == 142


async def test_a_log_that_cannot_be_read_ends_the_program_with_the_reason(demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    (bundle / "trace.jsonl").unlink()
    async with inspecting(bundle) as inspection:
        assert inspection.app.failure is not None
        assert "trace.jsonl: no such file or directory" in inspection.app.failure
        assert inspection.app.return_value == 2


@pytest.mark.slow
async def test_every_object_that_is_linked_can_be_described(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timelines = inspection.screen.session.timelines
        assert timelines is not None
        screen = inspection.screen
        for entry in timelines.tree(None).values:
            screen.going.go_to(entry.ref)
            assert screen.detail.heading, entry
            assert screen.detail._detail is not None
            for fact in screen.detail._detail.facts:
                if fact.link is not None:
                    screen.detail.show(fact.link)
                    assert screen.detail._detail is not None, fact
                    screen.detail.show(entry.ref)


async def test_leaving_the_detail_for_the_timeline_moves_the_keys_too(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), NARROW) as inspection:
        screen = inspection.screen
        await inspection.press(*"jjjjjjjj", "4")
        facts = inspection.rows(screen.detail.facts)
        screen.detail.facts.jump(next(row for row, text in enumerate(facts) if "answered" in text))
        await inspection.press("enter")
        assert screen.detail.ref is not None
        assert screen.detail.ref.type == "ConversationItem"
        await inspection.press("2")
        assert screen.timeline.list.has_focus
        assert inspection.screen_text()[2].startswith("2 Timeline")


@pytest.mark.quick
async def test_saw_and_ran_stand_side_by_side(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=319) as inspection:
        detail = inspection.screen.detail
        await inspection.press("4")
        for _ in range(6):
            if detail.comparison.display:
                break
            await inspection.press("l")
        assert detail.comparison.display
        # Its columns are laid out once its width is known.
        await until(
            lambda: "sweep" in "\n".join(inspection.rows(detail.comparison)), pause=inspection.pilot.pause
        )
        assert any("saw/ran" in line for line in inspection.screen_text())
