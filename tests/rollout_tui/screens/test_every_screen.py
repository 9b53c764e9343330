"""What holds on every screen: footer and help from the key table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import NARROW, SCREENS, WIDE, inspecting
from patience import until
from textual.widgets import OptionList

from rollout_tui import keys
from rollout_tui.screens.help import HelpScreen
from rollout_tui.screens.palette import Palette
from rollout_tui.views.input_forms import LANGUAGES
from rollout_tui.widgets.virtual_list import VirtualList

Demo = Callable[[str], Path]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", SCREENS)
async def test_help_of_every_screen_lists_its_keys(
    demo_trace: Demo, name: str, size: tuple[int, int]
) -> None:
    pressed, pane = SCREENS[name]
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press(*pressed, "f1")
        screen = inspection.app.screen
        assert isinstance(screen, HelpScreen)
        assert f"Keys in {pane.value}" in "\n".join(inspection.screen_text())
        rows = inspection.rows(screen.query_one(VirtualList))
        said = " ".join(" ".join(rows).split())
        for row in keys.help_rows(pane):
            assert any(line.startswith(row.keys) for line in rows)
            assert " ".join(f"{row.keys} {row.text}".split()) in said
        for language in LANGUAGES:
            assert language.title in rows
            forms = [" ".join(f"{form.text} {form.meaning}".split()) for form in language.forms]
            assert all(form in said for form in forms)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["inspector", "compactions", "cells"])
async def test_the_footer_is_that_of_the_table(demo_trace: Demo, name: str, size: tuple[int, int]) -> None:
    pressed, pane = SCREENS[name]
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press(*pressed)
        assert inspection.screen_text()[-1].strip() == keys.footer_text(pane, size[0] - 2)


@pytest.mark.quick
async def test_the_palette_offers_what_works_where_it_opens(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        offered = {one.title for one in inspection.app.get_system_commands(inspection.app.screen)}
        assert {"find  (/)", "mark  (m)", "copy  (y)", "compaction before  (C)"} <= offered
        assert not any(title.startswith(("state  (", "step  (", "line or hits")) for title in offered)
        set_mark = next(action.action for action in keys.ACTIONS if action.name == "set_mark")
        await inspection.app._run_by_name(inspection.app.screen, set_mark)
        await inspection.press("k")
        assert "mark k is at seq 4" in inspection.screen_text()[-1]


@pytest.mark.quick
async def test_the_palette_is_turned_by_pages_and_left_for_where_it_was_opened(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("ctrl+p")
        palette = inspection.app.screen
        assert isinstance(palette, Palette)
        options = palette.query_one(OptionList)
        await until(lambda: options.option_count > 20, pause=inspection.pilot.pause)
        await inspection.press("down", "pagedown")
        below = options.highlighted
        assert below is not None
        await inspection.press("pageup")
        assert options.highlighted is not None
        assert options.highlighted < below
        await inspection.press("escape")
        assert inspection.app.screen is inspection.screen
