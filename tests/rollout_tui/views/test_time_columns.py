"""The columns of time: each moment lies in one, they agree with what agents did, zooming keeps the spot."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY

from reducer import EventRecord, ObjectRef
from rollout_tui.insight.failures.definition import Failure
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.columns import LaneTimes, Mark, Window
from rollout_tui.insight.timing.lanes import KINDS, Kind, Lane, Segment
from rollout_tui.insight.timing.path import CriticalPath
from rollout_tui.insight.timing.run_time import RunTime, run_time
from rollout_tui.lines.spans import span, spans_text, spans_width
from rollout_tui.session import Session
from rollout_tui.views.time_lanes import LETTERS, axis, letter, name_cells, padded, picture, time_label
from rollout_tui.views.time_look import Spot, TimeLook

THREAD = "t"
BEGIN = 1_000

WINDOWS = st.builds(Window, st.integers(0, 10_000), st.integers(1, 5_000))


@given(WINDOWS, st.integers(1, 300))
def test_each_moment_lies_in_exactly_one_column(window: Window, room: int) -> None:
    columns = window.columns(room)
    edges = [window.edge(place, columns) for place in range(columns + 1)]
    assert (edges[0], edges[-1]) == (window.begin, window.end)
    assert all(first < last for first, last in pairwise(edges)), "none is empty"
    for place in range(columns):
        for at in (edges[place], edges[place + 1] - 1):
            assert window.column_of(at, columns) == place


@st.composite
def times(draw: st.DrawFn) -> RunTime:
    """The time of a run of one agent, with marks anywhere in it."""
    took = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 400)), min_size=1, max_size=30))
    at, events, segments = BEGIN, [], []
    for seq, (kind, ms) in enumerate(took, 1):
        events.append(EventRecord(seq, seq, 0, at, "x", None, None))
        segments.append(Segment(kind, seq, seq + 1, ms, ObjectRef("ToolCall", str(seq))))
        at += ms
    last = len(took) + 1
    events.append(EventRecord(last, last, 0, at, "x", None, None))
    clock = Clock(events)
    sums: Counter[Kind] = Counter()
    for one in segments:
        sums[one.kind] += one.ms
    marks = [
        Mark(when, 1, ref, Failure(ref, THREAD, 1, "failed", "1", "") if fails else None)
        for number, (when, fails) in enumerate(
            draw(st.lists(st.tuples(st.integers(BEGIN, at), st.booleans()), max_size=5))
        )
        for ref in [ObjectRef("ToolCall", f"m{number}")]
    ]
    lanes = {THREAD: LaneTimes(Lane(THREAD, segments, sums), clock, marks)}
    return RunTime(clock, Window(BEGIN, at - BEGIN + 1), lanes, CriticalPath([]), [], [])


def did_at(lane: LaneTimes, at: int) -> Kind | None:
    """What an agent did at a moment, counted one by one."""
    end = lane.begin
    for one in lane.lane.segments:
        if end <= at < end + one.ms:
            return one.kind
        end += one.ms
    return None


@pytest.mark.slow
@given(times(), st.integers(1, 40), st.integers(0, 3_000), st.integers(1, 3_000))
def test_a_column_has_what_the_agent_did_for_most_of_it(
    found: RunTime, room: int, after: int, ms: int
) -> None:
    lane = found.lanes[THREAD]
    window = Window(BEGIN - 50 + after % (found.whole.ms + 60), ms)
    columns = window.columns(room)
    for place, column in enumerate(lane.columns(window, columns)):
        first, last = window.edge(place, columns), window.edge(place + 1, columns)
        did = Counter(did_at(lane, at) for at in range(first, last))
        del did[None]
        assert {kind: n for kind, n in lane.times_between(first, last).items() if n} == dict(did)
        assert column.kind in (did or {None: 0})
        assert column.kind is None or did[column.kind] == max(did.values())
        segment = lane.longest_between(first, last)
        assert (None if segment is None or not did else segment.kind) == column.kind
        inside = [one for one in lane.marks if first <= one.at < last]
        assert column.failures == sum(one.failure is not None for one in inside)
        assert column.compactions == len(inside) - column.failures
        assert (letter(column)[0] in LETTERS.values()) == (column.kind is not None and not inside)


@given(times())
def test_the_times_of_all_columns_are_those_of_the_lane(found: RunTime) -> None:
    lane, columns = found.lanes[THREAD], found.whole.columns(37)
    summed: Counter[Kind] = Counter()
    for place in range(columns):
        edges = (found.whole.edge(place, columns), found.whole.edge(place + 1, columns))
        summed.update(lane.times_between(*edges))
    assert +summed == +lane.lane.times


@pytest.mark.slow
@given(times(), st.integers(5, 60), st.lists(st.sampled_from("+-hl<>z"), max_size=25))
def test_no_key_loses_the_spot_and_zooming_keeps_its_moment(
    found: RunTime, room: int, keys: list[str]
) -> None:
    look = TimeLook(found)
    look.fit_into(room)
    for key in keys:
        before = look.spot
        match key:
            case "+" | "-":
                look.zoom(1 if key == "+" else -1)
            case "h" | "l":
                look.move(1 if key == "l" else -1)
            case "z":
                look.turn_whole(THREAD)
            case _:
                look.pan(1 if key == ">" else -1)
        assert look.spot.at in look.window
        assert look.window.begin >= found.whole.begin
        assert look.window.end <= found.whole.end
        assert 0 <= look.column < look.columns
        if key in "+-z":
            assert look.spot == before
        assert look.here(THREAD).ref.type in ("ToolCall", "Thread")
        assert len(spans_text(axis(look, 3))) == 3 + look.columns
        assert (
            len(spans_text(picture(found.lanes[THREAD].columns(look.window, look.columns)))) == look.columns
        )


@pytest.mark.slow
@given(times(), st.data())
def test_zooming_keeps_the_column_of_the_spot_away_from_the_ends(found: RunTime, data: st.DataObject) -> None:
    look = TimeLook(found)
    look.fit_into(20)
    look.go(Spot(data.draw(st.integers(found.whole.begin, found.whole.end - 1))))
    column, window = look.column, look.window
    if look.zoom(1):
        wanted = window.scaled(look.window.ms, look.spot.at, 20)
        if wanted == look.window:
            assert look.column == column


@pytest.mark.slow
@given(times(), times())
def test_growth_moves_neither_spot_nor_stretch(one: RunTime, other: RunTime) -> None:
    small, large = sorted((one, other), key=lambda found: found.whole.ms)
    look = TimeLook(small)
    look.fit_into(10)
    look.go(Spot(small.whole.begin + small.whole.ms // 2))
    look.zoom(1)
    spot, zoomed = look.spot, look.zoomed
    look.take(large)
    assert (look.spot, look.zoomed) == (spot, zoomed)
    assert zoomed is not None or look.window == large.whole


@pytest.mark.slow
@given(times())
def test_steps_go_through_all_that_the_agent_did(found: RunTime) -> None:
    look, gone_to = TimeLook(found), []
    look.fit_into(80)
    segments = found.lanes[THREAD].lane.segments
    look.go(look.spot_of(THREAD, segments[0]))
    while (spot := look.next_stretch(THREAD, 1, of_kind=False)) is not None:
        look.go(spot)
        gone_to.append(spot.seq)
        assert look.here(THREAD).segment == segments[len(gone_to)]
    assert gone_to == [one.first_seq for one in segments[1:]]
    while (spot := look.next_stretch(THREAD, -1, of_kind=True)) is not None:
        here = look.here(THREAD).segment
        look.go(spot)
        after = look.here(THREAD).segment
        assert here is not None
        assert after is not None
        assert (after.kind, after.first_seq < here.first_seq) == (here.kind, True)


@pytest.mark.parametrize(
    ("ms", "step", "words"),
    [
        (0, 1000, "0s"),
        (0, 60_000, "0"),
        (1_250, 10, "1.25s"),
        (185_000, 5_000, "3m05s"),
        (300_000, 300_000, "5m"),
        (3_900_000, 900_000, "1h05m"),
        (3_905_123, 1, "1h05m05.123s"),
    ],
)
def test_times_are_as_exact_as_the_columns(ms: int, step: int, words: str) -> None:
    assert time_label(ms, step) == words


@pytest.mark.slow
@pytest.mark.parametrize("name", ["team", "capped", "hostile"])
def test_recordings_are_summed_as_lanes_are(name: str) -> None:
    links = Session(Path(REPOSITORY / "demo_traces" / name)).load(lambda _done, _total: None).links
    found = run_time(links)
    assert set(found.lanes) == set(links.index.trace.threads)
    for lane in found.lanes.values():
        if lane.lane.segments:
            whole = lane.times_between(found.whole.begin, found.whole.end)
            assert {kind: n for kind, n in whole.items() if n} == dict(+lane.lane.times)
        assert all(mark.at in found.whole for mark in lane.marks)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5), st.integers(39, 200))
def test_names_are_cut_by_cells_and_pictures_begin_below_each_other(names: list[str], width: int) -> None:
    spans = [(span("  "), span(f"{name}\u4e2d\u6587\u202e", "link")) for name in names]
    cells = name_cells(spans, width)
    assert cells <= width // 4
    assert {spans_width(padded(one, cells)) for one in spans} == {cells + 1}
    assert not any("\u202e" in spans_text(padded(one, cells)) for one in spans)
