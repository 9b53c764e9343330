"""Filters, commands, the clipboard and the pager, by key."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from inspecting import Inspection, inspecting

from rollout_tui.screens.help import HelpScreen
from rollout_tui.screens.problems import ProblemsScreen
from rollout_tui.screens.prompt import Prompt

Demo = Callable[[str], Path]


async def ask(inspection: Inspection, key: str, text: str) -> None:
    await inspection.press(key)
    assert isinstance(inspection.app.screen, Prompt)
    inspection.app.screen.input.value = text
    await inspection.press("enter")


def seq(inspection: Inspection) -> int:
    entry = inspection.screen.timeline.entry
    assert entry is not None
    return entry.seq


async def test_a_filter_shows_some_rows_and_says_how_many(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        timeline = inspection.screen.timeline.list
        total = timeline.line_count
        await ask(inspection, "&", "kind:patch")
        rows = inspection.rows(timeline)
        assert len(rows) == 3
        assert all(" patch " in row for row in rows)
        assert f"3 of {total}  &kind:patch" in inspection.screen_text()[1]
        await ask(inspection, "&", "")
        assert timeline.line_count == total


async def test_a_filter_that_makes_no_sense_stays_to_be_corrected(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await ask(inspection, "&", "kind:nonsense")
        assert isinstance(inspection.app.screen, Prompt)
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen


@pytest.mark.parametrize(
    ("command", "expected"),
    [("go 257", 257), ("257", 257), ("line 257", 257), ("call 3", 40), ("turn 2", 213)],
)
async def test_commands_go_to_places(demo_trace: Demo, command: str, expected: int) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await ask(inspection, ":", command)
        assert seq(inspection) == expected
        await inspection.press("[")
        assert seq(inspection) == 4


@pytest.mark.quick
async def test_commands_show_objects_and_agents(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await ask(inspection, ":", "item 2")
        assert inspection.screen.detail.ref is not None
        assert inspection.screen.detail.ref.id == "conversation_item:2"
        await ask(inspection, ":", "agent reader")
        index = inspection.screen.session.timelines.index  # type: ignore[union-attr]
        assert index.thread_path(inspection.screen.timeline.thread_id or "") == "/root/reader"
        await ask(inspection, ":", "payload 33")
        carrier = next(
            event
            for event in index.reduction.provenance.events
            if any(ref.raw_payload_id == "raw_payload:33" for ref in event.payloads)
        )
        assert carrier.seq - 10 < seq(inspection) <= carrier.seq
        await ask(inspection, ":", "call 4711")
        assert "there is no call 4711 of /root: it has 20 calls" in inspection.screen_text()[-1]


@pytest.mark.quick
async def test_commands_open_screens_and_quit(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await ask(inspection, ":", "problems")
        assert isinstance(inspection.app.screen, ProblemsScreen)
        await inspection.press("escape")
        await ask(inspection, ":", "help")
        assert isinstance(inspection.app.screen, HelpScreen)
        await inspection.press("escape")
        await ask(inspection, ":", "quit")
        assert inspection.app.return_value == 0


@pytest.mark.quick
async def test_copies_go_to_the_terminal_and_say_so(demo_trace: Demo, monkeypatch: Any) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        written: list[str] = []
        monkeypatch.setattr(inspection.app, "send_to_terminal", written.append)
        await inspection.press(*"jjjjjjjj", "4")
        await inspection.press("y", "y")
        sent = [text for text in written if "]52;" in text]
        assert base64.b64encode(b"/root").decode() in sent[-1]
        assert "clipboard" in inspection.screen_text()[-1]
        await inspection.press("Y")
        sent = [text for text in written if "]52;" in text]
        place = base64.b64encode(f"{demo_trace('team').resolve()}#40".encode()).decode()
        assert place in sent[-1]


@pytest.mark.quick
async def test_the_pager_gets_what_the_detail_shows(
    demo_trace: Demo, monkeypatch: Any, tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    monkeypatch.setenv("PAGER", f"tee {shown}")
    async with inspecting(demo_trace("team")) as inspection:

        @contextmanager
        def suspended() -> Any:
            yield

        monkeypatch.setattr(inspection.app, "suspend", suspended)
        await inspection.press(*"jjjjjjjj", "4", "l", "p")
        assert "I'll have one agent reproduce it" in shown.read_text()
