"""The screen of time where a run is large, odd, or no time long."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest
from bundle_builder import ROOT, BundleBuilder, message
from inspecting import Inspection, inspecting
from patience import until
from scenes import metadata

from rollout_tui.insight.timing.columns import LaneTimes
from rollout_tui.screens.time_screen import TimeScreen
from rollout_tui.views.time_look import TimeLook

AGENTS = 34
USAGE = {
    "input_tokens": 100,
    "cached_input_tokens": 0,
    "output_tokens": 10,
    "reasoning_output_tokens": 0,
    "total_tokens": 110,
}


class Team:
    """A run of many agents, each of which makes some calls."""

    def __init__(self, path: Path, agents: int, calls: int) -> None:
        self.builder = BundleBuilder(path / "bundle")
        self._names = count(1)
        self.threads = [ROOT, *(f"{number:08d}-0000-4000-8000-000000000000" for number in range(1, agents))]
        self.builder.event("rollout_started", trace_id="trace", root_thread_id=ROOT)
        for number, thread in enumerate(self.threads):
            agent = "/root" if thread == ROOT else f"/root/a{number}"
            self.builder.thread(thread, agent, metadata(agent, None if thread == ROOT else ROOT))
            self.builder.turn(f"turn-{number}", thread)
        for thread in self.threads:
            for _ in range(calls):
                self.call(thread)

    def call(self, thread: str) -> None:
        """Another call of an agent."""
        name = f"call-{next(self._names)}"
        self.builder.request(name, [message("hello", id="m")], thread)
        self.builder.response(name, [], usage=USAGE)

    def end(self) -> None:
        """Everything ends."""
        for number, thread in enumerate(self.threads):
            self.builder.turn_ended("completed", f"turn-{number}", thread)
            self.builder.event("thread_ended", thread_id=thread, status="completed")
        self.builder.event("rollout_ended", status="completed")

    def write(self, shifts: dict[int, int] | None = None, *, step: int = 1) -> Path:
        """Write it, with so many milliseconds from event to event, and clocks shifted at some places."""
        self.builder.lines = self.timed(shifts, step)
        return self.builder.write()

    def timed(self, shifts: dict[int, int] | None = None, step: int = 1) -> list[bytes]:
        """The lines of its log at such times."""
        lines = []
        for place, line in enumerate(self.builder.lines):
            event = json.loads(line)
            event["wall_time_unix_ms"] = 1_000_000 + place * step + (shifts or {}).get(place, 0)
            lines.append(json.dumps(event).encode())
        return lines


def look_of(inspection: Inspection) -> TimeLook:
    screen = inspection.app.screen
    assert isinstance(screen, TimeScreen)
    look = screen.time_look
    assert look is not None
    return look


def list_of(inspection: Inspection) -> list[str]:
    screen = inspection.app.screen
    assert isinstance(screen, TimeScreen)
    return inspection.rows(screen.list)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_more_agents_than_rows_have_a_lane_each(tmp_path: Path, size: tuple[int, int]) -> None:
    team = Team(tmp_path, AGENTS, 2)
    team.end()
    async with inspecting(team.write(step=40), size) as inspection:
        await inspection.press("L")
        rows = list_of(inspection)
        assert [row.split()[0] for row in rows[1:AGENTS]] == [f"/a{number}" for number in range(1, AGENTS)]
        assert all(set(row.split(maxsplit=1)[1]) <= set("m-. ") for row in rows[:AGENTS])
        screen = inspection.app.screen
        assert isinstance(screen, TimeScreen)
        await inspection.press(*f"{AGENTS - 1}j")
        assert screen.thread_id == team.threads[-1]
        await inspection.press("s")
        segment = look_of(inspection).here(screen.thread_id).segment
        assert segment is not None
        assert "|" in "\n".join(inspection.screen_text()), "the axis stays above lanes that scroll"
        await inspection.press("enter")
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert entry.thread_id == team.threads[-1]


async def test_a_movement_divides_nothing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All lanes are looked at again with each key; only another stretch of time is another picture."""
    divided = []
    whole = LaneTimes._divided

    def noted(self: LaneTimes, *arguments: int) -> object:
        divided.append(arguments)
        return whole(self, *arguments)  # type: ignore[arg-type]

    team = Team(tmp_path, AGENTS, 2)
    team.end()
    async with inspecting(team.write(step=40), (200, 60)) as inspection:
        await inspection.press("L")
        monkeypatch.setattr(LaneTimes, "_divided", noted)
        await inspection.press(*"llllhhll", "j", "k", *"3l")
        assert divided == []
        await inspection.press("+")
        assert len(divided) == AGENTS


async def test_a_number_counts_columns(tmp_path: Path) -> None:
    team = Team(tmp_path, 2, 3)
    team.end()
    async with inspecting(team.write(step=500)) as inspection:
        await inspection.press("L", *"9999h", *"12l")
        look = look_of(inspection)
        assert look.column == 12
        await inspection.press(*"5h")
        assert look.column == 7
        await inspection.press(*"999l")
        assert look.spot.at == look.found.whole.end - 1
        await inspection.press("l")
        assert inspection.said == "this is the last moment of the run"
        await inspection.press(*"9999h")
        assert look.spot.at == look.found.whole.begin


@pytest.mark.slow
async def test_thousands_of_entries_in_a_lane_are_columns_too(tmp_path: Path) -> None:
    team = Team(tmp_path, 1, 1_700)
    team.end()
    async with inspecting(team.write()) as inspection:
        entries = inspection.screen.timeline.list.line_count
        assert entries >= 1_700
        await inspection.press("L", *"G", "g", "+", "+", ">", "s", "S", "z", "z")
        look = look_of(inspection)
        lane = look.found.lanes[ROOT]
        assert len(lane.lane.segments) > 3_000
        assert list_of(inspection)[0].startswith("/root")
        await inspection.press(*["+"] * 20)
        assert inspection.said == "a column is as short as a clock can tell"
        assert look.window.ms == look.columns


async def test_clocks_that_contradict_the_order_are_said_and_never_run_back(tmp_path: Path) -> None:
    team = Team(tmp_path, 3, 4)
    team.end()
    path = team.write({12: -5_000, 18: 30_000, 19: -30_000}, step=100)
    async with inspecting(path) as inspection:
        await inspection.press("L")
        look = look_of(inspection)
        clock = look.found.clock
        assert clock.back_steps
        assert any("clocks go back" in row for row in list_of(inspection))
        seqs = range(clock.first_seq, clock.last_seq)
        assert all(clock.at(seq) <= clock.at(seq + 1) for seq in seqs)
        for lane in look.found.lanes.values():
            assert lane.lane.active_ms + lane.lane.waiting_ms + lane.lane.idle_ms == lane.lane.span_ms
        await inspection.press("s", "s", "s", "S", "e", "z", "+", "l", "z")
        assert inspection.app.is_running


async def test_a_run_of_no_time_has_a_column(tmp_path: Path) -> None:
    team = Team(tmp_path, 2, 2)
    team.end()
    async with inspecting(team.write(step=0)) as inspection:
        await inspection.press("L")
        look = look_of(inspection)
        assert (look.found.whole.ms, look.columns, look.column) == (1, 1, 0)
        for key, said in (("l", "last moment"), ("h", "first moment"), ("-", "whole run"), ("+", "as short")):
            await inspection.press(key)
            assert said in inspection.said
        await inspection.press("s", "J", "e", "c", "z", "G", "g", "enter")
        assert inspection.app.is_running


async def test_the_past_is_shown_and_left_from_here(tmp_path: Path) -> None:
    team = Team(tmp_path, 2, 4)
    team.end()
    async with inspecting(team.write(step=1_000)) as inspection:
        await inspection.press("L")
        whole = look_of(inspection).found.whole
        await inspection.press("T", "h", "h", "h", "enter")
        look = look_of(inspection)
        assert look.found.whole.end < whole.end
        assert "as of" in "\n".join(inspection.screen_text()[:3])
        await inspection.press("escape")
        assert look_of(inspection).found.whole == whole


async def test_a_run_that_grows_is_followed_from_here(tmp_path: Path) -> None:
    team = Team(tmp_path, 2, 2)
    path = team.write(step=1_000)
    async with inspecting(path) as inspection:
        await inspection.press("L", "2", "l")
        look = look_of(inspection)
        whole, spot = look.found.whole, look.spot
        log = path / "trace.jsonl"
        written = len(team.builder.lines)
        await inspection.pilot.press("t")
        for thread in team.threads:
            team.call(thread)
        with log.open("ab") as file:
            file.write(b"\n".join([*team.timed(step=1_000)[written:], b""]))
        await until(lambda: look.found.whole.end > whole.end, pause=inspection.pilot.pause)
        assert look.spot == spot
        assert [row.split()[0] for row in list_of(inspection)[:2]] == ["/root", "/a1"]
        await inspection.pilot.press("t")
