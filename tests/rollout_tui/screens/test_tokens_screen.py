"""Where the tokens went, on the screen: its keys, where rows lead, and a run that grows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspecting import Inspection, inspecting, inspector_of
from live_runs import Host, LiveInspection, opened
from patience import until
from places import REPOSITORY

from rollout_tui import glyphs
from rollout_tui.app import RolloutApp
from rollout_tui.insight.tokens.prices import read_prices
from rollout_tui.insight.tokens.run_tokens import RunTokens
from rollout_tui.screens import tokens as tokens_module
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.overview import OverviewScreen
from rollout_tui.screens.tokens import TokensScreen
from rollout_tui.session import Session
from rollout_tui.views.token_rows import VIEWS

Demo = Callable[[str], Path]


def screen_of(inspection: Inspection) -> TokensScreen:
    screen = inspection.app.screen
    assert isinstance(screen, TokensScreen)
    return screen


def found_by(inspection: Inspection) -> RunTokens:
    found = screen_of(inspection).found
    assert found is not None
    return found


def shown(inspection: Inspection) -> str:
    return "\n".join(inspection.screen_text())


def rows(inspection: Inspection) -> list[str]:
    return inspection.rows(screen_of(inspection).list)


async def go_to_row(inspection: Inspection, text: str) -> None:
    place = next(place for place, row in enumerate(rows(inspection)) if text in row)
    await inspection.press("g", *"j" * place)


async def test_a_key_opens_it_and_esc_leads_back_to_where_one_was(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press(*"jjjj", "3")
        before = inspection.screen_text()
        await inspection.press("$")
        text = shown(inspection)
        assert "Tokens of all agents" in text
        assert "102k in: 81.7k cached (80%), 20.6k new  4.8k out (807 reasoning)" in text
        assert "2 cache breaks, 2.2k tok not cached" in text
        await inspection.press("escape")
        assert inspection.screen_text() == before


async def test_one_key_goes_through_what_it_is_told_by(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        for view in (*VIEWS[1:], VIEWS[0]):
            await inspection.press("tab")
            assert f"[{view}]" in shown(inspection)
        for view in (*reversed(VIEWS),):
            await inspection.press("shift+tab")
            assert f"[{view}]" in shown(inspection)


@pytest.mark.quick
async def test_s_sorts_by_one_column_after_the_other_and_turns_it_round(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$", "tab", "tab")
        assert "sorted by time" in shown(inspection)
        await inspection.press("s")
        assert "sorted by context" in shown(inspection)
        assert f"{glyphs.active().down}context" in shown(inspection)
        calls = sorted((one for own in found_by(inspection).calls.values() for one in own),
                       key=lambda one: -one.tokens.input)  # fmt: skip
        row = screen_of(inspection).row
        assert row is not None
        assert row.ref == calls[0].ref
        await inspection.press("S")
        assert "turned round" in shown(inspection)
        row = screen_of(inspection).row
        assert row is not None
        assert row.ref is not None
        assert row.ref in {one.ref for one in calls if one.tokens.input == calls[-1].tokens.input}
        table = screen_of(inspection)._table
        assert table is not None
        for _ in table.orders[1:]:
            await inspection.press("s")
        assert "sorted by time" in shown(inspection)


@pytest.mark.quick
async def test_children_count_with_their_agents_or_not(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        agents = found_by(inspection).agents
        root = next(iter(agents.values()))
        assert f"{root.with_children.calls}" in rows(inspection)[0].split()
        await inspection.press("c")
        assert "agent by itself" in shown(inspection)
        assert f"{root.own.calls}" in rows(inspection)[0].split()


@pytest.mark.quick
async def test_one_agent_is_told_of_by_itself_and_all_again(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        await go_to_row(inspection, "/root/repro ")
        await inspection.press("a")
        assert "Tokens of /root/repro with its children" in shown(inspection)
        assert len(rows(inspection)) == 2
        await inspection.press("c")
        assert "Tokens of /root/repro without its children" in shown(inspection)
        assert len(rows(inspection)) == 1
        await inspection.press("a")
        assert "Tokens of all agents" in shown(inspection)
        assert inspection.row(screen_of(inspection).list).lstrip().startswith("/root/repro ")
        await inspection.press("tab", "tab", "tab", "a")
        assert "about no single agent" in inspection.said


async def test_the_curve_is_of_the_agent_of_the_row_and_marks_its_call(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        await go_to_row(inspection, "/root/reader")
        assert "contexts of /root/reader" in shown(inspection)
        await inspection.press("tab", "tab")
        await go_to_row(inspection, "call 15")
        assert "▲ call 15" in shown(inspection)
        assert "▼ compacted  ! after a compaction; 1.0k tok not cached" in shown(inspection)


@pytest.mark.quick
async def test_a_row_leads_to_its_place_and_esc_back_to_the_row(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$", "tab", "tab", "s")
        await go_to_row(inspection, "call 15")
        await inspection.pilot.pause()
        before = inspection.screen_text()
        row = screen_of(inspection).row
        await inspection.press("enter")
        assert inspection.app.screen is inspection.screen
        entry = inspection.screen.timeline.entry
        assert row is not None
        assert entry is not None
        assert entry.ref == row.ref
        await inspection.press("escape")
        assert inspection.screen_text() == before
        await inspection.press("escape", "$")
        assert inspection.screen_text() == before


@pytest.mark.quick
async def test_every_row_with_a_place_leads_there(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        index = found_by(inspection).index
        kinds = set()
        for _ in VIEWS:
            source: Any = screen_of(inspection).list.source
            refs = [one.ref for one in source.items if one.ref is not None]
            assert all(map(index.has, refs))
            kinds |= {ref.type for ref in refs}
            await inspection.press("tab")
        assert kinds >= {"Thread", "Turn", "InferenceCall", "ConversationItem"}


async def test_what_stands_before_the_items_leads_nowhere_and_says_so(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$", "tab", "tab", "tab", "enter")
        assert "about no single place" in inspection.said
        screen_of(inspection)


async def test_a_text_is_found_in_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$", "tab", "tab", "tab", "tab", "/", *"nightly-linux", "enter")
        assert "nightly-linux" in inspection.row(screen_of(inspection).list)
        await inspection.press("escape")
        screen_of(inspection)


@pytest.mark.quick
async def test_other_answers_take_its_place(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$", "tab", "o")
        assert isinstance(inspection.app.screen, OverviewScreen)
        assert not any(isinstance(one, TokensScreen) for one in inspection.app.screen_stack)
        await inspection.press("escape", "$")
        assert "[turn]" in shown(inspection)
        await inspection.press("$")
        assert len(inspection.app.screen_stack) == 3


async def test_prices_are_told_only_if_they_were_given(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        assert "cost" not in shown(inspection)
    prices = read_prices(b'{"gpt-5.5": {"in": 1, "cached": 0.1, "out": 8}}')
    app = RolloutApp(InspectorScreen(Session(demo_trace("team")), prices=prices))
    async with app.run_test(size=(120, 40)) as pilot:
        inspection = Inspection(app, pilot)
        await inspection.settle()
        await inspection.press("$")
        whole = found_by(inspection).part(list(found_by(inspection).agents)).whole
        cost = (whole.new + whole.cached * 0.1 + whole.output * 8) / 1e6
        assert f"costs {cost:.4f}" in shown(inspection)
        assert f"{cost:.4f}" in rows(inspection)[0]


async def test_a_schema_that_is_not_known_is_said_where_the_key_was_pressed(demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    manifest = bundle / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"schema_version": 3', '"schema_version": 99'))
    log = bundle / "trace.jsonl"
    log.write_text(log.read_text().replace('"schema_version":3', '"schema_version":99'))
    async with inspecting(bundle) as inspection:
        await inspection.press("$")
        assert inspection.app.screen is inspection.screen
        assert "99 is not known" in inspection.said


@pytest.mark.quick
async def test_work_that_dies_is_said_and_the_screen_stays(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise KeyError("evidence")

    monkeypatch.setattr(tokens_module, "run_tokens", die)
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        assert "not found out: a fault in this program: KeyError" in inspection.said
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen


# The past, and a run that grows


@pytest.mark.quick
async def test_the_past_is_told_from_its_graph_and_esc_leads_to_now(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("$")
        now = found_by(inspection)
        await inspection.press("T")
        await inspection.press(*["ctrl+u"] * 7)
        await until(lambda: inspection.screen.reader.state.past_seq is not None, pause=inspection.pilot.pause)
        await inspection.press("enter")
        await inspection.settle()
        past = found_by(inspection)
        assert past is not now
        assert past.part(list(past.agents)).whole.calls < now.part(list(now.agents)).whole.calls
        assert "as of seq" in inspection.screen_text()[0]
        await inspection.press("escape")
        await inspection.settle()
        assert found_by(inspection).index is not past.index
        assert "as of seq" not in inspection.screen_text()[0]
        screen_of(inspection)
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen


@pytest.mark.quick
async def test_it_follows_a_run_and_the_cursor_stays_on_its_row(tmp_path: Path) -> None:
    host = Host(tmp_path)
    for _ in range(3):
        host.call()
    app = RolloutApp(InspectorScreen(Session(host.bundle), follow=True))
    async with app.run_test(size=(120, 40)) as pilot:
        inspection: LiveInspection = await opened(pilot, app)
        await inspection.press("$", "tab", "tab")
        await inspection.until(lambda: len(rows(inspection)) == 3)
        await inspection.press("s", "S", "j")
        held = screen_of(inspection).row
        assert held is not None
        for _ in range(4):
            host.call()
        host.child()
        await inspection.until(lambda: len(rows(inspection)) == 7 and len(found_by(inspection).agents) == 2)
        row = screen_of(inspection).row
        assert row is not None
        assert row.ref == held.ref
        assert "following" in inspection.screen_text()[0]
        await inspection.press("=")
        await inspection.until_shown("paused")
        host.call()
        await inspection.until_shown("+")
        assert len(rows(inspection)) == 7
        host.finish()
        await inspection.press("=")
        await inspection.until(lambda: len(rows(inspection)) == 8)
        assert inspector_of(app).reader.state.is_paused is False


# Sizes and marks


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_every_size_has_room_for_totals_views_and_rows(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press("$")
        for _ in VIEWS:
            text = shown(inspection)
            assert "102k in" in text
            assert "Tokens of all agents" in text
            assert screen_of(inspection).list.size.height >= 3
            assert ("contexts of" in text) == (size[1] >= 20)
            await inspection.press("tab")


async def test_it_is_drawn_with_ascii_alone(demo_trace: Demo) -> None:
    glyphs.use(glyphs.ASCII)
    try:
        async with inspecting(demo_trace("team")) as inspection:
            await inspection.press("$")
            for _ in VIEWS:
                assert all(line[:-1].isascii() for line in inspection.screen_text())  # Textual's scroll bar
                await inspection.press("tab")
            assert "# new" in shown(inspection)
    finally:
        glyphs.use(glyphs.UNICODE)


@pytest.mark.quick
async def test_a_session_file_has_the_same_screen_and_marks_what_is_rebuilt(shared_dir: Path) -> None:
    folder = shared_dir / "sessions" / "compaction-local-0.140.0"
    path = next(iter(sorted(folder.rglob("rollout-*.jsonl"))))
    async with inspecting(path) as inspection:
        await inspection.press("$", "tab", "tab")
        assert any("~" in row for row in rows(inspection))
        assert "Tokens of" in shown(inspection)


async def test_hostile_evidence_stays_text(demo_trace: Demo) -> None:
    async with inspecting(REPOSITORY / "demo_traces" / "hostile") as inspection:
        await inspection.press("$")
        for _ in VIEWS:
            assert all(one.isprintable() for line in inspection.screen_text() for one in line)
            await inspection.press("tab")
