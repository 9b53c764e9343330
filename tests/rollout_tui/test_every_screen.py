"""What holds on every screen: footer and help from the key table, and a sentence where there is no room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import NARROW, WIDE, inspecting

from rollout_tui import keys
from rollout_tui.screens.dialog import TOO_SMALL
from rollout_tui.screens.help import HelpScreen
from rollout_tui.views.languages import LANGUAGES
from rollout_tui.widgets.virtual_list import VirtualList

Demo = Callable[[str], Path]

SCREENS: dict[str, tuple[tuple[str, ...], keys.Pane]] = {
    "inspector": ((), keys.Pane.TIMELINE),
    "compactions": (("c",), keys.Pane.COMPACTION),
    "cells": (("x",), keys.Pane.EXEC),
    "help": (("?",), keys.Pane.DIALOG),
    "search": (("ctrl+f",), keys.Pane.HITS),
    "command": ((":",), keys.Pane.PROMPT),
    "filter": (("&",), keys.Pane.PROMPT),
    "find": (("/",), keys.Pane.PROMPT),
    "write": (("w",), keys.Pane.FORM),
    "problems": (("i",), keys.Pane.DIALOG),
    "visibility": (("1", "v"), keys.Pane.DIALOG),
}


@pytest.mark.parametrize("name", SCREENS)
async def test_below_the_smallest_size_a_sentence_stands_alone(demo_trace: Demo, name: str) -> None:
    async with inspecting(demo_trace("team"), NARROW) as inspection:
        await inspection.press(*SCREENS[name][0])
        fits = inspection.screen_text()
        assert TOO_SMALL not in "\n".join(fits)
        for size in ((79, 24), (80, 23), (20, 5), (1, 1)):
            await inspection.pilot.resize_terminal(*size)
            await inspection.settle()
            words = " ".join(" ".join(inspection.screen_text()).split())
            assert size[0] < 40 or words == TOO_SMALL
        await inspection.pilot.resize_terminal(*NARROW)
        await inspection.settle()
        assert [line.rstrip() for line in inspection.screen_text()] == [line.rstrip() for line in fits]
        if name != "inspector":
            await inspection.press("escape")
            assert inspection.app.screen is inspection.screen


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
        for row in keys.help_rows(pane):
            assert any(line.startswith(row.keys) and row.text in line for line in rows)
        for language in LANGUAGES:
            assert language.title in rows
            assert all(
                any(form.text in line and form.meaning in line for line in rows) for form in language.forms
            )


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["inspector", "compactions", "cells"])
async def test_the_footer_is_that_of_the_table(demo_trace: Demo, name: str, size: tuple[int, int]) -> None:
    pressed, pane = SCREENS[name]
    async with inspecting(demo_trace("team"), size) as inspection:
        await inspection.press(*pressed)
        assert inspection.screen_text()[-1].strip() == keys.footer_text(pane, size[0] - 2)


async def test_the_palette_offers_what_works_where_it_opens(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        offered = {one.title for one in inspection.app.get_system_commands(inspection.app.screen)}
        assert {"find  (/)", "mark  (m)", "copy  (y)", "compaction before  (C)"} <= offered
        assert not any(title.startswith(("state  (", "step  (", "line or hits")) for title in offered)
        await inspection.app._run_by_name("set_mark")
        await inspection.press("k")
        assert "mark k is at seq 4" in inspection.screen_text()[-1]
