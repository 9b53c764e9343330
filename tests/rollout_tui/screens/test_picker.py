"""The list of bundles: what it shows, that new ones appear without moving anything, and where keys lead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest
from inspecting import NARROW, WIDE, Inspection, inspector_of
from patience import STAYS, until
from picking import Picking, opened, picking
from textual.pilot import Pilot
from written_bundles import Recording

from reducer import BundleError
from rollout_tui import glyphs, root_watcher
from rollout_tui.app import RolloutApp
from rollout_tui.bundles.bundle_shelf import ShelvedBundle
from rollout_tui.bundles.root import RunList
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.picker import PickerScreen
from rollout_tui.session import Session
from rollout_tui.views.bundle_rows import bundle_row, columns_for, short_time, status_mark, what_words


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_watcher, "LOOK_SECONDS", 0.05)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three bundles of long ago, the middle one resumed from the oldest."""
    for name, started, thread in (("first", 1, "s"), ("again", 2, "s"), ("other", 3, "o")):
        recording = Recording(tmp_path, name, started=started, thread=thread)
        recording.begin()
        recording.call([f"instruction of {name}"])
        recording.end()
        recording.age()
    return tmp_path


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
async def test_it_shows_what_each_is_about_newest_first(root: Path, size: tuple[int, int]) -> None:
    async with picking(root, size) as running:
        assert [row.rpartition("instruction of ")[2] for row in running.rows] == ["other", "again", "first"]
        assert "resumed: instruction of again" in running.rows[1]
        assert "✓ completed      1     1     11" in running.rows[0]
        assert "3 bundles" in running.screen
        assert "INSTRUCTION" in running.screen
        assert "? help" in running.screen


async def test_enter_opens_the_one_under_the_cursor(root: Path) -> None:
    async with picking(root) as running:
        inspection = await opened(running, "j", "enter")
        assert inspection.screen.session.recording.path == root / "again"
        assert not inspection.screen.reader.state.is_following


@pytest.mark.quick
@pytest.mark.parametrize("key", ["q", "Q", "ctrl+c"])
async def test_leaving_ends_the_program(root: Path, key: str) -> None:
    async with picking(root) as running:
        await running.press("escape", key)
        assert running.app.return_value == 0
        assert not running.app.is_running


@pytest.mark.quick
async def test_new_bundles_appear_and_the_cursor_stays_where_it_is(root: Path) -> None:
    async with picking(root) as running:
        await running.press("j")
        before = running.row
        recording = Recording(root, "newest", started=9, thread="n")
        recording.begin()
        await running.until("(no request yet)")
        assert running.rows[0].endswith("(no request yet)")
        assert "live" in running.rows[0]
        assert running.row == before
        assert "4 bundles, 1 live" in running.screen
        recording.call(["instruction of newest"])
        await running.until("instruction of newest")
        assert running.row == before
        recording.end()
        await running.until("4 bundles ")
        assert "live" not in running.screen


async def test_a_bundle_that_is_gone_is_gone_from_the_list(root: Path) -> None:
    async with picking(root) as running:
        (root / "other").rename(root.parent / "elsewhere")
        await running.until("2 bundles")
        assert "instruction of other" not in running.screen


async def test_nothing_is_drawn_while_nothing_changes(root: Path) -> None:
    async with picking(root) as running:
        shown: list[object] = []
        running.picker.show = lambda *found, **_how: shown.append(found)  # type: ignore[method-assign]
        await running.pilot.pause(0.4)
        assert shown == []


async def test_one_that_cannot_be_used_says_why(root: Path) -> None:
    (root / "other/manifest.json").write_text("{")
    async with picking(root) as running:
        await running.press("g", "enter")
        assert "! unusable" in running.row
        assert "not a manifest" in running.screen
        assert running.app.is_running


async def test_what_cannot_be_opened_is_said_and_the_cursor_stays(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with picking(root) as running:
        monkeypatch.setattr(Session, "__init__", _unreadable)
        await running.press("G", "enter")
        await running.until("the log is gone")
        assert running.app.screen is running.picker
        assert running.row.endswith("instruction of first")
        await running.press("k")
        assert "the log is gone" not in running.screen


@pytest.mark.quick
async def test_what_cannot_be_read_leads_back_and_is_said(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with picking(root) as running:
        monkeypatch.setattr(Session, "open_feed", _unreadable)
        await running.press("G", "enter")
        await running.until("the log is gone")
        assert running.app.screen is running.picker
        assert running.row.endswith("instruction of first")


async def test_what_is_open_above_what_cannot_be_read_is_closed_as_well(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_fail = Event()

    def unreadable(session: Session) -> NoReturn:
        may_fail.wait(STAYS)
        _unreadable(session)

    async with picking(root) as running:
        monkeypatch.setattr(Session, "open_feed", unreadable)
        await running.press("G", "enter")
        await running.press("?")
        await running.until("Keys in Timeline")
        may_fail.set()
        await running.until("the log is gone")
        assert running.app.screen is running.picker


def _unreadable(*_arguments: object) -> NoReturn:
    raise BundleError("the log is gone")


@pytest.mark.quick
async def test_searching_the_list(root: Path) -> None:
    async with picking(root) as running:
        await running.press("/")
        await running.press(*"first", "enter")
        assert running.row.endswith("instruction of first")


@pytest.mark.quick
async def test_help_names_its_keys(root: Path) -> None:
    async with picking(root) as running:
        await running.press("?")
        await running.until("Keys in the list of runs")
        await running.press("escape")
        assert "instruction of other" in running.screen


@pytest.mark.quick
async def test_an_empty_root_and_one_that_cannot_be_listed(tmp_path: Path) -> None:
    async with picking(tmp_path) as running:
        await running.until("There are no trace bundles in")
    async with picking(tmp_path / "nothing", NARROW, is_whole=False) as running:
        await running.until("this directory cannot be listed: no such file or directory")


async def test_too_small_a_terminal_says_so(root: Path) -> None:
    async with picking(root, (60, 9)) as running:
        assert "40x10" in running.screen
        assert "instruction" not in running.screen


@pytest.mark.parametrize("width", [40, 47, 60, 79])
async def test_a_narrow_list_keeps_state_time_and_some_words(root: Path, width: int) -> None:
    async with picking(root, (width, 10)) as running:
        for bundle in running.picker._rows.items:
            row = spans_text(lay_out(bundle_row(bundle, columns_for(width, with_name=False)), width - 1))
            assert f"{status_mark(bundle.summary.status)} {bundle.summary.status} " in row
            assert row.startswith(short_time(bundle.summary.started_at_unix_ms))
            assert row.endswith((what_words(bundle), glyphs.active().ellipsis))
            assert row[:30] in running.screen


async def test_progress_is_shown_while_the_first_look_takes_long(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollout_tui.progress.INTERVAL", 0.0)
    held, read = Event(), ShelvedBundle.read

    def slow(bundle: ShelvedBundle) -> None:
        read(bundle)
        held.wait(STAYS)

    monkeypatch.setattr(ShelvedBundle, "read", slow)
    picker = PickerScreen(RunList(root))
    app = RolloutApp(picker)
    async with app.run_test(size=WIDE) as pilot:
        running = Picking(picker, app, pilot)
        await running.until("of 3 bundles read")
        held.set()
        await running.until("instruction of first")


# The way back from the inspector


@pytest.mark.quick
@pytest.mark.parametrize("key", ["q", "escape"])
async def test_back_at_the_root_of_the_inspector_leads_to_the_list(root: Path, key: str) -> None:
    async with picking(root, NARROW) as running:
        inspection = await opened(running, "G", "enter")
        await inspection.press("4")
        await inspection.press(key)
        assert isinstance(running.app.screen, InspectorScreen)
        await running.press(key)
        assert running.app.screen is running.picker
        assert running.row.endswith("instruction of first")
        assert running.app.is_running


async def test_the_list_goes_on_after_the_inspector(root: Path) -> None:
    async with picking(root) as running:
        await opened(running, "enter")
        recording = Recording(root, "newest", started=9, thread="n")
        recording.begin()
        recording.call(["instruction of newest"])
        await running.press("q")
        await running.until("instruction of newest")
        assert "4 bundles" in running.screen


@pytest.mark.quick
async def test_quitting_the_inspector_does_not_lead_to_the_list(root: Path) -> None:
    async with picking(root, NARROW) as running:
        inspection = await opened(running, "enter")
        await inspection.press("Q")
        assert running.app.return_value == 0


@pytest.mark.quick
async def test_without_a_list_escape_at_the_root_does_nothing(root: Path) -> None:
    app = RolloutApp(InspectorScreen(Session(root / "first")))
    async with app.run_test(size=NARROW) as pilot:
        inspection = Inspection(app, pilot)
        await inspection.settle()
        await inspection.press("escape")
        assert app.is_running
        await inspection.press("q")
        assert app.return_value == 0


# Two bundles in one process


async def test_two_bundles_are_followed_at_once_and_one_goes_on_without_the_other(root: Path) -> None:
    logs = [Recording(root, name, started=20, thread=name) for name in ("one", "two")]
    below, above = (InspectorScreen(Session(root / name), follow=True) for name in ("one", "two"))
    app = RolloutApp(below)
    async with app.run_test(size=WIDE) as pilot:
        app.push_screen(above)
        for log in logs:
            log.begin()
        await _until(pilot, lambda: _shown(below) == _shown(above) == 1)
        assert inspector_of(app) is above
        above.dismiss(None)
        await _until(pilot, lambda: app.screen is below)
        await _until(pilot, lambda: all(one.is_finished for one in app.workers if one.node is above))
        for log in logs:
            log.begin()
        await _until(pilot, lambda: _shown(below) == 2)
        assert _shown(above) == 1


def _shown(inspector: InspectorScreen) -> int:
    """How many events of the protocol an inspector shows."""
    timelines = inspector.session.timelines
    events = [] if timelines is None else timelines.index.reduction.provenance.events
    return sum(event.kind == "protocol_event_observed" for event in events)


async def _until(pilot: Pilot[int], is_so: Callable[[], bool]) -> None:
    await until(is_so, pause=pilot.pause)
