"""The exec stepper: every key, in a wide and in a narrow terminal, on recorded cells."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from code_cells import opened
from inspecting import inspecting
from places import REPOSITORY
from textual.filter import LineFilter
from textual.pilot import Pilot

from reducer import ObjectRef
from rollout_tui import glyphs, keys
from rollout_tui.insight.cells.steps import cells_in_order
from rollout_tui.insight.contexts.seen import Wanted
from rollout_tui.key_order import KeyOrderApp
from rollout_tui.line_filter import SafeLineFilter
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.exec_stepper import NO_CELLS, ExecStepper
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.line_view import LineView

WIDE, NARROW = (120, 40), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
TEAM = REPOSITORY / "demo_traces/team"
OPEN = "still open"


class Host(KeyOrderApp[None]):
    """Holds nothing but the stepper."""

    def __init__(self, stepper: ExecStepper) -> None:
        super().__init__()
        self.stepper = stepper
        self.result: ObjectRef | str | None = OPEN

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), SafeLineFilter()]

    def on_mount(self) -> None:
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.push_screen(self.stepper, self._take)

    def _take(self, result: ObjectRef | None) -> None:
        self.result = result


class Stepping:
    """A stepper at work, and what can be seen of it."""

    def __init__(self, host: Host, pilot: Pilot[None]) -> None:
        self.host = host
        self.stepper = host.stepper
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        await self.pilot.pause()
        await self.host.workers.wait_for_complete()
        await self.pilot.pause()

    @property
    def seq(self) -> int | None:
        assert self.stepper.step is not None
        return self.stepper.step.seq

    @property
    def focused(self) -> str | None:
        return next((part.id for part in self.stepper.parts if part.view.has_focus), None)

    def shown(self) -> list[str]:
        """The parts that are on the screen."""
        return [str(part.id) for part in self.stepper.parts if part.display and part.region.height > 0]

    def rows(self, view: LineView) -> list[str]:
        return [spans_text(view.line_spans(row, 200)).rstrip() for row in range(view.line_count)]

    def bar(self, name: str) -> str:
        bar = self.stepper.query_one(f"#{name}", Bar)
        return "".join(segment.text for segment in bar.render_line(0)).strip()

    def title(self, part: int) -> str:
        title = self.stepper.parts[part].title
        return "".join(segment.text for segment in title.render_line(0)).rstrip(
            f"{glyphs.active().rule}{glyphs.active().strong_rule} "
        )

    def screen_text(self) -> list[str]:
        strips = self.host.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips[: self.host.size.height]]


def asked_in_vain(wanted: Wanted, *_whom: object) -> None:
    """Nobody finds out here who saw something: `test_seen_screen.py` asks where it is found out."""
    raise AssertionError(wanted)


@asynccontextmanager
async def stepping(
    bundle: Path, size: tuple[int, int] = WIDE, cell: int = 1, ref: ObjectRef | None = None
) -> AsyncIterator[Stepping]:
    """Open the stepper on a cell, counted from 1, or on an object."""
    session, index = opened(bundle)
    cells = cells_in_order(index)
    if ref is None and cells:
        ref = ObjectRef("CodeCell", cells[cell - 1].code_cell_id)
    host = Host(ExecStepper(session, index, asked_in_vain, ref))
    async with host.run_test(size=size) as pilot:
        stepping = Stepping(host, pilot)
        await stepping.settle()
        yield stepping


@pytest.fixture
def code_mode(shared_dir: Path) -> Path:
    return shared_dir / "bundles/code-mode/bundle"


@SIZES
async def test_it_opens_on_the_first_step(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=2) as at:
        assert at.bar("title").startswith(
            "exec cell 2 of 18  /root  echo a; sleep 0.2; echo b; from-cell.txt  ✓ completed"
        )
        assert at.seq == 29
        assert at.focused == "steps"
        assert at.stepper.source.text.startswith("\nconst rs = await Promise.all([")
        assert len(at.rows(at.stepper.list)) == 8
        assert at.bar("keys") == keys.footer_text(keys.Focus.EXEC, at.host.size.width - 2)
        assert len(at.screen_text()) == size[1]
        assert all(len(line) == size[0] for line in at.screen_text())


async def test_a_wide_terminal_shows_all_parts(code_mode: Path) -> None:
    async with stepping(code_mode, WIDE) as at:
        assert at.shown() == ["script", "steps", "content", "seen"]


async def test_a_narrow_one_shows_the_steps_and_one_other(code_mode: Path) -> None:
    async with stepping(code_mode, NARROW) as at:
        assert at.shown() == ["script", "steps"]
        for key, expected in (("3", "content"), ("4", "seen"), ("1", "script")):
            await at.press(key)
            assert sorted(at.shown()) == sorted(["steps", expected])
            assert at.focused == expected
        await at.press("2")
        assert (at.focused, at.shown()) == ("steps", ["script", "steps"])


@SIZES
async def test_s_steps_forth_and_back(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=2) as at:
        seen = []
        for _step in range(9):
            seen.append(at.seq)
            await at.press("s")
        assert seen == [29, 30, 31, 34, 36, 37, 41, 43, 43]
        await at.press("S", "S")
        assert at.seq == 37
        await at.press(*"SSSSSSSS")
        assert at.seq == 29


@SIZES
async def test_s_works_from_every_part(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=2) as at:
        for place, key in enumerate("1234", start=1):
            await at.press(key, "s")
            assert at.stepper.step is not None
            assert at.stepper.step.place == place


async def test_the_list_of_steps_steps_as_well(code_mode: Path) -> None:
    async with stepping(code_mode, cell=2) as at:
        await at.press("j", "j")
        assert at.seq == 31
        await at.press("G")
        assert at.seq == 43
        await at.press("g", "k")
        assert at.seq == 29


@pytest.mark.quick
@SIZES
async def test_the_source_marks_the_call_being_made(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=2) as at:
        source = at.stepper.source
        assert source.marked == ""
        await at.press("s", "s")
        assert source.marked == "tools.exec_command"
        assert at.title(0) == "1 script  line 4"
        rows = at.rows(source)
        assert rows[2].startswith("◦ 3   tools.exec_command({cmd: 'echo a"), "this one is open"
        assert rows[3].startswith("→ 4   tools.exec_command({cmd: 'echo b'})"), "this one is being made"
        await at.press("s")
        assert at.rows(source)[3].startswith("← 4 ")
        reversed_text = [
            segment.text
            for segment in source.render_line(3 - source.scroll_offset.y)
            if segment.style is not None and segment.style.reverse
        ]
        assert reversed_text == ["tools.exec_command"], "without colour, too"
        await at.press("s", "s")
        assert source.marked == "tools.apply_patch"


async def test_open_calls_stay_marked_while_the_model_waits(code_mode: Path) -> None:
    async with stepping(code_mode, cell=6) as at:
        await at.press(*"sss")
        assert at.seq == 99
        assert at.stepper.source.marked == ""
        assert [row[:3] for row in at.rows(at.stepper.source) if not row.startswith(" ")] == ["◦ 4"]
        assert at.bar("facts").startswith("seq 99  13:10:34.976  +45ms  1 open: command sleep 1.2;")


@pytest.mark.quick
async def test_nothing_is_marked_where_the_call_is_not_known(code_mode: Path) -> None:
    session, index = opened(code_mode)
    cell = cells_in_order(index)[1]
    source, cell.source_js = cell.source_js, cell.source_js.replace("await", "for (;;) await", 1)
    try:
        host = Host(ExecStepper(session, index, asked_in_vain, ObjectRef("CodeCell", cell.code_cell_id)))
        async with host.run_test(size=WIDE) as pilot:
            at = Stepping(host, pilot)
            await at.settle()
            await at.press("s")
            assert at.seq == 30
            assert at.stepper.source.marked == ""
            assert at.title(0) == "1 script  not known: called from 2 places"
            assert all(row.startswith("  ") for row in at.rows(at.stepper.source))
    finally:
        cell.source_js = source


@pytest.mark.quick
@SIZES
async def test_the_place_where_a_script_threw(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=11) as at:
        await at.press(*"sss")
        assert at.seq == 203
        assert at.title(0) == "1 script  thrown in line 3"
        assert at.rows(at.stepper.source)[2].startswith("✗ 3 throw new Error('boom');")
        assert "at exec_main.mjs:3:7" in at.stepper.content.text


@SIZES
async def test_the_content_of_each_step(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=4) as at:
        content = at.stepper.content
        assert content.text == at.stepper.source.text
        await at.press("s")
        assert content.text == '{\n  "cmd": "cat",\n  "tty": true,\n  "yield_time_ms": 300\n}'
        await at.press("s")
        assert '"session_id": 24540' in content.text
        await at.press("s", "s")
        assert content.text.endswith("── output ──\ntyped in cell\r\ntyped in cell\r")
        await at.press("s")
        assert "── put out by the script ──\n── 1 of 2 ──\nsession 24540\n" in content.text
        assert "── shown to the model, first in call 5 ──\nScript completed" in content.text
        await at.press("3")
        assert at.title(2) == "3 content  put out by the script and shown to the model"


@SIZES
async def test_the_foot_says_what_the_model_saw(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=6) as at:
        rows = [re.sub(r" {2,}", "  ", row) for row in at.rows(at.stepper.seen_list)]
        assert rows == [
            "= saw  answer  still running: phase 1  call 7",
            "= saw  wait 1  still running: phase 2  call 8",
            "= saw  wait 2  still running  call 9",
            "= saw  wait 3  the script is done: phase 3  call 10",
            "- did not see result of command sleep 1.2; echo slow  its text is nowhere",
            "- did not see result of command sleep 0.8; echo slower  its text is nowhere",
        ]


@SIZES
async def test_x_goes_to_the_next_cell_and_back(shared_dir: Path, size: tuple[int, int]) -> None:
    async with stepping(shared_dir / "bundles/everything-ws/bundle", size, cell=7) as at:
        await at.press("s", "s", "x")
        assert at.bar("title").startswith("exec cell 8 of 10  /root/researcher")
        assert at.seq == 55, "at its first step"
        assert at.rows(at.stepper.source)[0].strip().startswith("1 const r = await tools.exec_command")
        assert at.rows(at.stepper.seen_list)[0].startswith("= saw")
        await at.press("X")
        assert at.bar("title").startswith("exec cell 7 of 10  /root")
        assert at.seq == 266
        await at.press("x", "x", "x", "x")
        assert at.bar("title").startswith("exec cell 10 of 10  /root/builder")
        assert at.bar("keys") == "this is the last cell"
        await at.press("s")
        assert at.bar("keys") == keys.footer_text(keys.Focus.EXEC, at.host.size.width - 2)


@pytest.mark.quick
async def test_there_is_no_cell_before_the_first(code_mode: Path) -> None:
    async with stepping(code_mode) as at:
        await at.press("X")
        assert at.bar("keys") == "this is the first cell"
        assert at.seq == 16


@pytest.mark.quick
@SIZES
async def test_tab_goes_round_the_parts(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size) as at:
        order = []
        for _press in range(5):
            order.append(at.focused)
            await at.press("tab")
        assert order == ["steps", "content", "seen", "script", "steps"]
        await at.press("shift+tab", "shift+tab")
        assert at.focused == "script"
        assert "script" in at.shown()


@pytest.mark.quick
@SIZES
async def test_enter_on_a_nested_call_gives_it_to_the_inspector(
    code_mode: Path, size: tuple[int, int]
) -> None:
    async with stepping(code_mode, size, cell=2) as at:
        await at.press("s", "s", "enter")
        assert at.host.result == ObjectRef("ToolCall", "exec-b0860dc4-9030-40b1-a6aa-a53e61fb23c0")


async def test_enter_on_other_steps(code_mode: Path) -> None:
    _session, index = opened(code_mode)
    expected = {
        92: ObjectRef("ConversationItem", cells_in_order(index)[5].source_item_id),
        93: ObjectRef("ConversationItem", "conversation_item:18"),
        99: ObjectRef("ToolCall", "call_00015"),
        120: ObjectRef("CodeCell", "code_cell:call_00013"),
    }
    for seq, ref in expected.items():
        async with stepping(code_mode, cell=6) as at:
            while at.seq != seq:
                await at.press("s")
            await at.press("enter")
            assert at.host.result == ref


@SIZES
async def test_enter_on_what_the_model_saw(code_mode: Path, size: tuple[int, int]) -> None:
    async with stepping(code_mode, size, cell=6) as at:
        await at.press("4", "j", "enter")
        assert at.host.result == ObjectRef("ConversationItem", "conversation_item:20")
    async with stepping(code_mode, size, cell=14) as at:
        await at.press("4", "G", "enter")
        assert at.host.result == OPEN, "a call that was never made leads nowhere"


@SIZES
@pytest.mark.parametrize("key", ["escape", "q"])
async def test_it_closes_without_a_result(code_mode: Path, size: tuple[int, int], key: str) -> None:
    async with stepping(code_mode, size) as at:
        await at.press("s", key)
        assert at.host.result is None


async def test_it_begins_at_the_call_under_the_cursor(code_mode: Path) -> None:
    for object_id, seq in (
        ("exec-d0f35101-f4df-4d88-8943-afa2f3c35f18", 105),
        ("call_00017", 109),
        ("call_00013", 92),
    ):
        async with stepping(code_mode, ref=ObjectRef("ToolCall", object_id)) as at:
            assert at.bar("title").startswith("exec cell 6 of 18")
            assert at.seq == seq


@SIZES
async def test_help_says_what_the_keys_do_here(code_mode: Path, size: tuple[int, int]) -> None:
    async with inspecting(code_mode, size) as at:
        await at.press("x", "question_mark")
        assert any("to the next code cell" in line for line in at.screen_text())
        await at.press("escape")
        assert isinstance(at.app.screen, ExecStepper)


async def test_lines_of_the_script_wrap_or_not(code_mode: Path) -> None:
    async with stepping(code_mode, NARROW, cell=3) as at:
        await at.press("1")
        wrapped = at.stepper.source.line_count
        await at.press("W")
        assert at.stepper.source.line_count == 8 < wrapped


async def test_a_terminal_that_changes_its_size(code_mode: Path) -> None:
    async with stepping(code_mode, WIDE, cell=2) as at:
        await at.press("s", "s")
        await at.pilot.resize_terminal(*NARROW)
        await at.settle()
        assert at.shown() == ["script", "steps"]
        assert at.stepper.source.marked == "tools.exec_command"
        await at.pilot.resize_terminal(30, 6)
        await at.settle()
        await at.press("s", "tab", "x")
        await at.pilot.resize_terminal(*WIDE)
        await at.settle()
        assert at.shown() == ["script", "steps", "content", "seen"]


@pytest.mark.quick
@SIZES
async def test_a_bundle_without_cells(size: tuple[int, int]) -> None:
    async with stepping(REPOSITORY / "demo_traces/quickstart", size) as at:
        assert any(NO_CELLS in line for line in at.screen_text())
        await at.press("s", "S", "x", "X", "enter", "tab", "4", "enter", "escape")
        assert at.host.result is None


@pytest.mark.slow
@SIZES
async def test_every_cell_can_be_walked_through(shared_dir: Path, size: tuple[int, int]) -> None:
    for bundle in (shared_dir / "bundles/mcp-tools/bundle", TEAM, REPOSITORY / "demo_traces/hostile"):
        async with stepping(bundle, size) as at:
            for cell in at.stepper.cells:
                assert at.stepper.steps is not None
                assert at.stepper.steps.cell is cell
                for step in at.stepper.steps.steps:
                    assert at.stepper.step is step
                    assert at.stepper.content.text not in ("", "reading ...")
                    assert all(line.isprintable() for line in at.screen_text())
                    await at.press("s")
                await at.press("x")


@SIZES
async def test_ascii(code_mode: Path, size: tuple[int, int]) -> None:
    glyphs.use(glyphs.ASCII)
    try:
        async with stepping(code_mode, size, cell=2) as at:
            await at.press("s", "s")
            assert any(row.startswith(">  4 ") for row in at.rows(at.stepper.source))
            assert all(line.isascii() for line in at.screen_text())
    finally:
        glyphs.use(glyphs.UNICODE)
