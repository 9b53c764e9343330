"""The list of bundles: what it shows, that new ones appear without moving anything, and where keys lead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest
from inspecting import NARROW, SCREEN_SWITCH, WIDE, Inspection
from test_bundle_summaries import Recording
from textual.pilot import Pilot

from rollout_tui import picker as picker_module
from rollout_tui.app import WENT_BACK, InspectorApp
from rollout_tui.bundles.root import TraceRoot
from rollout_tui.bundles.summary import BundleSummary
from rollout_tui.picker import PickerApp
from rollout_tui.session import Session
from rollout_tui.widgets.spans import spans_text


class Picking:
    """A running list of bundles."""

    def __init__(self, app: PickerApp, pilot: Pilot[BundleSummary]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause(SCREEN_SWITCH)

    @property
    def rows(self) -> list[str]:
        view = self.app.picker.list
        return [spans_text(view.line_spans(row, 200)).rstrip() for row in range(view.line_count)]

    @property
    def row(self) -> str:
        return self.rows[self.app.picker.list.cursor]

    @property
    def screen(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def until(self, wanted: str) -> None:
        """Wait for a text on the screen."""
        for _ in range(100):
            if wanted in self.screen:
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"no {wanted!r} on\n{self.screen}")


@asynccontextmanager
async def picking(
    root: Path, size: tuple[int, int] = WIDE, *, at: Path | None = None, words: str | None = None
) -> AsyncIterator[Picking]:
    app = PickerApp(TraceRoot(root), at=at, words=words)
    async with app.run_test(size=size) as pilot:
        running = Picking(app, pilot)
        for _ in range(100):
            await pilot.pause(0.05)
            if app.picker._looked:
                break
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picker_module, "LOOK_SECONDS", 0.05)


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
        await running.press("j", "enter")
        picked = running.app.return_value
        assert picked is not None
        assert (picked.path, picked.status) == (root / "again", "completed")


@pytest.mark.parametrize("key", ["q", "Q", "ctrl+c"])
async def test_leaving_opens_nothing(root: Path, key: str) -> None:
    async with picking(root) as running:
        await running.press("escape", key)
        assert running.app.return_value is None
        assert not running.app.is_running


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
        running.app.picker.show = shown.append  # type: ignore[method-assign]
        await running.pilot.pause(0.4)
        assert shown == []


async def test_one_that_cannot_be_used_says_why(root: Path) -> None:
    (root / "other/manifest.json").write_text("{")
    async with picking(root) as running:
        await running.press("g", "enter")
        assert "! unusable" in running.row
        assert "not a manifest" in running.screen
        assert running.app.is_running


async def test_the_cursor_is_on_the_one_that_was_looked_at_and_what_went_wrong_is_said(root: Path) -> None:
    async with picking(root, at=root / "first", words="there is no event log") as running:
        assert running.row.endswith("instruction of first")
        assert "there is no event log" in running.screen
        await running.press("k")
        assert "there is no event log" not in running.screen


async def test_searching_the_list(root: Path) -> None:
    async with picking(root) as running:
        await running.press("/")
        await running.press(*"first", "enter")
        assert running.row.endswith("instruction of first")


async def test_help_names_its_keys(root: Path) -> None:
    async with picking(root) as running:
        await running.press("?")
        await running.until("Keys in the list of bundles")
        await running.press("escape")
        assert "instruction of other" in running.screen


async def test_an_empty_root_and_one_that_cannot_be_listed(tmp_path: Path) -> None:
    async with picking(tmp_path) as running:
        await running.until("There are no trace bundles in")
    app = PickerApp(TraceRoot(tmp_path / "nothing"))
    async with app.run_test(size=NARROW) as pilot:
        await Picking(app, pilot).until("this directory cannot be listed: no such file or directory")


async def test_too_small_a_terminal_says_so(root: Path) -> None:
    async with picking(root, (60, 15)) as running:
        assert "80x24" in running.screen
        assert "instruction" not in running.screen


async def test_progress_is_shown_while_the_first_look_takes_long(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollout_tui.progress.INTERVAL", 0.0)
    held, look = Event(), TraceRoot._read

    def slow(trace_root: TraceRoot, name: str) -> None:
        look(trace_root, name)
        held.wait(5)

    monkeypatch.setattr(TraceRoot, "_read", slow)
    app = PickerApp(TraceRoot(root))
    async with app.run_test(size=WIDE) as pilot:
        running = Picking(app, pilot)
        await running.until("of 3 bundles read")
        held.set()
        await running.until("instruction of first")


# The way back from the inspector


@pytest.mark.parametrize("key", ["q", "escape"])
async def test_back_at_the_root_of_the_inspector_leads_to_the_list(root: Path, key: str) -> None:
    app = InspectorApp(Session(root / "first"), from_picker=True)
    async with app.run_test(size=NARROW) as pilot:
        inspection = Inspection(app, pilot)
        await inspection.settle()
        await inspection.press("4")
        await inspection.press(key)
        assert app.return_value is None
        await inspection.press(key)
        assert app.return_value == WENT_BACK


async def test_quitting_the_inspector_does_not_lead_to_the_list(root: Path) -> None:
    app = InspectorApp(Session(root / "first"), from_picker=True)
    async with app.run_test(size=NARROW) as pilot:
        inspection = Inspection(app, pilot)
        await inspection.settle()
        await inspection.press("Q")
        assert app.return_value == 0


async def test_without_a_list_escape_at_the_root_does_nothing(root: Path) -> None:
    app = InspectorApp(Session(root / "first"))
    async with app.run_test(size=NARROW) as pilot:
        inspection = Inspection(app, pilot)
        await inspection.settle()
        await inspection.press("escape")
        assert app.is_running
        await inspection.press("q")
        assert app.return_value == 0
