"""The list of runs where there are sessions beside bundles: what a row says, and where its keys lead."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

import pytest
from inspecting import NARROW, WIDE
from listed_sessions import FORK, ROOT, family, session
from patience import STAYS
from picking import Picking, opened, picking
from session_builder import CHILD
from written_bundles import Recording

from rollout_tui import root_watcher
from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.session_shelf import ShelvedSession
from rollout_tui.views.run_order import ORDERS


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_watcher, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(root_watcher, "LOOK_SHARE", 1)


@pytest.fixture
def runs(tmp_path: Path) -> RunList:
    """A run with both, one with a session only, one with a bundle only; newest first in this order."""
    family(tmp_path / "home")
    for name, thread, started in (("traced", ROOT, 1_000), ("bundle", "t", 500)):
        recording = Recording(tmp_path / "traces", name, started=started, thread=thread)
        recording.begin()
        recording.call([f"instruction of {name}"], tokens=100)
        recording.end()
        recording.age()
    return RunList(tmp_path / "traces", tmp_path / "home")


def asked(running: Picking) -> list[str]:
    return [row.rpartition("instruction of ")[2] for row in running.rows]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
async def test_a_row_says_what_there_is_of_a_run(runs: RunList, size: tuple[int, int]) -> None:
    async with picking(runs, size) as running:
        assert asked(running) == ["other", "traced", "bundle"]
        for row, kind in zip(running.rows, ("session", "both", "bundle"), strict=True):
            assert f" {kind} " in row
        assert "2 bundles, 1 session" in running.screen
        assert "KIND" in running.screen
        for words in ("instruction of oth", "o session", "s sort", "& filter", "? help"):
            assert words in running.screen
        if size == WIDE:
            assert "/elsewhere" in running.screen
            assert "o-model" in running.screen


@pytest.mark.parametrize("width", [40, 60])
async def test_a_narrow_row_keeps_time_state_and_what_was_asked(runs: RunList, width: int) -> None:
    async with picking(runs, (width, 10)) as running:
        assert "✓ completed" in running.screen
        assert "instruc" in running.screen
        assert ("both" in running.screen) == (width == 60)


async def test_enter_opens_the_bundle_and_o_the_session(runs: RunList, tmp_path: Path) -> None:
    async with picking(runs) as running:
        inspection = await opened(running, "j", "enter")
        assert inspection.screen.session.recording.path == tmp_path / "traces/traced"
        await running.press("escape")
        inspection = await opened(running, "o")
        assert inspection.screen.session.recording.path.name.endswith(f"{ROOT}.jsonl")
        assert "instruction of root" in running.screen
        await running.press("escape")
        assert running.app.screen is running.picker
        assert running.row.endswith("instruction of traced")


async def test_a_session_without_a_bundle_opens_by_enter(runs: RunList) -> None:
    async with picking(runs) as running:
        inspection = await opened(running, "enter")
        assert inspection.screen.session.recording.path.name.startswith("rollout-")


@pytest.mark.quick
async def test_o_says_where_there_is_no_session(runs: RunList) -> None:
    async with picking(runs) as running:
        await running.press("G", "o")
        assert "there is no session of it" in running.screen
        assert running.app.screen is running.picker


@pytest.mark.quick
async def test_a_bundle_that_cannot_be_used_points_to_its_session(runs: RunList, tmp_path: Path) -> None:
    log = tmp_path / "traces/traced/trace.jsonl"
    log.unlink()
    log.mkdir()
    async with picking(runs) as running:
        await running.press("j", "enter")
        assert "opens its session" in running.screen
        inspection = await opened(running, "o")
        assert inspection.screen.session.recording.path.name.endswith(f"{ROOT}.jsonl")


@pytest.mark.quick
async def test_s_and_a_letter_sorts_and_again_turns_round(runs: RunList) -> None:
    async with picking(runs) as running:
        await running.press("s")
        for order in ORDERS:
            assert f"{order.key} {order.words}" in running.screen
        await running.press("c")
        assert asked(running)[0] == "other", "it has most calls"
        assert "by calls" in running.screen
        await running.press("s", "c")
        assert asked(running)[-1] == "other"
        assert "turned round" in running.screen
        await running.press("s", "k")
        assert asked(running)[0] == "traced"
        await running.press("s", "t")
        assert asked(running) == ["other", "traced", "bundle"]
        await running.press("s", "x")
        assert "x is no order" in running.screen


@pytest.mark.quick
async def test_the_cursor_is_on_what_comes_first_in_a_new_order(runs: RunList) -> None:
    async with picking(runs) as running:
        await running.press("G")
        await running.press("s", "c")
        assert running.row.endswith("instruction of other")


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("kind:session", ["other"]),
        ("kind:both|bundle", ["traced", "bundle"]),
        ("elsewhere", ["other"]),
        ("!other", ["traced", "bundle"]),
        ("status:completed", ["other", "traced", "bundle"]),
        ("status:live", []),
        (ROOT, ["traced"]),
    ],
)
async def test_a_filter_shows_some(runs: RunList, text: str, kept: list[str]) -> None:
    async with picking(runs) as running:
        await running.press("&")
        await running.press(*("space" if one == " " else one for one in text), "enter")
        assert asked(running) == (kept or [])
        assert f"{len(kept)} of 3  &{text}" in running.screen
        if not kept:
            assert "None of 3 runs passes" in running.screen


@pytest.mark.quick
async def test_a_filter_that_is_none_is_refused_and_an_empty_one_shows_all(runs: RunList) -> None:
    async with picking(runs) as running:
        await running.press("&", *"kind:nothing", "enter")
        assert "nothing is no kind" in running.screen
        await running.press("escape")
        await running.press("&", *"elsewhere", "enter")
        assert len(running.rows) == 1
        await running.press("&", "backspace", "enter")
        assert len(running.rows) == 3


async def test_search_finds_what_a_row_says(runs: RunList) -> None:
    async with picking(runs) as running:
        await running.press("/", *"of bundle", "enter")
        assert running.row.endswith("instruction of bundle")


async def test_a_session_that_begins_appears_and_a_child_of_it_does_not(
    runs: RunList, tmp_path: Path
) -> None:
    async with picking(runs) as running:
        await running.press("j")
        before = running.row
        new = "01a22225-0011-7000-8000-000000000001"
        writer = session(tmp_path / "home", new, "instruction of new")
        await running.until("instruction of new")
        assert "live" in running.rows[0]
        assert running.row == before
        child = new[:-1] + "2"
        session(tmp_path / "home", child, "task", parent_thread_id=new)
        writer.end_turn()
        await running.until("2 bundles, 2 sessions")
        assert len(running.rows) == 4


@pytest.mark.quick
async def test_rows_are_there_before_files_are_read(runs: RunList, monkeypatch: pytest.MonkeyPatch) -> None:
    held, read = Event(), ShelvedSession.read

    def slow(one: ShelvedSession) -> None:
        held.wait(STAYS)
        read(one)

    monkeypatch.setattr(ShelvedSession, "read", slow)
    monkeypatch.setattr("rollout_tui.bundles.root.FIRST_PUBLISHED", 0.0)
    async with picking(runs, is_whole=False) as running:
        await running.until("reading")
        await running.until("/elsewhere")
        assert "instruction of other" not in running.screen
        held.set()
        await running.until("instruction of other")


async def test_only_sessions_are_counted_as_such(tmp_path: Path) -> None:
    family(tmp_path)
    (tmp_path / "sessions/2026/11/28" / f"rollout-2026-11-28T12-00-00-{FORK[:-1]}4.jsonl").touch()
    os.utime(tmp_path / "sessions/2026/11/28" / f"rollout-2026-11-28T12-00-00-{FORK[:-1]}4.jsonl", (5, 5))
    async with picking(RunList(None, tmp_path), NARROW) as running:
        assert "3 sessions" in running.screen
        await running.press("G", "enter")
        assert "! unusable" in running.row
        assert "no session_meta" in running.screen
        assert CHILD not in running.screen
