"""Whatever is open when a shorter view takes the place of the one that it was opened on."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from bundle_builder import BundleBuilder
from inspecting import Inspection, inspecting
from patience import STAYS, until
from places import REPOSITORY

from reducer import ObjectRef
from rollout_tui import keys
from rollout_tui.insight.following.steps import Step
from rollout_tui.insight.index import TraceIndex
from rollout_tui.screens.call_menu import CallMenu
from rollout_tui.screens.facts_screen import FactsScreen
from rollout_tui.screens.problems import ProblemsScreen
from rollout_tui.screens.search import SearchScreen
from rollout_tui.screens.step_menu import StepMenu
from rollout_tui.views.detail.facts import FactRow
from rollout_tui.views.timeline import Timelines
from rollout_tui.widgets.virtual_list import VirtualList

DEMOS = REPOSITORY / "demo_traces"
GONE = "not in what is shown now"
EARLY = 6
"""Sequence number of an event before which next to nothing has happened."""

REFUSED = "{no event at all"
"""The last line of the log."""

LEAVING = {"leave", "quit", "interrupt", "suspend_process", "page", "write"}
"""Actions that end the program, leave the terminal to others, or write files."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    copy = shutil.copytree(DEMOS / "team", tmp_path / "team")
    with (copy / "trace.jsonl").open("ab") as log:
        log.write(f"{REFUSED}\n".encode())
    return copy


def index_of(at: Inspection) -> TraceIndex:
    assert at.screen.session.timelines is not None
    return at.screen.session.timelines.index


def said(at: Inspection) -> str:
    """What is on the screen as one line: a long sentence takes several rows."""
    return " ".join(" ".join(at.screen_text()).split())


async def many_steps(at: Inspection) -> None:
    """A menu of all agents and calls that there are."""
    refs = [
        *(ObjectRef("Thread", one.thread_id) for one in index_of(at).threads),
        *(ObjectRef("InferenceCall", one) for one in index_of(at).trace.inference_calls),
    ]
    at.screen.jumping.take([Step(ref, ref.id, "to") for ref in refs])
    await at.settle()


async def search(at: Inspection, text: str) -> None:
    await at.press("ctrl+f", *text, "enter")
    await at.settle()


async def call_menu(at: Inspection) -> None:
    last = index_of(at).contents[index_of(at).trace.root_thread_id].calls[-1]
    at.screen.jumping.jump(ObjectRef("InferenceCall", last.inference_call_id))
    await at.press("2", "d", "d")
    assert isinstance(at.app.screen, CallMenu)


async def link_out_of(at: Inspection, *opening: str) -> None:
    """Into a stepper, and out of it by a link: escape leads back."""
    await at.press(*opening)


OPENERS: dict[str, Callable[[Inspection], Awaitable[None]]] = {
    "panes": lambda at: at.press("G"),
    "detail": lambda at: at.press("G", "4", "l", "l"),
    "context": lambda at: at.press("G", "3", "G"),
    "threads": lambda at: at.press("1", "G"),
    "all agents": lambda at: at.press("a", "G"),
    "a problem": lambda at: at.press("i"),
    "failures": lambda at: at.press("i", "G"),
    "search": lambda at: search(at, "/root"),
    "a refused line": lambda at: search(at, REFUSED),
    "call menu": call_menu,
    "facts": lambda at: at.press("1", "G", "v", "G"),
    "step menu": many_steps,
    "compactions": lambda at: at.press("G", "c", "3"),
    "cells": lambda at: at.press("G", "x", "G"),
    "out of the compactions": lambda at: link_out_of(at, "G", "c", "3", "enter"),
    "out of the cells": lambda at: link_out_of(at, "G", "x", "j", "enter"),
    "scrubber": lambda at: at.press("T"),
    "command": lambda at: at.press(":", *"call 14"),
    "filter": lambda at: at.press("&", *"call"),
    "a filter": lambda at: at.press("&", *"call", "enter", "G"),
    "find": lambda at: at.press("G", "/", *"call", "enter"),
    "mark": lambda at: at.press("G", "m", "a", "'"),
}


async def cut(at: Inspection, seq: int) -> None:
    """Read the bundle again, with a log that ends with an event."""
    log = at.screen.session.recording.log_paths[0]
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:seq]))
    at.screen.reader.read()
    await at.settle()


async def travel(at: Inspection, seq: int) -> None:
    at.screen.reader.look_back(seq)
    await at.settle()


WAYS = {"cut": cut, "past": travel}


def pressed() -> list[str]:
    """A key for each action, escape as the last."""
    actions = [one for one in keys.ACTIONS if one.name not in LEAVING]
    found = dict.fromkeys(action.keys[0] for action in actions)
    return [*(key for key in found if key not in ("escape", "R", "t", "T")), "escape"]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("opener", OPENERS)
async def test_every_key_is_safe_on_what_was_opened_before(bundle: Path, opener: str, way: str) -> None:
    async with inspecting(bundle) as at:
        await OPENERS[opener](at)
        await WAYS[way](at, EARLY)
        await at.press("enter")
        await at.pilot.press(*pressed())
        await at.settle()
        assert at.app.is_running
        while at.app.screen is not at.screen:
            await at.press("escape")
        if way == "cut" and opener in ("find", "mark"):  # what was open makes no difference to the panes
            await at.pilot.press("escape", "2", *pressed())
            await at.settle()
        assert at.app.is_running


LISTS = ["step menu", "a problem", "failures", "search", "a refused line", "facts", "call menu"]


def leads_on(listed: VirtualList, row: int) -> bool:
    """Whether a row can be opened: some facts lead nowhere."""
    item = VirtualList.RowOpened(listed, row, None).item
    return not isinstance(item, FactRow) or item.fact.link is not None


@pytest.mark.quick
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("opener", LISTS)
async def test_what_was_opened_and_is_gone_is_said_to_be(bundle: Path, opener: str, way: str) -> None:
    """Its last row stands for something that the shorter view does not have."""
    async with inspecting(bundle) as at:
        await OPENERS[opener](at)
        screen = at.app.screen
        assert isinstance(screen, ProblemsScreen | SearchScreen | FactsScreen | StepMenu | CallMenu)
        await WAYS[way](at, EARLY)
        before = at.screen.panes.here()
        listed = screen.query_one(VirtualList)
        if opener != "a problem":
            listed.jump(max(row for row in range(listed.line_count) if leads_on(listed, row)))
        await at.press("enter")
        assert at.app.screen is at.screen
        assert GONE in said(at)
        assert ("esc shows everything as it is now" in said(at)) is (way == "past")
        assert at.screen.panes.here() == before
        assert not at.screen.jumping.history.can_go_back or opener == "call menu"


async def test_a_problem_is_opened_as_itself_though_others_came_before_it(tmp_path: Path) -> None:
    """Of the list that is shown, the place says another problem in the view that took its place."""
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    for number in range(4):
        builder.event("codex_turn_ended", codex_turn_id=f"nobody-{number}", status="completed")
    async with inspecting(builder.write()) as at:
        await at.press("i")
        listed = at.app.screen.query_one(VirtualList)
        problem = index_of(at).reduction.problems[3]
        builder.lines[1] = builder.lines[2] = b""
        builder.write()
        at.screen.reader.read()
        await at.settle()
        assert index_of(at).reduction.problems[-1] == problem
        listed.jump(3)
        await at.press("enter")
        assert at.screen.detail.ref is not None
        assert index_of(at).problem(at.screen.detail.ref.id) == problem
        assert any("nobody-3" in row for row in at.rows(at.screen.detail.facts))


@pytest.mark.quick
async def test_rows_that_are_still_those_of_another_view_stand_for_nothing(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the rows of the new view are filtered, those of the old one are seen."""
    monkeypatch.setattr("rollout_tui.panes.timeline.FILTERED_AT_ONCE", 0)
    async with inspecting(bundle) as at:
        await at.press("&", *"call", "enter", "G")
        assert at.screen.timeline.entry is not None
        is_free, filtered = Event(), Timelines.filtered

        def held(*arguments: Any) -> Any:
            is_free.wait(STAYS)
            return filtered(*arguments)

        monkeypatch.setattr(Timelines, "filtered", held)
        before = at.screen.session.timelines
        log = bundle / "trace.jsonl"
        log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:EARLY]))
        at.screen.reader.read()
        await until(
            lambda: at.screen.session.timelines is not before and at.screen.timeline.is_filtering,
            pause=at.pilot.pause,
        )
        assert at.screen.timeline.list.line_count > 5
        assert at.screen.timeline.entry is None
        await at.pilot.press(*(key for key in pressed() if key not in ("escape", "&", ":", "a")))
        is_free.set()
        await at.settle()
        assert at.app.is_running


@pytest.mark.quick
@pytest.mark.parametrize("way", WAYS)
async def test_a_mark_whose_place_is_gone_says_so(bundle: Path, way: str) -> None:
    async with inspecting(bundle) as at:
        await at.press("G", "m", "a", "g", "g")
        at.screen.jumping.history.leave(at.screen.jumping.marks.get("a"))
        await WAYS[way](at, EARLY)
        await at.press("'", "a")
        assert GONE in said(at)
        await at.press("[")
        first = said(at)
        await at.press("[")
        assert GONE in first + said(at)


async def test_an_agent_whose_place_is_gone_leaves_the_reader_where_he_is(bundle: Path) -> None:
    async with inspecting(bundle) as at:
        await at.press("1", "G", "enter", "m", "b", "1", "g", "2")
        await cut(at, EARLY)
        before = at.screen.panes.here()
        await at.press("'", "b")
        assert f"is {GONE}" in said(at)
        assert at.screen.panes.here() == before


async def test_a_stepper_is_left_for_an_object_and_led_back_into_what_is_there(bundle: Path) -> None:
    """The place of the cell among all cells is another one by then."""
    async with inspecting(bundle) as at:
        await at.press("G", "x", "j", "enter")
        assert at.app.screen is at.screen
        await cut(at, 60)
        await at.press("escape")
        if at.app.screen is not at.screen:
            assert GONE in said(at)


async def test_rows_that_were_opened_are_what_they_were_then() -> None:
    """A row says itself what it stood for: its list may be another one when that is heard."""
    from rollout_tui.lines.rows import ListRows, Row

    view = VirtualList(ListRows(["a", "b"], lambda text: Row(text, ())))
    message = VirtualList.RowOpened(view, 1, "b")
    view._source = ListRows(["c"], lambda text: Row(text, ()))
    assert message.item == "b"
    assert VirtualList.RowOpened(view, 1, "b").item is None
