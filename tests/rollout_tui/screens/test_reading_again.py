"""`R` on a bundle that is not there any more, or cannot be read: what is shown stays, and it is said why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting
from places import REPOSITORY

from rollout_tui.views.reading_state import Following

TEAM = REPOSITORY / "demo_traces/team"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return shutil.copytree(TEAM, tmp_path / "team")


def spoil_manifest(bundle: Path) -> None:
    (bundle / "manifest.json").write_text('{"schema_version": "\x1b[31m')


def replace_log(bundle: Path) -> None:
    (bundle / "trace.jsonl").unlink()
    (bundle / "trace.jsonl").mkdir()


WAYS: dict[str, Callable[[Path], object]] = {
    "moved": lambda bundle: bundle.rename(bundle.with_name("elsewhere")),
    "removed": shutil.rmtree,
    "without a manifest": lambda bundle: (bundle / "manifest.json").unlink(),
    "with a manifest that is none": spoil_manifest,
    "without a log": lambda bundle: (bundle / "trace.jsonl").unlink(),
    "with a directory for a log": replace_log,
}


ROOMY = (250, 40)
"""What is said has room on one line there, with the path in it."""


def body(at: Inspection) -> list[str]:
    """The screen but for the header and the line for sentences."""
    return at.screen_text()[1:-1]


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_shown_stays_and_it_is_said_why(bundle: Path, way: str) -> None:
    async with inspecting(bundle, ROOMY) as at:
        await at.press("2", "j", "j")
        before, header = body(at), at.screen_text()[0]
        WAYS[way](bundle)
        await at.press("R")
        assert at.app.is_running
        assert body(at) == before
        assert at.screen_text()[0] == header
        assert "not read again: " in at.said
        assert not any("\x1b" in row for row in at.screen_text())
        # And everything that needs no file goes on.
        await at.press("k")
        assert body(at) != before


async def test_the_past_that_was_shown_stays_as_well(bundle: Path) -> None:
    async with inspecting(bundle, ROOMY) as at:
        at.screen.reader.look_back(100)
        await at.settle()
        before, header = body(at), at.screen_text()[0]
        shutil.rmtree(bundle)
        await at.press("R")
        assert (body(at), at.screen_text()[0]) == (before, header)
        assert at.screen.reader.state.past_seq == 100


async def test_a_log_that_was_followed_is_not_any_more(bundle: Path) -> None:
    log = bundle / "trace.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:100]))
    async with inspecting(bundle, ROOMY) as at:
        at.screen.reader.follow()
        bundle.rename(bundle.with_name("elsewhere"))
        await at.press("R")
        assert at.screen.reader.state.following is Following.LOST


async def test_it_is_read_again_once_it_is_back(bundle: Path) -> None:
    async with inspecting(bundle, ROOMY) as at:
        moved = bundle.rename(bundle.with_name("elsewhere"))
        await at.press("R")
        moved.rename(bundle)
        await at.press("R")
        assert "not read again" not in at.said
        assert not at.screen.reader.state.is_reading


@pytest.mark.quick
async def test_a_past_that_cannot_be_read_leaves_what_is_shown(bundle: Path) -> None:
    async with inspecting(bundle, ROOMY) as at:
        before = body(at)
        shutil.rmtree(bundle)
        at.screen.reader.look_back(100)
        await at.settle()
        assert body(at) == before
        assert not at.screen.reader.state.is_reading
        assert "the past cannot be shown: " in at.said
