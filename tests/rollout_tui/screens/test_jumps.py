"""Jumps, the way back from them, and the steppers that lead to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting

from rollout_tui.screens.compaction_stepper import CompactionStepper
from rollout_tui.screens.exec_stepper import ExecStepper
from rollout_tui.screens.seen_screen import SeenScreen

Demo = Callable[[str], Path]


def where(inspection: Inspection) -> tuple[int, str]:
    entry = inspection.screen.timeline.entry
    assert entry is not None
    return entry.seq, inspection.screen.panes.active.own_focus.value


async def test_a_link_leads_away_and_the_history_back_and_forth(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        screen = inspection.screen
        await inspection.press(*"jjjjjjjj", "4")
        before = where(inspection)
        facts = inspection.rows(screen.detail.facts)
        screen.detail.facts.jump(
            next(row for row, text in enumerate(facts) if text.startswith("started  ") and "spawn" in text)
        )
        await inspection.press("enter")
        after = where(inspection)
        assert after[0] == 46
        await inspection.press("[")
        assert where(inspection) == before
        assert screen.detail.heading == "call 3 of 20, /root"
        await inspection.press("]")
        assert where(inspection) == after
        await inspection.press("]")
        assert "no place to go forward to" in inspection.screen_text()[-1]


async def test_failures_are_jumps_too(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("e")
        assert where(inspection)[0] != 4
        await inspection.press("[")
        assert where(inspection)[0] == 4
        assert inspection.screen.timeline.thread_id == inspection.screen.threads.list.cursor_key
        await inspection.press("[")
        assert "no place to go back to" in inspection.screen_text()[-1]


async def test_the_compaction_stepper_opens_at_the_nearest_and_leads_to_an_item(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=333) as inspection:
        await inspection.press("c")
        stepper = inspection.app.screen
        assert isinstance(stepper, CompactionStepper)
        await inspection.press("3", "enter")
        assert inspection.app.screen is inspection.screen
        assert inspection.screen.detail.ref is not None
        assert inspection.screen.detail.ref.type == "ConversationItem"
        await inspection.press("[")
        assert where(inspection)[0] == 333


async def test_one_key_each_leads_from_a_spawn_to_the_answer_and_back(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=46) as inspection:
        screen = inspection.screen
        assert screen.timeline.entry is not None
        visited = [screen.timeline.entry.ref]
        for _ in range(5):
            await inspection.press("f")
            assert screen.detail.ref is not None
            visited.append(screen.detail.ref)
        assert [ref.type for ref in visited] == [
            "ToolCall",
            "ConversationItem",
            "InferenceCall",
            "ConversationItem",
            "ConversationItem",
            "InferenceCall",
        ]
        index = inspection.screen.session.timelines.index  # type: ignore[union-attr]
        trace = index.trace
        agents = [
            trace.conversation_items[ref.id].thread_id for ref in visited if ref.type == "ConversationItem"
        ]
        assert [index.thread_path(agent) for agent in agents] == ["/root/repro", "/root/repro", "/root"]
        for ref in reversed(visited[:-1]):
            await inspection.press("[")
            assert screen.detail.ref == ref


@pytest.mark.quick
async def test_what_leads_nowhere_says_why(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=161) as inspection:
        await inspection.press("f")
        assert "no edge leads from here" in inspection.screen_text()[-1]


@pytest.mark.quick
async def test_the_source_of_a_result_is_the_agent_that_gave_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=138) as inspection:
        await inspection.press("F")
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert inspection.screen.session.timelines.index.thread_path(entry.thread_id) == "/root/reader"  # type: ignore[union-attr]


async def test_the_exec_stepper_opens_at_the_cell_and_leads_to_a_nested_call(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=257) as inspection:
        await inspection.press("x")
        stepper = inspection.app.screen
        assert isinstance(stepper, ExecStepper)
        rows = inspection.rows(stepper.list)
        stepper.list.jump(next(row for row, text in enumerate(rows) if "stress_sweep.py" in text))
        await inspection.press("2", "enter")
        assert inspection.app.screen is inspection.screen
        assert where(inspection)[0] == 262
        await inspection.press("[")
        assert where(inspection)[0] == 257


@pytest.mark.quick
async def test_a_hit_of_the_search_is_jumped_to(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("ctrl+f", *"nightly-linux")
        await inspection.settle()
        await inspection.press("enter", "enter")
        assert inspection.app.screen is inspection.screen
        assert inspection.screen.detail.ref is not None
        await inspection.press("[")
        assert where(inspection)[0] == 4


@pytest.mark.quick
async def test_the_delta_shows_what_was_dropped_in_place(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=308) as inspection:
        context = inspection.screen.context
        plain = inspection.rows(context.list)
        await inspection.press("d")
        delta = inspection.rows(context.list)
        assert sum(row.startswith("- ") for row in delta) > 30
        assert "against call 14" in inspection.screen_text()[1]
        await inspection.press("d", "enter")
        assert inspection.rows(context.list) == plain


async def test_who_saw_an_item_and_what_removed_it(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team"), at=40) as inspection:
        await inspection.press("3", "v")
        assert isinstance(inspection.app.screen, SeenScreen)
        text = "\n".join(inspection.screen_text())
        assert "calls 3 to 14 of /root" in text
        assert "compaction at seq 307" in text
        await inspection.press("escape", "1", "j", "v")
        text = "\n".join(inspection.screen_text())
        assert "Tasks and answers of /root/repro" in text
        await inspection.press("escape", "2", ")", "v")
        assert "items, tool calls and agents" in inspection.screen_text()[-1]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("typed", "type_", "words"),
    [
        ("tool 2", "ToolCall", ""),
        ("tool call_26JnTPMa", "ToolCall", ""),
        ("cell 1", "CodeCell", ""),
        ("edge 1", "InteractionEdge", ""),
        ("compaction 1", "Compaction", ""),
        ("prompt 2", "InferenceCall", ""),
        ("tool 99", None, "there is no tool 99: there are 12"),
        ("tool call_nobody", None, "there is no tool 'call_nobody': there are 12"),
        ("cell 9", None, "there is no cell 9: there is 1"),
        ("edge 0", None, "there is no edge 0: there are 4"),
        ("compaction 7", None, "there is no compaction 7: there is 1"),
        ("prompt 99", None, "there is no prompt 99 of /root: there are 10"),
        ("problem 1", None, "there is no problem 1: there is none"),
    ],
)
async def test_what_show_finds_is_gone_to(
    demo_trace: Demo, typed: str, type_: str | None, words: str
) -> None:
    async with inspecting(demo_trace("capped")) as inspection:
        screen, before = inspection.screen, where(inspection)
        await inspection.press(":", *typed, "enter")
        if type_ is None:
            assert words in inspection.screen_text()[-1]
            assert where(inspection) == before
            return
        assert screen.detail.ref is not None
        assert screen.detail.ref.type == type_
        if typed.startswith("prompt"):
            assert screen.detail.tabs.shown.name == "prompt"
            assert screen.panes.active is screen.detail
        await inspection.press("[")
        assert where(inspection) == before
