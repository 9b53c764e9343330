"""The compaction stepper: every key, at both sizes, on recorded bundles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from compaction_cases import reduced
from places import REPOSITORY
from textual.app import App
from textual.color import Color
from textual.pilot import Pilot

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.contexts.seen import Wanted
from rollout_tui.insight.index import TraceIndex
from rollout_tui.line_filter import SafeLineFilter
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.compaction_stepper import Chosen, CompactionStepper
from rollout_tui.views.compaction.history_rows import State
from rollout_tui.widgets.virtual_list import VirtualList

WIDE, NARROW = (120, 40), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])


class Host(App[None]):
    """Opens the stepper, and keeps what it was closed with."""

    CSS_PATH = REPOSITORY / "rollout_tui/theme.tcss"

    def __init__(self, stepper: CompactionStepper) -> None:
        super().__init__()
        self.stepper = stepper
        self.results: list[Chosen | None] = []

    def on_mount(self) -> None:
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.push_screen(self.stepper, self.results.append)


class Stepping:
    """A running stepper, and what can be seen of it."""

    def __init__(self, app: Host, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.stepper = app.stepper

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def lines(self) -> list[str]:
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip)[:width].rstrip() for strip in strips[:height]]

    def text(self) -> str:
        return "\n".join(self.lines())

    @property
    def list(self) -> VirtualList:
        focused = self.app.focused
        assert isinstance(focused, VirtualList)
        return focused

    def row(self) -> str:
        return spans_text(self.list.line_spans(self.list.cursor, 200)).rstrip()


def asked_in_vain(wanted: Wanted, *_whom: object) -> None:
    """Nobody finds out here who saw something: `test_seen_screen.py` asks where it is found out."""
    raise AssertionError(wanted)


@asynccontextmanager
async def stepping(
    index: TraceIndex, seq: int = 0, size: tuple[int, int] = WIDE, thread_id: str | None = None
) -> AsyncIterator[Stepping]:
    app = Host(CompactionStepper(index, asked_in_vain, thread_id or index.trace.root_thread_id, seq))
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.06)
        yield Stepping(app, pilot)


@pytest.fixture
def remote(shared_dir: Path) -> TraceIndex:
    return reduced(shared_dir / "bundles/compaction-remote/bundle")


@pytest.fixture
def local(shared_dir: Path) -> TraceIndex:
    return reduced(shared_dir / "bundles/compaction-local/bundle")


@pytest.fixture
def failing(shared_dir: Path) -> TraceIndex:
    return reduced(shared_dir / "bundles/compaction-failing/bundle")


@pytest.fixture
def everything(shared_dir: Path) -> TraceIndex:
    return reduced(shared_dir / "bundles/everything-ws/bundle")


@SIZES
async def test_it_opens_on_the_compaction_nearest_to_the_cursor(
    remote: TraceIndex, size: tuple[int, int]
) -> None:
    for seq, place in ((0, 1), (48, 2), (98, 4), (999, 9)):
        async with stepping(remote, seq, size) as run:
            assert run.lines()[0].startswith(f" compaction {place} of 9  seq ")
            assert run.lines()[0].endswith("recorded  /root")
            assert "▸1 last call before" in run.lines()[1]


@SIZES
async def test_s_steps_forth_and_back_through_the_four_states(
    remote: TraceIndex, size: tuple[int, int]
) -> None:
    async with stepping(remote, 37, size) as run:
        assert run.lines()[2].startswith(
            " call 3 of 16  seq 26  9 items  13,500 tok in, 0 cached  50 out  0.0s"
        )
        assert "answered with 2 items" in run.text()
        await run.press("s")
        assert "▸2 request" in run.lines()[1]
        assert "raw_payload:20  payloads/20.json" in run.text()
        assert "encrypted, 408 B; only the provider can read it" in run.text()
        await run.press("s")
        assert "▸3 checkpoint" in run.lines()[1]
        assert "before  11 items" in run.text()
        assert "=2 kept →7 summarised »2 replaced" in run.text()
        assert "=2 carried over »2 re-inserted +1 new" in run.text()
        assert "exact tok  13,500 in + 50 out at call 3 → 17,000 in at call 4 (with tools)" in run.text()
        await run.press("s")
        assert "▸4 first call after" in run.lines()[1]
        assert "gone for good: 7 items" in run.text()
        await run.press("s")
        assert run.stepper.state is State.FIRST_CALL
        await run.press("S", "S", "S", "S")
        assert run.stepper.state is State.LAST_CALL


@pytest.mark.quick
@SIZES
async def test_both_columns_can_be_read(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        await run.press("3")
        rows = [line.split("│") for line in run.lines() if "│" in line]
        assert [cell.strip() for cell in rows[0]] == ["▸before", "after"]
        assert len(rows[1][0]) == size[0] // 2
        labels = [row[0].split() for row in rows[1:12]]
        assert [words[1 if size is NARROW else 2] for words in labels][:4] == [
            "developer",
            "user",
            "user",
            "reasoning",
        ]
        assert "user turn 1: keep going" in rows[1][1]
        assert "(encrypted, 408 B)" in rows[5][1]


async def test_wide_columns_say_the_verdict_and_narrow_ones_mark_it(remote: TraceIndex) -> None:
    async with stepping(remote, 37, WIDE) as run:
        await run.press("3")
        assert "»? replaced     developer" in run.text()
        assert "+  new          summary" in run.text()
        await run.pilot.resize_terminal(*NARROW)
        await run.pilot.pause(0.06)
        assert "»? developer" in run.text()
        assert "+  summary   (encrypted, 408 B)" in run.text()


@pytest.mark.quick
@SIZES
async def test_c_goes_to_the_next_and_the_previous_compaction_in_the_same_state(
    remote: TraceIndex, size: tuple[int, int]
) -> None:
    async with stepping(remote, 37, size) as run:
        await run.press("s", "s", "c")
        assert run.lines()[0].startswith(" compaction 2 of 9  seq 47")
        assert run.stepper.state is State.CHECKPOINT
        assert "before  6 items" in run.text()
        await run.press("C")
        assert run.lines()[0].startswith(" compaction 1 of 9")
        await run.press("C")
        assert run.lines()[0].startswith(" compaction 1 of 9")
        await run.press(*"ccccccccccc")
        assert run.lines()[0].startswith(" compaction 9 of 9")


@SIZES
async def test_digits_go_to_a_state(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        for key, state in (("4", State.FIRST_CALL), ("2", State.REQUEST), ("3", State.CHECKPOINT), ("1", 1)):
            await run.press(key)
            assert run.stepper.state == state
            assert f"▸{key} " in run.lines()[1]


@SIZES
async def test_tab_goes_to_what_the_item_became_and_back(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        await run.press("3", "j", "j")
        assert "user turn 1" in run.row()
        await run.press("tab")
        assert "▸after" in run.text()
        assert run.list.cursor == 0
        assert "user turn 1" in run.row()
        await run.press("j")
        assert "developer" in run.row()
        await run.press("shift+tab")
        assert "▸before" in run.text()
        assert run.list.cursor == 0
        await run.press("j", "j", "j", "tab")
        assert "(encrypted, 408 B)" in run.row()


@SIZES
async def test_tab_does_nothing_in_a_state_with_one_list(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        before = run.lines()
        await run.press("tab", "shift+tab")
        assert run.lines() == before


@SIZES
async def test_the_foot_says_why(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        await run.press("3")
        assert "replaced: item 2 after, the same text as a new item (a judgement)" in run.lines()[-2]
        await run.press("j", "j")
        assert "kept: item 1 after, the same Responses id" in run.lines()[-2]
        await run.press("j")
        assert "summarised: gone; the summary stands for it" in run.lines()[-2]
        await run.press("tab")
        assert "new: the summary, encrypted, 408 B; only the provider can read it" in run.lines()[-2]
        await run.press("4")
        assert "carried over: item 1 before, the same Responses id" in run.lines()[-2]
        await run.press("G")
        assert "summarised: gone" in run.lines()[-2]


@SIZES
async def test_lists_move_by_the_usual_keys(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        for state in "1234":
            await run.press(state, "G")
            last = run.list.line_count - 1
            assert run.list.cursor == last
            await run.press("k")
            assert run.list.cursor == last - 1
            await run.press("g", "j", "down")
            assert run.list.cursor == 2
            await run.press("up")
            assert run.list.cursor == 1


@pytest.mark.quick
@SIZES
async def test_enter_on_an_item_closes_with_it_and_where_it_can_be_seen(
    remote: TraceIndex, size: tuple[int, int]
) -> None:
    calls = remote.contents[remote.trace.root_thread_id].calls
    before, after = (ObjectRef("InferenceCall", call.inference_call_id) for call in calls[2:4])
    compaction = next(iter(remote.trace.compactions.values()))
    expected = {
        ("1", "j"): (calls[2].request_item_ids[1], before),
        ("3", "j"): (compaction.input_item_ids[1], before),
        ("3", "j", "j", "tab"): (compaction.replacement_item_ids[0], after),
        ("4", "j"): (calls[3].request_item_ids[1], after),
        ("4", "G"): (compaction.input_item_ids[-1], before),
    }
    for keys, (item_id, at) in expected.items():
        async with stepping(remote, 37, size) as run:
            await run.press(*keys, "enter")
            assert run.app.results == [Chosen(ObjectRef("ConversationItem", item_id), at)]


@SIZES
async def test_enter_on_a_rule_does_nothing(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        await run.press("1", *"jjjjjjjjj")
        assert "answered with" in run.row()
        await run.press("enter")
        assert run.app.results == []
        assert run.app.screen is run.stepper


@pytest.mark.quick
@SIZES
async def test_enter_on_a_fact_follows_its_link(remote: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(remote, 37, size) as run:
        await run.press("2", "enter")
        assert run.app.results == []
        await run.press("j", "j", "j", "j")
        assert run.row().startswith("raw request")
        await run.press("enter")
        ref = ObjectRef("CompactionRequest", "compaction_request:1")
        assert run.app.results == [Chosen(ref, ref)]


@SIZES
@pytest.mark.parametrize("key", ["escape", "q"])
async def test_esc_and_q_close(remote: TraceIndex, size: tuple[int, int], key: str) -> None:
    async with stepping(remote, 37, size) as run:
        await run.press("s", key)
        assert run.app.results == [None]
        assert run.app.screen is not run.stepper


@SIZES
async def test_local_compaction_is_marked_as_inferred_and_has_no_request(
    local: TraceIndex, size: tuple[int, int]
) -> None:
    async with stepping(local, 36, size) as run:
        assert run.lines()[0] == " compaction 1 of 9  seq 36  turn 2  inferred from the requests  /root"
        assert "2 no request" in run.lines()[1]
        await run.press("s")
        assert run.stepper.state is State.CHECKPOINT
        assert "call 4 begins with 1 of the 9 items of call 3, then differs" in run.text()
        assert "the output of 1 tool call after call 3 reached no request" in run.text()
        assert "SUMMARY 1" in run.text()
        await run.press("s")
        assert run.stepper.state is State.FIRST_CALL
        await run.press("S", "S")
        assert run.stepper.state is State.LAST_CALL
        await run.press("2")
        assert "local compaction leaves no request and no checkpoint" in run.text()


@pytest.mark.quick
@SIZES
async def test_a_failed_compaction_says_why_and_that_nothing_was_replaced(
    failing: TraceIndex, size: tuple[int, int]
) -> None:
    async with stepping(failing, 25, size) as run:
        assert run.lines()[0] == " compaction 1 of 2  seq 25  turn 2  recorded, failed  /root"
        await run.press("s")
        assert "failed after 0.0s" in run.text()
        assert '"message": "cannot compact"' in run.text()
        await run.press("s")
        assert "The compaction failed, so there is no checkpoint" in run.text()
        await run.press("j", "tab", "enter")
        assert run.app.results == []
        await run.press("s")
        assert "nothing is gone" in run.text()


@pytest.mark.quick
@SIZES
async def test_a_compaction_that_no_call_follows(everything: TraceIndex, size: tuple[int, int]) -> None:
    async with stepping(everything, 284, size) as run:
        assert run.lines()[0].startswith(" compaction 3 of 4  seq 284")
        await run.press("4")
        assert "No call came after: the next compaction, at seq 289, came before any call." in run.text()
        await run.press("enter")
        assert run.app.results == []
        await run.press("3", "tab", "enter")
        compaction = everything.trace.compactions
        ref = next(one for one in compaction.values() if one.request_ids == ["compaction_request:3"])
        assert run.app.results[0] is not None
        assert run.app.results[0].at == ObjectRef("Compaction", ref.compaction_id)


@pytest.mark.quick
@SIZES
async def test_a_bundle_without_a_compaction_says_what_was_looked_at(
    shared_dir: Path, size: tuple[int, int]
) -> None:
    index = reduced(shared_dir / "bundles/multi-agent-v2/bundle")
    async with stepping(index, 5, size) as run:
        words = " ".join(run.text().split())
        assert "No compaction in this bundle. Looked for compaction events of 5 agents" in words
        assert "in 28 inference calls" in words
        await run.press("s", "S", "c", "C", "3", "tab", "enter", "j")
        assert run.app.screen is run.stepper
        await run.press("q")
        assert run.app.results == [None]


async def test_another_size_keeps_the_cursor(remote: TraceIndex) -> None:
    async with stepping(remote, 97, WIDE) as run:
        await run.press("3", "j", "j", "j", "j", "j")
        await run.pilot.resize_terminal(*NARROW)
        await run.pilot.pause(0.06)
        assert run.list.cursor == 5
        assert "▸3 checkpoint" in run.lines()[1]
        await run.pilot.resize_terminal(30, 8)
        await run.pilot.pause(0.06)
        assert run.app.screen is run.stepper


@SIZES
async def test_hostile_text_never_reaches_the_screen_as_it_is(size: tuple[int, int]) -> None:
    index = reduced(REPOSITORY / "demo_traces/hostile")
    last_net = SafeLineFilter()
    async with stepping(index, 76, size) as run:
        for state in "1234":
            await run.press(state, "G")
            assert all(line.isprintable() for line in run.lines())
            for strip in run.app.screen._compositor.render_strips():
                segments = list(strip)
                assert last_net.apply(segments, Color(0, 0, 0)) is segments


@pytest.mark.quick
async def test_plain_ascii(remote: TraceIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphs, "_active", glyphs.ASCII)
    async with stepping(remote, 37, NARROW) as run:
        for state in "1234":
            await run.press(state)
            assert run.text().isascii()
