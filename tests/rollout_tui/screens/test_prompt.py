"""The line at the foot of the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from inspecting import NARROW, WIDE, Inspection, inspecting

from rollout_tui.language.commands import command_completions, parse_command
from rollout_tui.screens.prompt import Prompt, checked_by
from rollout_tui.views.filters import parse_filter
from rollout_tui.widgets.history_input import InputHistories, InputHistory

Demo = Callable[[str], Path]

COMMAND: dict[str, Any] = {
    "check": checked_by(parse_command),
    "complete": command_completions,
    "hint": "a command, such as seq 812",
}


class Asking:
    """A prompt above a running inspector, and what it answered."""

    def __init__(self, inspection: Inspection, prompt: Prompt) -> None:
        self.inspection = inspection
        self.prompt = prompt
        self.answers: list[str | None] = []

    async def press(self, *keys: str) -> None:
        await self.inspection.press(*keys)

    @property
    def foot(self) -> list[str]:
        """The two last lines of the screen."""
        return [line.rstrip() for line in self.inspection.screen_text()[-2:]]


@asynccontextmanager
async def asking(
    bundle: Path,
    prefix: str = ":",
    *,
    size: tuple[int, int] = WIDE,
    history: InputHistory | None = None,
    **options: Any,
) -> AsyncIterator[Asking]:
    async with inspecting(bundle, size) as inspection:
        kept = InputHistory() if history is None else history
        prompt = Prompt(prefix, kept, **(COMMAND | options))
        found = Asking(inspection, prompt)
        inspection.app.push_screen(prompt, found.answers.append)
        await inspection.settle()
        yield found


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_line_is_asked_for_at_the_foot(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with asking(demo_trace("quickstart"), size=size) as found:
        above = found.inspection.screen_text()
        assert "rollout-tui" in above[0], "the inspector stays in sight"
        assert found.foot == [" a command, such as seq 812", " :"]
        await found.press(*"seq", "space", *"12")
        assert found.foot[1] == " :seq 12"
        await found.press("enter")
        assert found.answers == ["seq 12"]
        assert found.inspection.app.screen is found.inspection.screen


async def test_escape_gives_no_answer(demo_trace: Demo) -> None:
    async with asking(demo_trace("quickstart")) as found:
        await found.press(*"seq", "escape")
        assert found.answers == [None]


async def test_an_empty_line_gives_no_answer_unless_it_is_one(demo_trace: Demo) -> None:
    async with asking(demo_trace("quickstart")) as found:
        await found.press("enter")
        assert found.answers == [None]
    check = checked_by(parse_filter)
    async with asking(demo_trace("quickstart"), "&", check=check, empty_is_answer=True) as found:
        await found.press("enter")
        assert found.answers == [""]


async def test_what_is_refused_stays_to_be_corrected(demo_trace: Demo) -> None:
    async with asking(demo_trace("quickstart")) as found:
        await found.press(*"sek", "enter")
        assert found.answers == []
        assert found.foot == [" There is no word sek; did you mean seq?", " :sek"]
        await found.press("backspace")
        assert found.foot[0] == " seq   seen", "the reason goes with the first key"
        await found.press("q", "space", "3", "enter")
        assert found.answers == ["seq 3"]


async def test_keys_are_text_here(demo_trace: Demo) -> None:
    async with asking(demo_trace("quickstart")) as found:
        await found.press(*"qjw?[/")
        assert found.prompt.input.value == "qjw?[/"


async def test_completion(demo_trace: Demo) -> None:
    async with asking(demo_trace("quickstart")) as found:
        await found.press("p")
        assert found.foot[0] == " payload   prompt   problem   problems"
        await found.press("tab")
        assert found.prompt.input.value == "p", "two ways go on differently"
        await found.press("r", "tab")
        assert found.prompt.input.value == "pro"
        await found.press(*"blems", "tab", "enter")
        assert found.answers == ["problems"]


@pytest.mark.quick
async def test_completion_as_far_as_there_is_one_way(demo_trace: Demo) -> None:
    def complete(text: str) -> list[str]:
        return [one for one in ("agent /root/reader", "agent /root/repro") if one.startswith(text)]

    async with asking(demo_trace("quickstart"), complete=complete) as found:
        await found.press("a", "tab")
        assert found.prompt.input.value == "agent /root/re"
        assert found.prompt.input.cursor_position == len("agent /root/re")


@pytest.mark.quick
async def test_earlier_inputs_come_back(demo_trace: Demo) -> None:
    history = InputHistory()
    for text in ("seq 1", "seq 2", "seq 1"):
        history.add(text)
    assert len(history) == 2
    async with asking(demo_trace("quickstart"), history=history) as found:
        await found.press("x", "up")
        assert found.prompt.input.value == "seq 1"
        await found.press("up", "up", "up")
        assert found.prompt.input.value == "seq 2"
        await found.press("down", "down", "down")
        assert found.prompt.input.value == "x"
        await found.press("up", "0", "enter")
        assert found.answers == ["seq 10"]
    assert history.at(1) == "seq 10"


async def test_what_was_refused_or_given_up_is_not_remembered(demo_trace: Demo) -> None:
    history = InputHistory()
    async with asking(demo_trace("quickstart"), history=history) as found:
        await found.press(*"sek", "enter", "escape")
    assert len(history) == 0


def test_each_kind_has_its_history() -> None:
    histories = InputHistories()
    histories.of("filter").add("pytest")
    assert len(histories.of("command")) == 0
    assert histories.of("filter").at(1) == "pytest"


def test_a_history_is_bounded() -> None:
    history = InputHistory()
    for number in range(1000):
        history.add(str(number))
    assert len(history) == 100
    assert history.at(1) == "999"
    assert history.at(100) == "900"
    history.add("")
    assert len(history) == 100


async def test_a_text_to_begin_with_can_be_typed_over(demo_trace: Demo) -> None:
    check = checked_by(parse_filter)
    async with asking(demo_trace("quickstart"), "&", check=check, text="kind:call") as found:
        assert found.foot[1] == " &kind:call"
        await found.press(*"mcp", "enter")
        assert found.answers == ["mcp"]


async def test_evidence_in_the_line_reaches_the_screen_safe(demo_trace: Demo) -> None:
    async with asking(demo_trace("quickstart")) as found:
        found.prompt.input.value = "\x1b]0;title\x07zzz\u202e"
        await found.press("enter")
        assert found.answers == []
        assert all(line.isprintable() for line in found.foot)


async def test_nothing_blinks(demo_trace: Demo) -> None:
    async with asking(demo_trace("quickstart")) as found:
        assert found.prompt.input.cursor_blink is False
