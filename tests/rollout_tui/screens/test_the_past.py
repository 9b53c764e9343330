"""Everything as of an event: `:50%`, and the line along the log."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from threading import Event

import pytest
from inspecting import NARROW, Inspection, inspecting
from patience import PATIENCE, STAYS, until
from places import REPOSITORY

from reducer import open_bundle, reduce_bundle, state_json
from reducer.reduce import Reduction
from rollout_tui.feed import Feed, View
from rollout_tui.progress import Progress
from rollout_tui.reader import PAST
from rollout_tui.screens.scrubber import Scrubber

TEAM = REPOSITORY / "demo_traces" / "team"


def cut_after(seq: int, directory: Path) -> Reduction:
    """The bundle as it was when the event had just been written."""
    shutil.copytree(TEAM, directory)
    log = directory / "trace.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:seq]))
    return reduce_bundle(open_bundle(directory))


def shown(inspection: Inspection) -> bytes:
    timelines = inspection.screen.session.timelines
    assert timelines is not None
    return state_json(timelines.index.trace)


async def look_back(inspection: Inspection, seq: int) -> None:
    inspection.screen.reader.look_back(seq)
    await inspection.settle()


async def command(inspection: Inspection, text: str) -> None:
    await inspection.press(":")
    await inspection.press(*text, "enter")


async def test_everything_is_shown_as_of_an_event(tmp_path: Path) -> None:
    expected = cut_after(60, tmp_path / "cut")
    async with inspecting(TEAM) as inspection:
        agents = inspection.screen.threads.list.line_count
        now = shown(inspection)
        await look_back(inspection, 60)
        assert shown(inspection) == state_json(expected.trace)
        assert "as of seq 60 of" in inspection.screen_text()[0]
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert entry.seq <= 60
        assert inspection.screen.threads.list.line_count <= agents
        assert (
            max(
                one.seq
                for one in inspection.screen.session.timelines.tree(entry.thread_id).values  # type: ignore[union-attr]
            )
            <= 60
        )
        await command(inspection, "now")
        assert shown(inspection) == now
        assert "as of" not in inspection.screen_text()[0]


@pytest.mark.quick
async def test_what_ran_then_runs() -> None:
    """Half of the log: no agent has ended."""
    async with inspecting(TEAM) as inspection:
        await command(inspection, "50%")
        timelines = inspection.screen.session.timelines
        assert timelines is not None
        assert {thread.execution.status for thread in timelines.index.threads} >= {"running"}
        assert (
            timelines.index.trace.threads[timelines.index.trace.root_thread_id].execution.status == "running"
        )


async def test_escape_goes_back_to_now() -> None:
    async with inspecting(TEAM) as inspection:
        now = shown(inspection)
        await look_back(inspection, 60)
        await inspection.press("escape")
        assert shown(inspection) == now
        await inspection.press("escape")
        assert shown(inspection) == now


async def test_later_and_earlier_moments_follow_each_other(tmp_path: Path) -> None:
    async with inspecting(TEAM) as inspection:
        for number, seq in enumerate((30, 90, 40)):
            expected = cut_after(seq, tmp_path / str(number))
            await look_back(inspection, seq)
            assert shown(inspection) == state_json(expected.trace)


@pytest.mark.quick
async def test_reading_again_calls_off_a_look_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go_on, as_of = Event(), Event(), Feed.as_of

    def slow(feed: Feed, seq: int, progress: Progress) -> View:
        asked.set()
        go_on.wait(STAYS)
        return as_of(feed, seq, progress)

    monkeypatch.setattr(Feed, "as_of", slow)
    async with inspecting(TEAM) as inspection:
        reader = inspection.screen.reader
        reader.look_back(60)
        assert await asyncio.to_thread(asked.wait, PATIENCE)
        (looking,) = [worker for worker in inspection.app.workers if worker.group == PAST]
        reader.read()
        assert looking.is_cancelled
        go_on.set()
        await inspection.settle()
        assert reader.state.past_seq is None


async def test_what_is_shown_is_how_it_is_now() -> None:
    async with inspecting(TEAM) as inspection:
        now = shown(inspection)
        await command(inspection, "now")
        assert "this is how everything is now" in inspection.screen_text()[-1]
        assert shown(inspection) == now


async def followed(inspection: Inspection) -> None:
    """Wait until the panes have followed the mark: not before it stays where it is."""
    scrubber = inspection.app.screen
    assert isinstance(scrubber, Scrubber)
    await until(lambda: scrubber._timer is None, pause=inspection.pilot.pause)
    await inspection.settle()


@pytest.mark.quick
async def test_the_line_along_the_log(tmp_path: Path) -> None:
    async with inspecting(TEAM, NARROW) as inspection:
        last = inspection.screen.reader.state.last_seq
        now = shown(inspection)
        await inspection.press("T")
        assert isinstance(inspection.app.screen, Scrubber)
        assert f"seq {last}" in inspection.screen_text()[-2]
        await inspection.press("h", "h")
        await followed(inspection)
        assert f"seq {last - 2}" in inspection.screen_text()[-2]
        assert shown(inspection) == state_json(cut_after(last - 2, tmp_path / "h").trace)
        await inspection.press("l", "k", "j", "ctrl+u", "ctrl+d", "g", "ctrl+d", "G", "h", "pageup")
        await followed(inspection)
        seq = inspection.screen.reader.state.past_seq
        assert seq is not None
        assert f"seq {seq}" in inspection.screen_text()[-2]
        await inspection.press("escape")
        assert shown(inspection) == now


@pytest.mark.quick
async def test_staying_at_a_moment(tmp_path: Path) -> None:
    async with inspecting(TEAM) as inspection:
        await inspection.press("T", "g", "ctrl+d", "ctrl+d", "enter")
        seq = inspection.screen.reader.state.past_seq
        assert seq is not None
        assert not isinstance(inspection.app.screen, Scrubber)
        assert shown(inspection) == state_json(cut_after(seq, tmp_path / "cut").trace)
        await inspection.press("T")
        assert f"seq {seq} " in inspection.screen_text()[-2]
        await inspection.press("escape")
        assert inspection.screen.reader.state.past_seq == seq


async def test_other_keys_work_in_the_past() -> None:
    async with inspecting(TEAM) as inspection:
        await look_back(inspection, 120)
        for key in (
            "}",
            ")",
            "f",
            "F",
            "[",
            "d",
            "v",
            "escape",
            "i",
            "escape",
            "c",
            "escape",
            "x",
            "escape",
            "e",
            "a",
        ):
            await inspection.press(key)
        assert inspection.app.return_code is None
