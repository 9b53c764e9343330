"""A walk through evidence in which every text is an attack: no screen has anything that is obeyed.

A shorter walk in a terminal is in `tests/end_to_end/test_hostile_walk.py`; here the lines are a pilot's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from escape_audit import escape_audit, smuggled
from hostile_evidence import assert_harmless
from hostile_pilot import Walk, caught_by_the_last_net
from hostile_session import session_evidence, write_hostile_session
from inspecting import NARROW, WIDE, inspecting

from rollout_tui import glyphs, safe_text
from rollout_tui.lines.spans import Span
from rollout_tui.widgets.bars import Bar

Demo = Callable[[str], Path]


@pytest.fixture(autouse=True)
def caught(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was drawn unsafe, though the last net made it harmless."""
    return caught_by_the_last_net(monkeypatch)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("demo", "size", "drawing", "stride", "steps"),
    [
        ("hostile", WIDE, glyphs.UNICODE, 1, 20),
        ("hostile", NARROW, glyphs.UNICODE, 4, 5),
        ("hostile", NARROW, glyphs.ASCII, 4, 5),
        ("hostile-2", NARROW, glyphs.UNICODE, 1, 5),
    ],
    ids=["every entry", "80x24", "ascii", "files"],
)
async def test_no_screen_of_a_hostile_bundle_has_anything_that_is_obeyed(
    demo_trace: Demo,
    monkeypatch: pytest.MonkeyPatch,
    caught: list[str],
    demo: str,
    size: tuple[int, int],
    drawing: glyphs.GlyphSet,
    stride: int,
    steps: int,
) -> None:
    monkeypatch.setattr(glyphs, "_active", drawing)
    bundle = demo_trace(demo)
    async with inspecting(bundle, size) as at:
        walk = Walk(at)
        assert await walk.timeline(stride) > steps
        await walk.elsewhere()
        assert at.app.is_running
    assert len(walk.sent) > 200
    assert caught == []
    assert_harmless(b"\x1b[1;1H".join(walk.sent), bundle)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_no_screen_of_a_hostile_session_has_anything_that_is_obeyed(
    tmp_path: Path, shared_dir: Path, caught: list[str]
) -> None:
    session = write_hostile_session(shared_dir, tmp_path)
    async with inspecting(session, WIDE) as at:
        walk = Walk(at)
        assert await walk.timeline(6) > 3
        await walk.elsewhere()
        assert at.app.is_running
    assert len(walk.sent) > 200
    assert caught == []
    sent = b"\x1b[1;1H".join(walk.sent)
    audit = escape_audit(sent)
    assert not audit.violations, audit.describe()
    assert smuggled(session_evidence(session), sent) == []


@pytest.mark.quick
async def test_a_few_steps_draw_nothing_that_the_last_net_has_to_catch(
    demo_trace: Demo, caught: list[str]
) -> None:
    async with inspecting(demo_trace("hostile"), WIDE) as at:
        walk = Walk(at)
        await walk.tabs()
        await walk.step("2", "G", "3", "G", "i")
    assert caught == []
    assert walk.sent


@pytest.mark.quick
async def test_a_text_that_nobody_made_safe_is_noticed(demo_trace: Demo, caught: list[str]) -> None:
    """Otherwise the walks would show no more than that the last net is there."""
    async with inspecting(demo_trace("hostile"), WIDE) as at:
        at.screen.query_one("#header", Bar).show([Span(safe_text.SafeText("a\x1b[2Jb"))])
        await at.settle()
    assert [text.strip() for text in caught] == ["a\x1b[2Jb"]
