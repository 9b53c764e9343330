"""A bundle that is being written, followed: `t` and `=`."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from inspecting import NARROW, WIDE, inspecting, inspector_of
from live_runs import Host, LiveInspection, opened
from patience import PATIENCE
from places import REPOSITORY

from reducer import ObjectRef, open_bundle, reduce_bundle, state_json
from rollout_tui import feed as feed_module
from rollout_tui.app import RolloutApp
from rollout_tui.feed import Feed, View
from rollout_tui.progress import Progress
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.session import Session
from rollout_tui.views.reading_state import Following

TEAM = REPOSITORY / "demo_traces" / "team"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = Host(tmp_path)
    host.call()
    return host


async def test_t_shows_what_is_added_and_leaves_the_cursor(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        assert len(inspection.timeline()) == 2
        await inspection.press("j", "t")
        cursor = inspection.screen.timeline.entry
        assert cursor is not None
        assert cursor.ref.type == "InferenceCall"
        host.call()
        host.call()
        await inspection.until(lambda: len(inspection.timeline()) == 4)
        assert inspection.screen.timeline.entry == cursor
        await inspection.until_shown("following")
        host.child()
        await inspection.until(lambda: inspection.screen.threads.list.line_count == 2)
        assert inspection.screen.timeline.entry == cursor


async def test_what_runs_is_shown_when_it_ends(host: Host) -> None:
    """The context of the call at the cursor gets its answer, and the detail its end."""
    call = host.turn.start_inference(model="m", provider_name="p", request={"input": host.history})
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("G", "t")
        screen = inspection.screen
        assert "running" in "\n".join(inspection.rows(screen.detail.facts))
        contents = len(inspection.rows(screen.context.list))
        item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "late"}]}
        call.complete([item], response_id="r")
        await inspection.until(lambda: "completed" in "\n".join(inspection.rows(screen.detail.facts)))
        await inspection.until(lambda: "late" in "\n".join(inspection.rows(screen.context.list)))
        assert len(inspection.rows(screen.context.list)) > contents


async def test_equals_holds_the_view_still_and_counts(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("t", "=")
        host.call()
        await inspection.until(lambda: "paused +" in inspection.header() and "+0" not in inspection.header())
        assert len(inspection.timeline()) == 2
        await inspection.press("=")
        await inspection.until(lambda: len(inspection.timeline()) == 3)
        await inspection.until(lambda: "paused" not in inspection.header())


@pytest.mark.slow
async def test_what_comes_right_after_a_view_is_counted_while_it_is_held_still(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These lines are read before it is time for the next look, and none come after them."""
    monkeypatch.setattr(feed_module, "VIEW_INTERVAL", 1.0)
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("t")
        host.call()
        await inspection.until(lambda: len(inspection.timeline()) == 3)
        await inspection.press("=")
        host.call()
        await inspection.until(lambda: "paused +2 lines" in inspection.header())
        assert len(inspection.timeline()) == 3


async def test_equals_without_following_says_so(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("=")
        assert "nothing is followed" in inspection.screen_text()[-1]


async def test_t_again_stops(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("t")
        assert inspector_of(app).reader.state.following is Following.ON
        await inspection.press("t")
        assert inspector_of(app).reader.state.following is Following.OFF
        await inspection.until(lambda: "following" not in inspection.header())
        host.call()
        await app.workers.wait_for_complete()
        assert len(inspection.timeline()) == 2


async def test_the_end_of_the_recording_is_said(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle), follow=True))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        assert inspector_of(app).reader.state.following is Following.ON
        host.call()
        host.finish()
        await inspection.until(lambda: inspector_of(app).reader.state.following is Following.COMPLETE)
        await inspection.until_shown("the recording is complete")
        timelines = inspector_of(app).session.timelines
        assert timelines is not None
        expected = reduce_bundle(open_bundle(host.bundle))
        assert state_json(timelines.index.trace) == state_json(expected.trace)
        assert timelines.index.reduction.problems == []


async def test_a_recording_that_is_complete_says_so_at_once(host: Host) -> None:
    host.finish()
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        for _ in range(2):
            await inspection.press("t")
            assert inspector_of(app).reader.state.following is Following.COMPLETE
            await inspection.until_shown("the recording is complete")


async def test_a_live_log_that_is_followed_from_the_start(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Feed, "is_being_written", lambda feed: True)
    app = RolloutApp(InspectorScreen(Session(host.bundle), follow=True))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        host.call()
        await inspection.until(lambda: len(inspection.timeline()) == 3)
        assert inspector_of(app).reader.state.following is Following.ON
        assert "t follows" not in inspection.header()


async def test_a_live_log_says_how_to_follow_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feed, "is_being_written", lambda feed: True)
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.until_shown("still being written: t follows")


async def test_a_view_of_a_part_says_that_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows may be there before it is time for a first word on progress."""
    seen, read = Event(), Feed.read

    def in_parts(feed: Feed, progress: Progress, publish: Callable[[View], None] | None = None) -> View:
        assert publish is not None

        def published(view: View) -> None:
            publish(view)
            assert seen.wait(PATIENCE)

        return read(feed, progress, published)

    monkeypatch.setattr(Feed, "read", in_parts)
    monkeypatch.setattr(feed_module, "MOST_UNTOLD", 5)
    app = RolloutApp(InspectorScreen(Session(TEAM)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = LiveInspection(app, pilot)
        await inspection.until(lambda: inspector_of(app).session.timelines is not None)
        await inspection.until_shown("esc cancels")
        assert "reading" in inspection.header()
        seen.set()
        await inspection.until(lambda: "reading" not in inspection.header())


async def test_all_agents_are_followed_too(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=NARROW) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("a", "t")
        assert "helper" not in "\n".join(inspection.timeline())
        host.child()
        await inspection.until(lambda: "helper" in "\n".join(inspection.timeline()))


async def test_folds_stay(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("g", "h", "t")
        assert len(inspection.timeline()) == 1
        host.call()
        turn = ObjectRef("Turn", "turn-1")
        await inspection.until(lambda: _calls(app) == 2)
        assert len(inspection.timeline()) == 1
        assert inspection.screen.timeline.list.cursor_key == turn


def _calls(app: RolloutApp) -> int:
    timelines = inspector_of(app).session.timelines
    return 0 if timelines is None else len(timelines.index.trace.inference_calls)


async def test_a_log_that_is_cut_is_said(host: Host) -> None:
    app = RolloutApp(InspectorScreen(Session(host.bundle)))
    async with app.run_test(size=(200, 40)) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("t")
        (host.bundle / "trace.jsonl").write_bytes(b"")
        await inspection.until(lambda: inspector_of(app).reader.state.following is Following.LOST)
        await inspection.until_shown("not followed any more")
        assert len(inspection.timeline()) == 2


async def test_a_torn_line_waits(host: Host, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(host.bundle, copy)
    log = copy / "trace.jsonl"
    whole = log.read_bytes()
    host.call()
    more = (host.bundle / "trace.jsonl").read_bytes()[len(whole) :]
    shutil.copytree(host.bundle / "payloads", copy / "payloads", dirs_exist_ok=True)
    app = RolloutApp(InspectorScreen(Session(copy)))
    async with app.run_test(size=WIDE) as pilot:
        inspection = await opened(pilot, app)
        await inspection.press("t")
        with log.open("ab") as stream:
            stream.write(more[:-30])
            stream.flush()
            await inspection.until(lambda: _calls(app) == 2)
            assert "problem" not in inspection.header()
            stream.write(more[-30:])
        await inspection.until(
            lambda: inspector_of(app).reader.state.last_seq == reduce_bundle(copy).provenance.events[-1].seq
        )
        assert "problem" not in inspection.header()


def test_a_view_that_is_not_shown_any_more_is_freed_at_once() -> None:
    """Views are kept from the collector of cycles, which is slow with many objects: they must have none."""
    gc.collect()
    gc.disable()
    try:
        feed = Feed(open_bundle(TEAM))
        view = feed.read(lambda done, total: None)
        shown = view.timelines.rows(None)
        shown.row(0)
        view.timelines.stepping(None)
        kept = [
            weakref.ref(one) for one in (view.timelines.index, view.timelines.entries, view.follower, shown)
        ]
        del view, shown
        assert [one() for one in kept] == [None] * len(kept)
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.parametrize("at_seq", [None, 40])
async def test_what_comes_bit_by_bit_is_shown_as_what_comes_at_once(
    monkeypatch: pytest.MonkeyPatch, at_seq: int | None
) -> None:
    async with inspecting(TEAM, at=at_seq) as at_once:
        expected = at_once.screen_text()
        monkeypatch.setattr(feed_module, "FIRST_VIEW", 0.0)
        monkeypatch.setattr(feed_module, "VIEW_INTERVAL", 0.0)
        monkeypatch.setattr(feed_module, "READ_SHARE", 0)
        async with inspecting(TEAM, at=at_seq) as bit_by_bit:
            assert bit_by_bit.screen_text() == expected
