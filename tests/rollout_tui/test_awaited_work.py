"""Work that dies: it is said where its result was awaited, and nothing waits for ever."""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import pytest
from inspecting import Inspection, inspecting
from patience import until
from picking import picking
from places import REPOSITORY

from rollout_tui.app import RolloutApp
from rollout_tui.awaited_work import AwaitingWork, death_words
from rollout_tui.bundles.root import RunList
from rollout_tui.feed import Feed
from rollout_tui.reader import BundleReader
from rollout_tui.root_watcher import RootWatcher
from rollout_tui.screens.actions.host import Host
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.picker import PickerScreen
from rollout_tui.session import Session
from rollout_tui.views.reading_state import Following

DEMOS = REPOSITORY / "demo_traces"

FAULT = "a fault in this program: KeyError"


def die(*_arguments: object, **_options: object) -> NoReturn:
    raise KeyError("\x1b[31mof the evidence")


def classes_that_start_workers() -> list[type]:
    """Classes of the program with a worker whose error does not end the program."""
    mark = "exit_on_error=False"
    found: list[type] = []
    for path in sorted((REPOSITORY / "rollout_tui").rglob("*.py")):
        source = path.read_text()
        if mark in source:
            module = import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
            classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
            texts = {node.name: ast.get_source_segment(source, node) or "" for node in classes}
            found += [getattr(module, name) for name, text in texts.items() if mark in text]
    return [one for one in found if one is not AwaitingWork]


@pytest.mark.parametrize("owner", classes_that_start_workers(), ids=lambda one: one.__name__)
def test_whoever_starts_a_worker_hears_of_its_death(owner: type) -> None:
    if owner in (BundleReader, Host):
        owner = InspectorScreen  # whose workers they are
    elif owner is RootWatcher:
        owner = PickerScreen
    if owner.__name__ == "JobView":
        return  # it has jobs instead, and `job_failed`; test_json_tree and test_search_screen let them die
    assert issubclass(owner, AwaitingWork)
    assert owner.work_failed is not AwaitingWork.work_failed


def test_the_search_for_them_finds_them() -> None:
    assert len(classes_that_start_workers()) >= 9


def test_only_the_name_of_an_error_is_told() -> None:
    assert death_words(KeyError("\x1b[31m")) == FAULT
    assert death_words(MemoryError()) == "there is not enough memory for this"
    assert death_words(PermissionError(13, "Permission denied")) == "permission denied"


async def test_reading_that_dies_ends_the_program_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feed, "read", die)
    app = RolloutApp(InspectorScreen(Session(DEMOS / "team")))
    async with app.run_test():
        await until(lambda: not app.is_running)
    assert app.failure == FAULT
    assert app.return_value == 2


async def test_a_list_whose_look_dies_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(RunList, "look", die)
    async with picking(tmp_path, is_whole=False) as at:
        await at.until(FAULT)


async def following(at: Inspection) -> None:
    at.screen.reader.follow()
    await until(lambda: at.screen.reader.state.following is Following.LOST, pause=at.pilot.pause)


WORK: dict[str, tuple[str, str, Callable[[Inspection], Any]]] = {
    "reading again": ("rollout_tui.feed.Feed", "read", lambda at: at.press("R")),
    "following": ("rollout_tui.feed.Feed", "read_on", following),
    "the past": ("rollout_tui.feed.Feed", "as_of", lambda at: at.press(":", *"50%", "enter")),
    "sizes of a request": (
        "rollout_tui.session.Session",
        "request_parts",
        lambda at: at.press("2", "j", ")"),
    ),
    "a text": ("rollout_tui.session.Session", "text", lambda at: show_tab(at, "text")),
    "a payload": ("rollout_tui.session.Session", "payload", lambda at: show_tab(at, "evidence")),
    "a comparison": ("rollout_tui.panes.tab_body", "compare", lambda at: show_tab(at, "saw_ran")),
    "a copy": ("rollout_tui.screens.actions.copying", "copy", lambda at: at.press("y", "i")),
    "who saw an item": (
        "rollout_tui.screens.actions.seeing",
        "who_saw",
        lambda at: at.press("2", "j", "3", "v"),
    ),
    "a filter": ("rollout_tui.views.timeline.Timelines", "filtered", lambda at: filtered(at)),
    "writing": ("rollout_tui.screens.actions.writing", "write_export", lambda at: written(at)),
    "writing from the form": (
        "rollout_tui.screens.write_form",
        "write_export",
        lambda at: at.press("w", "enter"),
    ),
    "the texts of a cell": ("rollout_tui.session.Session", "text", lambda at: at.press("x", *"ssss")),
    "results of a cell": ("rollout_tui.screens.exec_content", "results_to_judge", lambda at: at.press("x")),
}
"""What a worker calls, and what lets it be called."""


async def show_tab(at: Inspection, what: str) -> None:
    """Go to the first thing that has such a tab, and show it."""
    detail = at.screen.detail
    for _ in range(60):
        for tab in detail.tabs.all:
            if (tab.sections if what == "text" else getattr(tab, what)) not in (None, ()):
                detail._turn_to(tab)
                await at.settle()
                return
        await at.press("2", "j")
    raise AssertionError(f"nothing has a {what}")


async def filtered(at: Inspection) -> None:
    await at.press("2", "&", *"call", "enter")


async def written(at: Inspection) -> None:
    await at.press(":", *"write /nowhere/state.json", "enter")


@pytest.mark.parametrize("work", WORK)
async def test_work_that_dies_is_told_of_where_it_was_awaited(
    work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name, ask = WORK[work]
    monkeypatch.setattr("rollout_tui.panes.timeline.FILTERED_AT_ONCE", 0)
    # A recording that is complete would not be followed.
    monkeypatch.setattr("rollout_tui.reader._is_over", lambda _view: False)
    async with inspecting(DEMOS / "team") as at:
        monkeypatch.setattr(f"{owner}.{name}", die)
        await ask(at)
        await until(
            lambda: any(FAULT in row for row in at.screen_text()),
            lambda: "\n".join(at.screen_text()),
            at.pilot.pause,
        )
        shown = at.screen_text()
        assert not any("reading ..." in row or "comparing ..." in row for row in shown)
        assert not at.screen.reader.state.is_reading
        assert not any("\x1b" in row for row in shown)
